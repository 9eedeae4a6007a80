"""The command line: parse, call, show. Every failure is one line that says what to do, and a non-zero exit."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """The `scientist` command. The rest is imported inside, so that Ctrl-C during the start is one line too."""
    try:
        from scientist.cli._app import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write("error interrupted before anything was begun\n")
        sys.exit(130)
