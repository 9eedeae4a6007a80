"""What the name of a setting says about it: role, range, and how much one may expect of varying it. Pure.

A table of names, not a model: whoever disagrees edits the declaration that `scientist templates show` prints.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from scientist.template._words import parts, vocabulary

Kind = Literal["scale", "unit", "share", "memory", "count", "cost", "choice", "bool"]
Role = Literal["family", "dataset", "capacity", "regularisation", "corruption", "sample", "procedure"]


@dataclass(frozen=True)
class Meaning:
    """`more` is +1 when more of it should help the method, -1 when it should harm it, 0 when nobody knows."""

    role: Role
    kind: Kind
    more: int
    weight: float
    why: str
    topics: tuple[str, ...] = ()


_TRAINING = "How a method is trained can matter as much as what it is"
_STEPS = "A longer schedule costs more, and it is seldom said whether the end of it still buys anything"
_CAPACITY = "A larger model can fit more, which helps until it fits what does not repeat"
_PENALTY = "Holding a model back trades its fit on the training data for its behaviour on new data"
_DATA = "Data are what a project pays for, so it matters how much the last part of them buys"
_NOISE = "Real data are corrupted, and a method that works only on clean ones is of little use"
_CHOICE = "Several ways of doing the same thing are on offer, and the one that was taken need not be the best"
_SCALE = "A constant that was set once by hand may or may not deserve the care that went into it"
_SWITCH = "A part that can be switched off should show what it is good for"

_RULES: tuple[tuple[str, Meaning], ...] = (
    (r"label_smoothing", Meaning("regularisation", "unit", 0, 8, _PENALTY, ("regularisation",))),
    (r"(weight|wt)_decay|wd|l1|l2|l1_ratio|ridge|lasso|penalty|regulari[sz]ation|reg|lambda|lam|alpha|c",
     Meaning("regularisation", "scale", 0, 9, _PENALTY, ("regularisation",))),
    (r"(\w+_)?drop(out|path)?(_rate|_prob|_p)?|p_drop", Meaning("regularisation", "unit", 0, 9, _PENALTY, ("regularisation", "neural-networks"))),
    (r"warm_?up\w*", Meaning("procedure", "count", 0, 6, _TRAINING)),
    (r"(lr|learning_rate|step)_decay|decay_rate", Meaning("procedure", "scale", 0, 5, _TRAINING)),
    (r"(\w+_)?(lr|learning_rate|step_size|eta|eta0)(_init)?", Meaning("procedure", "scale", 0, 10, _TRAINING, ("hyperparameter-optimisation",))),
    (r"(\w+_)?momentum|beta_?[12]|(\w+_)?ema(_\w+)?|polyak|gamma|discount|decay", Meaning("procedure", "memory", 0, 6, _TRAINING)),
    (r"(label|feature|input|data|train|target)?_?noise(_\w+)?|(\w+_)?corruption|flip_(prob|rate)|noise_(std|level|rate|scale)",
     Meaning("corruption", "unit", -1, 8, _NOISE, ("feature-noise",))),
    (r"train(ing)?_frac(tion)?|frac(tion)?(_train)?|subsample|train_(ratio|share|split)", Meaning("sample", "share", 1, 8, _DATA, ("sample-size",))),
    (r"(n|num)_(train|samples?|examples|points|data|rows)|train_size|n_?samples|sample_size|subset(_size)?",
     Meaning("sample", "cost", 1, 8, _DATA, ("sample-size", "learning-curves"))),
    (r"(n_|num_|max_|total_|train_)*(epochs?|iters?|iterations?|steps|updates|cycles|episodes|generations|rounds|sweeps)|num_\w+_(steps|updates)|max_iter|timesteps|num_timesteps",
     Meaning("procedure", "cost", 1, 7, _STEPS)),
    (r"(\w+_)?batch_?size|minibatch(_size)?|bs", Meaning("procedure", "count", 0, 7, _TRAINING)),
    (r"(n|num|max)_?(layers?|blocks?|depth|hidden_layers|residual_blocks)|(\w+_)?(depth|layers)", Meaning("capacity", "count", 0, 8, _CAPACITY, ("neural-networks",))),
    (r"(n|num)_?(embd?|hidden|units|neurons|channels|filters|features|components|trees|estimators|centers|centroids|basis|experts|bins)|(\w+_)?(hidden(_\w+)?|width|d_model|dim_model|model_dim|n_embd|emb(ed|edding)?_(dim|size)|embedding_dim|latent_dim|channels|neurons|units|filters|rank|emb_size|hid_size)|trees",
     Meaning("capacity", "count", 0, 8, _CAPACITY)),
    (r"(n|num)_?heads?", Meaning("capacity", "count", 0, 5, _CAPACITY)),
    (r"min_samples_(leaf|split)|n_neighbors|neighbou?rs|k|degree|order|max_leaf_nodes", Meaning("capacity", "count", 0, 7, _CAPACITY)),
    (r"block_size|context(_len|_length|_size)?|seq(uence)?_len(gth)?|window(_size)?|horizon|history|queue_length|lags?|patch_size|kernel_size",
     Meaning("capacity", "count", 0, 5, _SCALE)),
    (r"(grad(ient)?_)?clip\w*|max_(grad_)?norm", Meaning("procedure", "scale", 0, 5, _TRAINING)),
    (r"temp(erature)?|tau|sigma|bandwidth|threshold|margin|cutoff|\w*_(weight|coef\w*|factor|scale|ratio|rate|prob\w*|strength|threshold)|init_(std|scale)|scale|std|exploration|epsilon_(start|end)|epsilon|beta_(start|end)|beta|mutation\w*|crossover\w*",
     Meaning("procedure", "scale", 0, 4, _SCALE)),
    (r"population(_size)?|pop_size|n_particles|n_restarts|restarts|n_init", Meaning("procedure", "count", 0, 5, _SCALE)),
    (r"optimi[sz]er|activation|kernel|(\w+_)?schedule[r]?|loss(_fn)?|norm(ali[sz]ation)?|init(iali[sz]ation)?|strategy|solver|criterion|sampler|metric|weights|acquisition|update_rule",
     Meaning("procedure", "choice", 0, 7, _CHOICE)),
    (r"model(_type|_name)?|arch(itecture)?|family|classifier|estimator|algorithm|algo|method|variant|policy", Meaning("family", "choice", 0, 7, _CHOICE, ("model-comparison",))),
    (r"(data_?set|task|env|environment|problem|function)(_name)?", Meaning("dataset", "choice", 0, 4, _CHOICE)),
    (r"bias|shuffle|nesterov|normali[sz]e|standardi[sz]e|augment(ation)?|early_stopping|decay_lr|(use|with|apply|enable|no)_\w+|warm_start|residual|skip_connections?|layer_?norm|batch_?norm|balanced|amsgrad|bootstrap|elitism|fit_intercept",
     Meaning("procedure", "bool", 0, 5, _SWITCH)),
)  # fmt: skip

_SKIP = vocabulary(
    "path paths dir dirs folder file files filename port host url uri print log logs logging verbose verbosity "
    "debug eval val valid validation test testing save saving ckpt checkpoint checkpoints device devices cuda gpu "
    "gpus cpu version seed seeds offset worker workers thread threads jobs job plot plots fig dpi figsize indent "
    "compile interval every freq frequency fold folds cv repeats repeat runs trial trials resume backend vocab "
    "classes padding stride axis title label xlabel ylabel color colour dtype precision decimals tag project "
    "entity wandb timeout retries patience prefix suffix quiet name names desc description master tolerance tol "
    "cmap marker linewidth fontsize"
)
_EVEN_SO = re.compile(r"label_(smoothing|noise)\w*|model_name|data_?set_name|init_\w+|n_init")

# Names that mean a setting even as an argument of somebody else's function.
_EVERYWHERE = re.compile(
    r"lr|learning_rate(_init)?|eta0|weight_decay|momentum|dropout\w*|label_smoothing|alpha|c|gamma|max_iter|epochs|"
    r"batch_size|n_estimators|max_depth|n_neighbors|n_components|n_clusters|min_samples_(leaf|split)|subsample|l1_ratio|"
    r"hidden_size|num_layers|nhead|noise|n_samples|kernel|solver|activation|penalty|criterion|degree|max_leaf_nodes|"
    r"max_norm|bootstrap|nesterov|early_stopping|sigma|bandwidth"
)


def words_of(name: str) -> str:
    """The name as the table's patterns see it: 'learningRate' -> 'learning_rate'."""
    return "_".join(parts(name))


