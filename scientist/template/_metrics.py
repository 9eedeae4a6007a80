"""Which of a stranger's reported numbers to study, in which direction, and how to print them. Pure.

Everything here is a guess from a name, which a person can see (`scientist templates show`) and correct.
"""

from __future__ import annotations

import math
import re

from scientist.template._final_info import Reported, by_name, usable
from scientist.template._template import Direction, Metric, Objective
from scientist.template._words import parts, phrase, plain_phrase, vocabulary

MOST = 12
"""Metrics that are declared; a script that reports more has its least telling ones left out."""

SHARE = 0.05
"""Smallest difference worth caring about where nothing is known of the spread: this share of the reported value."""

_LOWER = vocabulary(
    "loss losses err error errors mse rmse mae mape smape nll ce bce xent perplexity ppl bpc bpb bits divergence "
    "kl js fid distance dist emd wasserstein regret residual residuals wer cer gap violation violations deviation "
    "brier ece entropy discrepancy overlap cost penalty bias variance misclassification failures fpr fnr energy"
)
_HIGHER = vocabulary(
    "acc accuracy accuracies score scores f1 auc auroc roc auprc reward rewards return returns r2 iou miou bleu "
    "rouge meteor precision recall map ap ndcg mrr psnr ssim success likelihood elbo correlation corr pearson "
    "spearman sensitivity specificity kappa mcc dice coverage win wins hits purity nmi ari silhouette diversity "
    "fitness utility profit sharpe hypervolume improvement"
)
_EFFORT = vocabulary("step steps iter iters iteration iterations epoch epochs evaluations updates")
_CLOCK = vocabulary(
    "time times seconds second secs sec ms milliseconds minutes hours latency duration runtime walltime wall "
    "throughput speed fps memory mem rss mb gb flops tokens_per_second elapsed"
)
_SIZE = vocabulary("params parameters count size n num number examples samples")
_HELD_OUT = vocabulary("test val valid validation eval evaluation heldout holdout dev oos cv")
_TRAIN = frozenset(["train", "training", "fit", "insample"])


def reads_the_clock(key: str) -> bool:
    """Whether a metric measures the machine and not the method: such a value differs from run to run of the same work."""
    return bool(_CLOCK & set(parts(key)))


def direction_of(key: str) -> tuple[Direction, bool]:
    """(direction, whether the name decides it). 'maximize' is assumed where the name says nothing."""
    words = parts(key)
    if {"neg", "negative"} & set(words) and "likelihood" in "".join(words):
        return "minimize", True
    # The last word names the thing, 'corr_loss' is a loss; but 'brier_score' is what the word before says.
    generic = [word for word in words if word in ("score", "scores")]
    for word in [*reversed([word for word in words if word not in generic]), *generic]:
        stem = re.sub(r"\d+$", "", word) if word not in ("f1", "r2") else word
        if {word, stem} & _LOWER:
            return "minimize", True
        if {word, stem} & _HIGHER:
            # 'step_val_acc_99' counts the steps until an accuracy is reached.
            return ("minimize" if words[0] in _EFFORT | _CLOCK else "maximize"), True
        if {word, stem} & (_EFFORT | _CLOCK):
            return ("maximize" if "per" in words or word in ("throughput", "fps", "speed") else "minimize"), True
    return "maximize", False


def _standing(one: Reported, place: int) -> tuple[object, ...]:
    """Sorts metrics from the most to the least telling; among equals the order of the file decides."""
    words = set(parts(one.key))
    saturated = one.mean in (0.0, 1.0) or not math.isfinite(one.mean)
    return (
        reads_the_clock(one.key),
        bool(words & _TRAIN),
        not direction_of(one.key)[1],
        saturated,
        bool(words & _EFFORT),
        bool(words & _SIZE and not words & _HELD_OUT),
        not words & _HELD_OUT,
        place,
    )


def choose_metrics(reported: list[Reported]) -> tuple[tuple[Metric, ...], Objective, tuple[str, ...]]:
    """(metrics, objective, notes in one line each) from what a script reported once.

    Left out: values that are not finite, values that read the clock (unless there is nothing else), and those beyond
    :data:`MOST`. Raises ValueError when nothing is left.
    """
    named = by_name(reported)
    order = sorted(named, key=lambda name: _standing(named[name], list(named).index(name)))
    possible = [name for name in order if usable(named[name].mean)]
    notes = []
    if odd := [name for name in order if name not in possible]:
        notes.append(f"left out, not finite or beyond all measure: {', '.join(odd)}")
    quality = [name for name in possible if not reads_the_clock(named[name].key)]
    if quality and len(quality) < len(possible):
        notes.append(f"left out, they read the clock: {', '.join(n for n in possible if n not in quality)}")
    chosen = quality or possible
    if not chosen:
        raise ValueError("final_info.json reports no finite number")
    if len(chosen) > MOST:
        notes.append(f"left out, the least telling of {len(chosen)}: {', '.join(chosen[MOST:])}")
        chosen = chosen[:MOST]
    several = len({one.dataset for one in reported}) > 1
    first = named[chosen[0]]
    effect, basis = smallest_effect(first)
    digits = {chosen[0]: _digits(effect, 2)}
    metrics = tuple(
        Metric(
            name=name,
            title=_title(named[name], several),
            direction=direction_of(named[name].key)[0],
            assumed=not direction_of(named[name].key)[1],
            digits=digits.get(name, _digits(named[name].mean, 4)),
        )
        for name in chosen
    )
    return metrics, Objective(metric=chosen[0], smallest_effect=effect, basis=basis), tuple(notes)


def smallest_effect(one: Reported) -> tuple[float, str]:
    """(one standard deviation of the raw values, rounded to one digit, or :data:`SHARE` of the value; which of the two)."""
    values = [value for value in one.values if usable(value)]
    if len(values) > 1:
        mean = math.fsum(values) / len(values)
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
        if sd > 1e-9 * max(1.0, abs(mean)):
            return float(f"{sd:.1g}"), "the standard deviation of the values that the script came with, rounded"
    share = float(f"{abs(one.mean) * SHARE:.1g}")
    return (share, "a twentieth of the value that the script came with, rounded") if share else (0.01, "a hundredth")


def _digits(value: float, significant: int) -> int:
    """Decimals that show so many significant digits of a value."""
    if not value or not math.isfinite(value):
        return 3
    return max(0, min(6, significant - 1 - math.floor(math.log10(abs(value)))))


def _title(one: Reported, several: bool) -> str:
    words = [word for word in parts(one.key) if word not in ("final", "mean")] or parts(one.key) or ["value"]
    title = phrase("_".join(words))
    return f"{title} on {plain_phrase(one.dataset)}" if several and parts(one.dataset) else title
