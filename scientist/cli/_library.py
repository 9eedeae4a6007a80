"""`library add|import|search|stats|export|embed|benchmark`: the works that a lab has for itself."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from scientist.cli._console import emit, err, escape, out
from scientist.cli._lookup import open_lab, short
from scientist.cli._options import Json, Quiet
from scientist.errors import UsageError

if TYPE_CHECKING:
    from scientist.literature import Tally, Work

LibraryOption = Annotated[
    Path | None, typer.Option("--library", help="The library's file; else library.sqlite in the lab.")
]
FormatOption = Annotated[
    Literal["bibtex", "csl", "arxiv", "list", "pdf"] | None,
    typer.Option(help="What the file holds; else it is looked at."),
]


def _place(library: Path | None) -> Path:
    from scientist.literature import LIBRARY_FILE

    return library if library is not None else open_lab().root / LIBRARY_FILE


def _shown(number: int, work: Work) -> dict[str, Any]:
    """A work as one JSON object."""
    return {
        "id": number,
        "title": work.title,
        "authors": list(work.authors),
        "year": work.year,
        "venue": work.venue,
        "doi": work.doi,
        "arxiv": work.arxiv,
        "url": work.url,
        "key": work.key,
        "source": work.source,
        "source_id": work.ident,
        "abstract": work.abstract,
        "guessed": work.format == "pdf",
    }


def _line(work: Work) -> str:
    names = [name.split()[-1] for name in work.authors[:3] if name.split()]
    who = ", ".join(names) + (" and others" if len(work.authors) > 3 else "")
    where = f"doi:{work.doi}" if work.doi else f"arXiv:{work.arxiv}" if work.arxiv else work.url
    told = " · ".join(part for part in (who, str(work.year or ""), work.venue, where) if part)
    return f"{told} · guessed from a PDF" if work.format == "pdf" else told


def add(
    title: Annotated[str, typer.Argument(help="Title of the work.")],
    author: Annotated[list[str] | None, typer.Option(help="An author; once for each.")] = None,
    year: Annotated[int | None, typer.Option(min=1000, max=2999, help="Year.")] = None,
    venue: Annotated[str, typer.Option(help="Journal, conference or publisher.")] = "",
    doi: Annotated[str, typer.Option(help="DOI.")] = "",
    arxiv: Annotated[str, typer.Option(help="arXiv id.")] = "",
    url: Annotated[str, typer.Option(help="Address.")] = "",
    abstract: Annotated[str, typer.Option(help="Abstract.")] = "",
    key: Annotated[str, typer.Option(help="Citation key.")] = "",
    library: LibraryOption = None,
    json: Json = False,
) -> None:
    """Put one work into the library; a record of a work that is there already fills what it lacks."""
    from scientist.literature import Store, make_work

    values = {"title": title, "authors": author or [], "year": year, "venue": venue, "doi": doi, "arxiv": arxiv}
    work = make_work("added by hand", "list", {**values, "url": url, "abstract": abstract, "key": key})
    if work is None:
        raise UsageError("a work needs a title", "give it as the first word")
    for name, given, kept in (
        ("--doi", doi, work.doi or work.arxiv),
        ("--arxiv", arxiv, work.arxiv),
        ("--url", url, work.url),
    ):
        if given and not kept:
            raise UsageError(f"{name} '{given[:60]}' is none", "check it, or leave it out")
    with Store(_place(library), write=True) as store:
        with store.transaction():
            added = store.add(work)
        kept_work = store.get([added.work])[added.work]
    if json:
        emit({"new": added.new, "work": _shown(added.work, kept_work)})
    else:
        out.print(f"{'added' if added.new else 'joined to a work that is here'}: [bold]{escape(kept_work.title)}[/]")


def import_(
    file: Annotated[Path, typer.Argument(help="BibTeX, CSL-JSON, arXiv's dump, a paper list, or a folder of PDFs.")],
    format: FormatOption = None,
    source: Annotated[str, typer.Option(help="What to call where these works come from; else the file's name.")] = "",
    again: Annotated[bool, typer.Option("--again", metavar="", help="Read a file that was imported already.")] = False,
    library: LibraryOption = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring in works from a file (gz, bz2, xz and zip too); an import that was stopped goes on where it was.

    Exit code 1 when records could not be read; the first are named, everything else is in.
    """
    from scientist.literature import Store, import_file

    with Store(_place(library), write=True) as store, _Bar(quiet or json) as bar:
        tally = import_file(store, file, format, source, again, bar.update)
        total = len(store)
    if json:
        told = {
            name: getattr(tally, name) for name in ("read", "new", "joined", "broken", "format", "resumed", "already")
        }
        emit({**told, "problems": list(tally.problems), "remarks": list(tally.remarked), "works": total})
    else:
        _say_tally(file, tally, total)
    raise typer.Exit(1 if tally.broken else 0)


