"""paper.tex to paper.pdf: a bounded process without shell escape, in a scratch folder, the same bytes every time."""

from __future__ import annotations

import functools
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import LatexError
from scientist.lab import inside, write_atomic
from scientist.papers._unicode import set_text

APT_LINE = (
    "apt-get install --no-install-recommends texlive-latex-base texlive-latex-recommended texlive-latex-extra "
    "texlive-science lmodern"
)
"""What gets LaTeX on Debian and its children."""

WALL_S = 120.0
MOST_PASSES = 5
MOST_BYTES = 64 * 2**20
MOST_LOG = 4 * 2**20
WIDE_PT = 20.0
"""An overfull box wider than this is a problem; narrower ones nobody sees."""


@dataclass(frozen=True)
class CompileResult:
    """A PDF that was made, and what its log complained about.

    `problems` are undefined references and citations, missing characters, doubled link targets, and boxes that stick
    out of the margin by more than :data:`WIDE_PT`; `overfull` lists every overfull box in points.
    """

    pdf: Path
    engine: str
    pages: int
    passes: int
    problems: tuple[str, ...]
    overfull: tuple[float, ...]


@dataclass(frozen=True)
class Log:
    """What a LaTeX log says."""

    errors: tuple[str, ...]
    problems: tuple[str, ...]
    overfull: tuple[float, ...]
    pages: int
    rerun: bool


def find_engine() -> str | None:
    """`pdflatex` (with bibtex), else `tectonic`, else None."""
    if shutil.which("pdflatex") and shutil.which("bibtex"):
        return "pdflatex"
    return "tectonic" if shutil.which("tectonic") else None


def compile_pdf(
    folder: Path, tex: str, bib: str = "", figures: Sequence[str] = (), wall_s: float = WALL_S
) -> CompileResult:
    """Compile `tex` and write `folder/paper.pdf` atomically.

    `figures` are paths below `folder` that the text includes; `bib` is the text of references.bib. pdflatex and bibtex
    are run directly: that takes fewer passes than latexmk, which adds nothing that is needed here. TeX may not start
    programs, nor read or write outside the scratch folder (and its own trees). Raises :class:`LatexError` when there
    is no LaTeX, a file or package is missing, TeX stops with an error, or `wall_s` seconds are over.
    """
    engine = find_engine()
    if engine is None:
        raise LatexError("no LaTeX found (neither pdflatex with bibtex nor tectonic)", f"as root: {APT_LINE}")
    with tempfile.TemporaryDirectory(prefix="scientist-tex-") as name:
        scratch = Path(name).resolve()
        work = scratch / "work"
        work.mkdir()
        (work / "paper.tex").write_text(tex, encoding="utf-8")
        (work / "references.bib").write_text(set_text(bib), encoding="utf-8")
        for figure in figures:
            source = inside(folder, figure)
            if not source.is_file():
                raise LatexError(f"{source} does not exist", "delete manuscript.json and run again to draw it")
            target = inside(work, figure)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        run = _Run(scratch, work, time.monotonic() + wall_s, wall_s)
        log, passes = run.tectonic() if engine == "tectonic" else run.pdflatex(tex)
        made = work / "paper.pdf"
        if log.errors or not made.is_file():
            raise _failure(log)
        target = folder / "paper.pdf"
        write_atomic(target, made.read_bytes())
    return CompileResult(target, engine, log.pages, passes, log.problems, log.overfull)


def _failure(log: Log) -> LatexError:
    first = log.errors[0] if log.errors else "TeX ended without a PDF"
    if re.search(r"File `[^']+\.(?:sty|cls|def|fd|bst|tfm)' not found", first):
        return LatexError(f"LaTeX lacks a package: {first}", f"as root: {APT_LINE}")
    return LatexError(f"LaTeX stopped: {first}", "see paper.tex at that line")


