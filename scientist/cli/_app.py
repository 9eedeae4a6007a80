"""The application: the table of contents that `--help` shows, global options, and how errors end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from scientist import __version__
from scientist.cli import (
    _calibrate,
    _check,
    _citations,
    _diagnose,
    _ideas,
    _lab,
    _library,
    _library_benchmark,
    _papers,
    _reading,
    _run,
    _templates,
    _templates_show,
)
from scientist.cli._console import BROKEN_PIPE, fail
from scientist.cli._lookup import State
from scientist.errors import MachineryError, ScientistError

EPILOG = (
    "Exit codes: 0 fine, 1 findings (audit, read, check, verify-citations, diagnose, trace, verify, doctor, templates check, library import), 2 usage, 3 lab, 4 broken record, "
    "5 study, 6 machinery, 7 LaTeX, 130 interrupted. With --json the answer is one JSON document on standard output, "
    'a failure {"error": {"exit_code", "kind", "message", "remedy"}}; progress always goes to standard error.'
)
INTERRUPTED = 130
_RESUMES = "everything done so far is kept, and `scientist resume` continues"
GOES_ON = {
    "run": _RESUMES,
    "resume": _RESUMES,
    "review": "run it again: what was reviewed is kept and not read again",
}
"""What to do about a command that was stopped; any other is simply run again."""

app = typer.Typer(
    name="scientist",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog=EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scientist {__version__}")
        raise typer.Exit


@app.callback()
def globals_(
    context: typer.Context,
    lab: Annotated[
        Path | None,
        typer.Option("--lab", envvar="SCIENTIST_LAB", help="The lab's folder; else the nearest with a scientist.toml."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """An AI scientist whose papers can be checked.

    Every number has a run, every claim was declared before it was tested, every citation has a record.

    Begin with: scientist init LAB, then scientist --lab LAB run templates/digits
    """
    State.lab = lab
    State.command = context.invoked_subcommand or ""


def _commands(into: typer.Typer, *commands: Callable[..., None], panel: str | None = None, **names: str) -> None:
    for command in commands:
        name = names.get(command.__name__, command.__name__)
        into.command(name, rich_help_panel=panel)(command)


def _group(summary: str) -> typer.Typer:
    return typer.Typer(no_args_is_help=True, help=summary)


ideas = _group("The backlog: list, add, propose, check, rank, approve, reject.")
_commands(ideas, _ideas.list_, _ideas.show, _ideas.rank, panel="Look", list_="list")
_commands(ideas, _ideas.add, _ideas.propose, _ideas.import_, _ideas.export, panel="In and out", import_="import")
_commands(ideas, _ideas.check, _ideas.approve, _ideas.reject, panel="Decide")

library = _group("Works of your own: import, search, export; found by words and by meaning, offline.")
_commands(library, _library.search, _library.stats, _library_benchmark.benchmark, panel="Look")
_commands(library, _library.add, _library.import_, _library.export, panel="In and out", import_="import")
_commands(library, _library.embed, panel="In and out")

templates = _group("Tasks: list them, attack their evaluators.")
_commands(templates, _templates.list_, _templates_show.show, _templates.check, list_="list")

_commands(app, _run.run, _run.resume, _run.status, _run.stop, panel="Work")
app.add_typer(ideas, name="ideas", rich_help_panel="Work")
app.add_typer(library, name="library", rich_help_panel="Work")
_commands(app, _papers.review, _papers.audit, _papers.trace, panel="Checking")
_commands(app, _reading.read, _check.check, panel="Checking")
_commands(app, _citations.verify_citations, panel="Checking", verify_citations="verify-citations")
_commands(app, _diagnose.diagnose, _lab.verify, _calibrate.calibrate, panel="Checking")
_commands(app, _lab.init, _lab.doctor, panel="The lab")
app.add_typer(templates, name="templates", rich_help_panel="The lab")


PATIENCE = 3
"""Interruptions after which nothing is tidied any more; the state is safe, as it is when the process is killed."""
_interrupted = 0


def _interrupt(signum: int, frame: object) -> None:
    """The first Ctrl-C, SIGTERM or closed terminal unwinds; a second one must not disturb that."""
    global _interrupted
    _interrupted += 1
    if _interrupted == 1:
        raise KeyboardInterrupt
    if _interrupted >= PATIENCE:
        os._exit(INTERRUPTED)


def main() -> None:
    """Entry point: run a command; a failure is one line on standard error and its exit code."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) != signal.SIG_IGN:  # nohup, or a shell's background job
            signal.signal(name, _interrupt)
    code = 0
    try:
        try:
            code = _call()
            sys.stdout.flush()
        except KeyboardInterrupt:
            fail("interrupted", GOES_ON.get(State.command, "run it again"), INTERRUPTED, "Interrupted")
            code = INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone; nobody is left to tell. The interpreter must not flush into the closed pipe either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    except OSError as error:
        with contextlib.suppress(OSError):
            fail(f"standard output: {error.strerror}", "see where it is sent to", 3, "OSError")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 3
    sys.exit(code)


def _call() -> int:
    """Run the command that the words ask for; returns its exit code."""
    try:
        return _parse_and_run()
    except ScientistError as error:
        fail(error.message, error.remedy, error.exit_code, type(error).__name__)
        return error.exit_code
    except (typer.Abort, EOFError):
        fail("aborted", "", 1, "Aborted")
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            again = GOES_ON.get(State.command, "run it again")
            fail(f"no space left{where}", f"free some disk space; {again}", 3, type(error).__name__)
        else:
            fail(f"{error.strerror or error}{where}", "see `scientist doctor`", 3, type(error).__name__)
        return 3
    except Exception as error:  # noqa: BLE001 - the last line of defence: a fault of ours is one line too, kept in full
        return _usage(error) if hasattr(error, "format_message") else _own_fault(error)


def _parse_and_run() -> int:
    """What typer makes of the words. It turns an interruption into an exit code of its own, which we turn back."""
    try:
        code = app(prog_name="scientist", standalone_mode=False)
    except Exception as error:  # whatever an interruption became on its way here
        if _interrupted:
            raise KeyboardInterrupt from error
        raise
    if _interrupted:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _usage(error: Any) -> int:
    """A command line that cannot be parsed. No command at all shows the help instead."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # typer printed the help while it made the error
        return 2
    message = str(error.format_message()).rstrip(".")
    fail(message, f"see `{context.command_path if context else 'scientist'} --help`", 2, "UsageError")
    return 2


def _own_fault(error: Exception) -> int:
    """A fault of the scientist itself: one line, and the whole story in a file for whoever mends it."""
    import traceback

    story = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile("w", prefix="scientist-fault-", suffix=".txt", delete=False) as file:
            file.write(story)
        kept = f"details are in {file.name}; please report it"
    except OSError:
        kept = story.replace("\n", " | ")
    last = str(error).splitlines()[0][:200] if str(error) else "no reason given"
    fail(f"a fault of the scientist itself ({type(error).__name__}: {last})", kept, MachineryError.exit_code, "Fault")
    return MachineryError.exit_code
