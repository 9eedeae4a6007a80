"""Records of the papers room: facts, manuscript, findings, manifest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.lab import KnobValue, Record


class Fact(Record):
    """One number or word that a paper may print, with its provenance.

    `text` is the LaTeX that `\\val{id}` prints (no unit unless it belongs to the word). `file` and `pointer` say where the
    value stands (a JSON pointer into a file of the paper), `sha256` is that file's hash, `runs` what it rests on.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")
    value: KnobValue
    text: str
    unit: str = ""
    kind: Literal["declared", "measured", "self-reported", "derived", "counted", "selected", "word"]
    title: str = Field(description="what it is, in words, for the ledger")
    n: int | None = None
    runs: tuple[str, ...] = Field(default=(), description="'<variant>/seed-<n>' of every run it rests on")
    file: str
    pointer: str
    sha256: str


class Facts(Record):
    """`facts.json`: the closed set of values."""

    schema_version: Literal[1] = 1
    study_sha256: str
    facts: tuple[Fact, ...]

    def by_id(self) -> dict[str, Fact]:
        """id -> fact."""
        return {fact.id: fact for fact in self.facts}


class Figure(Record):
    """A figure made by code from the analysis."""

    id: str
    file: str = Field(description="figures/<name>.pdf")
    sha256: str
    caption: str = Field(description="LaTeX fragment, under the same rules as prose")
    shows: tuple[str, ...] = Field(description="facts it draws")


class Table(Record):
    """A table made by code from facts: rows of LaTeX fragments that print values with \\val only."""

    id: str
    caption: str
    columns: str = Field(description="LaTeX column specification")
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Section(Record):
    """A section: LaTeX fragments with \\val, \\calc, \\cite, \\ref, and \\placefigure{id} / \\placetable{id}."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    appendix: bool = False


class Manuscript(Record):
    """`manuscript.json`: the paper before the build."""

    schema_version: Literal[1] = 1
    slug: str
    title: str
    finding: str = Field(description="the main finding in one sentence, LaTeX with \\val")
    abstract: str
    sections: tuple[Section, ...]
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    roles: dict[str, str] = Field(default_factory=dict, description="role -> heuristic | model name")


class Finding(Record):
    """One thing the audit found."""

    severity: Literal["error", "warning", "note"]
    code: str
    where: str
    message: str


class Audit(Record):
    """`audit.json`."""

    schema_version: Literal[1] = 1
    slug: str
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(f.severity == "error" for f in self.findings)


class Manifest(Record):
    """`manifest.json`: what made the paper. Only `made`, `cost` and how it was run differ between machines or days."""

    schema_version: Literal[1] = 1
    slug: str
    versions: dict[str, str]
    sandbox: str
    sandbox_gaps: tuple[str, ...] = ()
    executor: str = "local"
    nodes: tuple[str, ...] = Field(default=(), description="machines that ran something, where it was not this one")
    judging: Literal["sealed", "self-reported"] = Field(default="sealed", description="who computed the metrics")
    judged_twice: int = Field(default=0, description="runs whose suspiciously good score was judged a second time")
    resumed: int = Field(default=0, description="runs that continued from a checkpoint")
    study_sha256: str
    template_sha256: str
    files: dict[str, str] = Field(description="path -> sha256 of every artefact but this one and the audit")
    seeds: tuple[int, ...]
    roles: dict[str, str]
    approved_by: str = ""
    cost: dict[str, float] = Field(description="cpu_s, wall_s, runs")
    made: str = Field(description="UTC time")
