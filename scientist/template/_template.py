"""The contract of a task: `template.toml` beside the code, the sealed evaluator and the cheats."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from scientist.errors import LabError, TemplateError
from scientist.lab import KnobValue, Record, explain, inside, nearest, read_text, read_toml
from scientist.template._stranger_files import hash_tree, tree_of

Direction = Literal["maximize", "minimize"]
Split = Literal["search", "keep", "final"]
SPLITS: tuple[Split, ...] = ("search", "keep", "final")


class Site(Record):
    """Where the source of a stranger's template takes a value from: an option of its command, or a literal to replace."""

    kind: Literal["option", "literal"]
    file: str = Field(description="path below the template")
    name: str = Field(description="the option's flag ('--lr'), or how the source calls the literal ('train.lr')")
    line: int = Field(ge=1, description="counted from 1")
    column: int = Field(default=0, ge=0, description="of the literal, counted from 0 in UTF-8 bytes as `ast` does")


class Knob(Record):
    """One thing that can be varied, with the reason why anybody would.

    `applies` says who acts on it: `data` knobs are applied by the sealed evaluator when it prepares the inputs (so the
    candidate cannot skip them), `method` knobs reach the candidate in `knobs.json`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=2, description="how prose calls it: 'label noise'")
    type: Literal["float", "int", "choice", "bool"]
    default: KnobValue
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()
    levels: tuple[KnobValue, ...] = Field(default=(), description="a sensible dose series, lowest dose first")
    unit: str = ""
    applies: Literal["method", "data"] = "method"
    role: Literal["family", "dataset", "capacity", "regularisation", "corruption", "sample", "procedure"] = "procedure"
    effect: Literal["raises", "lowers", "unknown"] = Field(
        default="unknown", description="what more of it is expected to do to the objective"
    )
    why: str = Field(min_length=20, description="why it might matter, one or two sentences without free numbers")
    only_with: dict[str, tuple[KnobValue, ...]] = Field(
        default_factory=dict, description="the knob acts only when these knobs have one of these values"
    )
    topics: tuple[str, ...] = Field(default=(), description="topics of the literature it touches")
    api: tuple[str, ...] = Field(default=(), description="classes whose documentation names the sources of the method")
    labels: dict[str, str] = Field(default_factory=dict, description="how prose calls a value: mlp -> 'a small MLP'")
    site: Site | None = Field(default=None, description="where the value goes in a template that knows no knobs.json")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.type == "choice" and not self.choices:
            raise ValueError("a choice knob needs 'choices'")
        if self.type in ("float", "int") and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError("a numeric knob needs 'low' < 'high'")
        for value in (self.default, *self.levels):
            self.check(value)
        return self

    @property
    def offered(self) -> tuple[str, ...]:
        """The choices that ideas nobody asked for may take: its `levels` where it has any, else all of them."""
        return tuple(str(level) for level in self.levels) or self.choices

    def check(self, value: Any) -> KnobValue:
        """Return `value` in the knob's type. Raises ValueError with one line when it is of the wrong type or range."""
        if self.type == "bool":
            if not isinstance(value, bool):
                raise ValueError(f"knob '{self.name}' is true or false, not {value!r}")
            return value
        if self.type == "choice":
            if value not in self.choices:
                raise ValueError(
                    f"knob '{self.name}' is one of {', '.join(self.choices)}, not {value!r}"
                    f"{nearest(str(value), list(self.choices))}"
                )
            return str(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"knob '{self.name}' is a number, not {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"knob '{self.name}' is a finite number, not {value!r}")
        if self.type == "int" and float(value) != int(value):
            raise ValueError(f"knob '{self.name}' is a whole number, not {value!r}")
        assert self.low is not None and self.high is not None
        if not self.low <= value <= self.high:
            raise ValueError(f"knob '{self.name}' lies between {self.low:g} and {self.high:g}, not {value!r}")
        return int(value) if self.type == "int" else float(value)

    def label(self, value: KnobValue) -> str:
        """How prose calls one value of this knob."""
        key = str(value).lower() if isinstance(value, bool) else str(value)
        if key in self.labels:
            return self.labels[key]
        if isinstance(value, bool):
            return "on" if value else "off"
        return f"{value:g}" if isinstance(value, float) else str(value)


class Metric(Record):
    """One number the evaluator returns for a split, and how it is printed."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    direction: Direction
    scale: float = Field(default=1.0, description="printed value = raw value x scale")
    unit: str = Field(default="", description="of a value, as LaTeX: '\\%'")
    difference: str = Field(default="", description="of a difference, in words: 'points'")
    digits: int = Field(default=3, ge=0, le=8)
    bound: float | None = Field(default=None, description="a proven bound no honest score can pass")
    assumed: bool = Field(default=False, description="the direction is a guess: nothing says which way is better")


class Series(Record):
    """A learning curve that the candidate may stream, and how it is drawn. Self-reported, never a score."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_./-]{0,40}$", description="its key in metrics.jsonl")
    title: str = Field(min_length=1)
    scale: float = Field(default=1.0, description="drawn value = reported value x scale")
    unit: str = Field(default="", description="of a drawn value, as LaTeX: '\\%'")


