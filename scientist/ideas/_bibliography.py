"""Which works a paper about an idea may cite: chosen from records by stated rules, never by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from scientist.ideas._idea import Idea
from scientist.ideas._similarity import knobs_of, values_of
from scientist.lab import KnobValue
from scientist.literature import (
    FIELDS,
    TOPICS,
    Library,
    Reference,
    docstring_references,
    foreign,
    merge,
    same_work,
    topics_in,
)
from scientist.template import Knob, Template

MOST = 30  # works a paper of eight pages can do justice to
FROM_LIBRARY = 16  # of them at most by topic: what the others leave free
FROM_DOCUMENTATION = 6
FROM_OPEN = 6
ENOUGH = (
    12  # works on the question itself that a paper should have: where the library has fewer, open sources give more
)

# What a topic weighs by where it comes from: the field that the task is in, what varies, the kind of design, what is held
# fixed, what is default. Two topics count, so that a work of the field outweighs one on two things that vary.
FIELD, VARIED, KIND, FIXED, USUAL = 6.0, 3.0, 3.0, 2.0, 1.0
PER_RANK = 0.1  # what each place in the lexical ranking of the library is worth; it orders works of equal topics
RANKED = 15

ALWAYS = (
    "student1908",  # the paired t test
    "wilcoxon1945",  # the signed-rank test beside it, as a sensitivity check
    "holm1979",  # its correction for a family of contrasts
    "schuirmann1987",  # equivalence by two one-sided tests
    "lakens2017",  # and the smallest effect of interest it needs
    "browne1995",  # the number of seeds from a pilot
    "nosek2018",  # contrasts declared before the runs
    "bouthillier2021",  # why seeds vary data and initialisation together
)
"""What every study of this house rests on, whatever it is about."""

SOFTWARE = {"scikit-learn": "pedregosa2011", "scipy": "virtanen2020", "numpy": "harris2020", "matplotlib": "hunter2007"}
"""Distribution -> the work that describes it. The statistics need scipy and numpy, the figures matplotlib."""

TUNERS = ("akiba2019", "bergstra2011", "bergstra2012")
"""The framework and the two samplers of a tuning design."""

KIND_TOPICS = {
    "interaction": ("interaction-of-factors",),
    "transfer": ("transfer-across-datasets",),
    "tuning": ("hyperparameter-optimisation",),
}
_ALIASES = {
    "perceptron": "neural-networks",
    "mlp": "neural-networks",
    "trees": "random-forest",
    "neighbours": "knn",
    "boosting": "boosting-bagging",
    "ridge": "regularisation",
}
_FAMILIES = frozenset(
    "random-forest boosting-bagging svm knn naive-bayes logistic-regression neural-networks".split()  # noqa: SIM905
)
_DATA = re.compile(r"Data set: ([^.]+)\.")


def citable(idea: Idea, template: Template, library: Library, found: Sequence[Reference]) -> list[Reference]:
    """The closed set of works that a paper about the idea may cite: at most :data:`MOST`, one record per work.

    In this order: what every study rests on, the software and the data sets in use; works of the library by the
    topics of what the design varies, its kind, what it holds fixed and what is default, then by words; what the
    documentation of the learners in use cites; and `found`, the near works from open sources, nearest first. No retracted
    work is chosen; one that `found` holds stays, and its record says so.
    """
    wanted = [*ALWAYS, *_software(template), *(TUNERS if idea.design.kind == "tuning" else ())]
    common = [work for work in (library.get(key) for key in wanted) if work]
    common += [work for work in library.references if _describes_data(work, idea, template)]
    common = [work for work in common if not work.retracted]
    documented = [work for one in _documented(idea, template) if not (work := _preferred(one, library)).retracted]
    on_topic = len(by_relevance(idea, template, library, {work.key for work in common}))
    opened = found[: max(FROM_OPEN, ENOUGH - on_topic)]
    rest = merge([*documented[:FROM_DOCUMENTATION], *opened])
    rest = [work for work in rest if not any(same_work(work, other) for other in common)]
    without = {work.key for work in (*common, *rest)}
    room = min(FROM_LIBRARY, MOST - len(common) - len(rest))
    return merge([*common, *by_relevance(idea, template, library, without)[: max(0, room)], *rest])[:MOST]


def by_relevance(idea: Idea, template: Template, library: Library, without: Iterable[str] = ()) -> list[Reference]:
    """Works of the library that share a topic with the idea, most relevant first, ties in the library's order."""
    weights = topic_weights(idea, template)
    excluded = set(without)
    ranked = library.search(f"{idea.title} {idea.question} {idea.hypothesis}", RANKED)
    places = {work.key: PER_RANK * (RANKED - place) for place, work in enumerate(ranked)}
    scored = []
    for index, work in enumerate(library.references):
        # A work about families in general touches many topics; beyond two they say no more about its relevance.
        topics = sorted((weights.get(topic, 0.0) for topic in work.topics), reverse=True)[:2]
        if (
            work.key in excluded
            or work.retracted
            or not any(topics)
            or foreign(work.topics, weights)
            or _DATA.search(work.abstract)
        ):
            continue
        scored.append((-(sum(topics) + places.get(work.key, 0.0)), index))
    return [library.references[index] for _, index in sorted(scored)]


