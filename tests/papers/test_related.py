"""Related work: which works, what it says that they share with a study, and that it never says more than their records."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from designs import World, world
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.ideas._bibliography import citable
from scientist.literature import SUBJECTS, Claim, Neighbour, Novelty, Reference, packaged_library
from scientist.literature._reference import Covered
from scientist.papers._phrases import Phrases
from scientist.papers._related import _compared, related_work
from scientist.papers._related_works import APART, ENOUGH, MOST_PER_TOPIC, Part, grouped, parts_of, placed, topics_of
from scientist.template import Template, load_template

ROOT = Path(__file__).parents[2]
MINE = [topic for topic in SUBJECTS if topic not in APART]


def work(
    key: str, topics: tuple[str, ...] = (), year: int = 2015, did: str = "compared this with that", **more: object
) -> Reference:
    fields = {"key": key, "title": "A work", "topics": topics, "year": year, "gist": did, "source": "library", **more}
    return Reference.model_validate(fields)


def novelty(*references: Reference, neighbours: tuple[Neighbour, ...] = (), claims: tuple[Claim, ...] = ()) -> Novelty:
    return Novelty(
        slug="s",
        verdict="undecided",
        reason="Nothing is known",
        score=0.5,
        references=references,
        neighbours=neighbours,
        claims=claims,
    )


def with_topics(w: World, **topics: tuple[str, ...]) -> Phrases:
    knobs = tuple(k.model_copy(update={"topics": topics.get(k.name, ())}) for k in w.template.knobs)
    template: Template = w.template.model_copy(update={"knobs": knobs, "topics": topics.get("task", ())})
    return Phrases(template, w.idea, w.study, w.analysis)


def interaction() -> Phrases:
    return with_topics(world("interaction"), label_noise=("label-noise",), augment=("augmentation", "sample-size"))


def test_parts_are_what_is_varied_the_form_of_the_question_and_the_task() -> None:
    p = with_topics(
        world("interaction"),
        label_noise=("label-noise",),
        augment=("augmentation", "sample-size"),
        task=("grokking", "reproducibility"),
    )
    assert [(part.topic, part.role) for part in parts_of(p)] == [
        ("grokking", "task"),
        ("label-noise", "varied"),
        ("augmentation", "varied"),
        ("interaction-of-factors", "asked"),
    ]
    assert topics_of(p) == ("grokking", "label-noise", "augmentation", "interaction-of-factors", "sample-size")


def test_shared_and_different_are_named_work_by_work() -> None:
    works = (
        work("ann2001", ("label-noise",), 2001, "proved that wrong names can be unlearnt"),
        work("ben2010", ("label-noise", "augmentation"), 2010, "compared shifted copies under wrong names"),
        work("cat2020", ("augmentation",), 2020, "proposed shifted copies"),
    )
    text = "\n".join(related_work(interaction(), novelty(*works)))
    assert (
        r"\paragraph{Wrong labels.} \citet{ann2001} proved that wrong names can be unlearnt. \citet{ben2010} compared"
        in text
    )
    assert "With them this study shares wrong labels (it varies label noise)" in text
    assert r"\citet{ben2010} also treated augmentation; none of their records mentions factors that interact." in text
    assert r"As this study does, \citet{ben2010} reported experiments; \citet{ann2001} argued from theory." in text
    assert (
        "common with it is augmentation (it varies augmentation), but its record does not mention wrong labels or factors"
        in text
    )
    assert r"two of the three are shared by \citet{ben2010}; none of the records found has them all." in text


def test_a_record_that_is_not_shown_counts_where_it_is_said_that_none_has_it_all() -> None:
    all_of_it = ("statistics-of-comparison", "label-noise", "augmentation", "interaction-of-factors")
    text = related_work(interaction(), novelty(work("ann2001", ("label-noise",)), work("eve2005", all_of_it)))[-1]
    assert r"all three are shared by \citet{eve2005}." in text and "none of the records" not in text


def test_a_study_without_works_still_says_what_was_searched() -> None:
    (only,) = related_work(interaction(), novelty())
    assert only.startswith(r"\paragraph{What is different here.}") and r"\emph{undecided}" in only


def test_works_of_the_method_of_another_field_and_retracted_ones_are_not_related_work() -> None:
    works = (
        work("kept2015", ("label-noise",)),
        work("method2015", ("statistics-of-comparison", "label-noise")),
        work("data2015", ("datasets", "label-noise")),
        work("foreign2015", ("language-models", "label-noise")),
        work("gone2015", ("label-noise",), retracted="Crossref"),
        work("silent2015", ("label-noise",), did=""),
    )
    assert [one.work.key for one in placed(works, ["label-noise"])] == ["kept2015"]
    assert [one.work.key for one in placed(works, ["label-noise", "language-models"])] == ["kept2015", "foreign2015"]


def test_works_of_an_index_speak_in_the_words_of_their_abstracts() -> None:
    found = work(
        "lee2024",
        (),
        2024,
        "",
        source="arxiv",
        abstract="We study augmentation under label noise for small data sets. It helps.",
    )
    text = "\n".join(related_work(interaction(), novelty(found)))
    assert r"\citet{lee2024} studied augmentation under label noise for small data sets." in text
    assert "it also treated augmentation" in text or "it also treated wrong labels" in text


def test_the_nearest_are_compared_claim_by_claim() -> None:
    claims = (
        Claim(role="mechanism", text="shifted copies"),
        Claim(role="measure", text="accuracy"),
        Claim(role="expected", text="it helps much"),
    )
    near = Neighbour(
        kind="work",
        key="ben2010",
        title="A work",
        similarity=0.5,
        covers=(Covered(claim="shifted copies", coverage=0.9, passage="shifted copies"),),
        lacks=("accuracy", "it helps much"),
    )
    text = related_work(interaction(), novelty(work("ben2010", ("augmentation",)), neighbours=(near,), claims=claims))[
        -1
    ]
    assert (
        r"Claim by claim, the record of \citet{ben2010} tells what is varied and does not tell the measure and what is expected."
        in text
    )
    gone = work("ben2010", ("augmentation",), retracted="Crossref")
    assert "(since retracted)" in related_work(interaction(), novelty(gone, neighbours=(near,), claims=claims))[-1]


_WORKS = st.lists(
    st.builds(
        lambda number, topics, year: work(f"w{number}", tuple(topics), year),
        st.integers(0, 10_000),
        st.lists(st.sampled_from(MINE[:8]), min_size=1, max_size=4, unique=True),
        st.integers(1950, 2025),
    ),
    max_size=40,
    unique_by=lambda one: one.key,
)


@settings(max_examples=60)
@given(_WORKS, st.lists(st.sampled_from(MINE[:8]), max_size=5, unique=True))
def test_each_work_once_under_a_topic_of_its_own_and_enough_where_there_are_enough(
    references: list[Reference], topics: list[str]
) -> None:
    works = placed(references, topics)
    groups = grouped(topics, works)
    keys = [one.work.key for group in groups for one in group.works]
    assert len(keys) == len(set(keys))
    for group in groups:
        assert all(group.topic in one.topics for one in group.works) and len(group.works) <= MOST_PER_TOPIC
        years = [one.work.year or 0 for one in group.works]
        assert years == sorted(years)
    on_topic = [one for one in works if set(one.topics) & set(topics)]
    assert len(keys) >= min(len(on_topic), 3)


@settings(max_examples=60)
@given(_WORKS, st.lists(st.sampled_from(MINE[:8]), min_size=1, max_size=4, unique=True), st.integers(0, 3))
def test_it_never_says_that_a_work_treats_or_lacks_what_its_record_denies(
    references: list[Reference], topics: list[str], turn: int
) -> None:
    parts = [Part(topic, "varied", "something") for topic in topics]
    nouns = {SUBJECTS[topic].noun: topic for topic in SUBJECTS}
    for group in grouped(topics, placed(references, topics)):
        told = _compared(group, parts, turn)
        about = {one.work.key: set(one.topics) for one in group.works}
        for clause in re.findall(r"((?:\\citet\{\w+\}(?:, | and )?)+) also treated ([^;.]*)", told):
            keys, named = (
                re.findall(r"\\citet\{(\w+)\}", clause[0]),
                [t for noun, t in nouns.items() if noun in clause[1]],
            )
            assert named and all(set(named) <= about[key] for key in keys)
        absent = re.search(r"(?:none of their records mentions|its record does not mention) ([^;.]*)", told)
        for noun, topic in nouns.items():
            if absent and noun in re.split(r", | or ", absent.group(1)):
                assert all(topic not in topics_ for topics_ in about.values())


def test_recent_and_classic_both() -> None:
    old = [work(f"old{n}", ("knn",), 1960 + n) for n in range(6)]
    new = [work("new1", ("svm", "knn"), 2024)]
    (group,) = grouped(["knn"], placed([*old, *new], ["knn"]))[:1]
    assert "new1" in [one.work.key for one in group.works] and len(group.works) >= 3


@pytest.mark.parametrize("name", ["digits", "grokking", "tabular"])
def test_a_dozen_works_where_the_library_has_them(name: str) -> None:
    template = load_template(ROOT / "templates" / name)
    knob = next(k for k in template.knobs if k.topics and k.levels)
    idea = world().idea.model_copy(
        update={
            "template": name,
            "design": world().idea.design.model_copy(update={"knob": knob.name, "levels": tuple(knob.levels)}),
        }
    )
    library = packaged_library()
    references = citable(idea, template, library, [])
    topics = [topic for topic in knob.topics if topic not in APART]
    found = [
        one.work.key
        for group in grouped(topics, placed(references, [*topics, *template.topics]))
        for one in group.works
    ]
    assert len(found) >= ENOUGH


def test_open_sources_give_what_the_library_lacks() -> None:
    w = world()
    bare = w.template.model_copy(
        update={
            "knobs": tuple(k.model_copy(update={"topics": ()}) for k in w.template.knobs),
            "background": "Nothing much here.",
        }
    )
    found = [
        work(
            f"found{chr(97 + n)}",
            (),
            2020,
            "",
            source="arxiv",
            title=f"Title {chr(97 + n) * 5}",
            abstract=f"We study how {chr(97 + n) * 6} networks forget.",
        )
        for n in range(20)
    ]
    empty = type(packaged_library())([])
    assert len(citable(w.idea, bare, empty, found)) == ENOUGH