class Objective(Record):
    """What is optimised, and the smallest difference anybody should care about (raw units)."""

    metric: str
    smallest_effect: float = Field(gt=0)
    basis: str = Field(
        default="", description="the rule that chose the smallest effect, where nobody did; in words, without digits"
    )


class Budget(Record):
    """Limits of one run, what it needs of a machine, and how many runs one study may spend."""

    wall_s: float = Field(gt=0, le=86400)
    cpu_s: float = Field(gt=0, le=86400, description="of the whole process tree")
    memory_mb: int = Field(gt=0)
    output_mb: int = Field(default=16, gt=0, description="artefacts that are kept")
    disk_mb: int = Field(default=256, gt=0, description="everything that a run writes, kept or not")
    log_mb: int = Field(default=8, gt=0, description="what it prints; only the end is kept")
    processes: int = Field(default=64, gt=0, description="processes and threads at a time")
    open_files: int = Field(default=256, ge=16, description="per process")
    cpus: float = Field(default=1, gt=0, description="cores that a run keeps busy, for placing it on a machine")
    gpus: float = Field(default=0, ge=0, description="GPUs that a run needs, for placing it on a machine")
    runs: int = Field(default=200, gt=0, description="most runs of one study")


class ArraySpec(Record):
    """One array of an `.npz` artefact. Values must be finite, and lie between `low` and `high` where these are given."""

    dtype: Literal["float", "int", "bool", "text"]
    shape: tuple[int | str, ...] = Field(
        default=(), description="sizes; a name stands for any size, the same wherever it stands in the file"
    )
    low: float | None = None
    high: float | None = None


class Artefact(Record):
    """One file that a run may leave in outputs/. What is not declared is refused before the evaluator sees it."""

    name: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*\.(json|npz)$")
    required: bool = True
    max_mb: float = Field(default=4, gt=0, description="of the file, and of what it unpacks to")
    arrays: dict[str, ArraySpec] = Field(default_factory=dict, description="of an .npz: these arrays and no others")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.name.endswith(".npz") != bool(self.arrays):
            raise ValueError("an .npz artefact declares its 'arrays', a .json one has none")
        if ".." in self.name.split("/"):
            raise ValueError("an artefact lies below outputs/")
        return self