def topic_weights(idea: Idea, template: Template) -> dict[str, float]:
    """Topic of the literature -> how much it matters to the idea."""
    weights: dict[str, float] = {}

    def add(topics: Iterable[str], weight: float) -> None:
        for topic in topics:
            weights[topic] = max(weight, weights.get(topic, 0.0))

    add((topic for topic in template.topics if topic in FIELDS), FIELD)
    add(KIND_TOPICS.get(idea.design.kind, ()), KIND)
    varied = knobs_of(idea)
    for knob in template.knobs:
        values = used_values(knob, idea)
        weight = VARIED if knob.name in varied else FIXED if knob.name in idea.settings else USUAL
        if knob.role == "dataset" and weight != VARIED:
            continue  # which data set it is says nothing about the question
        if weight != USUAL or knob.role == "family":
            add(topics_in_use(knob, values), weight)
    add(() if weights else topics_by_words(idea, template), FIXED)
    return weights


def topics_by_words(idea: Idea, template: Template) -> tuple[str, ...]:
    """Topics whose words the idea or its task uses: what is left where neither names any."""
    return topics_in(f"{idea.title} {idea.question} {template.title} {template.summary} {template.background}")


def used_values(knob: Knob, idea: Idea) -> tuple[KnobValue, ...]:
    """The values of a knob that the study uses: those compared, else the one held fixed, else the default."""
    compared = values_of(idea).get(knob.name)
    return compared if compared is not None else (idea.settings.get(knob.name, knob.default),)


def topics_in_use(knob: Knob, values: Sequence[KnobValue]) -> list[str]:
    """A knob's topics, less the families of learners that none of the values names."""
    if knob.type != "choice":
        return [topic for topic in knob.topics if topic in TOPICS]
    named = " ".join(f"{value} {knob.label(value)}" for value in values).replace("_", " ").replace("-", " ").lower()
    tokens = set(named.split())
    aliased = {topic for word, topic in _ALIASES.items() if word in tokens}
    return [
        topic
        for topic in knob.topics
        if topic in TOPICS and (topic not in _FAMILIES or topic in aliased or set(topic.split("-")) <= tokens)
    ]


def _describes_data(work: Reference, idea: Idea, template: Template) -> bool:
    """Whether the work describes a data set that the study uses; its annotation says so: 'Data set: wine.'"""
    described = _DATA.search(work.abstract)
    names = {name.strip() for name in described.group(1).lower().split(",")} if described else set()
    used = {
        str(value).replace("_", " ").lower()
        for knob in template.knobs
        if knob.role == "dataset"
        for value in used_values(knob, idea)
    }
    return bool(names & used)


def _preferred(work: Reference, library: Library) -> Reference:
    """The library's record of the work, if it has one: it says what the work is about."""
    return next((known for known in library.references if same_work(known, work)), work)


def _software(template: Template) -> list[str]:
    used = {*template.packages, "scipy", "numpy", "matplotlib"}
    return [key for package, key in SOFTWARE.items() if package in used]


def _documented(idea: Idea, template: Template) -> list[Reference]:
    """What the documentation of the objects in use cites, as far as it names authors and can be found."""
    names = []
    for knob in template.knobs:
        if knob.name in knobs_of(idea) or knob.name in idea.settings or knob.role == "family":
            names.extend(_api_in_use(knob, used_values(knob, idea)))
    return [work for work in docstring_references(names) if work.authors and work.year]


def _api_in_use(knob: Knob, values: Sequence[KnobValue]) -> list[str]:
    """The objects of a knob that its values name; all of them for a knob that is no choice."""
    if knob.type != "choice":
        # A number acts through whatever it is passed to; its zero or its default may mean that nothing is.
        return list(knob.api) if any(value != knob.default for value in values) else []
    if len(knob.api) == len(knob.choices):
        return [api for choice, api in zip(knob.choices, knob.api, strict=True) if choice in values]
    return list(knob.api) if any(value not in (knob.default, "none") for value in values) else []
