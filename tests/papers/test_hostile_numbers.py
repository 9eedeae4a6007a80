"""Text from a stranger's template is text: it never runs, never reads a file, and never breaks the build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from designs import World
from hypothesis import given
from hypothesis import strategies as st
from kinds import HOSTILE, KEEP_ONLY, STRANGER, baseline, hostile, kind_world
from programs import needs_latex
from written import write_paper

from scientist.papers import build_tex, compile_pdf, load_context
from scientist.papers._figures_draw import plain as figure_text
from scientist.papers._fragments import check_latex, parse
from scientist.papers._print import LONGEST_TEXT, LONGEST_UNIT, clipped, escape, safe_unit

ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\\{}$%#&_^~<>\n\r\t[]`'\"-?")), max_size=60)


@given(ANY_TEXT)
def test_escaped_text_is_plain_text_that_may_be_compiled(text: str) -> None:
    latex = escape(text)
    assert check_latex(latex) == []
    assert all(token.kind == "text" for token in parse(latex))
    assert "^^" not in latex and "\n" not in latex
    assert "??" not in escape(text.replace("?", ""))  # what cannot be set does not look like a placeholder


@given(ANY_TEXT)
def test_a_unit_is_allowed_latex_or_the_text_that_it_is(unit: str) -> None:
    latex = safe_unit(unit)
    assert check_latex(latex) == [] and all(token.kind == "text" for token in parse(latex))


@given(ANY_TEXT, st.integers(20, 80))
def test_clipped_text_is_short_and_on_one_line(text: str, most: int) -> None:
    short = clipped(text * 4, most)
    assert len(short) <= most + 4 and "\n" not in short


@given(ANY_TEXT)
def test_text_in_figures_is_seen_as_it_is(text: str) -> None:
    shown = figure_text(text)
    assert shown.isprintable() and not shown.startswith("_")


@pytest.mark.parametrize(
    ("unit", "latex"),
    [
        (r"\%", r"\%"),
        ("$m^2$", "$m^2$"),
        ("%", r"\%"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("<<&", r"\textless{}\textless{}\&"),
    ],
)
def test_a_declared_unit_keeps_its_latex_only_where_that_is_safe(unit: str, latex: str) -> None:
    assert safe_unit(unit) == latex
    assert safe_unit("x" * (LONGEST_UNIT + 1)) == ""


def hostile_world(layout: str) -> World:
    template = hostile(STRANGER if layout == "stranger" else KEEP_ONLY)
    data = {
        "six": {"name": "six", "title": HOSTILE[1], "best_known": 1.0, "best_known_by": HOSTILE[0], "note": HOSTILE[3]}
    }
    return kind_world(
        template,
        data={} if layout == "stranger" else data,
        curves=layout == "stranger",
        came_with=baseline() if layout == "stranger" else b"",
        texts={"title": HOSTILE[1], "question": HOSTILE[2] + "?", "hypothesis": HOSTILE[5] * 2, "why": HOSTILE[3] * 3},
        ends={(0, 1): "failed"},
    )


@pytest.mark.parametrize("layout", ["stranger", "ours"])
def test_a_hostile_template_is_printed_and_not_obeyed(layout: str, tmp_path: Path) -> None:
    w = hostile_world(layout)
    long = w.template.model_copy(update={"background": HOSTILE[0] * 5000})
    paper = write_paper(tmp_path, World(**{**w.__dict__, "template": long}))
    context = load_context(paper)
    tex = build_tex(context)
    assert not re.search(r"\\input|\\write|\\end\{document\}.*\\end\{document\}", tex, re.DOTALL)
    assert "^^" not in tex and r"\textbackslash{}input" in tex
    assert max(len(text) for s in context.manuscript.sections for text in s.paragraphs) < 20 * LONGEST_TEXT


@needs_latex
@pytest.mark.parametrize("layout", ["stranger", "ours"])
def test_a_hostile_template_gives_a_pdf(layout: str, tmp_path: Path) -> None:
    paper = write_paper(tmp_path, hostile_world(layout))
    context = load_context(paper)
    bib = (paper / "references.bib").read_text()
    made = compile_pdf(paper, build_tex(context), bib, [figure.file for figure in context.manuscript.figures])
    assert made.problems == () and made.pages > 4
