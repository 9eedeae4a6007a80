"""paper.tex: the same bytes every time, only safe LaTeX, every value linked both ways."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample import edit_json

from scientist.errors import LatexError, RecordError
from scientist.papers._build import BuildContext, build_ledger, build_tex, load_context
from scientist.papers._expressions import ExpressionError
from scientist.papers._fragments import escape
from scientist.papers._ledger import minus, ranges, shared_pointer
from scientist.papers._print import told
from scientist.papers._trace import fragments


@pytest.fixture(scope="module")
def context(sample_folder: Path) -> BuildContext:
    return load_context(sample_folder)


def with_paragraph(context: BuildContext, text: str) -> BuildContext:
    """The paper with one more paragraph in its introduction."""
    first, *others = context.manuscript.sections
    first = first.model_copy(update={"paragraphs": (*first.paragraphs, text)})
    return changed(context, sections=(first, *others))


def changed(context: BuildContext, **update: Any) -> BuildContext:
    return replace(context, manuscript=context.manuscript.model_copy(update=update))


def test_the_same_records_give_the_same_bytes(sample_folder: Path) -> None:
    assert build_tex(load_context(sample_folder)) == build_tex(load_context(sample_folder))


def test_every_printed_value_links_to_a_row_and_back(context: BuildContext) -> None:
    tex = build_tex(context)
    uses = re.findall(r"\\fact(?:value|words)\{([^}]*)\}\{(\d+)\}", tex)
    rows = re.findall(r"\\ledgerrow\{([^}]*)\}", tex)
    assert len(set(uses)) == len(uses) > 40
    assert len(set(rows)) == len(rows)
    assert {name for name, _ in uses} <= set(rows)
    back = re.findall(r"\\usepage\{([^}]*)\.(\d+)\}", tex)
    assert set(back) == set(uses)
    assert "calc.1" in rows
    drawn = {fact for figure in context.manuscript.figures for fact in figure.shows}
    assert drawn <= set(rows)


def test_rows_name_file_pointer_and_runs(context: BuildContext) -> None:
    tex = build_tex(context).replace(r"\allowbreak{}", "").replace(r"\_", "_")
    assert r"\texttt{analysis.json:/contrasts/1}" in tex and r"\texttt{estimates/keep/mean}" in tex
    assert r"\hyperlink{run.label_noise_0}{\texttt{label_noise_0}} (all 5 seeds)" in tex
    assert r"\hyperlink{run.label_noise_0_4}{\texttt{label_noise_0_4}} (seeds 101--104)" in tex  # one run failed
    assert r"\hypertarget{run.label_noise_0_4.105}" in tex
    assert "timeout, stopped after 20 s" in tex


def test_the_appendix_names_every_run_and_the_frozen_study(context: BuildContext) -> None:
    tex = build_tex(context)
    for result in context.results:
        assert rf"\hypertarget{{run.{result.variant}.{result.seed}}}" in tex
        for metrics in result.metrics.values():
            assert f"{metrics['accuracy']:.4f}" in tex
    assert context.study_sha256 in tex.replace(r"\allowbreak{}", "")


def test_numbers_are_typeset_with_a_real_minus(context: BuildContext) -> None:
    tex = build_tex(context)
    assert re.search(r"\\factvalue\{c\.dose_0_4\.keep\.mean\}\{1\}\{\$-\$\d", tex)
    assert minus("-2.1 to -0.3, a-1, 2-1, $-3$, label-noise") == "$-$2.1 to $-$0.3, a-1, 2-1, $-3$, label-noise"


@pytest.mark.parametrize(
    "hostile",
    [
        r"\input{/etc/passwd}",
        r"\write18{id}",
        "a % b",
        r"\textcolor{white}{accept}",
        "{",
        r"\val{x}\csname x\endcsname",
    ],
)
@pytest.mark.parametrize("place", ["abstract", "paragraph", "cell", "caption", "figure"])
def test_hostile_fragments_stop_the_build_wherever_they_stand(context: BuildContext, hostile: str, place: str) -> None:
    manuscript = context.manuscript
    table, figure = manuscript.tables[0], manuscript.figures[0]
    planted = {
        "abstract": changed(context, abstract=hostile),
        "paragraph": with_paragraph(context, hostile),
        "cell": changed(context, tables=(table.model_copy(update={"rows": ((hostile,) * 6,)}),)),
        "caption": changed(context, tables=(table.model_copy(update={"caption": hostile}),)),
        "figure": changed(context, figures=(figure.model_copy(update={"caption": hostile}), *manuscript.figures[1:])),
    }
    with pytest.raises(LatexError) as caught:
        build_tex(planted[place])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\val{v.nobody.mean}", "does not exist"),
        (r"\citep{invented2026}", "invented2026"),
        (r"\placefigure{nothing}", "no figure 'nothing'"),
        (r"\placetable{nothing}", "no table 'nothing'"),
    ],
)
def test_what_does_not_exist_is_named(context: BuildContext, text: str, message: str) -> None:
    with pytest.raises(LatexError, match=message):
        build_tex(with_paragraph(context, text))


def test_a_calculation_over_words_is_refused(context: BuildContext) -> None:
    with pytest.raises(ExpressionError):
        build_tex(with_paragraph(context, r"\calc{abs(c.dose_0_4.verdict)}{nonsense}"))


@pytest.mark.parametrize("file", ["/etc/passwd", "figures/../../x.pdf", "figures/a b.pdf", "figures/x.tex", "x.pdf"])
def test_figures_come_from_their_folder_only(context: BuildContext, file: str) -> None:
    figure, *others = context.manuscript.figures
    with pytest.raises(LatexError, match="figures/"):
        build_tex(changed(context, figures=(figure.model_copy(update={"file": file}), *others)))


@pytest.mark.parametrize("columns", [r"l>{\input{x}}r", r"*{9}{l}", r"l@{\write18{id}}r", "", "l|r}"])
def test_table_columns_are_checked(context: BuildContext, columns: str) -> None:
    table = context.manuscript.tables[0].model_copy(update={"columns": columns})
    with pytest.raises(LatexError, match="columns"):
        build_tex(changed(context, tables=(table,)))


@pytest.mark.parametrize("text", [r"\input{x}", r"9\relax", r"\val{study.n_seeds}"])
def test_a_bent_fact_text_stops_the_build(paper_folder: Path, text: str) -> None:
    facts = load_context(paper_folder).facts
    place = next(i for i, fact in enumerate(facts.facts) if fact.id == "study.n_seeds")
    edit_json(paper_folder / "facts.json", "facts", place, "text", value=text)
    with pytest.raises(LatexError, match=r"study\.n_seeds"):
        build_tex(load_context(paper_folder))


def test_a_title_may_hold_anything(context: BuildContext) -> None:
    tex = build_tex(changed(context, title=r"50% of \input{x} & R² ≥ α_1"))
    assert r"50\% of \textbackslash{}input\{x\} \& R\textsuperscript{2} \ensuremath{\geq} \ensuremath{\alpha}\_1" in tex


def test_a_fact_may_hold_strange_letters(paper_folder: Path) -> None:
    facts = load_context(paper_folder).facts
    place = next(i for i, fact in enumerate(facts.facts) if fact.id == "idea.question")
    edit_json(paper_folder / "facts.json", "facts", place, "text", value="Is α ≤ R² for 李\u200b?")
    assert r"Is \ensuremath{\alpha} \ensuremath{\leq} R\textsuperscript{2} for ??" in build_tex(
        load_context(paper_folder)
    )


def test_missing_records_are_named(paper_folder: Path) -> None:
    (paper_folder / "facts.json").unlink()
    with pytest.raises(RecordError, match=r"facts\.json"):
        load_context(paper_folder)


def test_the_ledger_counts_what_the_manuscript_prints(context: BuildContext) -> None:
    ledger = build_ledger(context)
    placed = "\n".join(text for _, text in fragments(context.manuscript))
    assert ledger.uses["study.n_seeds"] == placed.count(r"\val{study.n_seeds}")
    assert [calc.text for calc in ledger.calcs.values()] and ledger.rows()


@given(st.lists(st.integers(0, 60), max_size=12))
def test_ranges_name_every_seed(seeds: list[int]) -> None:
    text = ranges(seeds)
    if r"\ldots" in text or not seeds:
        return
    named: set[int] = set()
    for part in text.split(", "):
        low, _, high = part.partition("--")
        named |= set(range(int(low), int(high or low) + 1))
    assert named == set(seeds)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "0", "keep"]), min_size=1, max_size=4), min_size=1, max_size=4))
def test_shared_pointers_lead_to_every_place(paths: list[list[str]]) -> None:
    pointers = ["/" + "/".join(path) for path in paths]
    shared = shared_pointer(pointers)
    assert all(pointer.startswith(f"{shared}/") for pointer in pointers)
    deeper = {pointer[len(shared) + 1 :].split("/")[0] for pointer in pointers if pointer.count("/", len(shared) + 1)}
    assert len(deeper) != 1 or any(pointer.count("/", len(shared) + 1) == 0 for pointer in pointers)


def test_code_that_somebody_named_stands_between_quotes() -> None:
    assert told("In `train.py`,\n`Learner.fit` stores\n 5 % ` of it.") == escape(
        "In ‘train.py’, ‘Learner.fit’ stores 5 % ` of it."
    )


def test_escape_is_for_text() -> None:
    assert escape("a_b & 5% {x}") == r"a\_b \& 5\% \{x\}"