def _say_tally(file: Path, tally: Tally, total: int) -> None:
    if tally.already:
        out.print(f"{escape(file.name)} was imported before ({tally.read:,} records); --again reads it once more")
    resumed = " (went on where it was stopped)" if tally.resumed else ""
    out.print(
        f"{tally.read:,} records read as {tally.format}{resumed}: {tally.new:,} new, "
        f"{tally.joined:,} of works that were here, {tally.broken:,} broken; the library holds {total:,} works"
    )
    for line in tally.problems:
        out.print(f"  [red]broken[/] {escape(line)}")
    if tally.broken > len(tally.problems):
        out.print(f"  [red]broken[/] and {tally.broken - len(tally.problems):,} more")
    for line in tally.remarked:
        out.print(f"  [dim]{escape(line)}[/]")
    if tally.remarks > len(tally.remarked):
        out.print(f"  [dim]and {tally.remarks - len(tally.remarked):,} more lines that are no records[/]")


class _Bar:
    """Progress of an import on a terminal: share of the file, records, rate; on a pipe a line now and then."""

    EVERY_S = 10.0

    def __init__(self, quiet: bool, noun: str = "records") -> None:
        self._quiet, self._noun = quiet, noun
        self._bar: Any = None
        self._task: Any = None
        self._began = self._told = time.monotonic()
        self._first: int | None = None

    def __enter__(self) -> _Bar:
        if not self._quiet and err.is_terminal:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                BarColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=err, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("reading", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, tally: Tally) -> None:
        """An import got further. The place in a compressed file is not known, so there is no share of it."""
        known = 0 < tally.position <= tally.size
        self.show(
            tally.read,
            tally.position if known else None,
            tally.size if known else None,
            f"{tally.new:,} new, {tally.broken:,} broken",
        )

    def show(self, done: int, at: int | None, whole: int | None, more: str) -> None:
        """So much is done, at this place of the whole."""
        now = time.monotonic()
        self._first = done if self._first is None else self._first
        rate = (done - self._first) / max(1e-6, now - self._began)
        text = f"{done:,} {self._noun}, {rate:,.{0 if rate >= 10 else 1}f} a second{', ' + more if more else ''}"
        text += f", {at / whole:.0%}" if at and whole else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=at or 0, total=whole, description=text)
        elif not self._quiet and now - self._told >= self.EVERY_S:
            self._told = now
            err.print(text)


