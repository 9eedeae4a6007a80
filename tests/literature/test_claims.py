"""Claims of an idea, how near works come to them, and the twin test: on small texts whose answer is plain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.literature import Store, claims_of_text, load_cases, make_work, score_cases, twin_auc
from scientist.literature._claims import ENOUGH_WORDS, MOST_CLAIMS, phrasings, says_enough
from scientist.literature._judge import coefficients, likely_told
from scientist.literature._nearness import COVERED, Near, nearness, stands_out
from scientist.literature._retrieval import Case
from scientist.literature._twins import auc, blind_auc, judge, label_auc, verdict_table

TITLE = "Does swapping small-loss examples between two networks survive heavy label noise?"
HYPOTHESIS = "Two peers that hand each other their least surprising examples filter wrong labels better than one alone."
METHOD = "In every step each network picks its lowest loss fraction; its peer trains on that pick. The fraction shrinks over epochs."
EXPERIMENT = "Digit images with half of the labels flipped; accuracy and purity of what was picked."
IDEA = claims_of_text(TITLE, HYPOTHESIS, METHOD, EXPERIMENT)

SAME = (
    "Training two peers on each other's small-loss picks",
    "Labels are often wrong. We train two networks that hand each other the examples with the lowest loss in every step. "
    "The picked fraction shrinks over time. With half of the labels flipped the accuracy on images stays high.",
)
TOPIC = [
    (f"Label noise study {n}", f"We examine label noise in networks from view {n}. Accuracy falls with {word}.")
    for n, word in enumerate(("depth", "width", "dropout", "momentum", "augmentation", "pruning", "warmup", "decay"))
] + [
    ("Orbital decay of small moons", "We integrate the orbits of moons around a planet."),
    ("Bandits with delayed reward", "Regret of a policy whose reward arrives late."),
    ("Protein folding by attention", "Structures follow from pairs of residues."),
    ("Sorting networks revisited", "Shallow circuits that sort."),
]


def test_each_field_gives_claims_of_its_role_and_a_long_one_leaves_room() -> None:
    assert [claim.role for claim in IDEA] == [
        "idea",
        "expected",
        "mechanism",
        "mechanism",
        "mechanism",
        "measure",
        "measure",
    ]
    assert IDEA[0].text == TITLE
    long = claims_of_text(TITLE, ". ".join([HYPOTHESIS] * 40), METHOD, EXPERIMENT)
    assert len(long) == MOST_CLAIMS and {claim.role for claim in long} == {"idea", "expected", "mechanism", "measure"}
    assert claims_of_text("", "", "", "") == ()


def test_an_idea_is_looked_for_in_several_phrasings() -> None:
    asked = phrasings(IDEA)
    assert len(asked) == len(set(asked)) >= 4
    assert TITLE in asked and HYPOTHESIS in asked and TITLE in asked[0] and METHOD.split(";")[0] in asked[0]


def test_the_work_that_did_it_is_nearest_and_says_where() -> None:
    near = nearness(IDEA, [*TOPIC[:6], SAME, *TOPIC[6:]])
    assert near[0].index == 6 and near[0].score > 2 * near[1].score
    changed = next(c for c, claim in zip(near[0].covers, IDEA, strict=True) if claim.text.startswith("In every step"))
    assert changed.coverage >= COVERED and "lowest loss" in changed.passage
    assert changed.passage in SAME[1]


def test_a_topic_with_many_works_raises_no_alarm_and_its_own_work_does() -> None:
    without, having = nearness(IDEA, TOPIC), nearness(IDEA, [*TOPIC, SAME])
    assert likely_told(without) < coefficients().close < likely_told(having)
    assert likely_told(nearness(IDEA, [*TOPIC[:8], *TOPIC[:8]])) < coefficients().close


def test_meaning_finds_what_words_do_not_and_counts_only_where_all_have_it() -> None:
    other = ("Peers", "A pair of learners teaches itself.")
    works = [*TOPIC, other]
    plain = nearness(IDEA, works)
    meant = nearness(IDEA, works, [0.1] * len(TOPIC) + [0.9])
    assert plain[0].index != len(TOPIC) and meant[0].index == len(TOPIC)
    assert [n.score for n in nearness(IDEA, works, [None, *[0.5] * len(TOPIC)])] == [n.score for n in plain]
    assert nearness(IDEA, works, [0.1] * len(TOPIC) + [0.9], by_words=False)[0].score == pytest.approx(0.9)


def test_nothing_found_is_no_evidence_and_few_words_say_too_little() -> None:
    assert likely_told([]) == 0.0 and stands_out([]) == 0.0
    assert not says_enough(claims_of_text("Better AI by improving AI"))
    assert says_enough(IDEA)
    assert nearness((), TOPIC)[0].score == 0.0


TEXTS = st.text(alphabet="abcdefgh ijkl. mnop", max_size=60)
WORKS = st.lists(st.tuples(TEXTS, TEXTS), max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, TEXTS, WORKS, st.floats(-1, 1))
def test_every_score_lies_between_nought_and_one(title: str, told: str, how: str, works: list, meaning: float) -> None:
    claims = claims_of_text(title, told, how)
    near = nearness(claims, works, [meaning] * len(works))
    for one in near:
        parts = (one.score, one.share, one.alike, one.phrases, one.told, one.meaning)
        assert all(part is not None and 0 <= part <= 1 for part in parts)
        assert all(0 <= cover.coverage <= 1 for cover in one.covers) and len(one.covers) == len(claims)
    assert 0 <= likely_told(near) <= 1


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, WORKS, st.randoms(use_true_random=False))
def test_the_order_of_the_works_changes_nothing(title: str, told: str, works: list, random) -> None:
    claims = claims_of_text(title, told)
    shuffled = random.sample(works, len(works))
    one, other = nearness(claims, works), nearness(claims, shuffled)
    assert [n.score for n in one] == pytest.approx([n.score for n in other])
    assert likely_told(one) == pytest.approx(likely_told(other))
    assert sorted(n.index for n in one) == list(range(len(works)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*TOPIC, SAME]), max_size=14))
def test_a_work_that_tells_the_idea_itself_never_makes_it_more_novel(works: list) -> None:
    itself = (TITLE, f"{HYPOTHESIS} {METHOD} {EXPERIMENT}")
    before, after = nearness(IDEA, works), nearness(IDEA, [*works, itself])
    assert after[0].identical and after[0].index == len(works)
    assert likely_told(after) == 1.0 >= likely_told(before)


def a_near(score: float) -> Near:
    return Near(0, score, score, score, score, None, ())


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0, 1))
def test_a_nearer_first_work_never_lowers_the_chance(scores: list[float], more: float) -> None:
    first, *rest = sorted(scores, reverse=True)
    raised = first + (1 - first) * more
    low, high = ([a_near(top), *map(a_near, rest)] for top in (first, raised))
    assert likely_told(high) >= likely_told(low) - 1e-12


# --- the benchmark ---


def small_library(path: Path) -> Store:
    store = Store(path, write=True)
    with store.transaction():
        for n, (title, abstract) in enumerate([*TOPIC, SAME]):
            work = make_work("test", "list", {"title": title, "abstract": abstract, "ident": f"w{n}", "year": 2020})
            assert work is not None
            store.add(work)
    return store


CASES = [
    Case("told", TITLE, HYPOTHESIS, METHOD, EXPERIMENT, "known_paraphrase", "known", f"w{len(TOPIC)}"),
    Case("vague", "Better AI", "It will be better.", "", "", "trap", "undecided"),
    Case(
        "other",
        "Tidal forces in toy planets of clay",
        "Clay planets that spin break at the equator first.",
        "Spin balls of wet clay on a wheel and film them.",
        "Time to fracture against spin rate.",
        "combination",
        "novel",
    ),
]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory):
    with small_library(tmp_path_factory.mktemp("library") / "l.sqlite") as store:
        return list(score_cases(store, CASES, "lexical"))


def test_the_twin_without_its_work_looks_newer(scored) -> None:
    told, vague, other = scored
    assert told.has.told > told.lacks.told and told.has.nearest == f"w{len(TOPIC)}" != told.lacks.nearest
    assert (told.has.verdict, told.lacks.verdict) == ("close", "novel")
    assert vague.has.verdict == "undecided" and other.has.verdict == "novel" and other.lacks is None
    assert twin_auc(scored).value == 1.0 and twin_auc(scored).n == 1
    assert label_auc(scored).value == 1.0
    assert verdict_table(scored)["known", "close"] == 1
    assert 0 <= blind_auc(CASES).value <= 1


def test_a_title_that_is_there_is_known_and_an_empty_library_decides_nothing(tmp_path: Path) -> None:
    case = Case("same", SAME[0], HYPOTHESIS, METHOD, EXPERIMENT, "", "known", "")
    with small_library(tmp_path / "l.sqlite") as store:
        assert judge(store, case, "lexical").verdict == "known"
    with Store(tmp_path / "empty.sqlite", write=True) as empty:
        assert judge(empty, case, "lexical").verdict == "undecided"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_the_area_is_a_share_and_turns_round(a: list[float], b: list[float]) -> None:
    assert 0 <= auc(a, b) <= 1 and auc(a, b) == pytest.approx(1 - auc(b, a))
    assert auc(a, a) == pytest.approx(0.5)


BENCHMARK = Path(__file__).parents[2].parent / "shared" / "data" / "literature" / "novelty" / "benchmark.jsonl"


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmark is not on this machine")
def test_every_idea_of_the_benchmark_but_the_vague_ones_has_claims() -> None:
    for case in load_cases(BENCHMARK):
        claims = claims_of_text(case.title, case.hypothesis, case.method, case.experiment)
        assert says_enough(claims) or case.label == "undecided", case.id


def test_the_coefficients_are_few_and_readable() -> None:
    told = json.loads((Path(__file__).parents[2] / "scientist" / "literature" / "novelty.json").read_text())
    numbers = [value for one in told.values() if isinstance(one, dict) for value in one.values()]
    assert len(numbers) == 8 and 0 < told["close"] < 1 and ENOUGH_WORDS > 0
