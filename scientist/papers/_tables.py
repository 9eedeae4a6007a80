"""Tables made by code from facts: every cell that shows a value is a macro."""

from __future__ import annotations

from scientist.papers._facts import escape
from scientist.papers._phrases import Phrases, val
from scientist.papers._records import Fact, Table


def make_tables(phrases: Phrases, facts: dict[str, Fact]) -> tuple[Table, ...]:
    """Data, variants, contrasts and secondary metrics, in the order in which the text refers to them."""
    tables = [_data(phrases), _means(phrases, facts), _contrasts(phrases, facts)]
    secondary = _secondary(phrases, facts)
    return tuple(table for table in (*tables, secondary) if table is not None)


def _data(phrases: Phrases) -> Table | None:
    keys = {
        "examples": "examples",
        "features": "features",
        "classes": "classes",
        "train": "training pool",
        "search": "search",
        "keep": "keep",
        "final": "final",
    }
    data = phrases.study.data
    present = [key for key in keys if all(key in described for described in data.values())]
    if not data or not present:
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
            "The data. Each run draws its training sample from the training pool; the three test splits are the same "
            "for every run, and the code under test sees their features but never their labels."
        ),
        columns="l" + "r" * len(present),
        header=("data set", *(keys[key] for key in present)),
        rows=rows,
    )


def _cell(prefix: str, facts: dict[str, Fact]) -> str:
    """'93.4 [92.1, 94.7]', without brackets when there is no interval, a dash when there is nothing."""
    if f"{prefix}.mean" not in facts:
        return "--"
    if f"{prefix}.ci_low" not in facts:
        return val(f"{prefix}.mean")
    return f"{val(f'{prefix}.mean')} [{val(f'{prefix}.ci_low')}, {val(f'{prefix}.ci_high')}]"


def _means(phrases: Phrases, facts: dict[str, Fact]) -> Table:
    metric = phrases.study.metric
    rows = tuple(
        (
            val(f"variant.{variant.name}.title"),
            val(f"v.{variant.name}.keep.{metric}.n") if f"v.{variant.name}.keep.{metric}.n" in facts else "--",
            _cell(f"v.{variant.name}.keep.{metric}", facts),
            _cell(f"v.{variant.name}.final.{metric}", facts),
        )
        for variant in phrases.study.variants
    )
    unit = f" ({phrases.metric.unit})" if phrases.metric.unit else ""
    return Table(
        id="means",
        caption=(
            f"{phrases.name.capitalize()}{unit} of every variant: mean over seeds with its "
            rf"{val('study.ci_level')}\,\% interval in brackets, on the split that decides (\emph{{keep}}) and on the one "
            r"that was opened once (\emph{final}). Intervals describe single variants; the paired contrasts of "
            r"Table~\ref{tab:contrasts} are what the study tests."
        ),
        columns="lrll",
        header=("variant", "runs", "keep", "final"),
        rows=rows,
    )


def _contrasts(phrases: Phrases, facts: dict[str, Fact]) -> Table:
    rows = []
    for contrast in phrases.study.contrasts:
        result = phrases.analysis.contrast(contrast.id)
        held = {True: "yes", False: "no", None: "--"}[result.holds_on_final]
        name = val(f"contrast.{contrast.id}.title")
        rows.append(
            (
                rf"\textbf{{{name}}}" if contrast.primary else name,
                _cell(f"c.{contrast.id}.keep", facts),
                val(f"c.{contrast.id}.p_holm") if f"c.{contrast.id}.p_holm" in facts else "--",
                val(f"c.{contrast.id}.keep.dz") if f"c.{contrast.id}.keep.dz" in facts else "--",
                val(f"c.{contrast.id}.verdict"),
                _cell(f"c.{contrast.id}.final", facts),
                held,
            )
        )
    unit = f" in {phrases.metric.difference}" if phrases.metric.difference else ""
    return Table(
        id="contrasts",
        caption=(
            f"Every declared contrast; the primary one in bold. Mean paired difference{unit} with its "
            rf"{val('study.ci_level')}\,\% interval, Holm-adjusted $p$ over all {val('study.n_contrasts')} contrasts, "
            r"standardised difference $d_z$, verdict on \emph{keep}, and whether it holds on \emph{final}."
        ),
        columns=r"p{0.26\linewidth}lrrp{0.13\linewidth}lc",
        header=("contrast", "keep", "$p$", "$d_z$", "verdict", "final", "holds"),
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
            r"Secondary metrics on \emph{keep}, means over seeds. They were not declared as contrasts and carry no test; "
            "they are here so that a gain in one measure bought with a loss in another can be seen. Arrows point to better."
        ),
        columns="l" + "r" * len(others),
        header=(
            "variant",
            *(f"{escape(m.title)}{f' ({m.unit})' if m.unit else ''} {arrow[m.direction]}" for m in others),
        ),
        rows=rows,
    )
