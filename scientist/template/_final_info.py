"""What scripts in the AI-Scientist layout report, `final_info.json`, in all its dialects. Standard library only.

Known are: `{data set: {"means", "stderrs", "final_info_dict"}}`, means only, the same without data sets, keys with and
without `_mean`, plain numbers, `{metric: {"mean", "std"}}`, and any of these nested deeper. Arrays that are not values
per seed, text, and true or false are passed over. NaN and infinity are kept: whoever asks decides what they mean.

The judge of such templates loads this file by its path, so it imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST = 64 * 1024 * 1024
"""Bytes of a final_info.json that are read; learning curves make some of them long."""

DEEPEST = 6

BEYOND = 1e100
"""A number as large as this is no measurement, and its square no number."""

_ERRORS = ("stderr", "std_err", "standard_error", "sem", "se")
_SUFFIX = re.compile(r"_(mean|means|avg|average)$", re.IGNORECASE)
_ERROR_SUFFIX = re.compile(r"_(stderrs?|std_err|sem|se|stds?|sd)$", re.IGNORECASE)


@dataclass(frozen=True)
class Reported:
    """One metric as a script reports it. `pointer` is the JSON pointer of its mean."""

    dataset: str
    key: str
    mean: float
    stderr: float | None = None
    values: tuple[float, ...] = ()
    pointer: str = ""
    stderr_pointer: str = ""


@dataclass(frozen=True)
class ReportedCheck:
    """A reported mean and standard error beside what follows from the raw values.

    `sd` has n - 1 in its denominator and `stderr` is sd / sqrt(n); both are None with fewer than two raw values.
    `difference` is the reported standard error less the recomputed one, `ratio` their quotient, and `formula` says
    which formula the reported one fits: 'sd / sqrt(n)', 'population sd / sqrt(n)', 'population sd / n', 'sd / n',
    'population sd', 'sd', or 'none' when no such formula gives it.
    """

    name: str
    dataset: str
    key: str
    reported_mean: float
    reported_stderr: float | None
    values: tuple[float, ...]
    n: int
    mean: float | None
    sd: float | None
    stderr: float | None
    difference: float | None
    ratio: float | None
    formula: str
    pointer: str = ""
    stderr_pointer: str = ""
    mean_agrees: bool = field(default=True)


def load_final_info(path: Path) -> Any:
    """The JSON of one file. ValueError in one line: missing, a link, too large, not JSON, nested too deeply."""
    if path.is_symlink() or not path.is_file():
        raise ValueError(f"{path.name} is missing")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is larger than {LARGEST // 1024 // 1024} MB")
    try:
        return json.loads(path.read_bytes().decode("utf-8"))
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    except ValueError as error:  # both a decoding error and a syntax error are one
        raise ValueError(f"{path.name} is not JSON ({str(error)[:80]})") from None


def read_reported(info: Any) -> list[Reported]:
    """Every metric of a final_info, in the order of the file. ValueError when it holds none."""
    if not isinstance(info, dict):
        raise ValueError("final_info.json is not a JSON object")
    found = list(_walk(info, (), ""))
    if not found:
        raise ValueError("final_info.json reports no number")
    return found


def _number(value: Any) -> float | None:
    """A JSON number as a float (one element lists count); None for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _numbers(value: Any) -> tuple[float, ...]:
    """A flat list of numbers, or nothing."""
    if not isinstance(value, list) or not value:
        return ()
    found = [_number(one) for one in value if not isinstance(one, list)]
    return tuple(v for v in found if v is not None) if len(found) == len(value) and None not in found else ()


def _point(*keys: str) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _walk(node: dict[str, Any], path: tuple[str, ...], at: str) -> Iterator[Reported]:
    dataset = " ".join(path)
    if isinstance(node.get("means"), dict) or isinstance(node.get("final_info_dict"), dict):
        yield from _block(node, dataset, at)
        return
    metrics = {_base(key) for key in node if not _ERROR_SUFFIX.search(key)}
    errors = {_error_base(key): key for key in node if _ERROR_SUFFIX.search(key)}
    for key, value in node.items():
        if _ERROR_SUFFIX.search(key) and _error_base(key) in metrics:
            continue  # it belongs to the metric beside it
        number = _number(value)
        if number is not None:
            error_key = errors.get(_base(key), "")
            # Only what is called a standard error is taken for one: a standard deviation says something else.
            is_error = bool(error_key) and not re.search(r"_(stds?|sd)$", error_key, re.IGNORECASE)
            yield Reported(
                dataset,
                _base(key),
                number,
                _number(node[error_key]) if is_error else None,
                (),
                f"{at}{_point(key)}",
                f"{at}{_point(error_key)}" if is_error else "",
            )
        elif isinstance(value, dict):
            statistic = _statistic(value, dataset, key, f"{at}{_point(key)}")
            if statistic is not None:
                yield statistic
            elif len(path) < DEEPEST:
                yield from _walk(value, (*path, key), f"{at}{_point(key)}")


def _base(key: str) -> str:
    """The metric of a mean: 'loss_mean' -> 'loss'."""
    return _SUFFIX.sub("", key) or key


def _error_base(key: str) -> str:
    """The metric of a standard error: 'loss_stderr', 'loss_mean_stderr', 'loss_mean' and 'loss' -> 'loss'."""
    return _base(_ERROR_SUFFIX.sub("", key)) or key


