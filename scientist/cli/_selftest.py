"""`review --selftest`: papers spoilt on purpose, and the reviewer that should notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from scientist.cli._console import emit, err, escape, field, out
from scientist.cli._lookup import here_or_none, short
from scientist.cli._progress import mode, watching
from scientist.cli._review import Asked, model_of
from scientist.cli._review_papers import REVIEWS, meant
from scientist.errors import RecordError, UsageError

if TYPE_CHECKING:
    from scientist.llm import Model
    from scientist.progress import Progress
    from scientist.reviews.checks import Finding
    from scientist.reviews.reading import Document
    from scientist.reviews.selftest import Reviewer, SelfTest, Subject

FOLDER = "selftest"
READINGS_BY_MODEL = 2
"""How often a model is asked again about an unedited paper: every time costs a review."""
TOKENS_A_WORD = 1.4


def selftest_of(
    words: Sequence[str],
    model: str | None,
    reviewers: int,
    seed: int,
    budget: list[str] | None,
    into: Path | None,
    json: bool,
    quiet: bool,
) -> None:
    """Measure, write `selftest.json` and `selftest.md`, show the table. Exit code 1 when something does not hold."""
    from scientist.reviews.selftest import READINGS, by_programs, measure, write_selftest

    folder = into or REVIEWS / FOLDER
    left_out: list[str] = []
    subjects = _subjects(words, left_out)
    asked = Asked(model or "", reviewers, "neurips", seed, budget, folder)
    readings = READINGS_BY_MODEL if model else READINGS
    if model:
        _say_what_it_takes(subjects, asked, readings)
    with watching(mode(json, quiet), papers=len(subjects)) as progress, _reviewer(asked, folder, progress) as played:
        found = measure(
            subjects,
            played or by_programs,
            name=model or "programs",
            seed=seed,
            seeded=played is not None,
            readings=readings,
            say=progress.note,
        )
    found = found.model_copy(update={"left_out": (*found.left_out, *left_out)})
    files = write_selftest(found, folder)
    if json:
        emit(found.model_dump(mode="json") | {"holds": found.holds, "files": [str(path) for path in files]})
    else:
        _show(found)
        field("files", short(folder))
    raise typer.Exit(0 if found.holds else 1)


def _subjects(words: Sequence[str], left_out: list[str]) -> list[Subject]:
    """The papers that are named, or those of the lab; what cannot be read is left out, unless nothing can."""
    from scientist.reviews.selftest import papers_of_lab, subject_of

    if words:
        paths = [(paper.path, paper.name) for paper in meant(words, None).papers]
    else:
        lab = here_or_none()
        paths = [(path, path.name) for path in (papers_of_lab(lab.papers) if lab else [])]
        if not paths:
            raise UsageError("there is no lab with a finished paper here", "name papers after `review --selftest`")
    subjects = []
    failure: RecordError | None = None
    for path, name in paths:
        try:
            subjects.append(subject_of(path, name))
        except RecordError as error:
            failure = error
            left_out.append(f"{name}: {error.message}")
    if not subjects and failure is not None:
        raise failure
    return subjects


def _say_what_it_takes(subjects: Sequence[Subject], asked: Asked, readings: int) -> None:
    """The reviews that will be asked for, before the first one is."""
    from scientist.reviews.model import LONGEST
    from scientist.reviews.selftest import reviews_needed

    many = reviews_needed(len(subjects), readings)
    words = sum(min(subject.document.words, LONGEST // 6) for subject in subjects) * many // max(len(subjects), 1)
    tokens = int(words * TOKENS_A_WORD * (2 * asked.reviewers + 1) / 1_000)
    err.print(
        f"up to {many} reviews of {len(subjects)} paper{'s' if len(subjects) != 1 else ''}, {asked.reviewers} "
        f"reviewer{'s' if asked.reviewers != 1 else ''} each: about {tokens:,}k tokens are sent; --budget sets a limit"
    )


@contextmanager
def _reviewer(asked: Asked, folder: Path, progress: Progress) -> Iterator[Reviewer | None]:
    """The reviewers that a model plays as one reviewer; None where no model is named."""
    if not asked.model:
        yield None
        return
    with model_of(asked, folder, progress) as model:
        yield _played(model, asked.reviewers, progress.note)


def _played(model: Model, reviewers: int, say: Callable[[str], None]) -> Reviewer:
    from scientist.reviews.document import expected_of
    from scientist.reviews.forms import form_of
    from scientist.reviews.model import review_paper

    form = form_of("neurips")

    def review(document: Document, findings: Sequence[Finding], seed: int) -> float | None:
        prior = expected_of(document).prior
        panel = review_paper(
            document,
            model,
            form,
            name=document.source,
            reviewers=reviewers,
            seed=seed,
            findings=[one for one in findings if one.severity != "note"],
            prior=(prior.score - 1) / 9 if prior else None,
            say=say,
        )
        return panel.overall

    return review


def _show(found: SelfTest) -> None:
    spread = found.spread
    many = len(found.papers)
    out.print(f"[bold]{escape(found.reviewer)}[/]  {many} paper{'s' if many != 1 else ''}, points from 1 to 10")
    out.print(f"read again: standard deviation {spread.sd:.2f}, 95 % of two readings within {spread.range95:.2f}")
    out.print("[dim]edit                 must       papers   mean  lowered  unchanged  raised  beyond the spread[/]")
    for row in found.rows:
        if not row.papers:
            out.print(f"{row.edit:<20} {row.must:<10} {0:>6}   nothing to edit")
            continue
        verdict = "[green]holds[/]" if row.holds else "[red]does not hold[/]"
        beyond = f"{row.lowered_beyond} lowered, {row.raised_beyond} raised"
        out.print(
            f"{row.edit:<20} {row.must:<10} {row.papers:>6}  {row.mean:+5.2f}  {row.lowered:>7}  {row.unchanged:>9}  {row.raised:>6}  {beyond:<21} {verdict}"
        )
    if found.capped:
        field("at the ceiling", f"harm was not tried on {', '.join(found.capped)}")
    for line in found.left_out:
        field("left out", line, "yellow")