_PDFLATEX = ("pdflatex", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", "-file-line-error")


class _Run:
    """One compilation: its scratch folder, its clean environment and its deadline."""

    def __init__(self, scratch: Path, work: Path, deadline: float, wall_s: float) -> None:
        self.work, self.deadline, self.wall_s = work, deadline, wall_s
        home = scratch / "home"
        home.mkdir()
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(scratch),
            "TEXMFHOME": str(home / "texmf"),
            "TEXMFVAR": str(home / "texmf-var"),
            "TEXMFCONFIG": str(home / "texmf-config"),
            "LC_ALL": "C",
            "SOURCE_DATE_EPOCH": "0",
            "FORCE_SOURCE_DATE": "1",
            "openin_any": "p",
            "openout_any": "p",
            "shell_escape": "f",
            "MKTEXPK": "0",
            "MKTEXTFM": "0",
            "max_print_line": "2000",
        }

    def pdflatex(self, tex: str) -> tuple[Log, int]:
        """bibtex first, on the citations in the source, so that the first pass already finds the bibliography."""
        keys = [key for group in re.findall(r"\\cite[pt]?\{([^}]*)\}", tex) for key in group.split(",")]
        style = re.search(r"\\bibliographystyle\{([^}]*)\}", tex)
        problems: tuple[str, ...] = ()
        if keys and style:
            lines = [rf"\citation{{{key}}}" for key in dict.fromkeys(keys)]
            aux = self.work / "paper.aux"
            aux.write_text("\n".join([*lines, rf"\bibstyle{{{style.group(1)}}}", r"\bibdata{references}", ""]))
            self.call(["bibtex", "-terse", "paper"])
            problems = _bibtex_problems(self.read("paper.blg"))
            aux.unlink()
        log, count = Log((), (), (), 0, True), 0
        # Nobody looks at the first PDF, so the first pass does not write one.
        while count < MOST_PASSES and not log.errors and (log.rerun or count < 2):
            draft = ["-draftmode"] if count == 0 else []
            status = self.call([*_PDFLATEX, *draft, "paper.tex"])
            count += 1
            log = parse_log(self.read("paper.log"))
            if status and not log.errors:
                log = Log((f"pdflatex ended with status {status}",), log.problems, log.overfull, 0, False)
        return Log(log.errors, (*problems, *log.problems), log.overfull, log.pages, log.rerun), count

    def tectonic(self) -> tuple[Log, int]:
        """The engine that reruns itself; it needs its bundle in the cache or a network."""
        status = self.call(["tectonic", "--untrusted", "--keep-logs", "--chatter", "minimal", "paper.tex"])
        log = parse_log(self.read("paper.log"))
        if status and not log.errors:
            problem = "tectonic failed; it needs a network, or its bundle in the cache"
            return Log((problem,), log.problems, log.overfull, 0, False), 1
        return log, 1

    def read(self, name: str) -> str:
        path = self.work / name
        if not path.is_file():
            return ""
        with path.open("rb") as handle:
            return handle.read(MOST_LOG).decode("utf-8", "replace")

    def call(self, command: list[str]) -> int:
        """Run one program in its own process group until it ends or the deadline passes."""
        left = self.deadline - time.monotonic()
        process = subprocess.Popen(
            [*_dies_with_us(), *command],
            cwd=self.work,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            if hasattr(resource, "prlimit"):  # Linux
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))
            return process.wait(timeout=max(left, 0.01))
        except ProcessLookupError:
            return process.wait()
        except subprocess.TimeoutExpired as error:
            raise LatexError(
                f"{command[0]} did not end within {self.wall_s:g} s and was stopped", "look for a loop in paper.tex"
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@functools.cache
def _dies_with_us() -> tuple[str, ...]:
    """What to put before a command so that the kernel ends it when this process is killed; nothing if we cannot."""
    prefix = (shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL")
    try:
        tried = subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return prefix if tried.returncode == 0 else ()


_ERROR = re.compile(
    r"^(?:(?:\./)?([^:\n]+\.(?:tex|sty|cls|bbl|aux|out|def)):(\d+): |! )(.+)(?:\nl\.\d+ [^\n]*?(\\[A-Za-z@]+)$)?",
    re.MULTILINE,
)
_UNDEFINED = re.compile(r"Warning: (Reference|Citation) [`']([^']+)' on page \S+ undefined")
_OVERFULL = re.compile(r"Overfull \\hbox \(([\d.]+)pt too wide\)([^\n]*)")
_MISSING = re.compile(r"Missing character: There is no (\S+)[^\n]*? in font ([^!\n]+)!")
_TWICE = re.compile(r"destination with the same identifier \(name\{([^}]*)\}\)")
_LABEL_TWICE = re.compile(r"Label [`']([^']+)' multiply defined")
_PAGES = re.compile(r"Output written on .*?\((\d+) pages?")


def parse_log(text: str) -> Log:
    """Errors and complaints in a LaTeX log whose lines are not wrapped."""
    errors = [_error(match) for match in _ERROR.finditer(text)]
    errors = [error for error in errors if error and "==>" not in error and "job aborted" not in error]
    if len(errors) > 1:  # "Emergency stop" only repeats that there was an error
        errors = [error for error in errors if "Emergency stop" not in error] or errors[:1]
    problems = [f"{kind.lower()} '{key}' is undefined" for kind, key in _UNDEFINED.findall(text)]
    problems += [f"the font {font} has no character {char}" for char, font in _MISSING.findall(text)]
    problems += [f"the link target '{name}' exists twice" for name in _TWICE.findall(text)]
    problems += [f"the label '{name}' exists twice" for name in _LABEL_TWICE.findall(text)]
    overfull = tuple(float(points) for points, _ in _OVERFULL.findall(text))
    problems += [
        f"a line sticks out by {points} pt ({where.strip()})"
        for points, where in _OVERFULL.findall(text)
        if float(points) > WIDE_PT
    ]
    pages = _PAGES.search(text)
    rerun = bool(
        re.search(r"Rerun to get|Label\(s\) may have changed|Table widths have changed|rerunfilecheck Warning", text)
    )
    return Log(
        tuple(dict.fromkeys(errors)),
        tuple(dict.fromkeys(problems)),
        overfull,
        int(pages.group(1)) if pages else 0,
        rerun,
    )


def _error(match: re.Match[str]) -> str:
    file, line, what, culprit = match.groups()
    if culprit and what.startswith("Undefined control"):
        what = f"{what.rstrip('.')} {culprit}"
    if not file:
        return str(what)
    return f"line {line}: {what}" if file == "paper.tex" else f"{what} ({Path(file).name}:{line})"


def _bibtex_problems(text: str) -> tuple[str, ...]:
    missing = re.findall(r"I didn't find a database entry for \"([^\"]+)\"", text)
    broken = re.findall(r"^(.+)---line (\d+) of file references\.bib", text, re.MULTILINE)
    return (
        *(f"the citation key '{key}' is not in references.bib" for key in missing),
        *(f"references.bib, line {line}: {what}" for what, line in broken),
    )
