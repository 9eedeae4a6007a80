"""The appendix that is the same in every paper: ledger, every run, the frozen study, how to rebuild."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scientist.experiments._results import FinalScores, RunResult
from scientist.experiments._study import Study, Variant
from scientist.lab import KnobValue
from scientist.papers._fragments import escape
from scientist.papers._kinds import held_out, seeds_word, self_reported, splits_of
from scientist.papers._ledger import Ledger, code, digest, ranges
from scientist.papers._records import Manuscript
from scientist.template import SPLITS

DIGITS = 4
"""Decimals of raw values in the table of runs."""

PER_LINE = 3
"""Runs side by side in one line of the table of runs."""

_WIDE = (
    r"\begingroup\scriptsize\setlength{\tabcolsep}{3pt}"
    r"\setlength{\LTleft}{-\ledgerwiden}\setlength{\LTright}{-\ledgerwiden}"
)
"""Tables as wide as the ledger."""


def ledger(filled: Ledger, study: Study) -> str:
    """Every value the paper prints or draws, with its way back to runs and its way forth to the pages."""
    return (
        r"One row per value that the paper prints, draws or calculates with. Above each group stand the file and the JSON "
        r"pointer where its values can be found, and the runs they rest on; page numbers lead back to the places of use. "
        r"\texttt{scientist trace} follows the same way from the command line."
        "\n" + filled.latex(study.seeds, seeds_word(study))
    )


def raw(value: float | None) -> str:
    """A raw metric value as the table of runs prints it."""
    return "--" if value is None else f"{value:.{DIGITS}f}"


def run_values(study: Study, result: RunResult, final: FinalScores | None) -> dict[str, float]:
    """split -> the study's metric of one run, for the splits that were scored."""
    found = {split: metrics[study.metric] for split, metrics in result.metrics.items() if study.metric in metrics}
    last = (final.scores if final else {}).get(result.variant, {}).get(str(result.seed), {})
    if study.metric in last:
        found["final"] = last[study.metric]
    return {split: found[split] for split in SPLITS if split in found}


def runs(study: Study, results: Sequence[RunResult], final: FinalScores | None) -> str:
    """Every run of the study, variant by variant, and every failure with its reason."""
    splits = splits_of(study)
    named = splits if held_out(study) else ("score",)
    head = " & ".join([f"{'seed' if study.seeded else 'no.'} & " + " & ".join(named)] * PER_LINE)
    width = PER_LINE * (1 + len(splits))
    columns = r"@{\hspace{1.5em}\extracolsep{\fill}}".join(["r" * (1 + len(splits))] * PER_LINE)
    where = r"on every split, as in " if held_out(study) else "as in "
    last = r" and \texttt{final.json}" if held_out(study) else ""
    said = " These values are self-reported by the experiment's own code." if self_reported(study) else ""
    lines = [
        rf"Raw {escape(study.metric.replace('_', ' '))} of every run {where}"
        rf"\texttt{{runs/}}\emph{{variant}}\texttt{{/seed-}}\emph{{n}}\texttt{{/result.json}}{last}; a dash marks a "
        rf"run without a result.{said}",
        _WIDE,
        rf"\begin{{longtable}}{{@{{\extracolsep{{\fill}}}}{columns}@{{}}}}",
        rf"\toprule {head} \\* \midrule\endhead \bottomrule\endfoot",
    ]
    for place, variant in enumerate(study.variants):
        mine = {result.seed: result for result in results if result.variant == variant.name}
        gap = r"\addlinespace " if place else ""
        lines.append(
            rf"{gap}\multicolumn{{{width}}}{{@{{}}l}}{{\raisebox{{1.6ex}}[0pt][0pt]{{\hypertarget{{run.{variant.name}}}{{}}}}"
            rf"\textbf{{{escape(variant.title)}}} ({code(variant.name)})}} \\*"
        )
        cells = [_run_cells(study, variant.name, seed, mine.get(seed), final) for seed in study.seeds]
        lines += _in_columns(cells, 1 + len(splits))
    lines.append(r"\end{longtable}\endgroup")
    return "\n".join(lines) + "\n\n" + failures(study, results)


