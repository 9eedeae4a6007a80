"""A panel as a page of Markdown, and the files that a review leaves. What models and papers say is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from scientist.lab import canonical_json, write_atomic
from scientist.reviews._markdown import number, safe
from scientist.reviews.forms import ICLR, FilledReview, Form, Point, openreview_note
from scientist.reviews.model._panel import Panel, Spread


def render_panel(panel: Panel, form: Form) -> str:
    """The distribution first, then what the chair made of the reviews, then every review."""
    titles = {criterion.name: criterion.title for criterion in form.scored} | {"confidence": "Confidence"}
    parts = [
        f"# Reviews of {safe(panel.paper)}",
        f"{len(panel.reviews)} of {panel.asked} reviewers by {safe(panel.model)}, form {safe(form.title)}, seed {panel.seed}. "
        "A model wrote this; scores count only where a quotation in the paper stands behind them.",
        _bullets(
            "What this paper tells its reviewers behind its readers' backs (no reviewer saw it)",
            map(safe, panel.injections),
        ),
        "\n".join(
            [
                "| | mean | s.d. | n | scores | scale |",
                "|---|---|---|---|---|---|",
                *(_row(spread, titles[spread.criterion]) for spread in panel.spreads),
            ]
        ),
        f"**Score {number(panel.overall)}** on a scale from {form.overall.low} to {form.overall.high}; accepted from "
        f"{form.accept_at:g}: **{panel.decision or 'undecided'}**. How it was made: {safe(panel.combined.rule)}.",
        _bullets("Who gave nothing that can be used", map(safe, panel.failed)),
        _bullets("Hidden from the reviewers", map(safe, panel.hidden)),
        _bullets("Not shown to the reviewers", map(safe, panel.left_out)),
    ]
    if panel.meta is not None:
        meta = panel.meta
        parts += [
            f"## Meta-review\n\n{safe(meta.summary)}",
            _bullets("What decides", (f"**{safe(one.remark)}** {safe(one.why)}" for one in meta.decisive)),
            _bullets("Agreed", map(safe, meta.agreed)),
            _bullets("Disputed", map(safe, meta.disputed)),
        ]
    parts += [_review(review, no, titles, form) for no, review in zip(panel.numbers, panel.reviews, strict=True)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_panel(panel: Panel, form: Form, folder: Path) -> list[Path]:
    """Write `panel.json`, `review-<n>.json` for every reviewer, for the ICLR form also the notes of OpenReview, and
    `review.md`, which comes last. Returns the paths."""
    files: list[tuple[str, bytes]] = [("panel.json", panel.canonical())]
    for no, review in zip(panel.numbers, panel.reviews, strict=True):
        files.append((f"review-{no}.json", review.canonical()))
        if form.name == ICLR.name:
            files.append((f"review-{no}.openreview.json", canonical_json(openreview_note(review, form))))
    files.append(("review.md", render_panel(panel, form).encode()))
    for name, content in files:
        write_atomic(folder / name, content)
    return [folder / name for name, _ in files]


def _row(spread: Spread, title: str) -> str:
    scores = ", ".join(f"{score:g}" for score in spread.scores) or "none that counts"
    return (
        f"| {safe(title)} | {number(spread.mean)} | {number(spread.sd)} | {spread.n} | {scores} "
        f"| {spread.low:g} to {spread.high:g} |"
    )


def _review(review: FilledReview, no: int, titles: dict[str, str], form: Form) -> str:
    lines = [f"## Reviewer {no}", safe(review.summary)]
    answers = []
    for answer in review.answers:
        before = review.before.get(answer.criterion)
        changed = f" ({before:g} before the findings)" if before not in (None, answer.score) else ""
        stands = "" if answer.counts else f" **does not count: {safe(answer.problem)}**"
        quotes = "".join(f"\n  - {safe(q.section)}: “{safe(q.text)}”" for q in answer.quotes if q.section)
        answers.append(
            f"- **{safe(titles[answer.criterion])} {answer.score:g}**{changed}{stands} {safe(answer.why)}{quotes}"
        )
    lines.append("### Scores\n\n" + "\n".join(answers))
    lines.append(_bullets(f"Strengths (R{no})", (_point(point, n, "S") for n, point in enumerate(review.strengths, 1))))
    lines.append(
        _bullets(f"Weaknesses (R{no})", (_point(point, n, "W") for n, point in enumerate(review.weaknesses, 1)))
    )
    lines.append(_bullets("Questions", map(safe, review.questions)))
    lines.append(_bullets("Limitations", map(safe, review.limitations)))
    lines += [f"### {safe(t.title)}\n\n{safe(review.texts[t.name])}" for t in form.own_texts if t.name in review.texts]
    lines.append(f"### Ethical concerns\n\n{safe(review.ethical_concerns) or 'None.'}")
    return "\n\n".join(line for line in lines if line)


def _point(point: Point, no: int, letter: str) -> str:
    kind = f" ({point.kind})" if point.kind else ""
    quote = point.quote
    place = (
        f" [{safe(quote.section)}: “{safe(quote.text)}”]" if quote and quote.section else " [not found in the paper]"
    )
    action = f" Next study: {safe(point.action)}" if point.actionable else ""
    return f"{letter}{no}{kind}: {safe(point.text)}{place}{action}"


def _bullets(title: str, lines: Iterable[str]) -> str:
    told = "\n".join(f"- {line}" for line in lines)
    return f"### {title}\n\n{told}" if told else ""
