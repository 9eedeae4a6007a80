"""`review --model`: reviewers that a model plays, for papers of strangers and of the lab."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scientist.cli._console import emit, escape, field, out
from scientist.cli._lookup import paper_folder, short
from scientist.cli._progress import mode, watching
from scientist.cli._run import caps_of
from scientist.errors import UsageError

if TYPE_CHECKING:
    from scientist.llm import Model
    from scientist.progress import Progress
    from scientist.reviews.forms import Form
    from scientist.reviews.model import Panel
    from scientist.reviews.reading import Document
    from scientist.reviews.rule import Checked

OWN = ("study.json", "manuscript.json")
USUAL = ("latex", "tex", "src", "source", "paper", "main", "template", "article")


@dataclass(frozen=True)
class Asked:
    """What the command line said."""

    model: str
    reviewers: int
    form: str
    seed: int
    budget: list[str] | None
    into: Path | None


def review_by_model(paper: str, asked: Asked, json: bool, quiet: bool) -> None:
    """Review a paper by a model, write the files, and show the distribution."""
    from scientist.reviews.forms import form_of
    from scientist.reviews.model import review_paper, write_panel

    form = form_of(asked.form)
    read = _read(paper)
    folder = asked.into or read.folder
    with watching(mode(json, quiet), stage="reviewing") as progress, _model(asked, folder, progress) as model:
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
            prior=_prior(read.document),
            say=progress.note,
        )
    files = write_panel(panel, form, folder)
    if json:
        emit(panel.model_dump(mode="json") | {"files": [str(path) for path in files]})
        return
    show_panel(panel, form)
    field("files", short(folder))


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


def _read(paper: str) -> Read:
    from scientist.reviews.checks import check_document
    from scientist.reviews.injection import quarantined, scan
    from scientist.reviews.model import own_document, own_findings
    from scientist.reviews.reading import read_paper

    path = Path(paper)
    meant = path.exists() or path.suffix or len(path.parts) > 1  # a path, and no slug
    if meant and not any((path / mark).is_file() for mark in OWN):
        reading = read_paper(path)
        orders = scan(reading)
        document = quarantined(reading.document, orders)
        findings = [one for one in check_document(document, reading.sources) if one.severity != "note"]
        name = _name(path.resolve())
        told = [f"{one.kind}, {one.where}: {one.text}" for one in orders]
        return Read(name, document, findings, Path("reviews") / name, [one.text for one in orders], told)
    folder, lab = paper_folder(paper)
    if not (folder / "audit.json").exists():
        raise UsageError(f"'{folder.name}' is not finished (it has no audit.json)", "finish it with `scientist resume`")
    place = (lab.reviews if lab else Path("reviews")) / folder.name / "by-model"
    return Read(folder.name, own_document(folder), own_findings(folder), place)


def _prior(document: Document) -> float | None:
    """The mean human score that the text makes one expect, as a share of its scale; None where there is too little text.

    It knows main texts of machine learning papers, so a paper of another kind gets a prior that means little.
    """
    from scientist.errors import RecordError
    from scientist.reviews.calibration import prior_of, read_text

    headed = (
        f"# {section.number} {section.title}\n\n{section.text}" for section in document.sections if not section.appendix
    )
    try:
        found = prior_of(read_text("\n\n".join(headed), document.title, document.abstract))
    except RecordError:
        return None
    return (found.score - 1) / 9


def _name(path: Path) -> str:
    """What a paper of a stranger is called: its file or folder, or the folder above one that is called like any other."""
    while path.stem.lower() in USUAL and path.parent != path:
        path = path.parent
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:60] or "paper"


@contextmanager
def _model(asked: Asked, folder: Path, progress: Progress) -> Iterator[Model]:
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
