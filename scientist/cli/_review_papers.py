"""`review`: anybody's papers by programs alone, one after the other, and papers of a lab by their stated rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scientist.cli._console import emit, escape, field, out
from scientist.cli._lookup import here_or_none, paper_folder, short, template_of
from scientist.cli._progress import mode, watching
from scientist.errors import RecordError, ScientistError, UsageError

if TYPE_CHECKING:
    from scientist.lab import Lab
    from scientist.progress import Progress
    from scientist.reviews import Review
    from scientist.reviews.checks import Finding
    from scientist.reviews.document import DocumentReview, Entry, Found, LookUp, References
    from scientist.reviews.reading import Document

REVIEWS = Path("reviews")
COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}
SHOWN = 20
"""Lines of one list that a person is shown; the files have all."""


@dataclass(frozen=True)
class Meant:
    """What the words of the command line mean: papers, and the folder that their reviews and the index go into.

    `alone`: one paper was named, so there is no index.
    """

    papers: Sequence[Found]
    base: Path
    alone: bool
    title: str


def meant(words: Sequence[str], into: Path | None) -> Meant:
    """The papers that are named: slugs of the lab, files, folders of a paper, folders of papers."""
    from scientist.reviews.document import find_papers, name_of, named, sort_of

    paths: list[Path] = []
    folders = []
    for word in words:
        path = Path(word)
        if not (path.exists() or path.suffix or len(path.parts) > 1):  # no path, so the slug of a paper
            path = paper_folder(word)[0]
        if path.is_dir() and sort_of(path) == "folder":
            folders.append(path)
            paths += find_papers(path)
        else:
            paths.append(path)
    papers = named(list(dict.fromkeys(path.resolve() for path in paths)))
    alone = len(papers) == 1 and not folders
    title = folders[0].resolve().name if len(words) == 1 and folders else "several papers"
    base = into or (REVIEWS / name_of(folders[0]) if len(words) == 1 and folders else REVIEWS)
    return Meant(papers, base, alone, title)


def review_papers(words: Sequence[str], into: Path | None, references: bool, json: bool, quiet: bool) -> None:
    """Review what was named, write the files, and show the review, or with several papers the index."""
    asked = meant(words, into)
    if asked.alone:
        paper = asked.papers[0]
        if paper.own:
            _show_own(paper, into, json, quiet)
        else:
            _show_one(paper, into or asked.base / paper.name, references, json, quiet)
        return
    entries = review_each(asked, lambda paper, _: _entry(paper, asked.base / paper.name, references), json, quiet)
    finish(asked, entries, json)


def review_each(asked: Meant, review: Callable[[Found, Progress], Entry], json: bool, quiet: bool) -> Sequence[Entry]:
    """Each paper in turn; one that fails is a line in the index. Raises the last failure when all of them fail."""
    from scientist.reviews.document import Entry

    entries, failure = [], None
    with watching(mode(json, quiet), papers=len(asked.papers)) as progress:
        for paper in asked.papers:
            progress.stage(paper.name, "reading and checking")
            try:
                entries.append(review(paper, progress))
            except (RecordError, UsageError) as error:
                failure = error
                entries.append(Entry(paper=paper.name, failed=str(error)[:400]))
                progress.note(f"{paper.name}: {error.message}")
            except (ScientistError, OSError):  # of the disk, the budget, the model: the next paper would meet it too
                raise
            except Exception as error:  # noqa: BLE001 - a fault of ours in one paper must not keep the others from being read
                fault = f"a fault of the scientist itself ({type(error).__name__}); review it alone for the whole story"
                failure = RecordError(fault, "please report it")
                entries.append(Entry(paper=paper.name, failed=fault))
                progress.note(f"{paper.name}: {fault}")
    if failure is not None and all(entry.failed for entry in entries):
        raise RecordError(f"none of {len(entries)} papers could be reviewed: {failure.message}", failure.remedy)
    return entries


def finish(asked: Meant, entries: Sequence[Entry], json: bool, said: str = "") -> None:
    """Write the index and show it."""
    from scientist.reviews.document import interval_told, write_index

    files = (
        write_index(entries, asked.base, asked.title, said) if said else write_index(entries, asked.base, asked.title)
    )
    if json:
        told = [entry.model_dump(mode="json") for entry in entries]
        emit({"reviews": told, "files": [str(path) for path in files]})
        return
    wide = min(48, max(len(entry.paper) for entry in entries))
    out.print(f"[dim]{'paper':<{wide}}  score  interval      errors  warnings  injected[/]")
    for entry in entries:
        name = escape(f"{entry.paper[:wide]:<{wide}}")
        if entry.failed:
            out.print(f"{name}  [red]not reviewed:[/] {escape(entry.failed)}")
            continue
        score = f"{entry.score:5.2f}" if entry.score is not None else "    –"
        errors = f"[red]{entry.errors:>6}[/]" if entry.errors else f"{0:>6}"
        injected = f"[bold red]{entry.injected:>8}[/]" if entry.injected else f"{0:>8}"
        out.print(f"{name}  {score}  {interval_told(entry):<12}  {errors}  {entry.warnings:>8}  {injected}")
    field("index", short(asked.base / "index.html"))


def _entry(paper: Found, folder: Path, references: bool) -> Entry:
    """The review of one of several, made or kept from before, as a line of the index."""
    from scientist.lab import write_atomic
    from scientist.reviews.document import Entry, entry_of, form_web_page

    if not paper.own:
        return entry_of(_reviewed(paper, folder, references), folder.name)
    from scientist.reviews import render_review

    filled, errors, warnings = _own(paper.path)
    write_atomic(folder / "review.md", render_review(filled))
    write_atomic(folder / "review.html", form_web_page(filled))
    return Entry(
        paper=paper.name,
        page=f"{folder.name}/review.html",
        score=float(filled.overall),
        errors=errors,
        warnings=warnings,
    )


def _reviewed(paper: Found, folder: Path, references: bool) -> DocumentReview:
    """The review of a stranger's paper: that which is there, if nothing has changed, or a new one, written."""
    from scientist.reviews.document import asked_of, fingerprint, kept_review, review_path, write_review

    look_up = _look_up(paper.path) if references else None
    kept = kept_review(folder, fingerprint(paper.path, asked_of(look_up)))
    if kept is not None and kept.paper == paper.name:
        return kept
    review = review_path(paper.path, paper.name, look_up)
    write_review(review, folder)
    return review


