"""`review --model`: reviewers that a model plays, for papers of strangers and of the lab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scientist.cli._console import emit, escape, field, out
from scientist.cli._lookup import short
from scientist.cli._progress import mode, watching
from scientist.cli._review_papers import REVIEWS, finish, finished, meant, review_each
from scientist.cli._run import caps_of
from scientist.errors import UsageError

if TYPE_CHECKING:
    from scientist.llm import Model
    from scientist.progress import Progress
    from scientist.reviews.document import Found
    from scientist.reviews.forms import Form
    from scientist.reviews.model import Panel
    from scientist.reviews.reading import Document
    from scientist.reviews.rule import Checked

BY_MODEL = "by-model"
"""The folder of a model's reviews, beside those that programs made."""


@dataclass(frozen=True)
class Asked:
    """What the command line said."""

    model: str
    reviewers: int
    form: str
    seed: int
    budget: list[str] | None
    into: Path | None


def review_by_model(words: Sequence[str], asked: Asked, json: bool, quiet: bool) -> None:
    """Review papers by a model, write the files, and show the distribution, or with several papers the index."""
    from scientist.reviews.document import Entry
    from scientist.reviews.forms import form_of

    form = form_of(asked.form)
    named = meant(words, asked.into)
    if named.alone:
        _show_alone(named.papers[0], form, asked, json, quiet)
        return

    def one(paper: Found, progress: Progress) -> Entry:
        folder = named.base / paper.name / BY_MODEL
        panel = _panel(_read(paper), form, asked, folder, progress)[0]
        return Entry(
            paper=paper.name,
            page=f"{paper.name}/{BY_MODEL}/review.md",
            score=panel.overall,
            errors=panel.errors + panel.slips,
            warnings=panel.warnings,
            injected=len(panel.injections),
        )

    said = (
        f"By {asked.model}, form {form.title}: scores are on its scale from {form.overall.low} to {form.overall.high}. "
        "Errors and injections were found by programs."
    )
    finish(named, review_each(named, one, json, quiet), json, said)


def _show_alone(paper: Found, form: Form, asked: Asked, json: bool, quiet: bool) -> None:
    read = _read(paper)
    folder = asked.into or read.folder
    with watching(mode(json, quiet), stage="reviewing") as progress:
        panel, files = _panel(read, form, asked, folder, progress)
    if json:
        emit(panel.model_dump(mode="json") | {"files": [str(path) for path in files]})
        return
    show_panel(panel, form)
    field("files", short(folder))


def _panel(read: Read, form: Form, asked: Asked, folder: Path, progress: Progress) -> tuple[Panel, list[Path]]:
    """The panel and its files. What was asked before costs nothing."""
    from scientist.reviews.document import expected_of
    from scientist.reviews.model import review_paper, write_panel

    prior = expected_of(read.document).prior
    with model_of(asked, folder, progress) as model:
        panel = review_paper(
            read.document,
            model,
            form,
            name=read.name,
            reviewers=asked.reviewers,
            seed=asked.seed,
            findings=read.findings,
            hide=read.hide,
            injections=read.injections,
            prior=(prior.score - 1) / 9 if prior else None,
            say=progress.note,
        )
    return panel, write_panel(panel, form, folder)


def show_panel(panel: Panel, form: Form) -> None:
    """The distribution: mean, spread and number of scores per criterion; then the score and how it was made."""
    titles = {criterion.name: criterion.title for criterion in form.scored} | {"confidence": "Confidence"}
    out.print(f"[bold]{escape(panel.paper)}[/]  {len(panel.reviews)} of {panel.asked} reviews by {escape(panel.model)}")
    for line in panel.injections[:8]:
        field("injected", line, "red")
    out.print(f"  {'':<16}{'mean':>6}{'s.d.':>7}{'n':>4}   scores")
    for row in panel.spreads:
        mean = f"{row.mean:.2f}" if row.mean is not None else "-"
        sd = f"{row.sd:.2f}" if row.sd is not None else "-"
        scores = ", ".join(f"{score:g}" for score in row.scores) or "none that counts"
        title = titles[row.criterion]
        out.print(escape(f"  {title:<16}{mean:>6}{sd:>7}{row.n:>4}   {scores}  ({row.low:g} to {row.high:g})"))
    score = f"{panel.overall:.2f}" if panel.overall is not None else "none"
    field("score", f"{score}, {panel.decision or 'undecided'}; accepted from {form.accept_at:g}")
    if panel.prior is not None:
        field("prior", f"{form.overall.at(panel.prior):.2f} by the text alone")
    field("rule", panel.combined.rule)
    if panel.errors or panel.slips:
        field("errors", f"{panel.errors} found by programs, and {panel.slips} of the manuscript alone", "red")
    for line in panel.left_out[:8]:
        field("not shown", line)
    for line in panel.failed:
        field("missing", line, "yellow")


@dataclass(frozen=True)
class Read:
    """A paper, what is known against it, what it says behind its readers' backs, and where its reviews go."""

    name: str
    document: Document
    findings: Sequence[Checked]
    folder: Path
    hide: Sequence[str] = ()
    injections: Sequence[str] = ()


def _read(paper: Found) -> Read:
    from scientist.reviews.document import examine
    from scientist.reviews.model import own_document, own_findings

    if not paper.own:
        found = examine(paper.path)
        findings = [one for one in found.findings if one.severity != "note"]
        told = [f"{one.kind}, {one.where}: {one.text}" for one in found.injections]
        hide = [one.text for one in found.injections]
        return Read(paper.name, found.document, findings, REVIEWS / paper.name / BY_MODEL, hide, told)
    folder, lab = finished(paper.path)
    place = (lab.reviews if lab else REVIEWS) / folder.name / BY_MODEL
    return Read(folder.name, own_document(folder), own_findings(folder), place)


@contextmanager
def model_of(asked: Asked, folder: Path, progress: Progress) -> Iterator[Model]:
    """The model, with its conversations and the ledger of its calls beside the reviews: asking again costs nothing."""
    from pydantic import ValidationError

    from scientist.lab import Caps, explain
    from scientist.llm import LOCAL, Budget, HttpWire, Ledger, LocalWire, Model, endpoint

    where = endpoint(asked.model)
    try:
        caps = Caps.model_validate(caps_of(asked.budget) or {})
    except ValidationError as error:
        raise UsageError(explain(error, Caps, "--budget"), "write e.g. --budget dollars=2") from None
    wire = (LocalWire if where.provider == LOCAL else HttpWire)(where, progress.note)
    try:
        yield Model(where.label, wire, Budget(Ledger(folder / "calls.jsonl"), caps), folder / "conversations")
    finally:
        if isinstance(wire, LocalWire):
            wire.close()