def search(
    query: Annotated[str, typer.Argument(help="Words, or whole sentences: an idea is a good question.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
    semantic: Annotated[bool, typer.Option("--semantic", metavar="", help="By meaning alone.")] = False,
    lexical: Annotated[bool, typer.Option("--lexical", metavar="", help="By words alone.")] = False,
    both: Annotated[bool, typer.Option("--both", metavar="", help="By both (the default).")] = False,
    seconds: Annotated[float, typer.Option(min=0, help="The most that missing vectors may take.")] = 10.0,
    library: LibraryOption = None,
    json: Json = False,
) -> None:
    """Find works: offline, by words and by meaning; by words alone where there is no embedding model, and it says so."""
    from scientist.literature import Store, find

    if semantic + lexical + both > 1:
        raise UsageError("--semantic, --lexical and --both exclude each other", "give one of them")
    with Store(_place(library)) as store:
        found = find(store, query, limit, "semantic" if semantic else "lexical" if lexical else "both", seconds=seconds)
    if json:
        hits = [
            {
                **_shown(hit.id, hit.work),
                "score": hit.score,
                "rank_words": hit.lexical,
                "rank_meaning": hit.semantic,
                "cosine": hit.cosine,
            }
            for hit in found.hits
        ]
        emit({"query": query, "how": found.how, "note": found.note, "hits": hits})
        return
    for place, hit in enumerate(found.hits, start=1):
        near = f"{hit.cosine:.2f} " if hit.cosine is not None else ""
        out.print(f"{place:>3}. {near}[bold]{escape(hit.work.title)}[/]")
        out.print(f"     [dim]{escape(_line(hit.work))}[/]")
    if not found.hits:
        out.print("nothing found")
    if found.note:
        err.print(f"[yellow]{escape(found.note)}[/]")


def stats(library: LibraryOption = None, json: Json = False) -> None:
    """What the library holds: works by source and year, size, vectors, imports that were not finished."""
    from scientist.literature import Store, library_stats

    path = _place(library)
    with Store(path) as store:
        told = library_stats(store)
    if json:
        emit({"library": str(path), **told})
        return
    out.print(f"{escape(short(path))}: {told['works']:,} works, {told['bytes'] / 1e6:,.1f} MB")
    meaning = f"{told['vectors']:,} of {told['works']:,} works ({told['model']})" if told["vectors"] else "none"
    out.print(
        f"  with abstract {told['with_abstract']:,} · with DOI {told['with_doi']:,} · with arXiv id {told['with_arxiv']:,}"
    )
    out.print(f"  vectors: {meaning}{'; ' + told['no_model'] if told['no_model'] else ''}")
    for name, count in told["sources"].items():
        out.print(f"  {count:>10,}  {escape(name)}")
    years = list(told["years"].items())
    out.print(
        f"  years: {', '.join(f'{year} {count:,}' for year, count in years[-12:])}{' (the last 12)' if len(years) > 12 else ''}"
    )
    for line in told["unfinished"]:
        out.print(f"  [yellow]not finished[/] {escape(line)}: import it again, it goes on where it was stopped")


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output when left out.")] = None,
    shape: Annotated[
        Literal["bibtex", "csl", "jsonl"] | None, typer.Option(help="BibTeX, CSL-JSON or JSON lines; else by the name.")
    ] = None,
    query: Annotated[str, typer.Option(help="Only what a search for this finds.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="With --query: how many.")] = 100,
    merged: Annotated[
        bool, typer.Option("--merged", metavar="", help="BibTeX: one entry per work, its other keys in `ids`.")
    ] = False,
    library: LibraryOption = None,
) -> None:
    """The library as one file. What came in as BibTeX or CSL-JSON goes out with every field as it was."""
    from scientist.literature import Store, find
    from scientist.literature import export_library as pieces

    endings: dict[str, Literal["bibtex", "csl", "jsonl"]] = {".bib": "bibtex", ".json": "csl", ".jsonl": "jsonl"}
    wanted = shape or (endings.get(file.suffix.lower()) if file is not None else "bibtex")
    if wanted is None:
        raise UsageError(f"which format is '{file}'?", "name it .bib, .json or .jsonl, or pass --shape")
    with Store(_place(library)) as store:
        ids = [hit.id for hit in find(store, query, limit, "lexical").hits] if query else None
        if file is None:
            for piece in pieces(store, wanted, ids, merged):
                sys.stdout.write(piece)
            return
        # Piece by piece, for it may be larger than memory; under its name only when it is whole.
        part = file.with_name(f"{file.name}.part")
        with part.open("w", encoding="utf-8") as target:
            for piece in pieces(store, wanted, ids, merged):
                target.write(piece)
        part.replace(file)
    out.print(f"wrote {escape(str(file))}")


def embed(library: LibraryOption = None, quiet: Quiet = False, json: Json = False) -> None:
    """Give every work a vector, so that a search by meaning looks at all of them. Can be stopped; goes on next time."""
    from scientist.literature import Store, embed_missing

    done = total = 0
    with Store(_place(library), write=True) as store, _Bar(quiet or json, "vectors") as bar:
        total = len(store)
        for done, total in embed_missing(store):
            bar.show(done, done, total, "")
        done = store.count_vectors()
    if json:
        emit({"vectors": done, "works": total})
    else:
        out.print(f"{done:,} of {total:,} works have a vector")
