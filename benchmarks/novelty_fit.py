"""Fit the coefficients of the novelty verdict on one half of a benchmark, and report them on the other.

Per way to compare (words, meaning, both, words and learnt vectors) two numbers are fitted: intercept and slope of a logistic curve over how far
the nearest work stands out, from twins (the same idea with its own work in the library and without it). The threshold
of `close` is the probability that best tells {known, close} from novel. Both on the half of the ideas that the hash of
their ids says; everything printed under "reported" is from the other half.

    python benchmarks/novelty_fit.py IDEAS.jsonl --library library.sqlite [--write]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import scientist.literature
from scientist.literature import Store, load_cases
from scientist.literature._twins import Scored, score_cases, twin_auc

WAYS = ("both", "lexical", "semantic", "learnt")
RIDGE = 1e-3


def fit_curve(values: Sequence[float], told: Sequence[bool]) -> tuple[float, float]:
    """Intercept and slope of a logistic regression, by Newton's method with a slight ridge on the slope."""
    a = b = 0.0
    for _ in range(50):
        p = [1 / (1 + math.exp(-(a + b * x))) for x in values]
        ga = sum(y - q for y, q in zip(told, p, strict=True))
        gb = sum((y - q) * x for y, q, x in zip(told, p, values, strict=True)) - RIDGE * b
        w = [q * (1 - q) for q in p]
        haa, hab = sum(w), sum(q * x for q, x in zip(w, values, strict=True))
        hbb = sum(q * x * x for q, x in zip(w, values, strict=True)) + RIDGE
        det = haa * hbb - hab * hab
        a, b = a + (hbb * ga - hab * gb) / det, b + (haa * gb - hab * ga) / det
    return a, b


def best_threshold(chances: Sequence[float], told: Sequence[bool]) -> float:
    """The chance that splits best: the highest mean of the two shares that are on the right side; the middle of ties."""

    def balanced(cut: float) -> float:
        hits = [c >= cut for c, y in zip(chances, told, strict=True) if y]
        passes = [c < cut for c, y in zip(chances, told, strict=True) if not y]
        return sum(hits) / len(hits) + sum(passes) / len(passes)

    cuts = [n / 100 for n in range(20, 91)]
    best = max(balanced(cut) for cut in cuts)
    tied = [cut for cut in cuts if balanced(cut) >= best - 1e-12]
    return tied[len(tied) // 2]


def pairs(scored: Sequence[Scored]) -> tuple[list[float], list[bool]]:
    """Twins as (how far the nearest stands out, whether the work is there)."""
    both = [one for one in scored if one.lacks is not None]
    return [*(one.has.stands_out for one in both), *(one.lacks.stands_out for one in both if one.lacks)], [True] * len(
        both
    ) + [False] * len(both)


def main() -> None:
    """Fit, print, and with --write replace the file in the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ideas", type=Path)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    cases = load_cases(options.ideas)
    place = Path(scientist.literature.__file__).parent / "novelty.json"
    kept = json.loads(place.read_text(encoding="utf-8"))
    with Store(options.library) as store:
        for how in WAYS:
            scored = list(score_cases(store, cases, how))
            tune = [one for one in scored if one.case.half == "tune"]
            rest = [one for one in scored if one.case.half == "report"]
            a, b = fit_curve(*pairs(tune))
            kept[how] = {"intercept": round(a, 2), "slope": round(b, 2)}
            if how == "both":
                labelled = [one for one in tune if one.case.label in ("known", "close", "novel")]
                chances = [1 / (1 + math.exp(-(a + b * one.has.stands_out))) for one in labelled]
                kept["close"] = best_threshold(chances, [one.case.label != "novel" for one in labelled])
            there, gone = ([one.has.stands_out for one in part if one.lacks] for part in (tune, rest))
            print(
                json.dumps(
                    {
                        "how": how,
                        **kept[how],
                        "fitted": {"twin_auc": round(twin_auc(tune).value, 3), "ideas": len(there)},
                        "reported": {"twin_auc": round(twin_auc(rest).value, 3), "ideas": len(gone)},
                    }
                ),
                file=sys.stderr,
                flush=True,
            )
    text = json.dumps(kept, indent=2) + "\n"
    sys.stdout.write(text)
    if options.write:
        place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
