"""The library: every packaged work can be checked, searching is deterministic, broken files are named in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import RecordError
from scientist.literature import TOPICS, load_library, packaged_library
from scientist.literature._library import parse_bibtex
from scientist.literature._text import Corpus, clean, words

WORKS = packaged_library().references


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.key)
def test_every_work_can_be_checked(work) -> None:
    assert work.doi or work.arxiv or work.url
    assert not work.doi or re.fullmatch(r"10\.\d{4,9}/\S+", work.doi)
    assert not work.arxiv or re.fullmatch(r"\d{4}\.\d{4,5}", work.arxiv)
    assert not work.url or re.fullmatch(r"https://\S+", work.url)
    assert work.year and 1900 <= work.year <= 2026
    if work.arxiv:
        # An arXiv id starts with the year and month of the first version; a publication may follow it.
        assert 0 <= work.year - (2000 + int(work.arxiv[:2])) <= 11
    assert work.authors and all(name.strip() for name in work.authors)
    assert work.title and work.venue and work.abstract and work.source == "library"
    assert work.topics and set(work.topics) <= set(TOPICS)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.key)
def test_every_gist_follows_the_authors_names(work) -> None:
    assert 20 <= len(work.gist) <= 230
    assert not re.search(r"\d|\\|[.;:]$", work.gist)
    assert work.gist.split()[0].endswith("ed") or work.gist.split()[0] in (
        "found",
        "gave",
        "built",
        "showed",
    ), work.gist


def test_keys_identifiers_and_titles_are_unique() -> None:
    for field in ("key", "title", "doi", "arxiv"):
        values = [getattr(work, field).lower() for work in WORKS if getattr(work, field)]
        assert len(values) == len(set(values)), field


def test_keys_say_who_and_when() -> None:
    for work in WORKS:
        assert work.key.endswith(str(work.year)), work.key
        surname = words(work.authors[0].split()[-1])
        assert work.key[0].isascii() and surname


def test_every_topic_has_works() -> None:
    counts = {topic: sum(topic in work.topics for work in WORKS) for topic in TOPICS}
    assert min(counts.values()) >= 3, counts
    assert 80 <= len(WORKS) <= 140


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("noisy labels survey", "frenay2014"),
        ("equivalence of two treatments, two one-sided tests", "schuirmann1987"),
        ("random search for tuning hyperparameters", "bergstra2012"),
        ("random forest against logistic regression benchmark", "couronne2018"),
        ("dataset handwritten digits", "alpaydin1998"),
    ],
)
def test_search_finds_what_is_meant(query: str, key: str) -> None:
    assert key in [work.key for work in packaged_library().search(query, 3)]


def test_search_gives_the_same_answer_every_time() -> None:
    library = packaged_library()
    assert library.search("label noise", 9) == library.search("label noise", 9)
    assert library.search("", 5) == library.search("the of and", 5) == []


ENTRY = "@article{%s, author={Doe, Jane}, title={%s}, year={%s}, doi={10.1/x}, keywords={%s}}"


def test_own_works_come_first_and_beat_packaged_ones(tmp_path: Path) -> None:
    own = tmp_path / "own.bib"
    own.write_text(
        ENTRY % ("breiman2001", "My own record", "2001", "svm") + ENTRY % ("doe2020", "Other", "2020", "svm")
    )
    library = load_library(own)
    assert library.get("breiman2001").title == "My own record"
    assert library.references[1].key == "doe2020"
    assert len(library) == len(WORKS) + 1
    assert library.get("nobody1900") is None


@pytest.mark.parametrize(
    ("text", "words_"),
    [
        ("@article{a, title={open", ["not valid BibTeX"]),
        ("@article{a, year={2001}}", ["entry 'a'", "title is missing"]),
        (ENTRY % ("a", "T", "soon", "svm"), ["entry 'a'", "year 'soon'"]),
        (ENTRY % ("a", "T", "2001", "label-nois"), ["entry 'a'", "did you mean 'label-noise'"]),
        (ENTRY % ("a b/c", "T", "2001", "svm"), ["own.bib"]),
        (ENTRY % ("a", "T", "2001", "svm") * 2, ["own.bib", "repeated"]),
        ("@" * 5000, ["own.bib"]),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path: Path, text: str, words_: list[str]) -> None:
    path = tmp_path / "own.bib"
    path.write_text(text)
    with pytest.raises(RecordError) as caught:
        load_library(path)
    assert all(word in str(caught.value) for word in words_) and "\n" not in str(caught.value)
    assert "own.bib" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"gone\.bib does not exist"):
        load_library(tmp_path / "gone.bib")


def test_accents_and_markup_become_plain_text() -> None:
    (work,) = parse_bibtex(
        r"""@article{x, author={Fr{\'e}nay, Beno{\^\i}t and {van der Maaten}, Laurens}, title={{The {SVM}} \& 50\% -- more},
        year=2014, pages={1--9}, journal={J. \"Uber Alles}}""",
        "x.bib",
    )
    assert work.title == "The SVM & 50% – more"
    assert work.authors == ("Benoît Frénay", "Laurens van der Maaten")
    assert (work.pages, work.venue) == ("1-9", "J. Über Alles")


TEXT = st.text(max_size=80)


@given(TEXT, TEXT)
def test_similarity_of_texts_is_symmetric_and_bounded(a: str, b: str) -> None:
    corpus = Corpus(["label noise and forests", "support vector machines", "wide networks"])
    assert corpus.similarity(a, b) == pytest.approx(corpus.similarity(b, a))
    assert 0.0 <= corpus.similarity(a, b) <= 1.0
    if words(a):
        assert corpus.similarity(a, a) == pytest.approx(1.0)


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_is_one_bounded_line(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit and cleaned == clean(cleaned, limit)
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2028]", cleaned)


def test_words_that_mean_the_same_meet() -> None:
    assert words("Noisy labels") == words("label noise")[::-1]
    assert words("Forests, regularisation") == words("forest regularization")
