"""What a work did, out of its own abstract; what it is about, by its keywords and its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.literature import SUBJECTS, TOPICS, Reference, clause, deed, packaged_library, topics_told
from scientist.literature._gist import LONGEST, SHORTEST, gist_of

GIVEN = (
    (
        "Labels are costly. In this paper, we propose a loss that is robust to wrong labels. It is fast.",
        "proposed a loss that is robust to wrong labels",
    ),
    (
        "We study how the width of a network changes memorisation, and show that it matters.",
        "studied how the width of a network changes memorisation",
    ),
    ("This paper presents the first survey of methods for rare classes.", "presented the first survey of methods for rare classes"),
    ("We discuss many things at length here. We show that our method needs fewer labels than theirs.", "showed that their method needs fewer labels than theirs"),
    ("We then compared boosting with bagging under noise in the labels!", "compared boosting with bagging under noise in the labels"),
)  # fmt: skip
NOTHING = (
    "",
    "Nearest neighbours are an old method that many people like.",
    "We show that accuracy rises by 3.2 points over the best baseline.",
    "We propose to solve this by means of a new kind of network.",
    r"We prove that $\mathcal{O}(n)$ steps suffice for every learner.",
    "We show and prove.",
    "We propose a method whose code is at https://example.org for everybody.",
    r"We propose a network \input{/etc/passwd} that reads every file of yours.",
    "We show improvements on many data sets, e.g. on the",
    "We propose " + "a very " * 200 + "long sentence.",
)


@pytest.mark.parametrize(("abstract", "told"), GIVEN)
def test_the_sentence_in_which_authors_say_what_they_did_in_the_past_tense(abstract: str, told: str) -> None:
    assert gist_of(abstract) == told


@pytest.mark.parametrize("abstract", NOTHING)
def test_what_does_not_stand_alone_or_holds_a_number_gives_none(abstract: str) -> None:
    assert gist_of(abstract) == ""


def test_what_was_proposed_or_measured_comes_before_what_was_surveyed() -> None:
    text = "We review the many sources of wrong labels. We introduce a filter for training examples."
    assert gist_of(text) == "introduced a filter for training examples"


@given(st.text(max_size=400))
def test_no_text_gives_a_number_a_command_or_more_than_a_sentence(text: str) -> None:
    for abstract in (text, f"We propose {text}", f"In this work we show that {text}. We {text}"):
        told = gist_of(abstract)
        assert told == "" or SHORTEST < len(told) <= LONGEST + 40
        assert not set(told) & set("\\${}^_#%&~<>\n") and not any(char.isdigit() for char in told)


def test_the_packaged_clause_comes_first_and_its_verb_says_what_kind_of_work_it_is() -> None:
    work = Reference(
        key="a", title="T", source="library", gist="proved a bound.", abstract="We propose a method of note."
    )
    assert clause(work) == "proved a bound" and deed(clause(work)) == "theory"
    assert deed("proposed a loss") == "method"
    assert deed("compared ten learners") == "experiment"
    assert deed("surveyed the field") == "overview"
    assert deed("showed that it holds") is None and deed("") is None


def test_every_packaged_work_on_a_topic_says_what_it_did() -> None:
    works = [work for work in packaged_library().references if not {"software", "datasets"} & set(work.topics)]
    assert len(works) > 90 and all(clause(work) for work in works)


@pytest.mark.parametrize(
    ("title", "abstract", "topics"),
    [
        ("Learning with noisy labels", "", {"label-noise"}),
        ("A study", "Random forests and k-nearest neighbor classifiers on imbalanced data.", {"random-forest", "knn", "imbalance"}),
        ("On tuning", "Hyperparameter search by Bayesian optimization.", {"hyperparameter-optimisation"}),
        ("Foreign labels", "The unmislabelled forestry of Naples.", set()),
        ("A poem", "Roses are red.", set()),
    ],
)  # fmt: skip
def test_topics_by_words(title: str, abstract: str, topics: set[str]) -> None:
    told = set(topics_told(Reference(key="a", title=title, abstract=abstract, source="arxiv")))
    assert topics <= told and len(told - topics) <= 1


def test_keywords_stand_first_and_keep_their_order() -> None:
    work = Reference(key="a", title="Support vector machines", topics=("knn", "svm", "calibration"), source="library")
    assert topics_told(work)[:3] == ("knn", "svm", "calibration")


def test_every_topic_has_a_heading_and_a_noun_without_digits() -> None:
    assert tuple(SUBJECTS) == TOPICS
    for subject in SUBJECTS.values():
        assert (
            subject.head[0].isupper()
            and subject.noun
            and not any(char.isdigit() for char in subject.head + subject.noun)
        )
