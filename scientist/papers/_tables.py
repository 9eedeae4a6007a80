"""Tables made by code from facts: every cell that shows a value is a macro."""

from __future__ import annotations

from scientist.experiments import Study
from scientist.papers._baseline import baseline_table
from scientist.papers._kinds import SAID_BY, constant
from scientist.papers._known import KNOWN_IN, KNOWN_KEYS, known_metric
from scientist.papers._phrases import Phrases, val
from scientist.papers._print import escape, safe_unit
from scientist.papers._records import Fact, Table


def make_tables(phrases: Phrases, facts: dict[str, Fact]) -> tuple[Table, ...]:
    """Data, variants, contrasts and secondary metrics, in the order in which the text refers to them."""
    tables = [
        _data(phrases),
        _means(phrases, facts),
        _contrasts(phrases, facts),
        _secondary(phrases, facts),
    ]
    if phrases.self_reported:
        said = [t and t.model_copy(update={"caption": f"{t.caption} {SAID_BY}"}) for t in tables[1:]]
        tables = [tables[0], *said, baseline_table(phrases, facts)]
    return tuple(table for table in tables if table is not None)


KEYS = {
    "examples": "examples",
    "features": "features",
    "classes": "classes",
    "train": "training pool",
    "search": "search",
    "keep": "keep",
    "final": "final",
    "size": "size",
    "dimension": "dimension",
    "best_known": "best known",
    "bound": "proven bound",
}
"""What an evaluator may say about its data, as the columns of their table."""


def data_columns(study: Study) -> list[str]:
    """The columns of the table of the data: what is said about all of them; empty when there is no such table."""
    shared = [key for key in next(iter(study.data.values()), {}) if all(key in d for d in study.data.values())]
    spoken = sorted(key for key in shared if key.startswith(KNOWN_IN))
    # A value known in the units that people use makes the same value in those of the objective superfluous.
    return [key for key in KEYS if key in shared and not (spoken and key in KNOWN_KEYS)] + spoken


def _data(phrases: Phrases) -> Table | None:
    data = phrases.study.data
    present = data_columns(phrases.study)
    if not present:
        return None
    rows = tuple(
        (
            val(f"data.{name}.title") if "title" in described else escape(name),
            *(val(f"data.{name}.{key}") for key in present),
        )
        for name, described in sorted(data.items())
    )
    return Table(
        id="data",
        caption=(
            "What the evaluator says about the task. Nothing of it is held out."
            if not phrases.held_out
            else "The data. Each run draws its training sample from the training pool; the three test splits are the same "
            "for every run, and the code under test "
            + (
                "never sees what is right in them."
                if phrases.template.exchange
                else "sees their features but never their labels."
            )
        ),
        columns="l" + "r" * len(present),
        header=(phrases.dataset, *(_heading(phrases, key) for key in present)),
        rows=rows,
    )


def _heading(phrases: Phrases, key: str) -> str:
    if key == "examples" and phrases.template.examples:
        return escape(phrases.template.examples)
    metric = known_metric(phrases.template, key)
    return KEYS[key] if key in KEYS else f"best known {escape(metric.title if metric else key.removeprefix(KNOWN_IN))}"


def _adjusted(phrases: Phrases) -> str:
    if len(phrases.study.contrasts) == 1:
        return "$p$ (there is nothing to adjust it for)"
    return f"Holm-adjusted $p$ over all {val('study.n_contrasts')} contrasts"


def _cell(prefix: str, facts: dict[str, Fact]) -> str:
    """'93.4 [92.1, 94.7]', without brackets when there is no interval, a dash when there is nothing."""
    if f"{prefix}.mean" not in facts:
        return "--"
    if f"{prefix}.ci_low" not in facts:
        return val(f"{prefix}.mean")
    return f"{val(f'{prefix}.mean')} [{val(f'{prefix}.ci_low')}, {val(f'{prefix}.ci_high')}]"


def _number(fact_id: str, facts: dict[str, Fact]) -> str:
    return val(fact_id) if fact_id in facts else "--"


def capital(text: str) -> str:
    """The text with a capital first; `str.capitalize` would lower the letters of a marked or foreign title."""
    return text[:1].upper() + text[1:]


