"""Pages that need nothing but themselves: no script, no font, no picture from elsewhere, and no markup of strangers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from statistics import NormalDist

from scientist.reviews.injection import escaped

LOW, HIGH = 1.0, 10.0
_STYLE = """
:root { --ink: #1d2327; --soft: #5c666e; --line: #dfe3e6; --paper: #fff; --ground: #f6f7f8;
  --error: #b3261e; --warning: #8a5a00; --note: #5c666e; --good: #1e6b45; --mark: #2a5fa5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #a3adb5; --line: #3a4248; --paper: #1b2024;
  --ground: #14181b; --error: #ff8a80; --warning: #f0b657; --note: #a3adb5; --good: #7fd1a5; --mark: #8ab6f0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.55 Charter, "Bitstream Charter", Cambria, Georgia, serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: anywhere; }
main.index { max-width: 64rem; } .index td:first-child { min-width: 16rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .8rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
p { margin: .5rem 0; }
.soft, small, th, dt, .tag, .foot { font-family: system-ui, sans-serif; }
.soft, small, .foot { color: var(--soft); font-size: .85rem; }
.box { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.2rem; margin: .8rem 0; }
.hidden { border: 2px solid var(--error); }
.big { font-size: 2.6rem; line-height: 1; font-weight: 600; }
.big small { font-size: 1rem; font-weight: 400; }
.facts { display: flex; flex-wrap: wrap; gap: 1.2rem 2.2rem; align-items: flex-end; margin-bottom: .8rem; }
.facts div > small { display: block; }
.facts b { font-size: 1.25rem; }
.tag { font-size: .72rem; letter-spacing: .03em; text-transform: uppercase; font-weight: 600; margin-right: .6rem; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); } .good { color: var(--good); }
.finding { border-left: 4px solid currentColor; background: var(--paper); padding: .6rem 1rem; margin: .7rem 0; border-radius: 0 6px 6px 0; }
.finding > * { color: var(--ink); } .finding .tag { color: inherit; } .finding .soft { color: var(--soft); }
blockquote { margin: .4rem 0; padding-left: .8rem; border-left: 2px solid var(--line); color: var(--soft); font-style: italic; }
dl { display: grid; grid-template-columns: 6.2rem 1fr; gap: .15rem .6rem; margin: .4rem 0 0; font-size: .95rem; }
dt { color: var(--soft); font-size: .82rem; padding-top: .1rem; } dd { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; overflow-wrap: break-word; font-size: .93rem; background: var(--paper); }
th { text-align: left; font-size: .78rem; color: var(--soft); font-weight: 600; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
ul { padding-left: 1.2rem; } li { margin: .3rem 0; }
summary { cursor: pointer; font-weight: 600; }
a { color: var(--mark); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def text(value: str, limit: int = 1_000) -> str:
    """Anybody's text for a page: one line, bounded, invisible characters by their numbers, no markup."""
    return escape(escaped(value, limit), quote=True)


def page(title: str, body: Iterable[str], wide: bool = False) -> str:
    """A whole page; `body` is markup whose texts went through :func:`text`. `wide`: for tables."""
    kind = "index" if wide else "paper"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title, 200)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<main class="{kind}">\n' + "\n".join(part for part in body if part) + "\n</main>\n</body>\n</html>\n"
    )


def section(title: str, inner: str) -> str:
    """A heading and what stands below it; nothing where there is nothing."""
    return f"<section>\n<h2>{text(title)}</h2>\n{inner}\n</section>" if inner else ""


def bullets(lines: Iterable[str]) -> str:
    """A list of lines that are markup already."""
    told = "\n".join(f"<li>{line}</li>" for line in lines)
    return f"<ul>\n{told}\n</ul>" if told else ""


def table(heads: Iterable[tuple[str, bool]], rows: Iterable[Iterable[str]]) -> str:
    """A table; heads are (text, is a number), cells are markup already."""
    columns = list(heads)
    kinds = [' class="n"' if number else "" for _, number in columns]
    head = "".join(f"<th{kind}>{text(name)}</th>" for (name, _), kind in zip(columns, kinds, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>' if body else ""


def curve(score: float, interval: tuple[float, float], coverage: float, half: float, prior: float | None) -> str:
    """The distribution of the mean human score as a drawing: the curve, the interval under it shaded, the score, and the
    prior where the findings moved it. `half` is half the interval before it was cut to the scale."""
    width, height, base, left = 640, 150, 118, 20
    spread = NormalDist(score, max(half, 0.05) / NormalDist().inv_cdf((1 + coverage) / 2))

    def x(value: float) -> float:
        return left + (width - 2 * left) * (value - LOW) / (HIGH - LOW)

    def y(value: float) -> float:
        return base - 95 * spread.pdf(value) / spread.pdf(score)

    def path(start: float, stop: float) -> str:
        steps = [start + (stop - start) * place / 90 for place in range(91)]
        return " ".join(f"{x(value):.1f},{y(value):.1f}" for value in steps)

    low, high = interval
    ticks = "".join(
        f'<line x1="{x(n):.1f}" y1="{base}" x2="{x(n):.1f}" y2="{base + 4}" stroke="var(--line)"/>'
        f'<text x="{x(n):.1f}" y="{base + 17}" text-anchor="middle">{n}</text>'
        for n in range(1, 11)
    )
    moved = ""
    if prior is not None and abs(prior - score) > 0.05:
        anchor, step = ("end", -6) if prior > 8 else ("start", 6)
        moved = (
            f'<line x1="{x(prior):.1f}" y1="20" x2="{x(prior):.1f}" y2="{base}" stroke="var(--soft)" stroke-dasharray="3 3"/>'
            f'<text x="{x(prior) + step:.1f}" y="28" text-anchor="{anchor}">by the text alone {prior:.2f}</text>'
        )
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Score {score:.2f}, interval {low:.2f} to {high:.2f}">'
        f'<polygon points="{x(low):.1f},{base} {path(low, high)} {x(high):.1f},{base}" fill="var(--mark)" opacity="0.18"/>'
        f'<polyline points="{path(LOW, HIGH)}" fill="none" stroke="var(--mark)" stroke-width="2"/>'
        f'<line x1="{x(LOW):.1f}" y1="{base}" x2="{x(HIGH):.1f}" y2="{base}" stroke="var(--line)"/>{ticks}{moved}'
        f'<line x1="{x(score):.1f}" y1="{y(score):.1f}" x2="{x(score):.1f}" y2="{base}" stroke="var(--mark)" stroke-width="2"/>'
        "</svg>"
    )


def bar(score: float, interval: tuple[float, float]) -> str:
    """A small drawing of a score with its interval, on the scale from 1 to 10."""

    def x(value: float) -> float:
        return 4 + 112 * (value - LOW) / (HIGH - LOW)

    return (
        '<svg viewBox="0 0 120 14" style="width:120px" aria-hidden="true">'
        '<line x1="4" y1="7" x2="116" y2="7" stroke="var(--line)"/>'
        f'<line x1="{x(interval[0]):.1f}" y1="7" x2="{x(interval[1]):.1f}" y2="7" stroke="var(--mark)" stroke-width="4" opacity="0.4"/>'
        f'<circle cx="{x(score):.1f}" cy="7" r="4" fill="var(--mark)"/></svg>'
    )
