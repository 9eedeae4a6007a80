"""Paired edits change what they say and nothing else; the self-test passes a reviewer that notices and fails naive ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import UsageError
from scientist.reviews.checks import Finding
from scientist.reviews.model import own_document
from scientist.reviews.reading import Cite, Document, Paragraph, Section, read_text, sentences
from scientist.reviews.selftest import (
    HARMFUL,
    IDLE,
    SelfTest,
    Subject,
    as_markdown,
    measure,
    papers_of_lab,
    retest,
    subject_of,
    write_selftest,
)
from scientist.reviews.selftest._measure import Change, row_of, spread_of
from scientist.reviews.selftest._opposites import opposite

PAPERS = papers_of_lab(Path(__file__).parents[2] / "papers")
EDITS = {**HARMFUL, **IDLE}


@pytest.fixture(scope="module")
def paper() -> Document:
    """A paper of the lab with one citation, a phrase to polish, and an appendix."""
    document = own_document(PAPERS[-1])
    first, *rest = document.sections
    said = "In order to see this, we use a data set of which a lot of copies exist."
    paragraph = Paragraph(text=f"{said} {first.paragraphs[0].text}")
    first = first.model_copy(update={"paragraphs": (paragraph, *first.paragraphs[1:])})
    last = Section(
        title="More", appendix=True, paragraphs=(Paragraph(text="Here 12.5 % is better than the baseline. " * 9),)
    )
    cite = Cite(key="a", sentence=sentences(document)[20].text, section=sentences(document)[20].section)
    return document.model_copy(update={"sections": (first, *rest, last), "cites": (cite,)})


def main(document: Document) -> list[Section]:
    return [section for section in document.sections if not section.appendix]


def said(document: Document) -> list[str]:
    return [one.text for one in sentences(document.model_copy(update={"sections": tuple(main(document))}))]


def cells(document: Document) -> list[str]:
    return [cell for table in document.tables for row in table.rows for cell in row]


@pytest.mark.parametrize("name", sorted(EDITS))
def test_an_edit_changes_something_is_the_same_for_the_same_seed_and_leaves_the_appendix(
    paper: Document, name: str
) -> None:
    before = paper.model_dump_json()
    changed = EDITS[name](paper, 1)
    assert changed != paper
    assert changed == EDITS[name](paper, 1)
    assert paper.model_dump_json() == before
    assert [one for one in changed.sections if one.title == "More"] == [paper.sections[-1]]
    assert changed.title == paper.title


def test_corrupted_numbers_are_other_numbers_of_the_same_form_and_no_word_changes(paper: Document) -> None:
    changed = HARMFUL["numbers corrupted"](paper, 3)

    def form(texts: Sequence[str]) -> list[str]:
        return [
            re.sub(r"\d", "0", re.sub(r"(?<![\d.])100(?=\.)", "99", text)) for text in texts
        ]  # 100.0 % becomes less

    assert form(said(changed)) == form(said(paper))
    assert form(cells(changed)) == form(cells(paper))
    before, after = (re.findall(r"\d+\.\d+", " ".join([*said(one), *cells(one)])) for one in (paper, changed))
    assert sum(a != b for a, b in zip(before, after, strict=True)) > 0.95 * len(before) > 20
    assert all(b.startswith("0.") for a, b in zip(before, after, strict=True) if a.startswith("0."))


def test_a_reversed_result_says_the_opposite_in_the_same_words_and_twice_reversed_is_the_paper() -> None:
    assert (
        opposite("Our method outperforms it; Higher is better.") == "Our method is outperformed by it; Lower is worse."
    )
    text = "It improves the best score significantly, raised it, and was robust."
    assert opposite(opposite(text)) == text
    assert opposite("The bestiary of gainsayers") == "The bestiary of gainsayers"


def test_reversal_leaves_tables_and_numbers(paper: Document) -> None:
    changed = HARMFUL["result reversed"](paper, 0)
    assert changed.tables == paper.tables
    assert re.findall(r"\d+", " ".join(said(changed))) == re.findall(r"\d+", " ".join(said(paper)))
    only = HARMFUL["abstract reversed"](paper, 0)
    assert only.sections == paper.sections
    assert only.abstract == changed.abstract != paper.abstract


def test_without_baselines_only_sentences_and_rows_are_missing(paper: Document) -> None:
    changed = HARMFUL["baseline removed"](paper, 0)
    assert not Counter(said(changed)) - Counter(said(paper))
    assert len(said(changed)) < len(said(paper))
    assert not re.search(r"\bbaselines?\b|\bcompared to\b", " ".join(said(changed)), re.IGNORECASE)
    for old, new in zip(paper.tables, changed.tables, strict=True):
        assert set(new.rows) <= set(old.rows)


@given(seed=st.integers(0, 1000))
def test_shuffling_keeps_every_paragraph_and_heading(seed: int) -> None:
    texts = [f"{word} " * 40 for word in ("one", "two", "three", "four", "five", "six")]
    sections = tuple(
        Section(title=f"T{n}", number=str(n), paragraphs=(Paragraph(text=text),)) for n, text in enumerate(texts, 1)
    )
    document = Document(source="a", kind="text", sections=sections)
    moved, mixed = (HARMFUL[name](document, seed) for name in ("sections shuffled", "paragraphs shuffled"))
    assert sorted(one.title for one in moved.sections) == sorted(one.title for one in sections)
    assert [one.number for one in moved.sections] == ["1", "2", "3", "4", "5", "6"]
    assert {one.title: one.text for one in moved.sections} == {one.title: one.text for one in sections}
    assert all(a.title != b.title for a, b in zip(moved.sections, sections, strict=True))
    assert [one.title for one in mixed.sections] == [one.title for one in sections]
    assert sorted(one.text for one in mixed.sections) == sorted(one.text for one in sections)


def test_tricks_add_nothing_that_was_measured(paper: Document) -> None:
    assert set(said(IDLE["padded"](paper, 0))) == set(said(paper))
    filled = IDLE["filler"](paper, 0)
    assert not Counter(said(paper)) - Counter(said(filled))
    assert not re.search(r"\d", " ".join((Counter(said(filled)) - Counter(said(paper))).keys()))
    polished = " ".join(said(IDLE["polished"](paper, 0)))
    assert "in order to" not in polished
    assert re.findall(r"\d+", polished) == re.findall(r"\d+", " ".join(said(paper)))
    faked = IDLE["fake references"](paper, 0)
    assert len(faked.references) == len(paper.references) + 40
    assert len(faked.cites) == len(paper.cites) + 12
    pasted = IDLE["pasted appendix"](paper, 0)
    assert main(pasted) == main(paper)
    assert len(pasted.sections) > len(paper.sections)


def test_citations_follow_their_sentences(paper: Document) -> None:
    mixed = HARMFUL["paragraphs shuffled"](paper, 2)
    where = next(one.section for one in sentences(mixed) if one.text == paper.cites[0].sentence)
    assert [cite.section for cite in mixed.cites] == [where]
    lost = Cite(key="b", sentence="We compare with a baseline here.", section=0)
    start = paper.sections[0].model_copy(update={"paragraphs": (Paragraph(text=f"{lost.sentence} It is cold."),)})
    gone = paper.model_copy(update={"sections": (start,), "cites": (lost,)})
    assert HARMFUL["baseline removed"](gone, 0).cites == ()


def test_another_reading_misses_about_a_tenth(paper: Document) -> None:
    kept = [len(said(retest(paper, seed))) / len(said(paper)) for seed in range(5)]
    assert all(0.8 < share < 0.98 for share in kept)
    assert len({tuple(said(retest(paper, seed))) for seed in range(3)}) == 3


def by_length(document: Document, findings: Sequence[Finding], seed: int) -> float:
    return min(10.0, document.words / 1_000)


def by_references(document: Document, findings: Sequence[Finding], seed: int) -> float:
    return min(10.0, len(document.references) / 10)


def always_five(document: Document, findings: Sequence[Finding], seed: int) -> float:
    return 5.0


def test_naive_reviewers_fail_where_they_are_naive(paper: Document) -> None:
    subjects = [Subject("one", paper, lambda _: ())]
    constant = {row.edit: row.holds for row in measure(subjects, always_five).rows}
    assert constant == {name: name in IDLE for name in EDITS}
    length = {row.edit: row.holds for row in measure(subjects, by_length).rows}
    assert not any(length[name] for name in ("numbers corrupted", "sections shuffled", "paragraphs shuffled", "padded"))
    assert not length["pasted appendix"] or not length["filler"]
    references = {row.edit: row for row in measure(subjects, by_references).rows}
    assert not references["fake references"].holds
    assert references["fake references"].raised_beyond == 1
    assert references["padded"].holds


def test_the_reviewer_without_a_model_passes_on_the_papers_of_the_lab(tmp_path: Path) -> None:
    found = measure([subject_of(path) for path in PAPERS], readings=3)
    assert found.holds, [(row.edit, row.mean) for row in found.rows if not row.holds]
    assert {row.edit for row in found.rows} == set(EDITS)
    numbers = next(row for row in found.rows if row.edit == "numbers corrupted")
    assert all("free-number" in change.new for change in numbers.changes)
    paths = write_selftest(found, tmp_path)
    assert SelfTest.model_validate_json(paths[0].read_text(encoding="utf-8")) == found
    assert paths[1].read_text(encoding="utf-8").count("| yes |") == len(EDITS)


def test_a_capped_paper_is_said_and_not_harmed_and_one_without_a_score_is_left_out(paper: Document) -> None:
    wrong = Finding(kind="arithmetic", severity="error", message="made up")
    subjects = [Subject("capped", paper, lambda _: (wrong,)), Subject("silent", paper, lambda _: ())]

    def reviewer(document: Document, findings: Sequence[Finding], seed: int) -> float | None:
        return 2.8 if findings else None

    found = measure(subjects, reviewer)
    assert found.capped == ("capped",)
    assert found.left_out == ("silent: no score",)
    assert all(row.papers == (row.edit in IDLE) for row in found.rows)
    assert "nothing to edit" in as_markdown(found)
    with pytest.raises(UsageError, match="no paper got a score"):
        measure([Subject("silent", paper, lambda _: ())], lambda document, findings, seed: None)


def test_a_seeded_reviewer_is_asked_again_about_the_same_paper(paper: Document) -> None:
    asked: list[tuple[bool, int]] = []

    def reviewer(document: Document, findings: Sequence[Finding], seed: int) -> float:
        asked.append((document == paper, seed))
        return 5.0 + seed % 3

    found = measure([Subject("one", paper, lambda _: ())], reviewer, seeded=True, readings=3)
    assert [seed for same, seed in asked if same][:4] == [0, 1, 2, 3]
    assert found.spread.range95 > 1


@given(
    points=st.lists(st.floats(-3, 3), min_size=1, max_size=40),
    spread=st.floats(0, 1),
    name=st.sampled_from(sorted(EDITS)),
)
def test_a_row_counts_every_paper_once_and_more_harm_never_makes_it_fail(
    points: list[float], spread: float, name: str
) -> None:
    def row(shift: float) -> tuple[int, bool]:
        found = row_of(name, [Change(paper="p", before=5.0, after=5.0 + one - shift) for one in points], spread)
        assert found.lowered + found.unchanged + found.raised == found.papers == len(points)
        return found.lowered, found.holds

    (fewer, held), (more, holds) = row(0.0), row(0.5)
    assert more >= fewer
    assert holds or not held


def test_the_spread_is_of_readings_of_one_paper() -> None:
    assert spread_of([[5.0, 5.0], [8.0, 8.0]]).sd == 0
    assert spread_of([[5.0, 6.0]]).range95 == 1
    assert spread_of([[5.0], []]).range95 == 0


def test_a_text_is_a_subject_too(tmp_path: Path) -> None:
    text = "A title\n\nABSTRACT\n\nWe reach 81.4 %.\n\n1 INTRODUCTION\n\nMore is said here of 81.4 %.\n"
    (tmp_path / "notes.txt").write_text(text, encoding="utf-8")
    subject = subject_of(tmp_path / "notes.txt")
    assert subject.name == "notes"
    assert subject.document == read_text(text, "notes.txt")
