"""An assessment as files: report.md, report.json and three plots. The same assessment gives the same bytes."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from scientist.lab import write_atomic
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration._assess import MEASURES, Assessment, Row
from scientist.reviews.calibration._metrics import Interval

_RANKS = MEASURES[:4]
_DECISIONS = MEASURES[4:]
_SVG: Any = {"svg.hashsalt": "scientist", "svg.fonttype": "path", "font.family": "DejaVu Sans"}
MAX_CURVES = 8


def as_json(found: Assessment) -> dict[str, Any]:
    """The assessment as one JSON document; a measure is [value, low, high], and is absent where it is not defined."""
    return {
        "schema_version": 1,
        "data": found.name,
        "papers": found.papers,
        "seed": found.seed,
        "facts": found.facts,
        "notes": list(found.notes),
        "rows": [
            {
                "reviewer": row.name,
                "group": row.group,
                "papers": row.papers,
                "note": row.note,
                "measures": {
                    name: [round(part, 4) for part in row.measures[name]]
                    for name in MEASURES
                    if name in row.measures and not math.isnan(row.measures[name][0])
                },
            }
            for row in found.rows
        ],
    }


def as_markdown(found: Assessment) -> str:
    """The assessment as a page: what it rests on, the ranks, the decisions, how to read them."""
    accepted = "no decisions" if found.accepted is None else f"{int(found.accepted.sum())} accepted"
    lines = [f"# Reviewers of {_cell(found.name)}", "", f"{found.papers} papers, {accepted}; seed {found.seed}."]
    lines += ["", *(f"- {_cell(note)}" for note in found.notes)] if found.notes else []
    lines += ["", "## Ranks", "", *_table(found.rows, _RANKS)]
    if found.accepted is not None:
        lines += ["", "## Decisions and probabilities", "", *_table(found.rows, _DECISIONS)]
    lines += [
        "",
        "Brackets are 95 % intervals from resampled papers. Thresholds, probability curves and combinations are fitted on four",
        "parts of the papers and judged on the fifth. A leak cannot raise the ranks inside accepted and inside rejected papers.",
        "The prior says how human reviewers scored papers that read alike; it is no verdict on the work.",
        "",
        "![ROC curves](roc.svg) ![Scores against human means](scores.svg) ![Reliability](reliability.svg)",
    ]
    return "\n".join(lines) + "\n"


def _table(rows: tuple[Row, ...], measures: tuple[str, ...]) -> list[str]:
    head = ["reviewer", "papers", *measures]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        name = _cell(row.name) + (f" ({_cell(row.note)})" if row.note else "")
        cells = [_shown(row.measures.get(measure, metrics.NOTHING)) for measure in measures]
        lines.append("| " + " | ".join([name, str(row.papers), *cells]) + " |")
    return lines


def _cell(text: str) -> str:
    """A name from the data made harmless in a table."""
    return re.sub(r"([\\`*_\[\]<>|#!])", r"\\\1", " ".join(text.split()))[:160]


def _shown(found: Interval) -> str:
    value, low, high = found
    return "–" if math.isnan(value) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def write_report(found: Assessment, folder: Path) -> list[Path]:
    """Write the report into a folder, which is made where it is missing. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "report.json", folder / "report.md"]
    write_atomic(written[0], json.dumps(as_json(found), indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    write_atomic(written[1], as_markdown(found))
    return [*written, *_plots(found, folder)]


def _plots(found: Assessment, folder: Path) -> list[Path]:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [row for row in found.rows if row.name != "constant" and not row.name.endswith("+ prior")][:MAX_CURVES]
    written = []
    with matplotlib.rc_context(_SVG):
        for name, draw in (("roc", _roc), ("scores", _scatter), ("reliability", _reliability)):
            figure, axes = plt.subplots(figsize=(4.6, 4.2))
            draw(axes, found, shown)
            figure.tight_layout()
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)
            written.append(folder / f"{name}.svg")
    return written


def _roc(axes: Any, found: Assessment, rows: list[Row]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    for row in rows if found.accepted is not None else []:
        accepted = found.accepted[row.rows] if found.accepted is not None else np.array([])
        cuts = np.concatenate([[np.inf], np.unique(row.scores)[::-1]])
        yes, no = np.sort(row.scores[accepted]), np.sort(row.scores[~accepted])
        true = 1 - np.searchsorted(yes, cuts) / len(yes)
        false = 1 - np.searchsorted(no, cuts) / len(no)
        axes.plot(false, true, linewidth=1.1, label=f"{row.name[:38]} {row.measures['AUC'][0]:.2f}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=5.5, loc="lower right")


def _best(found: Assessment) -> Row:
    return [row for row in found.rows if row.group == "prior" and row.papers == found.papers][-1]


def _scatter(axes: Any, found: Assessment, rows: list[Row]) -> None:
    row = _best(found)
    colours = ["0.5"] * found.papers if found.accepted is None else np.where(found.accepted, "tab:blue", "tab:orange")
    axes.scatter(row.scores, found.means, s=7, c=list(colours), linewidths=0, alpha=0.7)
    axes.set(xlabel=row.name, ylabel="mean human score", title="blue: accepted" if found.accepted is not None else "")


def _reliability(axes: Any, found: Assessment, rows: list[Row]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)
    for row in rows:
        if row.chances is not None and found.accepted is not None:
            points = metrics.reliability(row.chances, found.accepted[row.rows])
            axes.plot(
                [p[0] for p in points],
                [p[1] for p in points],
                marker="o",
                markersize=2.5,
                linewidth=0.9,
                label=row.name[:38],
            )
    axes.set(xlabel="probability said", ylabel="share accepted", title="Reliability", xlim=(0, 1), ylim=(0, 1))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=5.5, loc="upper left")
