"""Is a template fit to spend budget? Its evaluator is asked twice, its candidate run twice, and every attack tried.

Fails closed: what cannot be tried counts as failed, and so does a template without attacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from scientist.errors import ScientistError
from scientist.experiments._bench import Bench, Outcome
from scientist.experiments._cheats import CheatRow, run_cheats
from scientist.experiments._judge import Judge, passes
from scientist.experiments._sandbox import Sandbox
from scientist.lab import KnobValue, Record, sha256_file
from scientist.template import Template

HONEST_SEED = 1
SIZES = ("examples", "features", "classes", "train", "search", "keep", "final")


class Finding(Record):
    """One line of a check. A `note` is worth knowing and fails nothing."""

    name: str
    status: Literal["ok", "fail", "note"]
    detail: str


class Honest(Record):
    """How the template's own candidate fared with the default knobs; `score` is its objective on *keep*."""

    status: str = "error"
    reason: str = ""
    score: float | None = None
    wall_s: float = 0.0


class TemplateReport(Record):
    """Everything that a check found. Only a template that passed should be given a budget."""

    template: str
    judging: Literal["sealed", "self-reported"]
    sandbox: str
    honest: Honest
    findings: tuple[Finding, ...]
    cheats: tuple[CheatRow, ...]
    passed: bool


def check_template(template: Template, sandbox: Sandbox, scratch: Path, say: Callable[[str], None]) -> TemplateReport:
    """Check a template that loads, in an empty folder `scratch`; `say` is told what is going on.

    Nothing that the template does wrong raises: it becomes a finding.
    """
    findings: list[Finding] = []
    rows: list[CheatRow] = []
    honest = Honest()
    try:
        with Bench.local(template, sandbox, scratch / "bench", 1) as bench:
            if template.judging == "self-reported":
                say("a run as it is")
                honest = _run_reported(bench, findings)
            else:
                say("the evaluator, in two processes, and the honest run")
                honest = _run_sealed(bench, scratch / "second", findings)
                say("attacks on the evaluator")
                rows = run_cheats(bench)
                if not rows:
                    findings.append(_fail("attacks", "there are none; a template needs attacks on its evaluator"))
    except ScientistError as error:
        findings.append(_fail("evaluator", error.message))
    good = honest.status == "ok" and all(finding.status != "fail" for finding in findings)
    return TemplateReport(
        template=template.name,
        judging=template.judging,
        sandbox=sandbox.name,
        honest=honest,
        findings=tuple(findings),
        cheats=tuple(rows),
        passed=good and all(row.contained for row in rows) and (bool(rows) or template.judging == "self-reported"),
    )


def _fail(name: str, detail: str) -> Finding:
    return Finding(name=name, status="fail", detail=detail)


def _honest(template: Template, outcome: Outcome) -> Honest:
    score = outcome.metrics.get("keep", {}).get(template.objective.metric)
    return Honest(status=outcome.status, reason=outcome.reason, score=score, wall_s=outcome.usage.wall_s)


# -- a sealed evaluator ------------------------------------------------------------------------------------------------


def _run_sealed(bench: Bench, second_place: Path, findings: list[Finding]) -> Honest:
    """The honest run, twice; describe, prepare and score also in a second process, with other hashes of its strings."""
    template = bench.template
    knobs = template.defaults
    second_place.mkdir(parents=True)
    box = second_place if bench.executor.sandbox != "process" else None
    second = Judge(template, seal=bench.judge.seal, writable=box, environment={"PYTHONHASHSEED": "1"})
    try:
        second.start()
        findings.extend(_check_description(bench.judge, template))
        with bench.run(knobs, HONEST_SEED, template.splits) as outcome:
            honest = _honest(template, outcome)
            artefacts = outcome.artefacts
            second.wait()
            again = outcome.folder / "again"
            bench.judge.prepare(again, knobs, HONEST_SEED)
            second.prepare(second_place / "again", knobs, HONEST_SEED)
            if problem := _differ(again, second_place / "again"):
                findings.append(_fail("prepare", f"not deterministic: two processes made different inputs ({problem})"))
            if second.describe(knobs) != bench.judge.describe(knobs):
                findings.append(_fail("describe", "not deterministic: two processes said different things"))
            if honest.status == "ok":
                scores, refused = second.score(outcome.folder / "outputs", template.splits, knobs, HONEST_SEED)
                if refused or scores != outcome.metrics:
                    findings.append(_fail("score", "not deterministic: two processes judged the same run differently"))
        if honest.status == "ok":
            with bench.run(knobs, HONEST_SEED, ("keep",)) as outcome:
                if outcome.artefacts != artefacts:
                    detail = "the same seed left different artefacts: rebuilding a paper will not give the same bytes"
                    findings.append(Finding(name="candidate", status="note", detail=detail))
    finally:
        second.stop()
    return honest