class Template(Record):
    """A task as `template.toml` declares it. `root` is where it was loaded from and is not part of its hash."""

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    title: str
    summary: str = Field(min_length=20, description="one sentence: what the task is")
    background: str = Field(min_length=40, description="a paragraph: why anybody studies it, without free numbers")
    layout: Literal["scientist", "ai-scientist"] = Field(
        default="scientist", description="ours, or `experiment.py --out_dir run_i` whose metrics are self-reported"
    )
    editable: tuple[str, ...] = Field(min_length=1)
    sealed: tuple[str, ...] = ()
    command: tuple[str, ...] = Field(min_length=2)
    splits: tuple[Split, ...] = Field(
        default=SPLITS, description="all three, or only 'keep' where nothing can be held out"
    )
    artefacts: tuple[Artefact, ...] = Field(default=(), description="whitelist of outputs/; empty: any JSON or NPZ")
    exchange: str = Field(
        default="",
        description="what the code under test gets and hands in, where that is not a training sample, the features of "
        "the test examples and predictions: 'receives a text and hands in the weights of a model'",
    )
    examples: str = Field(default="", description="what `describe` counts, in the plural: 'bytes'; empty: examples")
    curves: tuple[Series, ...] = Field(default=(), description="learning curves, the one to draw first")
    clocked: dict[str, tuple[KnobValue, ...]] = Field(
        default_factory=dict,
        description="with these values of a knob a clock decides how far a run gets, so that it does not repeat exactly",
    )
    checkpoints: bool = Field(default=False, description="the candidate continues from what it left in checkpoint/")
    seed_sites: tuple[Site, ...] = Field(
        default=(), description="every place where a stranger's template takes its seed; all get the same one"
    )
    seed_decides: bool = Field(default=True, description="false: some of a stranger's randomness takes no seed")
    warm: tuple[str, ...] = Field(default=(), description="modules imported once per worker, before any candidate code")
    hide: tuple[str, ...] = Field(
        default=(), description="'package:folder' that candidates must not read, such as the labels' source"
    )
    objective: Objective
    metrics: tuple[Metric, ...] = Field(min_length=1)
    budget: Budget
    knobs: tuple[Knob, ...] = Field(min_length=1)
    topics: tuple[str, ...] = ()
    packages: tuple[str, ...] = Field(default=(), description="distributions whose versions belong in the manifest")
    root: Annotated[Path, Field(exclude=True)] = Path()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [knob.name for knob in self.knobs]
        if len(set(names)) != len(names):
            raise ValueError("two knobs have the same name")
        self.metric(self.objective.metric)
        for knob in self.knobs:
            for other in knob.only_with:
                if other not in names:
                    raise ValueError(f"knob '{knob.name}': only_with names '{other}', which is no knob")
        for other, values in self.clocked.items():
            if other not in names:
                raise ValueError(f"clocked names '{other}', which is no knob")
            for value in values:
                self.knob(other).check(value)
        if self.splits not in (SPLITS, ("keep",)):
            raise ValueError('\'splits\' is ["search", "keep", "final"] or ["keep"]')
        if len({artefact.name for artefact in self.artefacts}) != len(self.artefacts):
            raise ValueError("two artefacts have the same name")
        if set(self.editable) & set(self.sealed):
            raise ValueError("a file cannot be both editable and sealed")
        if self.layout == "scientist" and "evaluate.py" not in self.sealed:
            raise ValueError("'evaluate.py' is missing from 'sealed'")
        return self

    def knob(self, name: str) -> Knob:
        """The knob of that name; ValueError names the nearest one."""
        for knob in self.knobs:
            if knob.name == name:
                return knob
        raise ValueError(f"template '{self.name}' has no knob '{name}'{nearest(name, [k.name for k in self.knobs])}")

    def metric(self, name: str) -> Metric:
        """The metric of that name; ValueError names the nearest one."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise ValueError(f"no metric '{name}'{nearest(name, [m.name for m in self.metrics])}")

    @property
    def judging(self) -> Literal["sealed", "self-reported"]:
        """Who computes the metrics: a sealed evaluator, or the code under test itself."""
        return "sealed" if self.layout == "scientist" else "self-reported"

    @property
    def seeded(self) -> bool:
        """A seed decides a run; otherwise runs are repetitions whose numbers only tell them apart."""
        return self.layout == "scientist" or (bool(self.seed_sites) and self.seed_decides)

    @property
    def looked_at(self) -> Split:
        """The split that pilots and tuning may look at."""
        return self.splits[0]

    @property
    def defaults(self) -> dict[str, KnobValue]:
        """Every knob at its default."""
        return {knob.name: knob.default for knob in self.knobs}

    def complete(self, partial: dict[str, KnobValue]) -> dict[str, KnobValue]:
        """A full, checked assignment: the defaults with `partial` over them. ValueError for a bad name or value."""
        full = self.defaults
        for name, value in partial.items():
            full[name] = self.knob(name).check(value)
        return full

    def effective(self, knobs: dict[str, KnobValue]) -> dict[str, KnobValue]:
        """The knobs that act in this assignment: one whose `only_with` is not met is left out.

        Two assignments with the same effective knobs are the same work.
        """
        return {
            name: value
            for name, value in knobs.items()
            if all(knobs[other] in values for other, values in self.knob(name).only_with.items())
        }

    def by_the_clock(self, knobs: dict[str, KnobValue]) -> bool:
        """Whether a clock decides how far a run with this full assignment gets; see `clocked`."""
        return any(knobs.get(name) in values for name, values in self.clocked.items())

    def hash_files(self, names: tuple[str, ...]) -> str:
        """SHA-256 over the named files, each by name and content."""
        total = hashlib.sha256()
        for name in sorted(names):
            total.update(name.encode() + b"\0" + hashlib.sha256((self.root / name).read_bytes()).digest())
        return total.hexdigest()

    def fingerprint(self) -> str:
        """What a study was frozen against: SHA-256 over `template.toml` and every editable and sealed file.

        For a stranger's directory: over everything that a run gets a copy of, and the declaration in force.
        """
        if self.layout == "ai-scientist":
            tree = hash_tree(self.root, tree_of(self.root).files)
            return hashlib.sha256(f"{tree} {self.digest()}".encode()).hexdigest()
        return self.hash_files(("template.toml", *self.editable, *self.sealed))


def load_template(root: Path) -> Template:
    """Load and check a template folder: ours with a `template.toml`, or one in the AI-Scientist layout.

    A `template.toml` beside an `experiment.py` is what somebody saved and edited, and beats what would be derived.
    Raises :class:`TemplateError` in one line with file, line and key: missing key, wrong type, unknown key (with the
    nearest known one), missing file, a file outside the folder, a literal that is not where the declaration says.
    """
    # Both read a stranger's source, and know this record.
    from scientist.template._derive import derive
    from scientist.template._stranger import check_sites

    root = root.resolve()
    path = root / "template.toml"
    if root.is_dir() and not path.is_file() and (root / "experiment.py").is_file():
        return derive(root).template
    if not root.is_dir() or not path.is_file():
        raise TemplateError(
            f"{root} holds no template.toml and no experiment.py",
            "pass the folder of a template, see `scientist templates list`",
        )
    data = read_toml(path)
    try:
        template = (
            Template.model_validate({**data, "root": root}) if "root" not in data else Template.model_validate(data)
        )
    except ValidationError as error:
        raise TemplateError(explain(error, Template, str(path), read_text(path)), "see docs/templates.md") from error
    for name in (*template.editable, *template.sealed):
        try:
            there = inside(root, name).is_file()
        except LabError as error:
            raise TemplateError(f"{path}: {error.message}", error.remedy) from error
        if not there:
            raise TemplateError(f"{path}: file '{name}' does not exist", "create it or take it out of the list")
    if template.layout == "ai-scientist":
        if not (root / "experiment.py").is_file():
            raise TemplateError(f"{root} holds no experiment.py", 'add it, or set layout = "scientist"')
        check_sites(template)
    return template


def is_template(folder: Path) -> bool:
    """Whether a folder can be passed to :func:`load_template`: it holds a `template.toml` or an `experiment.py`."""
    return (folder / "template.toml").is_file() or (folder / "experiment.py").is_file()


def find_templates(*folders: Path) -> list[Path]:
    """Template folders directly below the given ones, sorted: with a `template.toml`, or in the AI-Scientist layout."""
    from scientist.template._derive import is_stranger

    found = {path.parent.resolve() for folder in folders if folder.is_dir() for path in folder.glob("*/template.toml")}
    for folder in folders:
        if folder.is_dir():
            found |= {p.parent.resolve() for p in folder.glob("*/experiment.py") if is_stranger(p.parent)}
    return sorted(found)
