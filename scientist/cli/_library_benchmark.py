"""`library benchmark`: how often a search finds the work behind an idea, and what verdicts on novelty are worth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scientist.cli import _library_novelty as novelty
from scientist.cli._console import emit, err, escape, out
from scientist.cli._library import LibraryOption, _Bar, _place
from scientist.cli._options import Json, Quiet
from scientist.errors import RecordError

if TYPE_CHECKING:
    from scientist.literature import Report, Store


def benchmark(
    file: Annotated[Path, typer.Argument(help="Ideas whose sources are known, one JSON object a line.")],
    library: LibraryOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many ideas; 0: all.")] = 0,
    read: Annotated[bool, typer.Option("--read", metavar="", help="Also with the model that proposes here.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """How often a search finds the work behind an idea, and what verdicts on its novelty are worth (the twin test).

    The file's format is described in docs/literature.md.
    """
    from scientist.literature import load_cases, measure, no_meaning

    cases = load_cases(file)[: limit or None]
    asked = sum(bool(case.source_id) for case in cases)
    if not asked:
        raise RecordError(f"{file}: no idea has a source_id", "see docs/literature.md")
    reports: list[Report] = []
    with _opened(library, quiet or json) as store, _Bar(quiet or json, "ideas") as bar:
        if not (quiet or json) and not no_meaning() and not store.count_vectors():
            err.print(
                "nothing is embedded, so every idea takes seconds; `scientist library embed` first makes it quick"
            )
        for so_far in measure(store, cases):
            reports = [so_far]
            bar.show(len(so_far.ranks), len(so_far.ranks), asked, "")
        works, vectors = len(store), store.count_vectors()
        with novelty.reading(read) as reader:
            told = novelty.measured(
                store, cases, lambda n: bar.show(n, n, None, "with and without their works"), reader
            )
    (report,) = reports
    if json:
        emit({"works": works, "vectors": vectors, **_told(report), "novelty": told})
        return
    _say_report(report, works, vectors)
    novelty.say(told)


@contextmanager
def _opened(library: Path | None, quiet: bool) -> Iterator[Store]:
    """The library; a file of works instead of one is imported into a library in a temporary folder first."""
    from scientist.literature import Store, import_file, is_library

    path = _place(library)
    if not path.is_file() or is_library(path):
        with Store(path) as store:
            yield store
        return
    if not quiet:
        err.print(f"importing {escape(str(path))}; `scientist library import` and `embed` would keep it, with vectors")
    place = tempfile.TemporaryDirectory(prefix="scientist-library-")
    with place as folder, Store(Path(folder) / "library.sqlite", write=True) as store:
        import_file(store, path)
        yield store


def _told(report: Report) -> dict[str, Any]:
    from scientist.literature import wilson

    recalls = [
        {
            "group": one.group,
            "how": one.how,
            "ideas": one.total,
            **{
                f"recall@{cut}": {"hits": hits, "share": hits / one.total, "interval": wilson(hits, one.total)}
                for cut, hits in one.hits.items()
            },
        }
        for one in report.recalls
    ]
    return {"recall": recalls, "not_in_library": list(report.missing), "note": report.note, "ranks": report.ranks}


def _say_report(report: Report, works: int, vectors: int) -> None:
    from scientist.literature import wilson

    out.print(f"{works:,} works, {vectors:,} with a vector; intervals are 95 % (Wilson)")
    group = ""
    for one in report.recalls:
        if one.group != group:
            group = one.group
            out.print(f"[bold]{group}[/] ({one.total} ideas)")
        shares = []
        for cut, hits in one.hits.items():
            low, high = wilson(hits, one.total)
            shares.append(f"@{cut} {hits / one.total:.2f} [{low:.2f}, {high:.2f}]")
        out.print(escape(f"  {one.how:<9} {'  '.join(shares)}"))
    if report.missing:
        out.print(
            f"[yellow]{len(report.missing)} sources are not in the library[/]: {escape(', '.join(report.missing[:5]))}"
        )
    if report.note:
        err.print(f"[yellow]{escape(report.note)}[/]")
