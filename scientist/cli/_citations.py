"""`verify-citations`: is every reference of a paper real, and printed as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, escape, out
from scientist.cli._lookup import here_or_none, paper_folder
from scientist.cli._options import Json, Quiet
from scientist.cli._progress import mode, watching
from scientist.errors import RecordError, UsageError

if TYPE_CHECKING:
    from scientist.lab import Lab
    from scientist.literature import Checked, Listed, LookUp, Source, Verification
    from scientist.reviews.reading import Document

COLOURS = {"verified": "green", "wrong metadata": "red", "not found": "red", "unverifiable now": "yellow"}
WIDTH = max(map(len, COLOURS))


def verify_citations(
    what: Annotated[
        str,
        typer.Argument(
            metavar="PAPER|FILE.bib",
            help="A paper of the lab (slug or its beginning), a folder with .bib, .bbl or .tex, such a file, or a .pdf.",
        ),
    ],
    deadline: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds for the whole list; else a minute and 2 s per entry.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look every reference up: verified, wrong metadata, not found, or unverifiable now.

    Works on any paper. Names retracted works, duplicates, bad keys and live LaTeX characters.
    Exit code 1 when something is wrong; what nobody could be asked about is not wrong.
    """
    from scientist.literature import read_list, verify

    path, lab = _place(what)
    listed = _of_pdf(path) if path.suffix.lower() == ".pdf" else read_list(path)
    n = len(listed.entries)
    with watching(mode(json, quiet), stage=f"looking up {n} reference{'s' if n != 1 else ''}"):
        found = verify(listed, sources_for(path, lab), deadline)
    if json:
        counts = {verdict: found.count(verdict) for verdict in COLOURS}  # type: ignore[arg-type]
        emit({**found.model_dump(mode="json"), "counts": counts, "out": found.out, "wrong": found.wrong})
    else:
        _show(found)
    raise typer.Exit(1 if found.wrong else 0)


def _place(what: str) -> tuple[Path, Lab | None]:
    """(file or folder with references, the lab that it belongs to or that is here)."""
    from scientist.literature import LISTS

    given = Path(what)
    if given.is_file():
        return given, here_or_none()
    if given.suffix.lower() in LISTS:
        raise UsageError(f"there is no file '{what}'", "name a .bib, .bbl or .tex file, a folder with one, or a paper")
    if given.is_dir() and not (given / "study.json").exists():
        return given, here_or_none()
    return paper_folder(what)


def _of_pdf(path: Path) -> Listed:
    """The list of references that a PDF prints. Raises :class:`RecordError` where none was found in it."""
    from scientist.reviews.reading import read_paper

    listed = listed_of(str(path), read_paper(path).document)
    if not listed.entries:
        raise RecordError(f"{path} holds no list of references that could be read", "name its .bib, .bbl or .tex")
    return listed


def listed_of(where: str, document: Document) -> Listed:
    """The list of references that a document prints."""
    from scientist.literature import Listed, printed_text

    entries = enumerate(document.references, start=1)
    return Listed(where, tuple(printed_text(one.key or str(n), one.text) for n, one in entries))


def sources_for(path: Path, lab: Lab | None) -> list[Source | LookUp]:
    """Whom to ask: the paper's own records, the lab's library, the open indexes as the settings have them."""
    from scientist._literature import lab_sources, open_sources
    from scientist.lab import SETTINGS_FILE, Settings, load_settings, read_json
    from scientist.literature import Novelty, ShelfLookUp

    found: list[Source | LookUp] = []
    records = (path if path.is_dir() else path.parent) / "novelty.json"
    if records.is_file():
        found.append(ShelfLookUp(read_json(Novelty, records).references, name="novelty.json"))
    settings: Settings = lab.settings if lab else load_settings(Path.cwd() / SETTINGS_FILE)
    return [*found, *(lab_sources(lab, recorded=False) if lab else open_sources(settings))]


def _show(found: Verification) -> None:
    """For a person: a line per entry, what is wrong below it, and what all came to."""
    for entry in found.entries:
        colour = COLOURS[entry.verdict]
        out.print(
            f"[{colour}]{entry.verdict:<{WIDTH}}[/]  {escape(entry.key or '(no key)')}  [dim]{escape(entry.title[:100])}[/]"
        )
        for line, bad in _about(entry):
            out.print(f"{'':<{WIDTH}}  {'[red]' if bad else '[dim]'}{escape(line)}[/]")
    from scientist.literature import NOTES

    for fault in found.faults:
        colour = "dim" if fault.code in NOTES else "red"
        out.print(f"[{colour}]{fault.code:<{WIDTH}}[/]  {escape(fault.message)}")
    for name, why in found.out.items():
        out.print(f"[yellow]{'out':<{WIDTH}}[/]  {escape(name)}: {escape(why)}")
    counts = [f"{n} {verdict}" for verdict in COLOURS if (n := found.count(verdict))]  # type: ignore[arg-type]
    wrong = f"{found.wrong} wrong" if found.wrong else "nothing is wrong"
    out.print(f"{escape(found.where)}: {', '.join(counts) or 'no entries'}; {wrong}")


def _about(entry: Checked) -> list[tuple[str, bool]]:
    """(line, whether it is wrong) of what there is to say about an entry."""
    from scientist.literature import NOTES

    lines = [
        (
            f"{one.field}: printed {one.printed or 'nothing'}; {f'right: {one.right} ' if one.right else ''}({one.source})",
            True,
        )
        for one in entry.wrong
    ]
    lines += [(f"RETRACTED, says {said}", True) for said in entry.retracted]
    lines += [(fault.message, fault.code not in NOTES) for fault in entry.faults]
    lines += [(note, False) for note in entry.notes]
    if entry.verdict == "verified":
        lines += [(f"{', '.join(f'{name} {what}' for name, what in entry.held_by[:3])}", False)]
    return lines
