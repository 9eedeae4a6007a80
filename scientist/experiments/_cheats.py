"""Attacking the evaluator before trusting it: every cheat of a template must earn nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import AlarmError, ScientistError, TemplateError
from scientist.experiments._bench import Bench
from scientist.lab import Record, canonical_json, read_text, sha256, write_atomic
from scientist.template import Template

MEANING = {
    "invalid": "refused by the evaluator",
    "failed": "stopped before it is judged",
    "chance": "no better than guessing",
    "alarm": "a score beyond the proven bound, which halts the campaign",
}
_EXPECT = re.compile(r"^# expect: *(.*?) *$", re.MULTILINE)
_REFUSED = ("invalid", "output")
CHEAT_SEED = 20_011
"""Any seed will do; a fixed one makes the check repeatable."""


class CheatRow(Record):
    """One attack and what it earned. `status` is that of the run, or `alarm`, or `error` when it could not be run."""

    name: str
    about: str
    expect: str
    status: str
    score: float | None = None
    contained: bool
    detail: str


@dataclass(frozen=True)
class Cheat:
    """One file of `cheats/`. `problem` says why it cannot be used, or nothing."""

    name: str
    about: str
    expect: str
    code: bytes
    problem: str


def load_cheats(template: Template) -> list[Cheat]:
    """Every `cheats/*.py`, by name."""
    return [_load(path) for path in sorted((template.root / "cheats").glob("*.py"))]


def _load(path: Path) -> Cheat:
    try:
        text = read_text(path)
    except ScientistError as error:
        return Cheat(path.stem, "", "", b"", f"cannot be read: {error.message}")
    said = _EXPECT.findall(text)
    expect, problem = (said[0], "") if said else ("", f"no line '# expect: {'|'.join(MEANING)}'")
    if len(said) > 1:
        problem = "more than one line '# expect:'"
    elif said and expect not in MEANING:
        problem = f"unknown expectation '{expect[:40]}', not one of {', '.join(MEANING)}"
    about = (text.strip().strip('"').splitlines() or [""])[0].strip('" ')
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        problem = problem or f"is no Python: {error}".splitlines()[0]
    return Cheat(path.stem, about, expect, text.encode(), problem)


def run_cheats(bench: Bench) -> list[CheatRow]:
    """Run every cheat with the default knobs in place of the first editable file.

    A cheat is contained when it ends as it says it must: stopped before it is judged (`failed`), refused (`invalid`),
    judged no better than guessing or refused (`chance`), or beyond the proven bound (`alarm`). Guessing earns the
    `majority` share that the evaluator describes, plus four standard errors of a proportion. Nothing else counts: not a
    cheat that breaks down where it should have been judged, and not one that cannot be run.
    """
    cheats = load_cheats(bench.template)
    try:
        facts: Mapping[str, float | int | str] = bench.judge.describe(bench.template.defaults)
    except ScientistError as error:
        return [_row(cheat, "error", f"describe: {error.message}") for cheat in cheats]
    return [_attack(bench, cheat, facts) for cheat in cheats]


def _row(cheat: Cheat, status: str, detail: str, contained: bool = False, score: float | None = None) -> CheatRow:
    return CheatRow(
        name=cheat.name,
        about=cheat.about,
        expect=cheat.expect,
        status=status,
        score=score,
        contained=contained,
        detail=detail,
    )


def _attack(bench: Bench, cheat: Cheat, facts: Mapping[str, float | int | str]) -> CheatRow:
    template = bench.template
    if cheat.problem:
        return _row(cheat, "error", cheat.problem)
    try:
        with bench.run(template.defaults, CHEAT_SEED, ("keep",), {template.editable[0]: cheat.code}) as outcome:
            status, reason = outcome.status, outcome.reason
            score = outcome.metrics.get("keep", {}).get(template.objective.metric)
    except AlarmError as error:
        return _row(cheat, "alarm", error.message, cheat.expect == "alarm")
    except ScientistError as error:
        return _row(cheat, "error", error.message)
    if score is not None:
        problem = beyond_guessing(template, facts, score) if cheat.expect == "chance" else f"not {cheat.expect}"
        return _row(cheat, status, f"scored {score:.3f}{problem and f', {problem}'}", not problem, score)
    if status in _REFUSED:
        # It got as far as the judge: fine for an attack on the judge, not for one that the sandbox must stop.
        contained = cheat.expect in ("invalid", "chance") or (cheat.expect == "failed" and status == "output")
    else:
        contained = cheat.expect == "failed"
        reason = reason if contained else f"never got to the judge, so it proves nothing: {reason}"
    return _row(cheat, status, reason, contained)


def beyond_guessing(template: Template, facts: Mapping[str, float | int | str], score: float) -> str:
    """Why a score counts as more than guessing, or nothing when it does not. Fails closed where nobody can say."""
    majority, size = facts.get("majority"), facts.get("keep")
    if not isinstance(majority, float) or not 0 <= majority <= 1 or not isinstance(size, int) or size < 1:
        return "and describe() gives no 'majority' and size of 'keep' to hold it against"
    slack = 4 * (majority * (1 - majority) / size) ** 0.5
    better = 1 if template.metric(template.objective.metric).direction == "maximize" else -1
    return "better than guessing" if better * (score - majority) > slack else ""


def ensure_contained(bench: Bench, cache: Path) -> list[CheatRow]:
    """Run the cheats unless this very template passed in this very sandbox before; returns those that got through.

    Inside bubblewrap nothing may get through: raises :class:`TemplateError`, as for a template without cheats. Plain
    processes cannot stop an attack that reads files, so there the leaks are returned, for the caller to tell; see
    :class:`ProcessSandbox`. Where the code under test reports its own metrics there is no evaluator to attack.
    """
    template = bench.template
    if template.judging == "self-reported":
        return []
    if not load_cheats(template):
        raise TemplateError(
            f"{template.root} has no cheats/", "a template needs attacks on its evaluator; see docs/templates.md"
        )
    key = _key(template, bench.executor.sandbox)
    if cache.exists() and cache.read_text().strip() == key:
        return []
    leaks = [row for row in run_cheats(bench) if not row.contained]
    for row in leaks:
        if bench.executor.sandbox != "process" or row.status in ("alarm", "error"):
            raise TemplateError(
                f"template '{template.name}': the attack '{row.name}' is not contained ({row.status}: {row.detail})",
                "mend evaluate.py or the attack; see `scientist templates check`",
            )
    if not leaks:
        write_atomic(cache, key + "\n")
    return leaks


def _key(template: Template, sandbox: str) -> str:
    def parts() -> Iterator[str]:
        for cheat in load_cheats(template):
            yield from (cheat.name, sha256(cheat.code))

    return sha256(canonical_json([template.fingerprint(), sandbox, *parts()]))
