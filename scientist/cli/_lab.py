"""`init`, `doctor`, `verify`."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sys
import textwrap
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._console import emit, escape, out
from scientist.cli._lookup import lab_root, open_lab, short
from scientist.cli._options import Json, Quiet

FREE_GIB = 1.0
"""Less free space than this is reported."""


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make a lab.")] = Path(),
    ideas: Annotated[Path | None, typer.Option(help="Folder whose idea files start the backlog.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a folder a lab."""
    from scientist.errors import UsageError
    from scientist.ideas import load_backlog, write_idea
    from scientist.lab import SETTINGS_FILE, create_lab

    if ideas is not None and not ideas.is_dir():
        raise UsageError(f"{ideas} is not a folder", "pass the folder that holds the idea files")
    backlog = load_backlog(ideas) if ideas else None
    lab = create_lab(folder)
    for idea in backlog or ():
        # Written by hand or imported: copied. Composed by another lab's proposer: left there, this one composes its own.
        if idea.origin in ("person", "import"):
            # What is done or known there is open here; what a person rejected stays rejected.
            here = idea if idea.status == "rejected" else idea.model_copy(update={"status": "proposed", "note": ""})
            write_idea(lab.ideas, here)
    broken = [message for _, message in backlog.broken] if backlog else []
    if json:
        emit({"lab": str(lab.root), "ideas": len(backlog or ()), "broken": broken})
        return
    for message in broken:
        out.print(f"[red]left out[/] {escape(message)}")
    if not quiet:
        copied = f", {len(backlog)} ideas copied" if backlog else ""
        out.print(f"{escape(str(folder))} is a lab now (settings in {SETTINGS_FILE}{copied})")
        at = "" if lab.root == Path.cwd() else f" --lab {short(lab.root)}"
        out.print(f"next: scientist{escape(at)} doctor, then scientist{escape(at)} run TEMPLATE")


@dataclass
class Check:
    """One line of the doctor: what, whether it is well, what was seen, what to do if it is not, and what else to know."""

    name: str
    ok: bool
    needed: bool
    seen: str
    remedy: str = ""
    notes: tuple[str, ...] = ()


def doctor(json: Json = False) -> None:
    """What is here and what is missing: Python, LaTeX, sandbox, network, keys, disk.

    Exit code 1 when something is missing that a paper needs.
    """
    isolation = [_sandbox(), _cgroups(), _landlock()]
    checks = [_python(), _latex(), *isolation, _ray(), _local_model(), _meaning(), _network(), _keys(), _disk(), _lab()]
    if json:
        emit({"checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.ok else "[red]fail[/]" if check.needed else "[yellow]--  [/]"
            remedy = [f"→ {check.remedy}"] if check.remedy and not check.ok else []
            for number, line in enumerate([check.seen, *check.notes, *remedy]):
                _say(mark if number == 0 else "    ", check.name if number == 0 else "", line, dim=number > 0)
    raise typer.Exit(1 if any(check.needed and not check.ok for check in checks) else 0)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), True, version, "install Python 3.11 or newer")


def _latex() -> Check:
    from scientist.papers import APT_LINE, find_engine

    engine = find_engine()
    if engine is None:
        return Check("latex", False, True, "neither pdflatex with bibtex nor tectonic is here", f"as root: {APT_LINE}")
    return Check("latex", True, True, str(engine))


def _say(mark: str, name: str, line: str, dim: bool) -> None:
    """One line after its label; a terminal gets a hanging indent, a pipe one long line that `grep` can find."""
    lines = (
        textwrap.wrap(line, out.width - 16, break_on_hyphens=False) if out.is_terminal and out.width > 40 else [line]
    )
    for number, part in enumerate(lines):
        told = f"[dim]{escape(part)}[/]" if dim else escape(part)
        out.print(f"{mark if number == 0 else '    '} {name if number == 0 else '':<9} {told}")


def _sandbox() -> Check:
    """The one that this lab would use, and exactly what it does not cover."""
    from scientist.errors import MachineryError, ScientistError
    from scientist.experiments import bubblewrap_works, choose_sandbox
    from scientist.lab import SETTINGS_FILE, load_settings

    wanted = "auto"
    with contextlib.suppress(ScientistError):  # a broken file is a line of its own
        wanted = load_settings(lab_root() / SETTINGS_FILE).sandbox
    try:
        chosen = choose_sandbox(wanted)
    except MachineryError as error:
        return Check("sandbox", False, True, f"sandbox = '{wanted}': {error.message}", error.remedy)
    _, missing = bubblewrap_works()
    seen = chosen.describe() + (f" ({missing})" if missing else "")
    remedy = "apt-get install bubblewrap"
    if not missing:
        remedy = 'this lab asks for plain processes: set sandbox = "auto" to have walls'
    elif "not installed" not in missing:
        remedy = (
            "allow name spaces to users (sysctl kernel.unprivileged_userns_clone=1, or a profile of AppArmor for bwrap)"
        )
        remedy += "; in Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    return Check(
        "sandbox", chosen.name != "process", False, seen, remedy, tuple(f"not covered: {g}" for g in chosen.gaps)
    )


