"""The command line: parse, call, show. Every failure is one line that says what to do, and a non-zero exit."""

from __future__ import annotations

from scientist.cli._app import app, main

__all__ = ["app", "main"]