def _means(phrases: Phrases, facts: dict[str, Fact]) -> Table:
    metric = phrases.study.metric
    rows = tuple(
        (
            val(f"variant.{variant.name}.title"),
            val(f"v.{variant.name}.keep.{metric}.n") if f"v.{variant.name}.keep.{metric}.n" in facts else "--",
            _cell(f"v.{variant.name}.keep.{metric}", facts),
            *([_cell(f"v.{variant.name}.final.{metric}", facts)] if phrases.held_out else []),
        )
        for variant in phrases.study.variants
    )
    unit = f" ({safe_unit(phrases.metric.unit)})" if phrases.metric.unit else ""
    where = (
        r", on the split that decides (\emph{keep}) and on the one that was opened once (\emph{final})."
        if phrases.held_out
        else "."
    )
    flat = any(constant(v.estimates.get("keep", {}).get(metric)) for v in phrases.analysis.variants)
    return Table(
        id="means",
        caption=(
            f"{capital(phrases.name)}{unit} of every variant: mean over {phrases.many} with its "
            rf"{val('study.ci_level')}\,\% interval in brackets{where} Intervals describe single variants; the paired "
            r"contrasts of Table~\ref{tab:contrasts} are what the study tests."
            + (" A mean without an interval is a number that every run gave." if flat else "")
            + (
                " Early stopping left some variants with fewer runs."
                if any(v.n_stopped for v in phrases.analysis.variants)
                else ""
            )
        ),
        columns="lrll" if phrases.held_out else "lrl",
        header=("variant", "runs", "keep", "final") if phrases.held_out else ("variant", "runs", "mean"),
        rows=rows,
    )


def _contrasts(phrases: Phrases, facts: dict[str, Fact]) -> Table:
    rows = []
    # Where contrasts rest on different numbers of runs, each says on how many.
    sizes = {r.estimates["keep"].n for r in phrases.analysis.contrasts}
    numbered = phrases.analysis.n_stopped > 0 and len(sizes) > 1
    for contrast in phrases.study.contrasts:
        result = phrases.analysis.contrast(contrast.id)
        held = {True: "yes", False: "no", None: "--"}[result.holds_on_final]
        name = val(f"contrast.{contrast.id}.title")
        rows.append(
            (
                rf"\textbf{{{name}}}" if contrast.primary else name,
                *([_number(f"c.{contrast.id}.keep.n", facts)] if numbered else []),
                _cell(f"c.{contrast.id}.keep", facts),
                val(f"c.{contrast.id}.p_holm") if f"c.{contrast.id}.p_holm" in facts else "--",
                val(f"c.{contrast.id}.keep.dz") if f"c.{contrast.id}.keep.dz" in facts else "--",
                val(f"c.{contrast.id}.verdict"),
                *([_cell(f"c.{contrast.id}.final", facts), held] if phrases.held_out else []),
            )
        )
    unit = f" in {escape(phrases.metric.difference)}" if phrases.metric.difference else ""
    verdict = (
        r"verdict on \emph{keep}, and whether it holds on \emph{final}." if phrases.held_out else "and the verdict."
    )
    left = "keep" if phrases.held_out else "difference"
    return Table(
        id="contrasts",
        caption=(
            f"Every declared contrast; the primary one in bold. Mean paired difference{unit} with its "
            rf"{val('study.ci_level')}\,\% interval, {_adjusted(phrases)}, "
            rf"standardised difference $d_z$, {verdict}"
        ),
        columns=rf"p{{0.26\linewidth}}{'r' if numbered else ''}lrrp{{0.13\linewidth}}{'lc' if phrases.held_out else ''}",
        header=(
            "contrast",
            *(["$n$"] if numbered else []),
            *(left, "$p$", "$d_z$", "verdict"),
            *(["final", "holds"] if phrases.held_out else []),
        ),
        rows=tuple(rows),
    )


def _secondary(phrases: Phrases, facts: dict[str, Fact]) -> Table | None:
    others = [metric for metric in phrases.template.metrics if metric.name != phrases.study.metric]
    if not others:
        return None
    rows = tuple(
        (
            val(f"variant.{variant.name}.title"),
            *(
                val(f"v.{variant.name}.keep.{metric.name}.mean")
                if f"v.{variant.name}.keep.{metric.name}.mean" in facts
                else "--"
                for metric in others
            ),
        )
        for variant in phrases.study.variants
    )
    arrow = {"maximize": r"$\uparrow$", "minimize": r"$\downarrow$"}
    return Table(
        id="secondary",
        caption=(
            rf"Secondary metrics{phrases.on_keep}, means over {phrases.many}. They were not declared as contrasts and carry no test; "
            "they are here so that a gain in one measure bought with a loss in another can be seen. "
            f"{'Arrows point to better' if any(not m.assumed for m in others) else 'Nothing says which way is better'}"
            f"{'; nothing says so of measures without one' if len({m.assumed for m in others}) > 1 else ''}."
        ),
        columns="l" + "r" * len(others),
        header=(
            "variant",
            *(
                f"{escape(m.title)}{f' ({safe_unit(m.unit)})' if m.unit else ''}{'' if m.assumed else ' ' + arrow[m.direction]}"
                for m in others
            ),
        ),
        rows=rows,
    )
