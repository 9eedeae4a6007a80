"""Typed failures. Each reaches the user as one line that says what happened and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ScientistError(Exception):
    """A failure that the user can do something about.

    `message` says what is wrong, `remedy` what to do about it; `exit_code` is what the command line returns.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message


class UsageError(ScientistError):
    """The command line or a setting is not usable as given."""

    exit_code = 2


class LabError(ScientistError):
    """The lab folder is missing, locked, full or damaged."""

    exit_code = 3


class RecordError(ScientistError):
    """A file a person can edit (idea, template, settings, lessons) is broken: file, line and key are named."""

    exit_code = 4


class TemplateError(RecordError):
    """The template cannot be used."""


class StudyError(ScientistError):
    """The study cannot be made, or was changed after its runs started."""

    exit_code = 5


class MachineryError(ScientistError):
    """The scientist's own machinery failed (sandbox, evaluator, worker), not the code under test."""

    exit_code = 6


class LatexError(ScientistError):
    """The paper could not be compiled."""

    exit_code = 7


class AlarmError(ScientistError):
    """A score passes a proven bound: the evaluator was beaten, not the task. Nothing of the campaign goes on.

    `details` are what the journal keeps: metric, split, value, bound, and, where a run is meant, its knobs and seed
    and the folder that its artefacts were copied to.
    """

    exit_code = 8

    def __init__(self, message: str, remedy: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, remedy)
        self.details = dict(details or {})


class Stopped(ScientistError):
    """Somebody asked the campaign to stop; everything done so far is kept."""

    exit_code = 130
