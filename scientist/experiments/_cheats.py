"""Attacking the evaluator before trusting it: every cheat of a template must earn nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from scientist.errors import TemplateError
from scientist.experiments._bench import Bench
from scientist.lab import Record, canonical_json, read_text, sha256, write_atomic
from scientist.template import Template

Expectation = Literal["invalid", "failed", "chance"]
MEANING = {
    "invalid": "refused by the evaluator",
    "failed": "the run does not succeed",
    "chance": "no better than guessing",
}
_EXPECT = re.compile(r"^# expect: (invalid|failed|chance)\s*$", re.MULTILINE)
CHEAT_SEED = 20_011
"""Any seed will do; a fixed one makes the check repeatable."""


class CheatRow(Record):
    """One attack and what it earned."""

    name: str
    about: str
    expect: Expectation
    status: str
    score: float | None = None
    contained: bool
    detail: str


def load_cheats(template: Template) -> list[tuple[str, str, Expectation, bytes]]:
    """(name, first line of its docstring, expectation, code) of every `cheats/*.py`.

    Raises :class:`TemplateError` when a file does not say what it expects, or there is none at all.
    """
    found: list[tuple[str, str, Expectation, bytes]] = []
    for path in sorted((template.root / "cheats").glob("*.py")):
        text = read_text(path)
        match = _EXPECT.search(text)
        if match is None:
            raise TemplateError(f"{path}: no line '# expect: invalid|failed|chance'", "add it below the docstring")
        about = text.strip().strip('"').splitlines()[0].strip('" ')
        found.append((path.stem, about, match.group(1), text.encode()))  # type: ignore[arg-type]
    if not found:
        raise TemplateError(
            f"{template.root} has no cheats/", "a template needs attacks on its evaluator; see docs/templates.md"
        )
    return found


def run_cheats(bench: Bench) -> list[CheatRow]:
    """Run every cheat with the default knobs in place of the first editable file.

    A cheat is contained when it ends as it says it must: refused, failed, or judged no better than guessing, which is
    the `majority` share that the evaluator describes plus four standard errors of a proportion.
    """
    template = bench.template
    described = bench.judge.describe(template.defaults)
    majority, size = described.get("majority"), described.get("keep")
    rows = []
    for name, about, expect, code in load_cheats(template):
        with bench.run(template.defaults, CHEAT_SEED, ("keep",), {template.editable[0]: code}) as outcome:
            score = outcome.metrics.get("keep", {}).get(template.objective.metric)
            if outcome.status == "ok":
                guess = False
                if isinstance(majority, float) and isinstance(size, int) and score is not None:
                    slack = 4 * (majority * (1 - majority) / size) ** 0.5
                    better = 1 if template.metric(template.objective.metric).direction == "maximize" else -1
                    guess = better * (score - majority) <= slack
                contained = expect == "chance" and guess
                detail = f"scored {score:.3f}" if score is not None else "no score"
            else:
                # An attack that was stopped earlier than it expected to be has earned nothing either.
                contained, detail = True, outcome.reason
            rows.append(
                CheatRow(
                    name=name,
                    about=about,
                    expect=expect,
                    status=outcome.status,
                    score=score,
                    contained=contained,
                    detail=detail,
                )
            )
    return rows


def ensure_contained(bench: Bench, cache: Path) -> list[CheatRow]:
    """Run the cheats unless this very template passed in this very sandbox before; returns those that got through.

    Inside bubblewrap nothing may get through: raises :class:`TemplateError`. Plain processes cannot stop an attack
    that reads files, so there the leaks are returned, for the caller to tell; see :class:`ProcessSandbox`.
    """
    key = _key(bench.template, bench.executor.sandbox)
    if cache.exists() and cache.read_text().strip() == key:
        return []
    leaks = [row for row in run_cheats(bench) if not row.contained]
    if leaks and bench.executor.sandbox != "process":
        raise TemplateError(
            f"template '{bench.template.name}': the attack '{leaks[0].name}' gets through ({leaks[0].detail})",
            "mend evaluate.py; see `scientist templates check`",
        )
    if not leaks:
        write_atomic(cache, key + "\n")
    return leaks


def _key(template: Template, sandbox: str) -> str:
    cheats: Sequence[str] = [sha256(code) for _, _, _, code in load_cheats(template)]
    return sha256(canonical_json([template.fingerprint(), sandbox, *cheats]))
