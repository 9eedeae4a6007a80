"""The application: global options, how errors end, and the table of contents that `--help` shows."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from scientist import __version__
from scientist.cli._console import fail_line
from scientist.errors import ScientistError
from scientist.lab import Lab, find_lab

app = typer.Typer(
    name="scientist",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


class State:
    """What the global options said; read by every command."""

    lab: Path | None = None


def lab_root() -> Path:
    """The lab to work in: --lab, then SCIENTIST_LAB, then the nearest folder with a scientist.toml."""
    return State.lab if State.lab is not None else find_lab(Path.cwd())


def open_lab(**flags: Any) -> Lab:
    """The lab with settings from flags, environment and file."""
    return Lab(lab_root(), flags)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scientist {__version__}")
        raise typer.Exit


@app.callback()
def globals_(
    lab: Annotated[
        Path | None,
        typer.Option("--lab", envvar="SCIENTIST_LAB", help="The lab's folder; else the nearest with a scientist.toml."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """An AI scientist whose papers can be checked.

    Every number has a run, every claim was declared before it was tested, every citation has a record.
    """
    State.lab = lab


def _terminate(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: run a command; a failure is one line on standard error and its exit code."""
    from scientist.cli import _ideas, _lab, _papers, _run, _templates  # noqa: F401 - they register their commands

    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(standalone_mode=False)
    except ScientistError as error:
        fail_line(str(error))
        code = error.exit_code
    except KeyboardInterrupt:
        fail_line("interrupted; everything done so far is kept: `scientist resume` continues")
        code = 130
    except typer.Abort:
        fail_line("aborted")
        code = 1
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's usage errors
            fail_line(f"{error.format_message()}: see `scientist --help`")
            code = error.exit_code
        elif isinstance(error, OSError):
            fail_line(
                f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}: see `scientist doctor`"
            )
            code = 3
        else:
            raise
    sys.exit(code if isinstance(code, int) else 0)