def _look_up(path: Path) -> LookUp:
    """Looks references up as `verify-citations` does: in the lab's library and in the open indexes, as the settings have them."""

    def look_up(document: Document) -> tuple[References, tuple[Finding, ...]]:
        from scientist.cli._citations import listed_of, sources_for
        from scientist.literature import read_list, verify
        from scientist.reviews.document import references_of

        listed = read_list(path) if document.kind == "tex" else listed_of(str(path), document)
        return references_of(verify(listed, sources_for(path, here_or_none()), None))

    return look_up


def _show_one(paper: Found, folder: Path, references: bool, json: bool, quiet: bool) -> None:
    with watching(mode(json, quiet), stage="reading and checking"):
        review = _reviewed(paper, folder, references)
    files = [str(folder / name) for name in ("review.md", "review.html", "review.json")]
    if json:
        emit(review.model_dump(mode="json") | {"files": files})
        return
    show_review(review)
    field("page", short(folder / "review.html"))


def show_review(review: DocumentReview) -> None:
    """A review for a person: what is hidden, the score, the findings, what speaks for it, what nobody looked at."""
    from scientist.reviews.document import acceptance_told, counts_told, moved_told, place_told, score_told
    from scientist.reviews.injection import escaped

    pages = f"{review.pages} pages, " if review.pages else ""
    out.print(f"[bold]{escape(escaped(review.title or review.paper, 300))}[/]  [dim]{pages}{review.words:,} words[/]")
    for one in review.injections[:SHOWN]:
        field("injected", f"{one.kind}, {one.where}: {escaped(one.text, 300)}", "red")
    if len(review.injections) > SHOWN:
        field("injected", f"and {len(review.injections) - SHOWN} more", "red")
    field("score", score_told(review))
    if told := acceptance_told(review):
        field("accepted", told)
    if prior := review.expected.prior:
        moved = ", ".join(f"{feature} {points}" for feature, points in moved_told(prior)[:5])
        field("prior", f"{prior.score:.2f} by the text alone; moved by {moved}")
    for line in review.expected.cautions:
        field("caution", line, "yellow")
    field("rule", review.rule)
    field("findings", counts_told(review))
    grave = [one for one in review.findings if one.severity != "note"]
    for finding in grave[:SHOWN]:
        out.print(
            f"[{COLOURS[finding.severity]}]{finding.severity:<7} {finding.kind}[/]  {escape(escaped(finding.message))}"
        )
        for label, text in (
            ("where", _where(finding)),
            ("says", finding.sentence),
            ("expected", finding.expected),
            ("from", finding.source),
        ):
            if text:
                field(label, escaped(text))
    if len(grave) > SHOWN:
        out.print(f"... and {len(grave) - SHOWN} more in the files")
    for weakness in review.weaknesses:
        times = f" ({weakness.count} times)" if weakness.count > 1 else ""
        field(weakness.kind, f"{weakness.cause}{times}: {weakness.action}")
    for strength in review.strengths:
        where = f" ({place_told(strength.place)})" if strength.place and place_told(strength.place) else ""
        field("strength", f"{strength.text}{where}", "green")
    for line in review.unchecked[:SHOWN]:
        field("unchecked", escaped(line), "dim")


def _where(finding: Finding) -> str:
    return ", ".join(part for part in (finding.section, f"page {finding.page}" if finding.page else "") if part)


def _own(path: Path) -> tuple[Review, int, int]:
    """The form of a paper of a lab, and how many errors and warnings its audit has."""
    from scientist.reviews import HeuristicReviewer
    from scientist.reviews.model import own_findings

    folder, lab = finished(path)
    filled = HeuristicReviewer().review(folder, template_of(folder, lab))
    severities = [one.severity for one in own_findings(folder)]
    return filled, severities.count("error"), severities.count("warning")


def finished(path: Path) -> tuple[Path, Lab | None]:
    """The folder of a paper of a lab that is done. Raises :class:`UsageError` where it is not."""
    folder, lab = paper_folder(str(path))
    if not (folder / "audit.json").exists():
        raise UsageError(f"'{folder.name}' is not finished (it has no audit.json)", "finish it with `scientist resume`")
    return folder, lab


def _show_own(paper: Found, into: Path | None, json: bool, quiet: bool) -> None:
    """The form of a paper of a lab; its files only where --into says."""
    from scientist.lab import write_atomic
    from scientist.reviews import render_review
    from scientist.reviews.document import form_web_page

    with watching(mode(json, quiet), stage="reading the paper"):
        filled, _, _ = _own(paper.path)
    if into is not None:
        write_atomic(into / "review.md", render_review(filled))
        write_atomic(into / "review.html", form_web_page(filled))
    if json:
        emit(filled.model_dump(mode="json"))
    else:
        out.print(escape(render_review(filled)))
