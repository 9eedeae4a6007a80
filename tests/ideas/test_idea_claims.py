"""Claims of the lab's own ideas, and what works that sources return make of a verdict: by their words, with passages."""

from __future__ import annotations

import pytest
from test_novelty import FAR, LIBRARY, TEMPLATE, Open, idea

from scientist.ideas import _works as works_module
from scientist.ideas._claims import claims_of
from scientist.ideas._idea import Comparison, DoseResponse, Modification, Transfer, Tuning
from scientist.ideas._novelty import check_novelty
from scientist.ideas._works import FIELD, UNASKED, compare, find_works
from scientist.literature import Novelty, Reference, Searched
from scientist.literature import _meaning as meaning_module
from scientist.literature._learnt import Learnt, learn

THEMES = ("orchids", "glaciers", "violins", "harbours", "comets", "bridges", "termites", "opals", "kites", "canoes")


def field_of(count: int) -> list[Reference]:
    """Works on label noise in forests of other kinds: the topic of the idea, and nothing more."""
    return [
        FAR.model_copy(
            update={
                "key": f"w{n}",
                "title": f"Label noise among {THEMES[n % 10]} of kind {n}",
                "authors": (f"A. Writer{n}",),
                "abstract": f"We look at labels of {THEMES[n % 10]} and at {THEMES[(3 * n + 1) % 10]} with a forest.",
            }
        )
        for n in range(count)
    ]


TOLD = FAR.model_copy(
    update={
        "key": "told2019",
        "title": "Forests under wrong labels",
        "authors": ("B. Teller",),
        "abstract": "How fast does a forest fall when labels are wrong? We flip labels of the training data. "
        "The accuracy of a random forest changes with label noise, and with a fifth of the labels flipped it loses "
        "at least five points. That is the effect of label noise.",
    }
)


def check(*works: Reference, answer: str = "") -> Novelty:
    return check_novelty(idea(), TEMPLATE, (), (), (LIBRARY, Open(*works, answer=answer)), 5.0)


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (DoseResponse(knob="label_noise", levels=(0.0, 0.2)), "effect of label noise"),
        (
            Comparison(knob="model", choices=("svm", "forest"), reference="svm"),
            "support vector machine and random forest",
        ),
        (Transfer(treatment={"model": "svm"}, values=("digits", "wine")), "across data sets"),
        (Tuning(knobs=("label_noise",), trials=5), "hyperparameter tuning"),
        (Modification(name="median votes", change="Replace the mean of the votes by their median."), "median votes"),
    ],
)
def test_claims_follow_from_the_design(design, words: str) -> None:
    claims = claims_of(idea(design=design), TEMPLATE)
    by_role = {
        role: [c.text for c in claims if c.role == role]
        for role in ("idea", "mechanism", "setting", "measure", "expected")
    }
    assert all(by_role.values()) and words in by_role["mechanism"][0]
    assert by_role["measure"] == ["accuracy"] and idea().hypothesis in by_role["expected"]


def test_a_work_that_stands_out_is_close_with_its_passages() -> None:
    without, having = check(*field_of(14)), check(*field_of(14), TOLD)
    assert without.verdict == "novel" and having.verdict == "close" and "told2019" in having.reason
    assert without.told is not None and having.told is not None and without.told < having.told
    assert having.score < without.score and having.compared.startswith("words")
    near = next(n for n in having.neighbours if n.key == "told2019")
    assert any("fifth of the labels flipped" in cover.passage for cover in near.covers)
    assert all(cover.by == "words" and cover.coverage >= 0.5 for cover in near.covers)
    assert {c.claim for c in near.covers} | set(near.lacks) == {claim.text for claim in having.claims}
    assert "told2019" in {r.key for r in having.references}


def test_a_work_that_tells_every_claim_is_known() -> None:
    claims = " ".join(claim.text for claim in claims_of(idea(), TEMPLATE))
    found = check(*field_of(3), TOLD.model_copy(update={"abstract": claims.replace(". ", ", ").replace("? ", ", ")}))
    assert (found.verdict, found.score) == ("known", 0.0) and "told2019" in found.reason


def test_of_too_few_works_none_stands_out() -> None:
    assert check(*field_of(FIELD - 2), TOLD).told is None
    assert check(*field_of(FIELD - 1), TOLD).told is not None
    assert check().told is None and check().verdict == "undecided"


@pytest.mark.parametrize("answer", ["out", "empty", "skipped"])
def test_no_fault_is_evidence(answer: str) -> None:
    assert check(answer=answer).verdict == "undecided"


class HalfWay(Open):
    """Answers the first question, and fails at every further one."""

    note = "HTTP status 503"

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        works, searched = super().search(query, limit, deadline)
        if query in self.first:
            return works, searched
        return [], Searched(source=self.name, query=query, answer="out", note=self.note)

    first = ("a", "b")


def test_a_source_that_fails_at_a_further_phrasing_shows_no_novelty() -> None:
    works = find_works([HalfWay(*field_of(3))], ("a", "b"), ("c",), 5.0)
    assert works.open_answered == () and len(works.found) == 3
    HalfWay.note = UNASKED
    assert find_works([HalfWay(*field_of(3))], ("a", "b"), ("c",), 5.0).open_answered == ("arxiv",)


def test_the_order_in_which_works_come_changes_nothing() -> None:
    works = [*field_of(14), TOLD]
    claims = claims_of(idea(), TEMPLATE)
    results = [compare(claims, find_works([Open(*some)], ("q",), (), 5.0)) for some in (works, works[::-1])]
    assert results[0].told == results[1].told and results[0].nearest == results[1].nearest


def test_without_a_model_the_lab_s_own_library_lends_its_vectors_or_says_why_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(works_module, "embedder", lambda: None)
    monkeypatch.setattr(meaning_module, "embedder", lambda: None)
    claims = claims_of(idea(), TEMPLATE)
    works = find_works([Open(TOLD, *field_of(FIELD + 20))], ("q",), (), 5.0)
    texts = [f"{one.title}. {one.abstract}" for one in works.found] * 5
    by_words, lent, none = (
        compare(claims, works, lambda one=one: one)
        for one in (Learnt(None), Learnt(learn(texts)), Learnt(None, "it is in use"))
    )
    assert by_words.by == "words" and lent.by == "words and learnt vectors"
    assert none.by == "words; no vectors learnt from the library: it is in use" and none.near == by_words.near
    assert all(one.learnt and one.meaning is not None for one in lent.near)
    assert lent.nearest is not None and lent.nearest.key == "told2019" and lent.told is not None
    monkeypatch.setattr(works_module, "embedder", lambda: object())
    compare(claims, works, lambda: pytest.fail("asked though there is a model"))