def _statistic(value: dict[str, Any], dataset: str, key: str, at: str) -> Reported | None:
    """`{"mean": ..., "stderr": ..., "values": [...]}` under the name of one metric."""
    mean = _number(value.get("mean"))
    if mean is None:
        return None
    name = next((name for name in _ERRORS if _number(value.get(name)) is not None), "")
    raw = next((found for name in ("values", "raw", "all", "runs") if (found := _numbers(value.get(name)))), ())
    error = _number(value[name]) if name else None
    return Reported(dataset, _base(key), mean, error, raw, f"{at}/mean", f"{at}/{name}" if name else "")


def _block(node: dict[str, Any], dataset: str, at: str) -> Iterator[Reported]:
    """`{"means", "stderrs", "final_info_dict"}`: stderrs and raw values may be missing, under other keys or odd."""
    means = node["means"] if isinstance(node.get("means"), dict) else {}
    errors = node["stderrs"] if isinstance(node.get("stderrs"), dict) else {}
    raw = node["final_info_dict"] if isinstance(node.get("final_info_dict"), dict) else {}
    error_of = {_error_base(key): key for key in errors}
    raw_of = {_base(key): key for key in raw}
    seen: set[str] = set()
    for key, value in means.items():
        mean = _number(value)
        if mean is None:
            continue
        base = _base(key)
        seen.add(base)
        error = error_of.get(base, "")
        stderr = _number(errors[error]) if error else None
        values = _numbers(raw[raw_of[base]]) if base in raw_of else ()
        pointer = f"{at}{_point('means', key)}"
        yield Reported(
            dataset,
            base,
            mean,
            stderr,
            values,
            pointer,
            f"{at}{_point('stderrs', error)}" if stderr is not None else "",
        )
    for base, key in raw_of.items():
        values = _numbers(raw[key])
        if base not in seen and values:
            yield Reported(
                dataset, base, math.fsum(values) / len(values), None, values, f"{at}{_point('final_info_dict', key)}"
            )


def slug(*names: str) -> str:
    """An identifier of small letters, digits and underscores from the names; begins with a letter."""
    text = re.sub(r"[^a-z0-9]+", "_", "_".join(name for name in names if name).lower()).strip("_")[:60].strip("_")
    return text if text[:1].isalpha() else f"m_{text}".strip("_")


def by_name(reported: list[Reported]) -> dict[str, Reported]:
    """Identifier -> metric. The identifier joins data set and key; with one data set the key alone is enough.

    Two metrics that would get the same identifier carry a hash of their data set and key, so that a name means the
    same thing whatever else a run reports.
    """
    alone = len({one.dataset for one in reported}) == 1
    wanted = [slug("" if alone else one.dataset, one.key) for one in reported]
    found: dict[str, Reported] = {}
    for name, one in zip(wanted, reported, strict=True):
        if wanted.count(name) > 1:
            name = f"{name}_{hashlib.sha256(f'{one.dataset}/{one.key}/{one.pointer}'.encode()).hexdigest()[:6]}"
        found.setdefault(name, one)
    return found


def usable(value: float) -> bool:
    """Finite, and smaller than :data:`BEYOND`."""
    return abs(value) < BEYOND


def flattened(reported: list[Reported]) -> dict[str, float]:
    """Identifier -> reported mean, under the short names and the long ones; what is not :func:`usable` is left out."""
    long = [slug(one.dataset, one.key) for one in reported]
    found = {name: one.mean for name, one in zip(long, reported, strict=True) if long.count(name) == 1}
    found |= {name: one.mean for name, one in by_name(reported).items()}
    return {name: value for name, value in found.items() if usable(value)}


def recompute(info: Any) -> tuple[ReportedCheck, ...]:
    """Every reported metric beside what its raw values give. ValueError as :func:`read_reported`."""
    return tuple(_check(name, one) for name, one in by_name(read_reported(info)).items())


def _check(name: str, one: Reported) -> ReportedCheck:
    values = tuple(value for value in one.values if usable(value))
    n = len(values)
    mean = math.fsum(values) / n if n else None
    sd = stderr = difference = ratio = None
    formula = ""
    if mean is not None and n > 1:
        squares = math.fsum((value - mean) ** 2 for value in values)
        sd, population = math.sqrt(squares / (n - 1)), math.sqrt(squares / n)
        stderr = sd / math.sqrt(n)
        if one.stderr is not None and math.isfinite(one.stderr):
            difference = one.stderr - stderr
            ratio = one.stderr / stderr if stderr else None
            formula = _formula(one.stderr, sd, population, n)
    near = mean is None or math.isclose(one.mean, mean, rel_tol=1e-6, abs_tol=1e-9)
    return ReportedCheck(
        name=name,
        dataset=one.dataset,
        key=one.key,
        reported_mean=one.mean,
        reported_stderr=one.stderr,
        values=values,
        n=n,
        mean=mean,
        sd=sd,
        stderr=stderr,
        difference=difference,
        ratio=ratio,
        formula=formula,
        pointer=one.pointer,
        stderr_pointer=one.stderr_pointer,
        mean_agrees=near,
    )


def _formula(given: float, sd: float, population: float, n: int) -> str:
    candidates = {
        "sd / sqrt(n)": sd / math.sqrt(n),
        "population sd / sqrt(n)": population / math.sqrt(n),
        "population sd / n": population / n,
        "sd / n": sd / n,
        "population sd": population,
        "sd": sd,
    }
    fits = (name for name, value in candidates.items() if math.isclose(given, value, rel_tol=1e-4, abs_tol=1e-12))
    return next(fits, "none")
