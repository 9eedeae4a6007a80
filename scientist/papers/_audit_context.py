"""What the audit looks at: the records of one paper, its fragments, and the ways to make it again."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from scientist.errors import RecordError
from scientist.experiments._results import Analysis, FinalScores, RunResult
from scientist.experiments._study import Study
from scientist.ideas._idea import Idea, read_idea
from scientist.lab import Journal, Record, read_json, sha256_file
from scientist.literature._reference import Novelty
from scientist.papers._build import BuildContext
from scientist.papers._fragments import FragmentError, Sentence, Token, parse, plain, sentences
from scientist.papers._records import Fact, Facts, Figure, Finding, Manifest, Manuscript
from scientist.template import Template

Place = Literal["title", "abstract", "results", "body", "caption", "table"]
Severity = Literal["error", "warning", "note"]
R = TypeVar("R", bound=Record)

Analyse = Callable[[Study, Sequence[RunResult], FinalScores | None], Analysis]
BuildFacts = Callable[[Path, Template, Idea, Study, Analysis, Sequence[RunResult]], Facts]
BuildTex = Callable[[BuildContext], str]
Draw = Callable[[Path, Template, Idea, Study, Analysis, FinalScores, Sequence[RunResult]], tuple[Figure, ...]]


@dataclass(frozen=True)
class Rebuild:
    """How a paper's derived artefacts are made. A part that is None is not made again, and so not compared."""

    template: Template | None = None
    analyse: Analyse | None = None
    build_facts: BuildFacts | None = None
    build_tex: BuildTex | None = None
    draw: Draw | None = None


@dataclass(frozen=True)
class Fragment:
    """One LaTeX fragment of the manuscript and where it stands."""

    where: str
    place: Place
    text: str

    @functools.cached_property
    def tokens(self) -> Sequence[Token]:
        """Its tokens; none when it cannot be read (the check of its LaTeX says so)."""
        try:
            return parse(self.text)
        except FragmentError:
            return ()

    @functools.cached_property
    def sentences(self) -> Sequence[Sentence]:
        """Its sentences; none when it cannot be read."""
        try:
            return sentences(self.text)
        except FragmentError:
            return ()


@dataclass(frozen=True)
class Context:
    """One paper, read once. A record that is missing or broken is None, and `problems` says so."""

    paper: Path
    rebuild: Rebuild
    manuscript: Manuscript | None
    facts: Facts | None
    study: Study | None
    idea: Idea | None
    analysis: Analysis | None
    final: FinalScores | None
    novelty: Novelty | None
    manifest: Manifest | None
    results: Mapping[tuple[str, int], RunResult]
    tex: str | None
    bib: str | None
    journal: Journal | None
    problems: tuple[Finding, ...] = ()
    _hashes: dict[str, str] = field(default_factory=dict)

    @functools.cached_property
    def known(self) -> dict[str, Fact]:
        """id -> fact."""
        return self.facts.by_id() if self.facts else {}

    @functools.cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """Every fragment of the manuscript, in reading order."""
        return tuple(_fragments(self.manuscript)) if self.manuscript else ()

    def hash_of(self, relative: str) -> str:
        """SHA-256 of a file of the paper, '' when it does not exist. Each file is read once."""
        if relative not in self._hashes:
            path = self.paper / relative
            self._hashes[relative] = sha256_file(path) if path.is_file() else ""
        return self._hashes[relative]

    def words(self, sentence: Sentence) -> str:
        """A sentence as a reader sees it, shortened, to name it in a finding."""
        try:
            text = plain(sentence, self.known)
        except RecordError:
            text = sentence.source
        text = re.sub(r"\s+", " ", text).strip()
        return text if len(text) <= 140 else text[:137].rstrip() + "..."


def finding(severity: Severity, code: str, where: str, message: str) -> Finding:
    """A finding; a shorthand that keeps the checks readable."""
    return Finding(severity=severity, code=code, where=where, message=message)


def load(paper: Path, rebuild: Rebuild, lab: Path | None) -> Context:
    """Read what there is of a paper. Only the folder itself has to exist (:class:`RecordError` otherwise)."""
    if not paper.is_dir():
        raise RecordError(f"{paper} is no folder of a paper", "pass papers/<slug>")
    problems: list[Finding] = []

    def read(model: type[R], name: str, *, needed: bool = True) -> R | None:
        if not (paper / name).is_file():
            if needed:
                problems.append(finding("error", "artefact-missing", name, f"{name} does not exist"))
            return None
        try:
            return read_json(model, paper / name)
        except RecordError as error:
            problems.append(finding("error", "artefact-broken", name, error.message))
            return None

    study = read(Study, "study.json")
    idea = None
    try:
        idea = read_idea(paper / "idea.md")
    except RecordError as error:
        problems.append(finding("error", "artefact-broken", "idea.md", error.message))
    results: dict[tuple[str, int], RunResult] = {}
    for variant in study.variants if study else ():
        for seed in study.seeds if study else ():
            result = read(RunResult, f"runs/{variant.name}/seed-{seed}/result.json")
            if result is not None:
                results[variant.name, seed] = result
    return Context(
        paper=paper,
        rebuild=rebuild,
        manuscript=read(Manuscript, "manuscript.json"),
        facts=read(Facts, "facts.json"),
        study=study,
        idea=idea,
        analysis=read(Analysis, "analysis.json"),
        final=read(FinalScores, "final.json", needed=False),
        novelty=read(Novelty, "novelty.json"),
        manifest=read(Manifest, "manifest.json", needed=False),
        results=results,
        tex=_text(paper / "paper.tex"),
        bib=_text(paper / "references.bib"),
        journal=Journal(lab / "journal.jsonl") if lab else None,
        problems=tuple(problems),
    )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _fragments(manuscript: Manuscript) -> Iterator[Fragment]:
    yield Fragment("title", "title", manuscript.title)
    yield Fragment("finding", "abstract", manuscript.finding)
    yield Fragment("abstract", "abstract", manuscript.abstract)
    for section in manuscript.sections:
        named = f"{section.id} {section.title}".lower()
        place: Place = "results" if re.search(r"result|finding|what was found|what we found", named) else "body"
        yield Fragment(f"section {section.id}, title", "title", section.title)
        for number, text in enumerate(section.paragraphs, start=1):
            yield Fragment(f"section {section.id}, paragraph {number}", place, text)
    for table in manuscript.tables:
        yield Fragment(f"table {table.id}, caption", "caption", table.caption)
        for number, row in enumerate((table.header, *table.rows)):
            for column, cell in enumerate(row, start=1):
                name = f"row {number}" if number else "header"
                yield Fragment(f"table {table.id}, {name}, column {column}", "table", cell)
    for figure in manuscript.figures:
        yield Fragment(f"figure {figure.id}, caption", "caption", figure.caption)
