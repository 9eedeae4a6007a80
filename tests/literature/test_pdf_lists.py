"""The list of references that a PDF prints, as entries that can be looked up."""

from __future__ import annotations

from pathlib import Path

import pytest

from scientist.literature import load_library, printed_text
from scientist.reviews.reading import read_paper

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "papers").glob("*/paper.pdf"))


@pytest.mark.parametrize("pdf", SAMPLES, ids=lambda path: path.parent.name)
def test_every_entry_of_a_paper_is_read_from_its_pdf_with_its_doi_and_year(pdf: Path) -> None:
    records = load_library(pdf.with_name("references.bib")).references
    entries = [printed_text(entry.key, entry.text) for entry in read_paper(pdf).document.references]
    printed = {entry.doi.lower(): entry for entry in entries if entry.doi}
    cited = [one for one in records if any(f". {one.title[:30].lower()}" in entry.text.lower() for entry in entries)]
    assert len(entries) == len(cited) > 15
    for record in cited:
        if record.doi and record.entry_type != "misc":  # of which this style prints no DOI
            assert printed[record.doi.lower()].year == record.year


@pytest.mark.parametrize(
    ("text", "doi", "year"),
    [
        ("A. Author. A title. In Proc., 2006. doi: 10.1145/1143844. 1143865.", "10.1145/1143844.1143865", 2006),
        ("A. Author. A title. J. of X, 3:1-9, 2019. doi: 10.1016/j.asoc.2019. 105524.", "10.1016/j.asoc.2019.105524", 2019),
        ("A. Author. A title. doi: 10.1093/biomet/6.1.1. 1908.", "10.1093/biomet/6.1.1", 1908),
        ("A. Author. A title, 1999. doi: 10.1000/abc. URL https://example.org/a.", "10.1000/abc", 1999),
        ("A. Author & B. Other. 100% of $5 {and} #1_2, 2001.", "", 2001),
    ],
)  # fmt: skip
def test_running_text_is_no_latex_and_a_doi_broken_at_a_line_is_whole(text: str, doi: str, year: int) -> None:
    entry = printed_text("1", text)
    assert (entry.doi, entry.year) == (doi, year)
    assert "\\" not in entry.text