def meaning(name: str) -> Meaning | None:
    """What a name says, or None when it says nothing, or that it should be left alone."""
    word = words_of(name)
    if not word or (set(word.split("_")) & _SKIP and not _EVEN_SO.fullmatch(word)):
        return None
    return next((found for pattern, found in _RULES if re.fullmatch(pattern, word)), None)


def left_alone(name: str) -> bool:
    """Whether a name says that it is no setting of the method: paths, devices, printing, evaluation."""
    word = words_of(name)
    return bool(set(word.split("_")) & _SKIP) and not _EVEN_SO.fullmatch(word)


def means_so_everywhere(name: str) -> bool:
    """Whether the name means a setting of the method whatever function it is an argument of."""
    return _EVERYWHERE.fullmatch(words_of(name)) is not None


@dataclass(frozen=True)
class Range:
    """Bounds and a dose series of a number, lowest first, the default among them."""

    low: float
    high: float
    log: bool
    levels: tuple[float, ...]


def tidy(value: float, digits: int = 2) -> float:
    """A number rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")


def range_of(kind: Kind, default: float, whole: bool) -> Range | None:
    """A sensible range around a default; None where there is none, as for negative numbers and most zeros.

    Positive numbers go a factor of ten either way on a log scale (whole ones a factor of four, at least one); what
    costs time only goes down; shares and probabilities stay below one, and what is near one, such as a momentum or a
    cooling rate, is varied in its distance from one.
    """
    if default < 0 or not math.isfinite(default) or default > 1e12:
        return None
    if whole:
        return _whole(kind, int(default))
    if kind in ("unit", "share") and default < 1:
        return _unit(kind, default)
    if (kind == "memory" and 0.5 <= default < 1) or (kind == "scale" and 0.9 <= default < 1):
        rest = 1 - default
        near = (round(max(0.0, 1 - 4 * rest), 6), default, round(1 - rest / 4, 8))
        return _range(round(max(0.0, 1 - 10 * rest), 6), round(1 - rest / 10, 8), False, near)
    if default == 0:
        return _range(0.0, 0.1, False, (0.0, 0.001, 0.01, 0.1)) if kind == "scale" else None
    top = 1.0 if default < 0.5 else math.inf
    high = min(tidy(10 * default), top)
    levels = (tidy(default / 10), tidy(default / 3), default, min(tidy(3 * default), high))
    return _range(tidy(default / 10), high, True, levels)


def _unit(kind: Kind, default: float) -> Range | None:
    if kind == "share":
        levels = (tidy(default / 4), tidy(default / 2), default, min(0.95, tidy(1.5 * default)))
        return _range(tidy(default / 10), max(0.95, default), False, levels)
    if default == 0:
        return _range(0.0, 0.9, False, (0.0, 0.1, 0.2, 0.4))
    return _range(0.0, max(0.9, default), False, (0.0, tidy(default / 2), default, min(0.9, tidy(2 * default))))


def _whole(kind: Kind, default: int) -> Range | None:
    if default < 2 or default > 10**9:
        return None
    if kind == "cost":
        if default < 4:
            return None
        return _range(max(1, default // 4), default, default >= 16, (max(1, default // 4), default // 2, default))
    low, high = max(1, default // 4), default * 4
    return _range(low, high, default >= 8, (low, max(1, default // 2), default, default * 2))


def _range(low: float, high: float, log: bool, levels: tuple[float, ...]) -> Range | None:
    kept = tuple(sorted({level for level in levels if low <= level <= high}))
    return Range(low, high, log, kept) if low < high and len(kept) > 1 else None
