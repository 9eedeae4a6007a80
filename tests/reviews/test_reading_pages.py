"""Pages that are not plain: boxes inherited, paper turned, accents by themselves, cells between upright lines."""

from __future__ import annotations

from pathlib import Path

from pdf_maker import BOX, lines, make_pdf

from scientist.reviews.injection import scan
from scientist.reviews.reading import read_paper

PROSE = (
    "1 Introduction",
    "The loss of a network falls slowly when rewards are summed over a long horizon,",
    "and no earlier method explains why it does so in nine tasks out of ten.",
)


def covering(left: int, bottom: int, width: int, height: int) -> bytes:
    """A white rectangle painted after the text."""
    return b"\n1 1 1 rg %d %d %d %d re f" % (left, bottom, width, height)


def test_what_is_covered_is_judged_at_its_place_when_the_box_is_inherited(tmp_path: Path) -> None:
    beside = lines(*PROSE) + covering(60, 806, 480, 30)  # above the text: on a sheet of 792 points it would lie on it
    free = make_pdf(tmp_path / "free.pdf", beside, box=b"", tree=BOX)
    assert [one.kind for one in scan(read_paper(free))] == []
    over = lines(*PROSE) + covering(60, 745, 480, 30)
    hidden = make_pdf(tmp_path / "hidden.pdf", over, box=b"", tree=BOX)
    assert scan(read_paper(hidden))


def test_a_page_that_is_shown_turned_is_read_in_its_order(tmp_path: Path) -> None:
    # as a landscape page is made: drawn upwards along the sheet, and turned when it is shown
    rows = [f"BT /F 10 Tf 0 1 -1 0 {72 + 14 * n} 60 Tm ({text}) Tj ET" for n, text in enumerate(PROSE)]
    path = make_pdf(tmp_path / "turned.pdf", "\n".join(rows).encode(), page=b"/Rotate 90")
    found = read_paper(path)
    assert " ".join(section.text for section in found.document.sections).split() == " ".join(PROSE).split()
    assert not scan(found)


def test_an_accent_that_is_drawn_over_a_letter_joins_it(tmp_path: Path) -> None:
    # as TeX does it with fonts of 128 characters: the accent, then back, then the letter
    drawn = "BT /F 10 Tf 72 752 Td (In a caf) Tj 34.46 0 Td (\u00b4) Tj -1.1 0 Td (e) Tj 5.56 0 Td ( the horizon is short.) Tj ET"
    path = make_pdf(tmp_path / "accent.pdf", lines(*PROSE[1:]) + b"\n" + drawn.encode("latin-1"))
    text = " ".join(section.text for section in read_paper(path).document.sections)
    assert "In a caf\u00e9 the horizon is short." in text


def test_upright_lines_part_the_cells_of_a_table(tmp_path: Path) -> None:
    table = [("Method", "Loss"), ("plain", "0.31"), ("clipped", "0.27"), ("ours", "0.19")]
    left, middle, right, top, step = 100, 160, 220, 640, 16
    drawn = [f"BT /F 10 Tf {left} {top + 20} Td (Table 1: Losses of three methods on one task.) Tj ET"]
    for n, (name, value) in enumerate(table):
        drawn += [
            f"BT /F 10 Tf {x + 3} {top - step * n} Td ({text}) Tj ET" for x, text in ((left, name), (middle, value))
        ]
    bottom = top - step * len(table) + 10
    drawn += [f"{x} {bottom} m {x} {top + 12} l S" for x in (left, middle, right)]
    drawn += [f"{left} {top + 12 - step * n} m {right} {top + 12 - step * n} l S" for n in range(len(table) + 1)]
    path = make_pdf(tmp_path / "table.pdf", lines(*PROSE) + b"\n" + "\n".join(drawn).encode())
    (found,) = read_paper(path).document.tables
    assert found.rows == tuple(table)