def _differ(one: Path, other: Path) -> str:
    """The first file that two folders do not have in common, byte by byte; nothing when they are equal."""
    here, there = (
        {str(path.relative_to(folder)): sha256_file(path) for path in folder.rglob("*") if path.is_file()}
        for folder in (one, other)
    )
    return next((name for name in sorted({*here, *there}) if here.get(name) != there.get(name)), "")


def _check_description(judge: Judge, template: Template) -> Iterator[Finding]:
    """`describe` for the defaults and for every level of every data knob."""
    settings: list[tuple[str, dict[str, KnobValue]]] = [("the defaults", template.defaults)]
    for knob in template.knobs:
        if knob.applies == "data":
            values = dict.fromkeys((*knob.levels, *knob.choices))
            settings += [(f"{knob.name} = {value}", template.complete({knob.name: value})) for value in values]
    for label, knobs in settings:
        try:
            facts = judge.describe(knobs)
        except ScientistError as error:
            yield _fail("describe", f"with {label}: {error.message}")
            continue
        for problem in description_problems(facts, template):
            yield _fail("describe", f"with {label}: {problem}")


def description_problems(facts: dict[str, float | int | str], template: Template) -> Iterator[str]:
    """What is wrong with an answer of `describe`, one line each; see docs/templates.md."""
    name = facts.get("name")
    if not isinstance(name, str) or not name.isidentifier():
        yield "'name' must be an identifier"
    for size in SIZES:
        if size in facts and (not isinstance(facts[size], int) or int(facts[size]) < 0):
            yield f"'{size}' must be a whole number"
    majority = facts.get("majority", 0.5)
    if not isinstance(majority, float) or not 0 <= majority <= 1:
        yield "'majority' must be a proportion"
    numbers = {key: facts[key] for key in ("bound", "best_known") if key in facts}
    for key, value in numbers.items():
        if isinstance(value, str) or not math.isfinite(value):
            yield f"'{key}' must be a number"
            return
    if "best_known" in facts and not isinstance(facts.get("best_known_by"), str):
        yield "'best_known' needs 'best_known_by': who found it, when and where it is written"
    maximize = template.metric(template.objective.metric).direction == "maximize"
    if len(numbers) == 2 and passes(float(numbers["best_known"]), float(numbers["bound"]), maximize):
        yield "'best_known' lies beyond 'bound'"


# -- metrics that the code under test reports itself -------------------------------------------------------------------


def _run_reported(bench: Bench, findings: list[Finding]) -> Honest:
    """One run of a template in the other layout, and what was found in its source."""
    template = bench.template
    note = [
        ("judging", "self-reported: nobody but the code itself computes the metrics"),
        ("knobs", ", ".join(knob.name for knob in template.knobs)),
        ("metrics", ", ".join(metric.name for metric in template.metrics)),
        ("seed", "decides a run" if template.seeded else "none: runs are repetitions, and are called that"),
        (
            "not checked",
            "whether the metrics are true, whether the script looks at its own test data, whether a knob acts",
        ),
    ]
    findings.extend(Finding(name=name, status="note", detail=detail) for name, detail in note)
    with bench.run(template.defaults, HONEST_SEED, template.splits) as outcome:
        honest, metrics = _honest(template, outcome), outcome.metrics
    if honest.status == "ok" and template.seeded:
        with bench.run(template.defaults, HONEST_SEED, template.splits) as outcome:
            if outcome.metrics != metrics:
                detail = "the same seed gave other metrics: save its declaration with seed_decides = false"
                findings.append(_fail("seed", detail))
    return honest
