"""What a reviewer is asked for: criteria with their scales, an overall score, a confidence, free texts."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field, ValidationError, field_validator, model_validator

from scientist.errors import RecordError, UsageError
from scientist.lab import Record, explain, nearest, read_text, read_toml

OVERALL, CONFIDENCE = "overall", "confidence"
STANDARD_TEXTS = ("summary", "strengths", "weaknesses", "questions", "limitations", "ethical_concerns")
"""Free texts that every review has; a form says which of them it prints, and may ask for others."""

NAME = r"^[a-z][a-z0-9_]{0,39}$"
LARGEST = 64 << 10  # bytes of a form in a file


class Scale(Record):
    """Whole numbers from `low` to `high`, or only those of `steps`. `anchors` says what some of them mean."""

    low: int = Field(ge=-100, le=1000)
    high: int = Field(ge=-100, le=1000)
    steps: tuple[int, ...] = Field(default=(), max_length=100)
    anchors: dict[int, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _agrees(self) -> Scale:
        if self.high <= self.low:
            raise ValueError(f"'high' ({self.high}) has to be more than 'low' ({self.low})")
        if self.steps and (tuple(sorted(set(self.steps))) != self.steps or self.steps[0] != self.low):
            raise ValueError("'steps' rise from 'low'")
        if self.steps and self.steps[-1] != self.high:
            raise ValueError("'steps' end at 'high'")
        if beside := [score for score in self.anchors if not self.holds(score)]:
            raise ValueError(f"the anchor {beside[0]} is not on the scale")
        if any(not said.strip() or len(said) > 300 for said in self.anchors.values()):
            raise ValueError("an anchor is 1 to 300 characters")
        return self

    def holds(self, score: float) -> bool:
        """Whether a reviewer may give this score."""
        return score in self.steps if self.steps else self.low <= score <= self.high and score == int(score)

    def share(self, score: float) -> float:
        """A score or a mean of scores as a share of the scale, 0 to 1."""
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))

    def at(self, share: float) -> float:
        """The place on the scale of a share of it, never rounded."""
        return self.low + min(1.0, max(0.0, share)) * (self.high - self.low)

    def told(self) -> str:
        """The scale in words: '1 to 4 (1: poor; 4: excellent)'."""
        numbers = ", ".join(map(str, self.steps)) if self.steps else f"{self.low} to {self.high}"
        anchors = "; ".join(f"{score}: {said}" for score, said in sorted(self.anchors.items()))
        return f"{numbers} ({anchors})" if anchors else numbers


class Criterion(Scale):
    """One question with a score. No criterion weighs more than another: nothing is added up from them."""

    name: str = Field(pattern=NAME)
    title: str = Field(min_length=1, max_length=80)
    question: str = Field(min_length=1, max_length=1000)


class FreeText(Record):
    """A text that the form asks for."""

    name: str = Field(pattern=NAME)
    title: str = Field(min_length=1, max_length=80)
    question: str = Field(default="", max_length=1000)


class Form(Record):
    """A review form. A paper is accepted where the mean of Overall is at least `accept_at`."""

    schema_version: int = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: str = Field(min_length=1, max_length=120)
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=20)
    overall: Scale
    overall_question: str = Field(default="How good is this paper, all in all?", min_length=1, max_length=1000)
    confidence: Scale
    accept_at: float
    texts: tuple[FreeText, ...] = Field(default=(), max_length=20)

    @field_validator("criteria", "texts")
    @classmethod
    def _names(cls, value: tuple[Criterion | FreeText, ...]) -> tuple[Criterion | FreeText, ...]:
        names = [one.name for one in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"'{twice[0]}' stands twice")
        if taken := sorted({OVERALL, CONFIDENCE} & set(names)):
            raise ValueError(f"'{taken[0]}' has a table of its own")
        return value

    @model_validator(mode="after")
    def _threshold(self) -> Form:
        if not math.isfinite(self.accept_at) or not self.overall.low < self.accept_at <= self.overall.high:
            raise ValueError(f"'accept_at' lies above {self.overall.low} and is at most {self.overall.high}")
        if both := sorted({one.name for one in self.criteria} & {one.name for one in self.texts}):
            raise ValueError(f"'{both[0]}' is a criterion and a text")
        return self

    @property
    def scored(self) -> tuple[Criterion, ...]:
        """Everything that needs evidence, Overall last."""
        overall = Criterion(
            name=OVERALL, title="Overall", question=self.overall_question, **self.overall.model_dump(mode="python")
        )
        return (*self.criteria, overall)

    @property
    def own_texts(self) -> tuple[FreeText, ...]:
        """Texts beyond those that every review has."""
        return tuple(text for text in self.texts if text.name not in STANDARD_TEXTS)


def load_form(path: Path) -> Form:
    """A form from TOML. Raises :class:`RecordError` in one line that names file, line and key."""
    if path.is_file() and path.stat().st_size > LARGEST:
        raise RecordError(f"{path} is larger than {LARGEST >> 10} KiB", "a form is a page")
    values = read_toml(path)
    try:
        return Form.model_validate(values)
    except ValidationError as error:
        line = explain(error, Form, str(path), read_text(path)).replace("value error, ", "")
        raise RecordError(line, "see docs/reviews.md for a form that works") from error


def form_of(name: str) -> Form:
    """A built-in form by its name, or one's own by the path of its TOML. Raises :class:`UsageError`, :class:`RecordError`."""
    from scientist.reviews.forms._builtin import BUILTIN

    if name in BUILTIN:
        return BUILTIN[name]
    path = Path(name)
    if path.suffix.lower() == ".toml" or path.exists():
        return load_form(path)
    known = sorted(BUILTIN)
    raise UsageError(
        f"there is no form '{name}'{nearest(name, known)}", f"take {' or '.join(known)}, or a .toml of yours"
    )
