"""Checks of a paper as a whole: planted harm is named, and the same paper without it is not accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scientist.reviews.checks import check_document, check_intervals
from scientist.reviews.checks._order import cohesion
from scientist.reviews.model import own_document
from scientist.reviews.reading import Document, Paragraph, Section, Table, read_text

PAPERS = sorted(path.parent for path in (Path(__file__).parents[2] / "papers").glob("*/manuscript.json"))
WHOLE = {
    "interval", "unsupported-numbers", "abstract-number", "even-digits", "against-itself", "abstract-against-text",
    "compares-nothing", "lone-row", "section-order", "paragraph-order",
}  # fmt: skip


def kinds(document: Document) -> set[str]:
    return {one.kind for one in check_document(document)} & WHOLE


def with_text(document: Document, *texts: str) -> Document:
    more = Section(title="Remarks", paragraphs=tuple(Paragraph(text=text) for text in texts))
    return document.model_copy(update={"sections": (*document.sections[:-1], more, document.sections[-1])})


@pytest.mark.parametrize("folder", PAPERS, ids=lambda folder: folder.name[:20])
def test_papers_of_the_lab_are_accused_of_nothing(folder: Path) -> None:
    assert kinds(own_document(folder)) == set()


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("The drug lowered it by 5.9 points (95 % interval -7.3 to -4.5).", False),
        ("The drug raised it by 5.9 points (95 % interval -7.3 to -4.5).", True),
        ("It rose by 4.1 points (95% CI 6.1 to 8.3).", True),
        ("It rose by 7.1 points (95% CI 6.1 to 8.3).", False),
        ("It rose by 7.1 points (95% CI: 8.3 to 6.1).", True),
        ("It changed by 12.0 points, from -5.9 to 6.1 points (95 % interval 10.2 to 13.8 points).", False),
        ("The ratio was 1.20 [95% CI, 1.20 to 1.41].", False),
    ],
)
def test_intervals_hold_their_estimates(sentence: str, wrong: bool) -> None:
    assert ("interval" in kinds(read_text(f"1 Introduction\n\n{sentence}\n", "a.txt"))) is wrong


def test_intervals_of_signed_differences_agree_with_the_word_before_them() -> None:
    for word, wrong in (("raised", False), ("lowered", True)):
        text = f"1 Introduction\n\nMore of it {word} the score by 5.9 points (95 % interval 4.5 to 7.3).\n"
        document = read_text(text, "a.txt")
        assert bool(list(check_intervals(document, signed=True))) is wrong
        assert not list(check_intervals(document))


def test_neighbouring_paragraphs_that_share_words_have_an_order_and_shuffled_ones_have_none() -> None:
    draws = np.random.default_rng(3)
    words = [f"{a}{b}{c}mo" for a in "bdfglm" for b in "aeiou" for c in "kprt"]

    def paragraph(place: int) -> str:
        near = words[4 * place : 4 * place + 12]
        return " ".join(str(word) for word in draws.choice(near, 40))

    texts = [paragraph(place) for place in range(25)]
    mixed = [texts[int(place)] for place in np.random.default_rng(4).permutation(25)]
    assert cohesion(texts) > 4
    assert abs(cohesion(mixed)) < 2.5

    def of(parts: list[str]) -> Document:
        paragraphs = tuple(Paragraph(text=part) for part in parts)
        return Document(source="a", kind="text", sections=(Section(title="Method", paragraphs=paragraphs),))

    assert "paragraph-order" not in kinds(of(texts))
    assert "paragraph-order" in kinds(of(texts[::5] + texts[3::5] + texts[1::5] + texts[4::5] + texts[2::5]))


def test_work_after_the_conclusion_is_named_and_an_appendix_is_not() -> None:
    titles = ["Introduction", "Method", "Conclusion", "Experiments"]

    def of(appendix: bool) -> Document:
        sections = tuple(
            Section(title=title, number=str(place), appendix=appendix and title == "Experiments")
            for place, title in enumerate(titles, 1)
        )
        return Document(source="a", kind="text", sections=sections)

    assert "section-order" in kinds(of(False))
    assert "section-order" not in kinds(of(True))


def test_a_number_of_the_abstract_has_to_return_with_as_many_digits_or_more() -> None:
    paper = own_document(PAPERS[0])
    body = Paragraph(text="In the second table the accuracy of the whole system is 91.27 for this task.")

    def told(number: str) -> Document:
        there = paper.model_copy(update={"abstract": f"We reach an accuracy of {number} on the task."})
        return with_text(there, body.text, "Nothing more is to be said. " * 200)

    assert "abstract-number" in kinds(told("88.8%"))
    for said in ("91.27", "91.3%", "91.2", "91%"):
        assert "abstract-number" not in kinds(told(said))


def test_drawn_tables_are_told_from_measured_ones() -> None:
    draws = np.random.default_rng(0)

    def of(values: np.ndarray) -> Document:
        rows = (
            ("method", *"abcdefgh"),
            *((f"m{n}", *(f"{value:.1f}" for value in row)) for n, row in enumerate(values)),
        )
        return Document(source="a", kind="tex", tables=(Table(number="1", rows=rows),))

    assert "even-digits" in kinds(of(draws.uniform(10, 99.9, (8, 8))))
    assert "even-digits" not in kinds(of(draws.normal(84, 3, (8, 8))))


def test_a_single_row_compares_nothing() -> None:
    rows = (("method", "a", "b", "c"), ("ours", "1.2", "1.3", "1.4"), ("theirs", "1.1", "1.2", "1.3"))
    two = Document(source="a", kind="tex", tables=(Table(number="1", rows=rows),))
    one = two.model_copy(update={"tables": (Table(number="1", rows=rows[:2]),)})
    assert "lone-row" in kinds(one)
    assert "lone-row" not in kinds(two)


def test_words_of_failure_about_what_is_proposed() -> None:
    paper = own_document(PAPERS[0])
    good = "We propose a new method. Our method is better than what came before and improves the score. " * 4
    bad = "We propose a new method. Our method is worse than what came before and worsens the score. " * 4
    assert "against-itself" in kinds(with_text(paper, bad))
    assert "against-itself" not in kinds(with_text(paper, good))
    only_abstract = with_text(paper, good).model_copy(update={"abstract": "Our method is worse and inferior."})
    assert "abstract-against-text" in kinds(only_abstract)