def _cgroups() -> Check:
    """Which limits the kernel holds over a whole run, and what takes the place of those that it does not."""
    from scientist.experiments import detect_cgroups

    found = detect_cgroups()
    names = {"memory": "memory", "pids": "processes", "cpuacct": "CPU time"}
    held = ", ".join(names[name] for name in names if name not in found.missing)
    seen = f"version {found.version}: {held} of a whole run" if held else "no control group can be made here"
    lost = " and ".join(names[name] for name in found.missing)
    instead = f"{lost} of a whole run: looked at every 10 to 50 ms instead, and limits of the kernel for each process"
    remedy = "start it with `systemd-run --user --scope scientist ...`; in a container, mount /sys/fs/cgroup writable"
    return Check("cgroups", not lost, False, seen, remedy, (instead,) if lost else ())


def _landlock() -> Check:
    """Whether the kernel can wall off a process without name spaces, and signals between processes."""
    from scientist.experiments import SCOPE_ABI, landlock_works

    abi, reason = landlock_works()
    seen = f"version {abi}" if abi else reason
    if abi >= SCOPE_ABI:
        return Check("landlock", True, False, f"{seen}: files, network and signals")
    what = "a run could signal and end its worker" if abi else "nothing stands in where bubblewrap does not work"
    remedy = "Linux 6.12 or newer, with landlock in the boot option lsm="
    return Check("landlock", False, False, seen, remedy, (what,))


def _ray() -> Check:
    found = importlib.util.find_spec("ray") is not None
    seen = f"{metadata.version('ray')} is installed" if found else "not installed; only --executor ray needs it"
    return Check("ray", True, False, seen)


def _local_model() -> Check:
    """Whether `--model local/...` could start; the file is found, and not read."""
    from scientist.errors import UsageError
    from scientist.llm import INSTALL, PACKAGED, model_file

    name = next(iter(PACKAGED))
    try:
        path = model_file(name)
    except UsageError as error:
        return Check("local", False, False, f"{error.message}; only --model local/... needs it", INSTALL)
    return Check("local", True, False, f"--model local/{name}: {path.name}, xllamacpp {metadata.version('xllamacpp')}")


def _meaning() -> Check:
    """Whether a library can be searched by meaning; the model is not loaded."""
    from scientist.literature import MEANING_INSTALL, no_meaning

    if why := no_meaning():
        return Check(
            "meaning", False, False, f"{why}; `scientist library search` works by words alone", MEANING_INSTALL
        )
    return Check(
        "meaning", True, False, f"libraries are searched by meaning too: onnxruntime {metadata.version('onnxruntime')}"
    )


NETWORK_S = 4.0
"""The longest that the indexes of literature are waited for, all of them together."""


def _network() -> Check:
    """Which of the indexes that novelty rests on answer a small question now, at the addresses of this lab's settings."""
    from scientist.errors import ScientistError
    from scientist.lab import SETTINGS_FILE, load_settings
    from scientist.literature import default_sources, search_all

    remedy = "novelty stays undecided offline; nothing else needs it"
    try:
        s = load_settings(lab_root() / SETTINGS_FILE)
    except ScientistError as error:
        return Check("network", False, False, "nobody was asked, for the settings cannot be read", error.message)
    addresses = (s.arxiv_url, s.semantic_scholar_url, s.openalex_url, s.crossref_url)
    sources = default_sources(
        s.online, *addresses[:2], openalex_url=s.openalex_url, crossref_url=s.crossref_url, contact=s.contact
    )
    indexes = [source for source in sources if source.breadth == "open"]
    _, searched = search_all(indexes, ("statistics",), NETWORK_S)
    told = {one.source: one.note or "answers" for one in searched}
    answering = [name for name, note in told.items() if note == "answers"]
    notes = tuple(f"{name}: {note} ({url})" for (name, note), url in zip(told.items(), addresses, strict=True))
    if not s.online:
        remedy = f"to have novelty decided, set online = true in {SETTINGS_FILE}"
    count = f"{len(answering)} of {len(told)} indexes of literature answer"
    return Check("network", bool(answering), False, count, remedy, notes)


def _keys() -> Check:
    known = ("OPENAI_API_KEY", "S2_API_KEY", "SEMANTIC_SCHOLAR_API_KEY", "OPENALEX_API_KEY")
    names = [name for name in known if os.environ.get(name)]
    return Check("keys", True, False, f"set: {', '.join(names)}" if names else "none set, none needed")


def _disk() -> Check:
    root = lab_root()
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free / 2**30
    return Check("disk", free > FREE_GIB, True, f"{free:.1f} GiB free", "free some space: a paper takes a few MB")


def _lab() -> Check:
    from scientist.errors import ScientistError
    from scientist.lab import SETTINGS_FILE, Lab

    root = lab_root()
    if not (root / SETTINGS_FILE).exists():
        return Check("lab", False, False, f"{root} is not a lab", "scientist init")
    try:
        lab = Lab(root)
    except ScientistError as error:
        return Check("lab", False, True, error.message, error.remedy)
    if not os.access(lab.root, os.W_OK):
        return Check("lab", False, True, f"{lab.root} cannot be written", "check the folder's permissions")
    return Check("lab", True, False, str(lab.root))


def verify(json: Json = False) -> None:
    """Is the journal's hash chain whole? Exit code 1 when a line was changed, removed or added."""
    journal = open_lab().journal
    faults = journal.verify()
    if json:
        emit({"faults": faults})
    elif faults:
        for fault in faults:
            out.print(f"[red]{escape(fault)}[/]")
    else:
        out.print(f"the journal is whole ({sum(1 for _ in journal.entries())} lines)")
    raise typer.Exit(1 if faults else 0)
