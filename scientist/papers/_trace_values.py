"""What a trace looks at and how it reads values: files, pointers, printed numbers, and how a fact is made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scientist.errors import LabError, RecordError
from scientist.experiments._study import Study
from scientist.ideas._idea import read_idea
from scientist.lab import inside, read_text, sha256_file
from scientist.papers._curves import load_points
from scientist.papers._fragments import readable
from scientist.papers._kinds import seed_word, self_reported
from scientist.papers._records import Fact
from scientist.papers._special import rule_of

SELF = "self-reported by experiment.py, not scored by an evaluator"


def resolve(paper: Path, file: str, pointer: str) -> Any:
    """What stands in a file of a paper at a JSON pointer.

    `/#` at the end counts the members of a list or object; an empty pointer gives the file's SHA-256. `idea.md` is
    read as its front matter. Raises :class:`RecordError` when the file or the place does not exist.
    """
    try:
        path = inside(paper, file)
    except LabError as error:
        raise RecordError(error.message, error.remedy) from error
    if not path.is_file():
        raise RecordError(f"{path} does not exist", "run `scientist resume` to make it again")
    if not pointer:
        return sha256_file(path)
    if path.suffix == ".md":
        data: Any = read_idea(path).model_dump(mode="json")
    else:
        try:
            text = read_text(path)
            data = load_points(text) if path.suffix == ".jsonl" else json.loads(text)
        except json.JSONDecodeError as error:
            raise RecordError(f"{path}:{error.lineno}: not JSON", "mend or delete the file") from error
    for part in pointer.removeprefix("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key == "#" and isinstance(data, list | dict):
            data = len(data)
        elif isinstance(data, dict) and key in data:
            data = data[key]
        elif isinstance(data, list) and key.isdigit() and int(key) < len(data):
            data = data[int(key)]
        else:
            raise RecordError(f"{path} has nothing at '{pointer}'", "run `scientist audit` to see what changed")
    return data


_NUMBER = re.compile(r"(?<![\d.])[-−]?\d+(?:[.,]\d+)*")


def normal(text: str) -> str:
    """A printed value in one form: ASCII minus, no unit, no thousands separators, no spaces."""
    text = readable(text) if "\\" in text or "$" in text else text
    text = text.replace("−", "-").replace("\u2009", "").replace("\u202f", "").removesuffix("%").strip()
    return re.sub(r"(?<=\d)[ ,](?=\d{3}(?!\d))", "", text)


def _numbers_in(text: str) -> set[str]:
    return {match.replace("−", "-") for match in _NUMBER.findall(normal(text))}


def agrees(fact: Fact, found: Any) -> bool:
    """Is what stands in the file the fact's value? `.abs` facts are the size of what stands there."""
    if (special := rule_of(fact.id)) is not None:
        return special[0](fact, found)
    if isinstance(found, list | dict):
        found = len(found)
    value = fact.value
    if isinstance(found, bool) or isinstance(value, bool) or isinstance(found, str) or isinstance(value, str):
        return type(found) is type(value) and (
            found == value or (not fact.pointer and str(found).startswith(str(value)))
        )
    if found is None:
        return False
    return float(abs(found) if fact.id.endswith(".abs") else found) == float(value)


_FORMULAS = {
    "mean": "arithmetic mean over the seeds",
    "sd": "sample standard deviation over the seeds (divisor n - 1)",
    "ci_low": "mean - t x s.d. / sqrt(n), t of Student's distribution with n - 1 degrees of freedom",
    "ci_high": "mean + t x s.d. / sqrt(n), t of Student's distribution with n - 1 degrees of freedom",
    "abs": "size of the mean of the paired differences, without its sign",
    "dz": "mean of the paired differences / their standard deviation (Cohen's d_z)",
    "p": "two-sided paired t test: P(|T| >= |mean| / (s.d. / sqrt(n))) with n - 1 degrees of freedom",
    "p_holm": "p of the paired t test on keep, adjusted over the declared contrasts by Holm's step-down rule",
    "p_equivalence_holm": "larger p of the two one-sided tests against the margin, adjusted by Holm's rule",
    "n": "number of runs (or of seeds that every variant of the contrast has a result for)",
    "verdict": "decided on keep by the declared rule from the adjusted p-values, the margin and the expected sign",
}


def formula(fact: Fact, study: Study | None = None) -> str:
    """How a value is made, in words; empty for values that are simply written down."""
    last = fact.id.rpartition(".")[2]
    mine = study is not None and self_reported(study)
    if (special := rule_of(fact.id)) is not None:
        return special[1]
    if fact.id.startswith(("v.", "c.")) and last in _FORMULAS and fact.kind != "declared":
        paired = fact.id.startswith("c.") and last in ("mean", "sd", "ci_low", "ci_high")
        words = _FORMULAS[last] + (", of the weighted sum of variants within each seed" if paired else "")
        words = words if study is None else re.sub(r"\bseed(s?)\b", rf"{seed_word(study)}\1", words)
        return words + (f"; the values are {SELF}" if mine and last not in ("n", "verdict") else "")
    if fact.kind == "selected":
        return "selected afterwards: the best of the runs on this data set" + (f"; {SELF}" if mine else "")
    if fact.kind == "self-reported":
        return SELF if fact.id.startswith("run.") else "reported by the template's own script, before this study"
    return {"counted": "counted", "measured": "scored by the sealed evaluator"}.get(fact.kind, "")


def leaves(data: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from leaves(value, f"{pointer}/{place}")
    else:
        yield pointer, data
