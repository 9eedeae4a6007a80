"""`scientist trace`: from a printed number to its fact, its file, its runs and seeds, and whether they still agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field

from scientist.errors import ScientistError
from scientist.lab import KnobValue, Record, inside, sha256_file
from scientist.papers._appendix import raw, run_values
from scientist.papers._build import BuildContext, load_context
from scientist.papers._expressions import names, show
from scientist.papers._fragments import FragmentError, numbers, plain, readable, sentences
from scientist.papers._kinds import self_reported
from scientist.papers._ledger import by_variant
from scientist.papers._records import Fact, Manuscript
from scientist.papers._trace_values import SELF, _numbers_in, agrees, formula, leaves, normal, resolve

__all__ = ["NotTraced", "Trace", "TracedRun", "Use", "_numbers_in", "fragments", "normal", "resolve", "trace"]


class NotTraced(ScientistError):
    """What was asked for is no fact, calculation or run of the paper."""


class Use(Record):
    """One place where a value stands: a place of the manuscript and its sentence, with values put in."""

    where: str
    sentence: str


class TracedRun(Record):
    """A run that a value rests on, with the study's metric on every split that was scored."""

    run: str
    status: str
    values: dict[str, float]
    reason: str = ""
    tree: str = Field(default="", description="hash of all code and knobs that ran, without the seed")


class Trace(Record):
    """Where one printed value comes from.

    `found` is what stands in `file` at `pointer` now; `agrees` says that it is the fact's value, `intact` that the
    file still has the hash that the fact recorded. `formula` says in words how a derived value is made, `inputs` names
    the facts that a calculation uses.
    """

    query: str
    kind: Literal["fact", "calculation", "run", "declared"]
    id: str
    text: str
    value: KnobValue | None
    unit: str = ""
    title: str
    formula: str = ""
    n: int | None = None
    file: str = ""
    pointer: str = ""
    found: KnobValue | None = None
    agrees: bool
    intact: bool
    uses: tuple[Use, ...] = ()
    runs: tuple[TracedRun, ...] = ()
    inputs: tuple[str, ...] = ()


def trace(paper: Path, query: str) -> list[Trace]:
    """Where a value of the paper in that folder comes from, one trace per value that answers to the query.

    The query is a fact id, a number or word as printed ("93.4", "-2.1", "93.4%", "<0.001"), the expression of a
    `\\calc`, or a run ("variant/seed-3"). A number answers when a printed value is that number, else when a printed
    text contains it, else when the appendix prints it (runs, frozen study), else when only the sign differs. A value
    that merely equals a fact the paper does not print is no provenance and does not answer.

    Raises :class:`NotTraced` when nothing answers, :class:`RecordError` when a file of the paper is missing or broken.
    """
    return _Tracer(paper, load_context(paper)).answer(query.strip())


def fragments(manuscript: Manuscript) -> Iterator[tuple[str, str]]:
    """Everything of a manuscript that reaches the page, with the name of its place; table rows as one fragment."""
    yield "title", manuscript.title
    yield "abstract", manuscript.abstract
    for section in manuscript.sections:
        for place, paragraph in enumerate(section.paragraphs, start=1):
            yield f"section '{section.id}', paragraph {place}", paragraph
    for table in manuscript.tables:
        yield f"caption of table '{table.id}'", table.caption
        for place, row in enumerate((table.header, *table.rows)):
            yield f"table '{table.id}', {f'row {place}' if place else 'header'}", " | ".join(row)
    for figure in manuscript.figures:
        yield f"caption of figure '{figure.id}'", figure.caption


