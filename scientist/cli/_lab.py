"""`init`, `doctor`, `verify`."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._app import app, lab_root
from scientist.cli._console import emit, escape, out
from scientist.lab import SETTINGS_FILE, Journal, Lab, create_lab

PANEL = "The lab"


@app.command(rich_help_panel=PANEL)
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make a lab.")] = Path(),
    ideas: Annotated[Path | None, typer.Option(help="Folder whose idea files start the backlog.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Make a folder a lab."""
    from scientist.ideas import load_backlog, write_idea

    backlog = load_backlog(ideas) if ideas else None
    lab = create_lab(folder)
    for idea in backlog or ():
        # What another lab has done or found known is open again here; what a person rejected stays rejected.
        here = idea if idea.status == "rejected" else idea.model_copy(update={"status": "proposed", "note": ""})
        write_idea(lab.ideas, here)
    if not quiet:
        copied = f", {len(backlog)} ideas copied" if backlog else ""
        out.print(f"{escape(str(folder))} is a lab now (settings in {SETTINGS_FILE}{copied})")
        out.print("next: scientist doctor, then scientist run TEMPLATE")


@dataclass
class Check:
    """One line of the doctor: what, whether it is well, what was seen, and what to do if it is not."""

    name: str
    ok: bool
    needed: bool
    seen: str
    remedy: str = ""


@app.command(rich_help_panel=PANEL)
def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Look at Python, LaTeX, sandbox, network, keys and disk; exit 1 when something needed is missing."""
    checks = [_python(), _latex(), _sandbox(), _network(), _keys(), _disk(), _lab()]
    if json:
        emit([asdict(check) for check in checks])
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.ok else "[red]fail[/]" if check.needed else "[yellow]--  [/]"
            remedy = f"  [dim]→ {escape(check.remedy)}[/]" if check.remedy and not check.ok else ""
            out.print(f"{mark} {check.name:<9} {escape(check.seen)}{remedy}")
    raise typer.Exit(1 if any(check.needed and not check.ok for check in checks) else 0)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), True, version, "install Python 3.11 or newer")


def _latex() -> Check:
    from scientist.errors import LatexError
    from scientist.papers import find_engine

    try:
        return Check("latex", True, True, str(find_engine()))
    except LatexError as error:
        return Check("latex", False, True, error.message, error.remedy)


def _sandbox() -> Check:
    from scientist.experiments import bubblewrap_works, choose_sandbox

    program, reason = bubblewrap_works()
    if program:
        return Check("sandbox", True, False, f"bubblewrap ({program})")
    gaps = "; ".join(choose_sandbox("process").gaps)
    return Check(
        "sandbox", False, False, f"plain processes: {reason}. Not covered: {gaps}", "apt-get install bubblewrap"
    )


def _network() -> Check:
    for host in ("export.arxiv.org", "api.semanticscholar.org"):
        try:
            with socket.create_connection((host, 443), timeout=2):
                return Check("network", True, False, f"{host} answers")
        except OSError:
            continue
    return Check(
        "network",
        False,
        False,
        "arXiv and Semantic Scholar do not answer",
        "novelty stays undecided offline; nothing else needs it",
    )


def _keys() -> Check:
    names = [name for name in ("OPENAI_API_KEY", "S2_API_KEY", "SEMANTIC_SCHOLAR_API_KEY") if os.environ.get(name)]
    return Check("keys", True, False, f"set: {', '.join(names)}" if names else "none set, none needed")


def _disk() -> Check:
    root = lab_root()
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free / 2**30
    return Check("disk", free > 1, True, f"{free:.1f} GiB free", "free some space: a paper takes a few MB")


def _lab() -> Check:
    root = lab_root()
    if not (root / SETTINGS_FILE).exists():
        return Check("lab", False, False, f"{root} is not a lab", "scientist init")
    Lab(root)  # an unreadable settings file says so itself
    return Check("lab", True, False, str(root.resolve()))


@app.command(rich_help_panel="Checking")
def verify(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Walk the journal's hash chain; exit 1 when a line was changed, removed or added."""
    journal = Journal(Lab(lab_root()).root / "journal.jsonl")
    faults = journal.verify()
    if json:
        emit({"faults": faults})
    elif faults:
        for fault in faults:
            out.print(f"[red]{escape(fault)}[/]")
    else:
        out.print(f"the journal is whole ({sum(1 for _ in journal.entries())} lines)")
    raise typer.Exit(1 if faults else 0)