def _run_cells(study: Study, variant: str, seed: int, result: RunResult | None, final: FinalScores | None) -> str:
    values = run_values(study, result, final) if result else {}
    target = rf"\hypertarget{{run.{variant}.{seed}}}{{{seed}}}"
    return " & ".join([target, *(raw(values.get(split)) for split in splits_of(study))])


def _in_columns(cells: Sequence[str], width: int) -> list[str]:
    """Cells in `PER_LINE` columns, read downwards."""
    height = -(-len(cells) // PER_LINE)
    empty = " & " * (width - 1)
    return [
        " & ".join(
            cells[row + column * height] if row + column * height < len(cells) else empty for column in range(PER_LINE)
        )
        + r" \\"
        for row in range(height)
    ]


def failures(study: Study, results: Sequence[RunResult]) -> str:
    """Failed and missing runs with their reasons."""
    known = {(result.variant, result.seed) for result in results}
    failed = [
        rf"\item {code(f'{r.variant}/seed-{r.seed}')}: {r.status}{', ' + escape(r.reason[:300]) if r.reason else ''}"
        for r in results
        if r.status not in ("ok", "stopped")
    ]
    stopped = [
        rf"\item {code(variant.name)}: {seeds_word(study)} {ranges(mine)} never begun, because the variant could no longer win."
        for variant in study.variants
        if (mine := [r.seed for r in results if r.variant == variant.name and r.status == "stopped"])
    ]
    for variant in study.variants:
        missing = [seed for seed in study.seeds if (variant.name, seed) not in known]
        if missing:
            failed.append(rf"\item {code(variant.name)}: no result for {seeds_word(study)} {ranges(missing)}.")
    parts = []
    for title, items in (("Runs without a result:", failed), ("Stopped early:", stopped)):
        if items:
            parts.append("\n".join([title, r"\begin{itemize}\footnotesize", *items, r"\end{itemize}"]))
    return "\n\n".join(parts if failed else ["No run failed.", *parts])


def study(frozen: Study) -> str:
    """The study as it was frozen: rules, variants by what sets them apart, contrasts by their weights, the pilot."""
    reference = next((v for v in frozen.variants if v.role == "reference"), frozen.variants[0])
    pilot, many = frozen.pilot, seeds_word(frozen)
    rules = (
        rf"Metric: {escape(frozen.metric.replace('_', ' '))}, to {frozen.direction}. Verdicts are decided on "
        rf"\emph{{{frozen.decide_on}}} and {_confirmed(frozen)}. {_judged(frozen)}Test: {frozen.test}, two-sided, at "
        rf"$\alpha = {frozen.alpha:g}$, {frozen.correction.capitalize()} over {len(frozen.contrasts)} "
        rf"{_plural(len(frozen.contrasts), 'contrast')}; wanted power {frozen.power:g}; smallest effect worth caring "
        rf"about {frozen.smallest_effect:g} in raw units. {_early(frozen)}{many.capitalize()}: {ranges(frozen.seeds)}. "
        rf"Pilot on {many} {ranges(pilot.seeds)}, which are part of no test: {pilot.needed} {many} per variant were needed, "
        + (
            rf"the budget allowed {len(frozen.seeds)}"
            if pilot.capped
            else rf"{len(frozen.seeds)} {_plural(len(frozen.seeds), 'was', 'were')} used"
        )
        + rf" (expected power at the primary contrast {pilot.expected_power:.2f})."
    )
    shared = ", ".join(f"{escape(name)}\\,=\\,{_knob(value)}" for name, value in sorted(reference.knobs.items()))
    variants = [rf"{code(v.name)} & {escape(v.title)} & {_differs(v, reference)} \\" for v in frozen.variants]
    contrasts = [
        rf"{code(c.id)} & {escape(c.title)}{' (primary)' if c.primary else ''} & {_weights(c.weights)} & {c.expect} & "
        rf"{c.smallest_effect:g} & {_spread(pilot.sd.get(c.id))} \\"
        for c in frozen.contrasts
    ]
    return "\n\n".join(
        [
            rf"The study was frozen before its first run. SHA-256 of \texttt{{study.json}}: {digest(frozen.digest())}; of the "
            rf"template: {digest(frozen.template_sha256)}; of the idea: {digest(frozen.idea_sha256)}.",
            rules,
            rf"The reference {code(reference.name)} has {shared}.",
            _table(
                r"@{\extracolsep{\fill}}p{0.3\linewidth}p{0.3\linewidth}p{0.5\linewidth}@{}",
                "variant & called & differs from the reference in",
                variants,
            ),
            _table(
                r"@{\extracolsep{\fill}}p{0.17\linewidth}p{0.28\linewidth}p{0.36\linewidth}lrr@{}",
                "contrast & meaning & weights & expected & smallest & pilot s.d.",
                contrasts,
            ),
        ]
    )


def _confirmed(frozen: Study) -> str:
    return (
        rf"confirmed on \emph{{{frozen.confirm_on}}}" if held_out(frozen) else "confirmed nowhere: nothing is held out"
    )


def _judged(frozen: Study) -> str:
    said = "The metric is self-reported by the experiment's own code. " if self_reported(frozen) else ""
    return said + ("" if frozen.seeded else "Runs take no seed: they are numbered repetitions. ")


def _early(frozen: Study) -> str:
    if frozen.early_stop is None:
        return ""
    rule = frozen.early_stop
    return (
        rf"Early stopping for futility, one look after {rule.look} {seeds_word(frozen)} on \emph{{{rule.split}}} at level "
        rf"{frozen.alpha:g}/{len(frozen.contrasts)}. "
    )


def _differs(variant: Variant, reference: Variant) -> str:
    changed = [
        f"{escape(name)}\\,=\\,{_knob(value)}"
        for name, value in sorted(variant.knobs.items())
        if reference.knobs.get(name) != value
    ]
    if variant.tuner:
        tuned = ", ".join(escape(name) for name in variant.tuner.knobs)
        changed.append(f"{tuned} tuned by {variant.tuner.sampler} search, {variant.tuner.trials} runs per seed")
    changed += [f"{code(name)} {digest(sha)}" for name, sha in sorted(variant.code.items())]
    return ", ".join(changed) or "nothing: it is the reference"


def _knob(value: KnobValue) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else escape(str(value))


def _weights(weights: dict[str, float]) -> str:
    return ", ".join(
        f"{weight:+.4g}".replace("-", "$-$").replace("+", "$+$") + f" {code(name)}" for name, weight in weights.items()
    )


def _spread(value: float | None) -> str:
    return "--" if value is None else f"{value:.3g}"


def _plural(count: int, one: str, many: str = "") -> str:
    return one if count == 1 else many or f"{one}s"


def _table(columns: str, head: str, rows: Iterable[str]) -> str:
    ragged = columns.replace("p{0", r">{\raggedright\arraybackslash}p{0")
    return "\n".join(
        [
            _WIDE,
            rf"\begin{{longtable}}{{{ragged}}}",
            rf"\toprule {head} \\* \midrule\endhead \bottomrule\endfoot",
            *rows,
            r"\end{longtable}\endgroup",
        ]
    )


def rebuild(manuscript: Manuscript, frozen: Study) -> str:
    """The commands that check this paper, and who did what."""
    paper = f"papers/{manuscript.slug}"
    roles = "; ".join(f"{escape(role)}: {escape(name)}" for role, name in sorted(manuscript.roles.items()))
    commands = (
        (f"scientist audit {paper}", "checks every number, citation, figure, claim and hash again"),
        (f"scientist trace {paper} NUMBER", "leads from a printed number to its fact, file, runs and seeds"),
        (f"scientist verify-citations {paper}", "asks the open indexes about every reference"),
        (
            "scientist verify",
            "walks the hash chain of the lab's journal, in which the frozen study is recorded",
        ),
        (
            "scientist resume",
            "makes again whatever was deleted: run folders, analysis, facts, figures or PDF",
        ),
    )
    items = [rf"\item {code(command)} {text}." for command, text in commands]
    return "\n".join(
        [
            rf"The folder {code(paper)} holds everything this paper rests on"
            + (", and the same seeds give the same bytes" if frozen.seeded else "")
            + r". In a lab (a folder with \texttt{scientist.toml}):",
            r"\begin{itemize}",
            *items,
            r"\end{itemize}",
            rf"The template is {code(frozen.template)}. " + (f"Roles: {roles}." if roles else ""),
        ]
    )
