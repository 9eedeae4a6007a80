"""How alike two designs are: symmetric, bounded, one on itself, and in the order that a person would give."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scientist.ideas._idea import Comparison, Design, DoseResponse, Idea, Interaction, Robustness, Transfer, Tuning
from scientist.ideas._similarity import design_similarity, knobs_of, signature


def idea(design: Design, slug: str = "one", template: str = "toy", **fields) -> Idea:
    base = {
        "slug": slug,
        "title": f"The title of {slug}",
        "template": template,
        "question": "Does one thing change another thing?",
        "hypothesis": "One thing changes another thing by this much.",
        "expect": "greater",
        "smallest_effect": 0.01,
        "why": "Because somebody has to decide between the two of them.",
    }
    return Idea(**base | fields, design=design)


KNOBS = st.sampled_from(["model", "noise", "size", "dataset", "width"])
VALUES = st.one_of(st.sampled_from(["svm", "knn", "mlp"]), st.floats(-2, 2), st.integers(-3, 9), st.booleans())
SERIES = st.lists(VALUES, min_size=2, max_size=5).map(tuple)
PAIR = st.tuples(VALUES, VALUES)
TREATMENT = st.dictionaries(KNOBS, VALUES, min_size=1, max_size=2)
DESIGNS = st.one_of(
    st.builds(DoseResponse, knob=KNOBS, levels=SERIES),
    st.builds(Comparison, knob=KNOBS, choices=SERIES, reference=VALUES),
    st.builds(Interaction, first=KNOBS, first_values=PAIR, second=KNOBS, second_values=PAIR),
    st.builds(Robustness, treatment=TREATMENT, stressor=KNOBS, levels=SERIES),
    st.builds(Transfer, treatment=TREATMENT, knob=KNOBS, values=SERIES),
    st.builds(Tuning, knobs=st.lists(KNOBS, min_size=1, max_size=3).map(tuple), trials=st.integers(2, 20)),
)
SETTINGS = st.dictionaries(KNOBS, VALUES, max_size=3)
IDEAS = st.builds(
    lambda design, settings, template: idea(design, settings=settings, template=template),
    DESIGNS,
    SETTINGS,
    st.sampled_from(["toy", "toy", "other"]),
)


@given(IDEAS, IDEAS)
def test_symmetric_and_bounded(a: Idea, b: Idea) -> None:
    assert design_similarity(a, b) == design_similarity(b, a)
    assert 0.0 <= design_similarity(a, b) <= 1.0


@given(IDEAS)
def test_one_on_itself_whatever_it_is_called(a: Idea) -> None:
    renamed = a.model_copy(update={"slug": "another", "title": "Quite another title", "seeds": 7, "priority": 3.0})
    assert design_similarity(a, a) == design_similarity(a, renamed) == 1.0


@given(IDEAS, IDEAS)
def test_one_means_the_same_study_and_nothing_in_common_means_zero(a: Idea, b: Idea) -> None:
    if signature(a) == signature(b):
        assert design_similarity(a, b) == 1.0
    if a.template != b.template or not set(knobs_of(a)) & set(knobs_of(b)):
        assert design_similarity(a, b) == 0.0
    else:
        assert design_similarity(a, b) > 0.0


def test_knobs_in_the_order_of_the_design() -> None:
    assert knobs_of(idea(Interaction(first="b", first_values=(0, 1), second="a", second_values=(0, 1)))) == ("b", "a")
    assert knobs_of(idea(Robustness(treatment={"z": 1, "a": 2}, stressor="m", levels=(0, 1)))) == ("z", "a", "m")
    assert knobs_of(idea(Transfer(treatment={"a": 1}, values=("x", "y")))) == ("a", "dataset")
    assert knobs_of(idea(Tuning(knobs=("c", "a", "c"), trials=4))) == ("c", "a")


def test_what_does_not_change_a_study_does_not_change_its_signature() -> None:
    one = idea(DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2)), settings={"size": 80})
    other = idea(DoseResponse(knob="noise", levels=(0.2, 0, 0.1)), settings={"size": 80.0, "model": "svm"})
    assert signature(one) != signature(other)
    assert signature(one, {"model": "svm"}) == signature(other, {"model": "svm"})
    a = idea(Interaction(first="a", first_values=(0, 1), second="b", second_values=(2, 3)))
    b = idea(Interaction(first="b", first_values=(3, 2), second="a", second_values=(1, 0)))
    assert signature(a) == signature(b)
    assert signature(idea(DoseResponse(knob="k", levels=(0, 1)))) != signature(
        idea(DoseResponse(knob="k", levels=(False, True)))
    )


def test_order_that_a_person_would_give() -> None:
    base = idea(DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2)), settings={"dataset": "digits"})
    nearly = idea(DoseResponse(knob="noise", levels=(0.0, 0.1, 0.21)), settings={"dataset": "digits"})
    doses = idea(DoseResponse(knob="noise", levels=(0.0, 0.3, 0.5)), settings={"dataset": "digits"})
    elsewhere = idea(DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2)), settings={"dataset": "wine"})
    crossed = idea(Interaction(first="noise", first_values=(0.0, 0.2), second="size", second_values=(40, 80)))
    unrelated = idea(DoseResponse(knob="width", levels=(2, 4)))
    order = [design_similarity(base, other) for other in (base, nearly, doses, elsewhere, crossed, unrelated)]
    assert order[0] == 1.0 and order[-1] == 0.0
    assert order[1] > 0.9 > order[3] > order[4] and order[1] > order[2] > order[4]