@dataclass
class _Tracer:
    paper: Path
    context: BuildContext
    facts: dict[str, Fact] = field(init=False)
    uses: dict[str, list[Use]] = field(init=False, default_factory=dict)
    calcs: dict[tuple[str, str], list[Use]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.facts = self.context.facts.by_id()
        self.values = numbers(self.facts)
        for where, text in fragments(self.context.manuscript):
            self._collect(where, text)
        for figure in self.context.manuscript.figures:
            for fact_id in figure.shows:
                self.uses.setdefault(fact_id, []).append(Use(where=f"figure '{figure.id}'", sentence="drawn"))

    def _collect(self, where: str, text: str) -> None:
        try:
            found = sentences(text)
        except FragmentError:
            return  # a manuscript that cannot be built is for the audit to report
        for sentence in found:
            for token in sentence.tokens:
                if token.kind == "val":
                    bucket = self.uses.setdefault(token.args[0], [])
                elif token.kind == "calc":
                    bucket = self.calcs.setdefault((token.args[0], token.args[1]), [])
                else:
                    continue
                use = Use(where=where, sentence=plain(sentence, self.facts))
                if use not in bucket:
                    bucket.append(use)

    def answer(self, query: str) -> list[Trace]:
        """The first way of reading the query that gives an answer."""
        if query in self.facts:
            return [self.fact(query, self.facts[query])]
        for read in (self._run, self._expression, self._printed, self._contained, self._appendix, self._unsigned):
            found = read(query)
            if found:
                return found
        same = [fact.id for fact in self.facts.values() if normal(readable(fact.text)) == normal(query)]
        if same:
            raise NotTraced(
                f"'{query}' is printed nowhere, though {len(same)} unprinted facts have that text ({same[0]}, ...)",
                "a value that merely equals a fact does not come from it; run `scientist audit`",
            )
        raise NotTraced(
            f"'{query}' is no fact, calculation or run of {self.paper.name}",
            "a printed number without a fact is an error: run `scientist audit`",
        )

    # Ways of reading a query ------------------------------------------------------------------------------------

    def _run(self, query: str) -> list[Trace]:
        match = re.fullmatch(r"([a-z][a-z0-9_]*)/seed-(\d+)", query)
        if not match:
            return []
        traced = self.runs((query,))
        return [self._run_trace(query, traced[0])] if traced and traced[0].status != "missing" else []

    def _run_trace(self, query: str, run: TracedRun) -> Trace:
        file = f"runs/{run.run}/result.json"
        metric = self.context.study.metric
        value = run.values.get(self.context.study.decide_on)
        pointer = f"/metrics/{self.context.study.decide_on}/{metric}"
        backed = [self.fact(query, fact) for fact in self.facts.values() if fact.file == file]
        return Trace(
            query=query,
            kind="run",
            id=run.run,
            text=", ".join(f"{split} {raw(number)}" for split, number in run.values.items()) or run.status,
            value=value,
            title=f"{metric} of one run",
            formula=SELF if self_reported(self.context.study) else "",
            file=file,
            pointer=pointer if value is not None else "/status",
            found=value if value is not None else run.status,
            agrees=all(part.agrees for part in backed),
            intact=all(part.intact for part in backed),
            uses=tuple(
                use for fact in self.facts.values() if fact.runs == (run.run,) for use in self.uses.get(fact.id, [])
            ),
            runs=(run,),
        )

    def _expression(self, query: str) -> list[Trace]:
        wanted = "".join(query.split())
        return [self.calc(query, key) for key in self.calcs if "".join(key[0].split()) == wanted]

    def _printed(self, query: str) -> list[Trace]:
        return self._matching(query, lambda text: normal(text) == normal(query))

    def _contained(self, query: str) -> list[Trace]:
        wanted = normal(query)
        return self._matching(query, lambda text: wanted in _numbers_in(text))

    def _unsigned(self, query: str) -> list[Trace]:
        wanted = normal(query).lstrip("-")
        return self._matching(query, lambda text: wanted in {part.lstrip("-") for part in _numbers_in(text)})

    def _matching(self, query: str, match: Callable[[str], bool]) -> list[Trace]:
        found = [
            self.fact(query, fact)
            for fact in self.facts.values()
            if self.uses.get(fact.id) and match(readable(fact.text))
        ]
        return found + [self.calc(query, key) for key in self.calcs if match(show(key[0], self.values))]

    def _appendix(self, query: str) -> list[Trace]:
        """Numbers that only the appendix prints: raw results of runs, and the frozen study's own numbers."""
        study, wanted = self.context.study, normal(query)
        found: list[Trace] = []
        for result in self.context.results:
            values = run_values(study, result, self.context.final)
            if wanted in {raw(value) for value in values.values()} | {str(result.seed)}:
                found.extend(
                    self._run_trace(query, run) for run in self.runs((f"{result.variant}/seed-{result.seed}",))
                )
        if found:
            return found
        intact = sha256_file(self.paper / "study.json") == self.context.facts.study_sha256
        for pointer, value in leaves(study.model_dump(mode="json"), ""):
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if wanted in (f"{value:g}", f"{value:.2f}", f"{value:.3g}", f"{value:+.4g}"):
                found.append(
                    Trace(
                        query=query,
                        kind="declared",
                        id=pointer,
                        text=wanted,
                        value=value,
                        title="declared in the frozen study",
                        file="study.json",
                        pointer=pointer,
                        found=value,
                        agrees=True,
                        intact=intact,
                    )
                )
        return found

    # What a trace says ------------------------------------------------------------------------------------------

    def fact(self, query: str, fact: Fact) -> Trace:
        """The trace of one fact."""
        try:
            found = resolve(self.paper, fact.file, fact.pointer)
            intact = sha256_file(inside(self.paper, fact.file)) == fact.sha256
        except ScientistError:  # gone or broken: the trace says so
            found, intact = None, False
        return Trace(
            query=query,
            kind="fact",
            id=fact.id,
            text=readable(fact.text),
            value=fact.value,
            unit=readable(fact.unit),
            title=fact.title,
            formula=formula(fact, self.context.study),
            n=fact.n,
            file=fact.file,
            pointer=fact.pointer,
            found=found if isinstance(found, bool | int | float | str) else None,
            agrees=agrees(fact, found),
            intact=intact,
            uses=tuple(self.uses.get(fact.id, ())),
            runs=tuple(self.runs(fact.runs)),
        )

    def calc(self, query: str, key: tuple[str, str]) -> Trace:
        """The trace of one calculation; it agrees when all its facts do."""
        expression, why = key
        inputs = names(expression)
        parts = [self.fact(query, self.facts[name]) for name in inputs]
        runs = tuple(dict.fromkeys(run for name in inputs for run in self.facts[name].runs))
        text = show(expression, self.values)
        return Trace(
            query=query,
            kind="calculation",
            id=expression,
            text=text,
            value=float(text),
            title=readable(why),
            formula=f"{expression} = {text}",
            file="facts.json",
            found=float(text),
            agrees=all(part.agrees for part in parts),
            intact=all(part.intact for part in parts),
            uses=tuple(self.calcs[key]),
            runs=tuple(self.runs(runs)),
            inputs=inputs,
        )

    def runs(self, wanted: tuple[str, ...]) -> list[TracedRun]:
        """Runs by name with their values as they are now; one without a result is said to be missing."""
        study = self.context.study
        results = {(result.variant, result.seed): result for result in self.context.results}
        traced = []
        for variant, seeds in by_variant(wanted).items():
            for seed in seeds:
                result = results.get((variant, seed))
                values = run_values(study, result, self.context.final) if result else {}
                traced.append(
                    TracedRun(
                        run=f"{variant}/seed-{seed}",
                        status=result.status if result else "missing",
                        values=dict(values),
                        reason=result.reason if result else "",
                        tree=result.tree if result else "",
                    )
                )
        return traced
