"""An idea: a falsifiable hypothesis and a plan to test it, kept as one Markdown file with front matter."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError

from scientist.errors import RecordError
from scientist.lab import KnobValue, Record, explain, read_text, write_atomic

Expect = Literal["greater", "less", "equivalent", "different"]
Status = Literal["proposed", "approved", "rejected", "known", "done", "failed"]

Knobs = dict[str, KnobValue]


class DoseResponse(Record):
    """How does the objective change as one knob goes up? `levels[0]` is the reference."""

    kind: Literal["dose-response"] = "dose-response"
    knob: str
    levels: tuple[KnobValue, ...] = Field(min_length=2, max_length=8)


class Comparison(Record):
    """Which of several values of a choice knob (model families, procedures) does better than the reference?"""

    kind: Literal["comparison"] = "comparison"
    knob: str
    choices: tuple[KnobValue, ...] = Field(min_length=2, max_length=8)
    reference: KnobValue


class Interaction(Record):
    """Does the effect of one knob depend on another? A 2 x 2 factorial; the first value of each is the low one."""

    kind: Literal["interaction"] = "interaction"
    first: str
    first_values: tuple[KnobValue, KnobValue]
    second: str
    second_values: tuple[KnobValue, KnobValue]


class Robustness(Record):
    """Does the effect of a treatment survive a stressor? `levels[0]` is the clean condition."""

    kind: Literal["robustness"] = "robustness"
    treatment: Knobs = Field(min_length=1)
    stressor: str
    levels: tuple[KnobValue, ...] = Field(min_length=2, max_length=5)


class Transfer(Record):
    """Does the effect of a treatment hold on other data sets? `values[0]` is where it was seen or is expected."""

    kind: Literal["transfer"] = "transfer"
    treatment: Knobs = Field(min_length=1)
    knob: str = "dataset"
    values: tuple[KnobValue, ...] = Field(min_length=2, max_length=6)


class Tuning(Record):
    """Does tuning pay, and does the sampler matter? Default against random search and TPE, each with `trials` runs."""

    kind: Literal["tuning"] = "tuning"
    knobs: tuple[str, ...] = Field(min_length=1, max_length=8)
    trials: int = Field(ge=2, le=200)
    samplers: tuple[Literal["random", "tpe"], ...] = ("random", "tpe")


class Modification(Record):
    """Does a change of the code help? The code as it is against the code with the change, which an Experimenter makes."""

    kind: Literal["modification"] = "modification"
    name: str = Field(min_length=3, max_length=60, description="how prose calls the change: 'cosine annealing'")
    change: str = Field(min_length=20, max_length=2000, description="what is changed in which file, and how")


Design = Annotated[
    DoseResponse | Comparison | Interaction | Robustness | Transfer | Tuning | Modification,
    Field(discriminator="kind"),
]


class LessonUse(Record):
    """A lesson this idea was made from, and what it changed."""

    lesson: str = Field(description="id of the lesson")
    text: str = Field(description="the lesson, so that the idea can be read alone")
    change: str = Field(description="what is different in this idea because of it")


class Idea(Record):
    """A hypothesis and a plan. The front matter of `ideas/<slug>.md` is everything but `notes`, which is the prose."""

    schema_version: Literal[1] = 1
    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,80}$")
    title: str = Field(min_length=8, max_length=200)
    template: str
    status: Status = "proposed"
    origin: Literal["heuristic", "person", "model", "import"] = "person"
    question: str = Field(min_length=15, description="what is asked, one sentence ending in '?'")
    hypothesis: str = Field(min_length=20, description="falsifiable: what is expected, against what, by how much")
    expect: Expect = Field(description="the direction of the primary contrast that the hypothesis states")
    smallest_effect: float = Field(gt=0, description="smallest difference worth caring about, raw units of the metric")
    why: str = Field(min_length=30, description="why anybody would want to know")
    design: Design
    settings: Knobs = Field(default_factory=dict, description="knobs held fixed in every variant, where not default")
    seeds: int | None = Field(
        default=None, ge=1, le=1000, description="cap on seeds per variant, beats the lab's setting"
    )
    lessons: tuple[LessonUse, ...] = ()
    priority: float = Field(default=0.0, description="a person's thumb on the scale of the ranking")
    note: str = Field(default="", description="why it was approved, rejected, archived, ...")
    notes: Annotated[str, Field(exclude=True)] = ""


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, in C where it is there: a backlog is read several times per paper."""

_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n?(.*)\Z", re.DOTALL)


def parse_idea(text: str, where: str) -> Idea:
    """Parse one idea file. Raises :class:`RecordError` naming file, line and key."""
    match = _FRONT.match(text)
    if not match:
        raise RecordError(f"{where}:1: no front matter (--- ... ---)", "begin the file with YAML between --- lines")
    try:
        data = yaml.load(match.group(1), Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # The C parser puts an unfinished list on the line after the last one.
        line = f":{min(mark.line, match.group(1).count(chr(10))) + 2}" if mark else ""
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise RecordError(f"{where}{line}: {problem}", "mend that line") from error
    if not isinstance(data, dict):
        raise RecordError(f"{where}:2: front matter is not a list of keys", "write `key: value` lines")
    try:
        return Idea.model_validate({**data, "notes": match.group(2).strip()})
    except ValidationError as error:
        raise RecordError(explain(error, Idea, where, text), "see docs/artefacts.md for the keys") from error


def render_idea(idea: Idea) -> str:
    """The file of one idea; `parse_idea(render_idea(x)) == x`."""
    data = idea.model_dump(mode="json", exclude_defaults=False)
    for key in ("seeds", "note", "priority", "settings", "lessons"):
        if data[key] in (None, "", 0.0, {}, []):
            del data[key]
    front = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{front}---\n{idea.notes.strip()}\n" if idea.notes.strip() else f"---\n{front}---\n"


def read_idea(path: Path) -> Idea:
    """Read one idea file; the slug must be the file's name."""
    idea = parse_idea(read_text(path), str(path))
    if path.stem != idea.slug and path.name != "idea.md":
        raise RecordError(f"{path}: slug '{idea.slug}' is not the file's name", "make the two equal")
    return idea


def write_idea(folder: Path, idea: Idea) -> Path:
    """Write `folder/<slug>.md` atomically; returns its path."""
    path = folder / f"{idea.slug}.md"
    write_atomic(path, render_idea(idea))
    return path
