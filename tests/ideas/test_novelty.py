"""Verdicts: by stated rules, never `novel` without an open source that answered, with evidence and a closed set of works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.ideas._bibliography import MOST, by_relevance, topic_weights
from scientist.ideas._idea import Comparison, DoseResponse, Idea, LessonUse, Transfer, Tuning
from scientist.ideas._novelty import check_novelty, queries_for
from scientist.literature import LibrarySource, Novelty, Reference, Searched, Source, packaged_library
from scientist.literature._indexes import CrossrefSource, OpenAlexSource
from scientist.literature._online import ArxivSource, SemanticScholarSource
from scientist.template import Knob, Metric, Objective, Template
from scientist.template._template import Budget

sys.path.insert(0, str(Path(__file__).parent.parent / "literature"))
from loopback import FAULTS, OPEN, WORKS, loopback

WHY = "Because somebody has to decide between the two of them."
TEMPLATE = Template(
    name="toy",
    title="A toy",
    summary="A task that is never run in these tests.",
    background="Nobody studies it, and nobody needs to, for it only has knobs with topics.",
    editable=("train.py",),
    sealed=("evaluate.py",),
    command=("python", "train.py"),
    objective=Objective(metric="accuracy", smallest_effect=0.01),
    metrics=(Metric(name="accuracy", title="accuracy", direction="maximize"),),
    budget=Budget(wall_s=1, cpu_s=1, memory_mb=64),
    packages=("numpy", "scipy", "scikit-learn"),
    knobs=(
        Knob(
            name="model",
            title="model family",
            type="choice",
            choices=("logistic", "svm", "forest"),
            default="logistic",
            role="family",
            why=WHY,
            topics=("model-comparison", "logistic-regression", "svm", "random-forest"),
            api=(
                "sklearn.linear_model.LogisticRegression",
                "sklearn.svm.SVC",
                "sklearn.ensemble.RandomForestClassifier",
            ),
            labels={"logistic": "logistic regression", "svm": "support vector machine", "forest": "random forest"},
        ),
        Knob(
            name="label_noise",
            title="label noise",
            type="float",
            default=0.0,
            low=0.0,
            high=0.5,
            role="corruption",
            applies="data",
            why=WHY,
            topics=("label-noise",),
        ),
        Knob(
            name="dataset",
            title="data set",
            type="choice",
            choices=("digits", "wine"),
            default="digits",
            role="dataset",
            applies="data",
            why=WHY,
            topics=("datasets", "transfer-across-datasets"),
        ),
    ),
)


def idea(slug: str = "noise-and-forests", **fields) -> Idea:
    base = {
        "slug": slug,
        "title": "How fast does a forest fall when labels are wrong?",
        "template": "toy",
        "question": "How does the accuracy of a random forest change with label noise?",
        "hypothesis": "With a fifth of the labels flipped a random forest loses at least five points.",
        "expect": "less",
        "smallest_effect": 0.01,
        "why": WHY,
        "design": DoseResponse(knob="label_noise", levels=(0.0, 0.1, 0.2)),
        "settings": {"model": "forest"},
    }
    return Idea(**base | fields)


class Open:
    """An open source that answers what it is given."""

    breadth = "open"

    def __init__(self, *works: Reference, answer: str = "", name: str = "arxiv") -> None:
        self.name, self.works = name, [w.model_copy(update={"source": name}) for w in works]
        self.answer = answer or ("answered" if works else "empty")

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        return list(self.works), Searched(source=self.name, query=query, answer=self.answer, found=len(self.works))


LIBRARY = LibrarySource(packaged_library())
FAR = Reference(
    key="moon2020",
    title="Orbital decay of small moons",
    authors=("A. Moon",),
    year=2020,
    abstract="We integrate orbits of moons.",
    source="arxiv",
)


def check(one: Idea, backlog=(), done=(), sources: tuple[Source, ...] = (LIBRARY, Open(FAR))) -> Novelty:
    return check_novelty(one, TEMPLATE, backlog, done, sources, 5.0)


def test_novel_needs_an_open_source_with_works_to_compare_with() -> None:
    found = check(idea())
    assert (found.verdict, found.slug) == ("novel", "noise-and-forests")
    assert "arxiv" in found.reason and found.score > 0.5


@pytest.mark.parametrize(
    "sources",
    [(), (LIBRARY,), (LIBRARY, Open()), (LIBRARY, Open(answer="out")), (LIBRARY, Open(answer="skipped")), (Open(),)],
)
def test_no_evidence_is_undecided(sources: tuple[Source, ...]) -> None:
    assert check(idea(), sources=sources).verdict == "undecided"


def open_sources(url: str) -> list[Source]:
    return [make(url, delay_s=0.0) for make in (ArxivSource, SemanticScholarSource, OpenAlexSource, CrossrefSource)]


@pytest.mark.parametrize("mood", [*FAULTS, "empty"])
def test_no_fault_of_any_source_makes_an_idea_novel(mood: str) -> None:
    with loopback(mood, to="http://127.0.0.1:9") as server:
        found = check_novelty(idea(), TEMPLATE, (), (), (LIBRARY, *open_sources(server.url)), 0.35)
    assert found.verdict == "undecided"
    answers = {s.source: s.answer for s in found.searched}
    for name in OPEN:
        # In time or not, an empty page is no evidence; on a busy machine it may come too late.
        assert answers[name] in ("empty", "out") if mood == "empty" else answers[name] == "out", name
    assert found.references


@pytest.mark.parametrize("mood", ["503", "403", "cut", "malformed", "promised", "unrelated", "hang"])
def test_a_source_that_fails_half_way_makes_no_idea_novel(mood: str) -> None:
    """The works that it returned are evidence; that it returned no others is none."""
    works = [{**WORKS[1], "title": "Forests and noise"}]
    with loopback(mood, works=works) as server:
        server.moods_of = {name: ["good"] for name in OPEN}
        found = check_novelty(idea(), TEMPLATE, (), (), (LIBRARY, *open_sources(server.url)), 2.0)
    for name in OPEN:
        assert {s.answer for s in found.searched if s.source == name} >= {"out"}
    assert found.verdict == "undecided"


def test_one_source_that_is_out_is_named_and_the_verdict_rests_on_the_others() -> None:
    with loopback("503") as bad, loopback() as good:
        sources = (LIBRARY, *open_sources(bad.url)[:3], CrossrefSource(good.url, delay_s=0.0))
        found = check_novelty(idea(), TEMPLATE, (), (), sources, 5.0)
    assert found.verdict == "novel" and "crossref" in found.reason
    out = {s.source: s.note for s in found.searched if s.answer == "out"}
    assert out == dict.fromkeys(OPEN[:3], "HTTP status 503")


def test_a_server_that_answers_lets_an_idea_be_novel_or_close() -> None:
    with loopback() as server:
        sources = (LIBRARY, ArxivSource(server.url, delay_s=0.0), SemanticScholarSource(server.url))
        assert check_novelty(idea(), TEMPLATE, (), (), sources, 5.0).verdict == "novel"
        (twin,) = [
            {"title": idea().title, "abstract": "", "authors": ["A B"], "year": 2020, "arxiv": "2001.00001", "doi": ""}
        ]
        server.works = [twin]
        fresh = (LIBRARY, ArxivSource(server.url, delay_s=0.0))
        assert check_novelty(idea(), TEMPLATE, (), (), fresh, 5.0).verdict == "known"


def test_the_same_design_that_was_done_is_known_whatever_it_is_called() -> None:
    before = idea(
        "old-study",
        title="An old study with another name",
        status="done",
        settings={"model": "forest", "dataset": "digits"},
    )
    found = check(idea(), done=[before])
    assert (found.verdict, found.score) == ("known", 0.0)
    assert "old-study" in found.reason
    assert found.neighbours[0].kind == "paper" and found.neighbours[0].similarity == 1.0


def test_a_repetition_that_a_lesson_asks_for_is_close() -> None:
    before = idea("old-study", status="done")
    use = LessonUse(lesson="old-study.underpowered", text="too few seeds to tell", change="more seeds")
    assert check(idea(lessons=(use,)), done=[before]).verdict == "close"
    other = use.model_copy(update={"lesson": "another-study.underpowered"})
    assert check(idea(lessons=(other,)), done=[before]).verdict == "known"


def test_of_two_equal_ideas_in_the_backlog_exactly_one_is_known() -> None:
    a, b = idea("a-idea"), idea("b-idea")
    assert [check(a, [a, b]).verdict, check(b, [a, b]).verdict] == ["novel", "known"]
    approved = idea("b-idea", status="approved")
    assert [check(a, [approved]).verdict, check(approved, [a]).verdict] == ["known", "novel"]
    machine = idea("a-idea", origin="heuristic")
    assert [check(machine, [b]).verdict, check(b, [machine]).verdict] == ["known", "novel"]


def test_what_a_person_rejected_is_not_new() -> None:
    assert check(idea(), [idea("turned-down", status="rejected")]).verdict == "known"


def test_a_small_change_is_close_and_another_data_set_is_not() -> None:
    before = idea("old-study", status="done")
    doses = idea(design=DoseResponse(knob="label_noise", levels=(0.0, 0.1, 0.22)))
    assert check(doses, done=[before]).verdict == "close"
    assert check(idea(settings={"model": "forest", "dataset": "wine"}), done=[before]).verdict == "novel"


@pytest.mark.parametrize("name", ["arxiv", "semanticscholar"])
def test_a_work_in_much_the_same_words_is_close(name: str) -> None:
    near = FAR.model_copy(
        update={
            "key": "near2021",
            "title": "How fast do random forests fall when labels are wrong",
            "abstract": "We measure how the accuracy of a random forest changes when a fifth of labels is flipped.",
        }
    )
    found = check(idea(), sources=(LIBRARY, Open(near, FAR, name=name)))
    assert found.verdict == "close" and "near2021" in found.reason
    assert found.neighbours[0].key == "near2021" and found.neighbours[0].passage
    assert "near2021" in {r.key for r in found.references}
    # A first sentence without numbers, for prose that prints none but its own.
    assert not re.search(r"\d", found.reason.split(". ")[0])


def test_every_verdict_carries_its_evidence() -> None:
    found = check(idea(), [idea("other-idea", design=Tuning(knobs=("label_noise",), trials=4))])
    assert [s.source for s in found.searched[:5]] == ["backlog", "library", "library", "arxiv", "arxiv"]
    # A source that answered is asked in further words; the packaged library is not.
    assert {s.source for s in found.searched[5:]} == {"arxiv"}
    assert {n.key for n in found.neighbours if n.kind == "work"} <= {r.key for r in found.references}
    assert "other-idea" in {n.key for n in found.neighbours}
    similarities = [n.similarity for n in found.neighbours]
    assert similarities == sorted(similarities, reverse=True)


DESIGNS = {
    "dose": DoseResponse(knob="label_noise", levels=(0.0, 0.2)),
    "families": Comparison(knob="model", choices=("svm", "forest"), reference="svm"),
    "transfer": Transfer(treatment={"model": "svm"}, values=("digits", "wine")),
    "tuning": Tuning(knobs=("label_noise",), trials=5),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_the_closed_set_is_relevant_and_of_a_size_a_paper_can_use(name: str) -> None:
    found = check(idea(design=DESIGNS[name], settings={}), sources=(LIBRARY, Open(FAR)))
    keys = [r.key for r in found.references]
    assert 18 <= len(keys) <= MOST and len(keys) == len(set(keys))
    assert {"holm1979", "browne1995", "pedregosa2011", "virtanen2020", "alpaydin1998"} <= set(keys)
    assert ("aeberhard1992" in keys) == (name == "transfer")
    assert ("akiba2019" in keys) == (name == "tuning")
    assert "moon2020" not in keys
    if name == "dose":
        assert "frenay2014" in keys and "zadrozny2002" not in keys
    if name == "families":
        assert {"breiman2001", "cortes1995", "platt1999"} <= set(keys)
        assert next(r for r in found.references if r.key == "breiman2001").source == "library"


def test_topics_follow_the_values_in_use() -> None:
    weights = topic_weights(idea(), TEMPLATE)
    assert weights["label-noise"] > weights["random-forest"] > 0
    assert "svm" not in weights and "logistic-regression" not in weights and "datasets" not in weights
    first = by_relevance(idea(), TEMPLATE, packaged_library())[0]
    assert {"label-noise", "random-forest"} <= set(first.topics)


def test_queries_name_what_varies_then_the_title() -> None:
    assert queries_for(idea(), TEMPLATE) == ("label noise random forest", idea().title)
    tuning = idea(design=DESIGNS["tuning"])
    assert queries_for(tuning, TEMPLATE)[0] == "hyperparameter tuning random forest"
    transfer = idea(design=DESIGNS["transfer"], settings={"label_noise": 0.2})
    assert queries_for(transfer, TEMPLATE)[0] == "support vector machine label noise"


def test_the_record_is_the_same_every_time_and_survives_its_file() -> None:
    one = check(idea(), [idea("b-b-b", design=DESIGNS["tuning"])])
    assert one.canonical() == check(idea(), [idea("b-b-b", design=DESIGNS["tuning"])]).canonical()
    assert Novelty.model_validate_json(one.canonical()) == one


def test_knobs_that_the_template_does_not_have_are_no_crash() -> None:
    odd = idea(design=DoseResponse(knob="nowhere", levels=(1, 2)), settings={"nothing": 3})
    assert check(odd).verdict in ("novel", "undecided")


ANSWERS = st.sampled_from(["answered", "empty", "out", "skipped"])


@given(st.lists(ANSWERS, max_size=3))
def test_novel_if_and_only_if_an_open_source_answered(answers: list[str]) -> None:
    sources = tuple(Open(*([FAR] if a == "answered" else []), answer=a, name=f"s{i}") for i, a in enumerate(answers))
    assert (check(idea(), sources=sources).verdict == "novel") == ("answered" in answers)
