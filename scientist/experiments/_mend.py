"""A failed run in the hands of a model: a cause with quoted evidence, and a patch that has to make that run pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import TemplateError
from scientist.experiments._bench import Bench
from scientist.experiments._code import Edit, apply_edits, diff_of, parse_edits
from scientist.experiments._failures import FailedRun, printable, read_log, said_of
from scientist.lab import Record, canonical_json, inside
from scientist.llm import Ask, Message, Model, data, render
from scientist.template import Template

MENDS = 3
"""Patches that are tried out: the first, and two that are told how the one before failed."""

LOG_GIVEN = 6000
"""Characters from the end of a log that a model gets."""

FEWEST, MOST_QUOTES, SHORTEST_QUOTE = 1, 6, 5

_CAUSE = re.compile(r"^\W*CAUSE:(.*?)(?=^\W*(?:EVIDENCE|FILE):|^\W*NO EDITS\b|\Z)", re.MULTILINE | re.DOTALL)
_EVIDENCE = re.compile(r"^[\s*>-]*EVIDENCE:[ \t]*(.*)$", re.MULTILINE)
_FILE = re.compile(r"^\W*FILE:", re.MULTILINE)
_NONE = re.compile(r"^\W*NO EDITS\b", re.MULTILINE)


class Cause(Record):
    """What a model says of a failure: why, and the lines of log or code that show it. `edits` empty: it mends nothing."""

    cause: str
    evidence: tuple[str, ...]
    files: tuple[str, ...] = ()


class MendTry(Record):
    """One patch, and how the failed run ended with it; `scores` are metrics on the split that may be looked at."""

    number: int
    cause: str
    evidence: tuple[str, ...]
    diff: str
    status: str
    reason: str
    scores: dict[str, float]


@dataclass(frozen=True)
class Broken:
    """A failed run with the code that it ran, and what is known of it in plain words."""

    run: FailedRun
    code: Mapping[str, bytes]
    told: str


@dataclass(frozen=True)
class Redone:
    """How a run ended when it was done again."""

    status: str
    reason: str
    log: str
    scores: Mapping[str, float]


def redo(bench: Bench, run: FailedRun, code: Mapping[str, bytes]) -> Redone:
    """The run once more with that code: same knobs, seed, inputs, limits, sandbox and judge; scored where one may look.

    Code from which the template's knobs or seeds cannot be told is `refused`.
    """
    split = bench.template.looked_at
    try:
        with bench.run(run.knobs, run.seed, (split,), code) as outcome:
            scores = dict(sorted(outcome.metrics.get(split, {}).items()))
            return Redone(outcome.status, outcome.reason, read_log(outcome.folder), scores)
    except TemplateError as error:
        return Redone("refused", error.message, "", {})


def standing(template: Template, code: Mapping[str, bytes], folder: Path) -> Template:
    """The template with `code` in the place of its files, as copies below `folder`: what edits of a variant are about."""
    for name in template.editable:
        target = inside(folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code[name] if name in code else (template.root / name).read_bytes())
    return template.model_copy(update={"root": folder})


def read_cause(text: str, given: str) -> tuple[Cause, list[Edit]]:
    """An answer as cause, quotes and edits. Raises :class:`ValueError` for a part that is missing, or a quote not in `given`."""
    here = _FILE.search(text)
    head = text[: here.start()] if here else text
    found = _CAUSE.search(head)
    cause = printable(" ".join(found[1].split())) if found else ""
    if not 10 <= len(cause) <= 800:
        raise ValueError("a line 'CAUSE: ...' is wanted, of one or two sentences")
    quotes = tuple(_bare(quote, given) for quote in _EVIDENCE.findall(head))
    if not FEWEST <= len(quotes) <= MOST_QUOTES:
        raise ValueError(
            f"between {FEWEST} and {MOST_QUOTES} lines 'EVIDENCE: ...' are wanted, each with one quoted line"
        )
    for quote in quotes:
        if len(quote) < SHORTEST_QUOTE or quote not in given:
            raise ValueError(
                f"the evidence '{quote[:120]}' stands neither in the log nor in the code: quote a line exactly"
            )
    if here:
        edits = parse_edits(text[here.start() :])
    elif _NONE.search(text):
        edits = []
    else:
        raise ValueError("edits are wanted, each after a line 'FILE: name', or the line NO EDITS")
    return Cause(cause=cause, evidence=quotes, files=tuple(dict.fromkeys(edit.file for edit in edits))), edits


def _bare(quote: str, given: str) -> str:
    """A quoted line without the marks that were put around it."""
    line = printable(quote).strip()
    for mark in "`\"'":
        if line not in given and len(line) > 2 and line[0] == line[-1] == mark:
            line = line[1:-1].strip()
    return line


def find_mend(
    model: Model,
    bench: Bench,
    broken: Broken,
    scratch: Path,
    paper: str,
    note: Callable[[str], None],
    keep: Callable[[int, str, str], None],
    tries: list[MendTry],
) -> dict[str, bytes]:
    """The files of the patch with which the run ends well; none when there is no such patch. Fills `tries`.

    A try that fails is told to the model with its log. `keep` gets number, diff and log of every try. Raises
    :class:`NoAnswer` when the model gives nothing that can be used, and :class:`AlarmError` when a patched run earns
    more than can be earned.
    """
    template = standing(bench.template, broken.code, scratch)
    texts = {name: (template.root / name).read_text(encoding="utf-8", errors="replace") for name in template.editable}
    log = broken.run.log[-LOG_GIVEN:]
    given = printable("\n".join([*texts.values(), log, broken.run.reason]))
    tried = "None yet."
    while len(tries) < MENDS:
        asked = render(
            "diagnose",
            may=", ".join(template.editable),
            files="\n".join(data(f"file {name}", text, 200_000) for name, text in texts.items()),
            failure=data("failure", broken.told),
            log=data("log", log),
            tried=tried,
        )
        cause, files = _ask(model, asked, template, given, paper)
        number = len(tries) + 1
        if not files:
            tries.append(
                MendTry(
                    number=number, cause=cause.cause, evidence=cause.evidence, diff="", status="no edits",
                    reason="the model offers no patch", scores={},
                )
            )  # fmt: skip
            return {}
        diff = diff_of(template, files)
        note(f"patch {number} of at most {MENDS}: {cause.cause}")
        keep(number, diff, "")
        ended = redo(bench, broken.run, {**broken.code, **files})
        keep(number, diff, ended.log)
        tries.append(
            MendTry(
                number=number,
                cause=cause.cause,
                evidence=cause.evidence,
                diff=diff,
                status=ended.status,
                reason=said_of(ended.status, ended.reason, ended.log),
                scores=dict(ended.scores),
            )
        )
        if ended.status == "ok":
            return {**broken.code, **files}
        tried = "\n".join(
            [
                data("patch", diff),
                data("ended", f"{ended.status}: {ended.reason}\n{ended.log[-LOG_GIVEN:]}"),
                f"({len(tries)} of {MENDS} tries are used. Edits are always of the files above, not of what was tried.)",
            ]
        )
        given += printable(f"\n{ended.log[-LOG_GIVEN:]}\n{ended.reason}")
    return {}


def _ask(model: Model, asked: str, template: Template, given: str, paper: str) -> tuple[Cause, dict[str, bytes]]:
    def read(text: str) -> tuple[Cause, dict[str, bytes]]:
        cause, edits = read_cause(text, given)
        return cause, apply_edits(template, edits) if edits else {}

    system = Message(role="system", text=render("system", role="experimenter"))
    messages = (system, Message(role="user", text=asked))
    ask = Ask(role="experimenter", task="diagnose", messages=messages, max_tokens=8000)
    return model.ask(ask, read, paper)


def described(run: FailedRun, what: str, template: Template, more: str) -> str:
    """What a model is told of a failed run in plain words."""
    knobs = canonical_json(template.effective(dict(run.knobs))).decode()
    return f"It {what}: {run.said}\n{more}\nseed {run.seed}, knobs {knobs}"
