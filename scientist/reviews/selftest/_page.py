"""The self-test as a page and as JSON."""

from __future__ import annotations

from pathlib import Path

from scientist.lab import canonical_json, write_atomic
from scientist.reviews.selftest._measure import LEAST, Row, SelfTest

HEAD = (
    "| edit | must | papers | mean change | 95 % of papers | lowered | unchanged | raised | lowered beyond the spread | raised beyond it | holds |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def line(row: Row) -> str:
    """One edit as a row of a Markdown table."""
    if not row.papers:
        return f"| {row.edit} | {row.must} | 0 | | | | | | | | nothing to edit |"
    return (
        f"| {row.edit} | {row.must} | {row.papers} | {row.mean:+.2f} | {row.low:+.2f} to {row.high:+.2f} | {row.lowered} | {row.unchanged} | "
        f"{row.raised} | {row.lowered_beyond} | {row.raised_beyond} | {'yes' if row.holds else '**no**'} |"
    )


def as_markdown(found: SelfTest) -> str:
    """The page: what was done, the table, and what it does not say."""
    many = len(found.papers)
    lines = [
        "# Self-test of a reviewer",
        "",
        f"Reviewer: {found.reviewer}. {many} paper{'s' if many != 1 else ''}, seed {found.seed}; points on a scale from 1 to 10.",
        "",
        f"Read again ({found.spread.readings} times each), scores of one paper have a standard deviation of {found.spread.sd:.2f}, and two of them lie "
        f"within {found.spread.range95:.2f} of each other in 95 % of cases: the spread.",
        "",
        HEAD,
        *(line(row) for row in found.rows),
        "",
        f"Moved means by {LEAST} points or more. Harm holds when it lowers three papers in four and the mean; a trick, when it raises no more than "
        "one paper in twenty beyond the spread. An edit counts where it finds something to change.",
    ]
    if found.capped:
        lines += ["", f"At the ceiling before any edit, so that harm was not tried: {_names(found.capped)}."]
    if found.left_out:
        lines += ["", "Left out: " + "; ".join(_plain(one) for one in found.left_out) + "."]
    return "\n".join(lines) + "\n"


def write_selftest(found: SelfTest, folder: Path) -> tuple[Path, Path]:
    """`selftest.json` and `selftest.md` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "selftest.json", folder / "selftest.md"
    write_atomic(paths[0], canonical_json(found.model_dump(mode="json")))
    write_atomic(paths[1], as_markdown(found))
    return paths


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(_plain(name) for name in names)


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isprintable() and char not in "|<>[]`*")[:200]
