"""Which run, data set and metric words speak of. Pure.

Words are compared by their stems, abbreviations by what they stand for; a rare word says more than a common one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from scientist.reviews.checks._runs import Runs

_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:x\d+)?%?|[^\W\d_]+\d*")
_STANDS_FOR = {
    word: stem
    for stem, words in {
        "acc": "acc accuracy accuracies",
        "val": "val valid validation eval evaluation evaluated dev",
        "plus": "plus add addition additive",
        "minus": "minus subtract subtraction sub",
        "div": "div division divide",
        "mul": "mul multiplication multiply",
        "regula": "reg regularization regularisation regularized regularised",
        "initia": "init initialization initialisation initial initialized",
        "ppl": "ppl perplexity",
        "err": "err error errors",
        "perm": "perm permutation permutations",
        "sec": "sec secs second seconds",
        "infer": "infer inference",
        "hyper": "hyperparameter hyperparameters hyper",
        "adapt": "adapt adaptive adaptation adapted adapting adaptively",
        "analys": "analysis analyses analyze analyzed analyse analysed analyzing",
        "evol": "evolve evolves evolving evolution",
        "sd": "std sd stdev deviation deviations",
    }.items()
    for word in words.split()
}
_COMMON = frozenset(
    """
    the a an of for and with to on in by using used use our we is are run runs result results experiment experiments model models
    method methods based approach different implemented this that these as from each its it at be was were or data dataset datasets
    set sets task tasks value values standard experimental experimentally
    """.split()  # noqa: SIM905
)
_VAGUE = frozenset({"final", "best", "mean", "avg", "averag", "total", "value", "per", "metric"})


_HALF = 0.6
_GENERIC = frozenset(  # words of a title that running text uses without meaning that run
    """
    performance improved improvement improving improves final optimal optimization optimized best implementation implement implemented
    analysis analyze analyzed study studies compare comparison evaluate evaluation training learning rate network neural architecture
    behavior behaviour further visualize visualization test testing change changes effect impact fine tuning tuned
    increase increased increasing decrease decreased reduce reduced reducing enhance enhanced enhancing high higher low lower larger
    """.split()  # noqa: SIM905
)
_LASTS = re.compile(
    r"\b(?:time|steps|epochs|iterations|updates)\b(?: \w+){0,2}? (?:to|until|before|for) (?:first )?(?:reach|achiev|attain|get|converg|hit|exceed|surpass)\w*|"
    r"\b(?:convergence|training|grokking) (?:time|speed|steps)\b|time-to-",
    re.IGNORECASE,
)
"""A phrase that speaks of how long something took, whatever it then says that was reached."""


def words(text: str) -> list[str]:
    """The stems of a text, in order."""
    text = re.sub(r"(?<=\d)\s?[×x]\s?(?=\d)", "x", text.lower().replace("_", " "))
    text = re.sub(r"learning[ -]rates?", "lr", text).replace("\\", "")
    return [_stem(word.rstrip("%")) for word in _TOKEN.findall(text) if word not in _COMMON]


def _stem(word: str) -> str:
    if word in _STANDS_FOR:
        return _STANDS_FOR[word]
    if not word[:1].isalpha():
        return word
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return _STANDS_FOR.get(word, (word.rstrip("e") if len(word) > 3 else word)[:6])


MEASURES = frozenset(words("loss error accuracy divergence time perplexity score reward return f1 auc bleu fid steps"))
_DURATIONS = frozenset(words("time steps epochs iterations updates seconds duration"))
_TOO_COMMON = frozenset(_stem(word) for word in _GENERIC)


@dataclass(frozen=True)
class Vocabulary:
    """What the runs of one paper are called. `settings`: numbers that name a run or a metric, and are no results;
    `method`: the words of the title of the work."""

    titles: dict[str, frozenset[str]]
    openings: dict[str, frozenset[str]]
    datasets: dict[str, frozenset[str]]
    metrics: dict[str, frozenset[str]]
    settings: frozenset[str]
    method: frozenset[str] = frozenset()

    def is_method(self, label: str) -> bool:
        """Whether a label is the name of what the whole work is about, which any run but the baseline may be."""
        said = set(words(label)) - self._measured
        return bool(said) and said <= self.method

    def runs_of_label(self, label: str) -> frozenset[str] | None:
        """The runs that a row or a column may be, or None where its words do not say.

        A label says which run is meant when nearly all of its words are in the run's title or description.
        """
        said = set(words(label))
        for name in self.titles:
            number = name.removeprefix("run_")
            if re.search(rf"\brun[ _]?{number}\b", label, re.IGNORECASE):
                return frozenset({name})
        said = {
            stem
            for stem in said - self._measured - _VAGUE
            if len(stem) > 1 or any(stem in t for t in self.titles.values())
        }
        if not said:
            return None
        first = [name for name, title in self.titles.items() if "baseli" in title]
        if (
            len(first) == 1
            and "baseli" in said
            and not re.search(r"\+|\b(?:with|vs|over|than|plus|to|beyond|against|from)\b", label)
        ):
            return frozenset(first)
        weight = {stem: self._weight(stem) for stem in said}
        whole = sum(weight.values())
        scores = {
            name: sum(
                weight[stem] * (1.0 if stem in title else 0.9 if stem in self.openings[name] else 0.0) for stem in said
            )
            / whole
            for name, title in self.titles.items()
        }
        best = max(scores.values(), default=0.0)
        if best < 0.7:
            return None
        near = [name for name, score in scores.items() if score >= best - 0.04]
        whole_title = [name for name in near if self.titles[name] and self.titles[name] <= set(words(label))]
        return frozenset(whole_title or near)

    @property
    def _measured(self) -> frozenset[str]:
        """Words of data sets and metrics: what a run's title says of them does not tell it from others."""
        return frozenset(stem for group in (self.datasets, self.metrics) for stems in group.values() for stem in stems)

    def _weight(self, stem: str) -> float:
        holding = sum(stem in title or stem in self.openings[name] for name, title in self.titles.items())
        return math.log(1 + len(self.titles) / holding) if holding else math.log(1 + len(self.titles))

    def runs_in(self, text: str) -> frozenset[str]:
        """The runs that running text names: by number, or by a word that only one title has."""
        text = re.sub(r"\bwithout(?:\s+[\w-]+){1,3}", " ", text, flags=re.IGNORECASE)
        said = set(words(text))
        found = {
            name for name in self.titles if re.search(rf"\brun[ _]?{name.removeprefix('run_')}\b", text, re.IGNORECASE)
        }
        for name, title in self.titles.items():
            own = {
                stem
                for stem in title
                if stem[:1].isalpha()
                and stem not in _TOO_COMMON
                and sum(stem in other for other in self.titles.values()) == 1
            }
            if (own - self._measured) & said or (len(title - self._measured) > 1 and title <= said):
                found.add(name)
        return frozenset(found)

    def datasets_in(self, text: str) -> frozenset[str]:
        """The data sets that a text names."""
        said = set(words(text))
        return frozenset(name for name, stems in self.datasets.items() if stems and stems <= said)

    def metrics_in(self, text: str, least: float = 0.6) -> frozenset[str]:
        """The metrics that a text comes nearest to naming; none when it holds less than `least` of each name.

        'Steps to 99% validation accuracy' holds the whole name of the accuracy too: the longer name is meant.
        """
        said = set(words(text))
        short = {stem for stems in self.metrics.values() for stem in stems if len(stem) == 4 and stem.isalpha()}
        said |= {stem for stem in short if any(word.startswith(stem) for word in said)}  # corr_loss: corrected loss
        scores = {name: _share(stems, said) for name, stems in self.metrics.items() if stems}
        if _LASTS.search(text):  # 'the time to 99% accuracy' is a duration, whatever accuracy it names
            lasting = {name: score for name, score in scores.items() if self.metrics[name] & _DURATIONS and score}
            scores = lasting or scores
        if (
            max(scores.values(), default=0.0) < _HALF
        ):  # 'grid' does not name the grid's variance, 'loss' may name any loss
            scores = {name: score if self.metrics[name] & said & MEASURES else 0.0 for name, score in scores.items()}
        best = max(scores.values(), default=0.0)
        named = {name for name, score in scores.items() if best >= least and score >= best - 1e-9}
        return frozenset(name for name in named if not any(self.metrics[name] < self.metrics[other] for other in named))

    def lasts(self, metric: str) -> bool:
        """Whether a metric says how long something took."""
        return bool(self.metrics.get(metric, frozenset()) & _DURATIONS)

    def named_surely(self, text: str) -> bool:
        """Whether a text names a run by its number, by all of its title, or as the baseline, not just by a word of it."""
        said = set(words(text))
        whole = any(len(title - self._measured) > 1 and title <= said for title in self.titles.values())
        return whole or "baseli" in said or bool(re.search(r"\brun[ _]?\d", text, re.IGNORECASE))

    def knows(self, text: str) -> bool:
        """Whether any word of a head is one of the runs', data sets' or metrics'."""
        known = self.titles, self.openings, self.datasets, self.metrics
        said = set(words(text)) - _VAGUE
        return not said or any(stem in stems for group in known for stems in group.values() for stem in said)


def _share(stems: frozenset[str], said: set[str]) -> float:
    """How much of a metric's name is said. A number in it ('99') tells so much that one other word may be missing."""
    held = stems & said
    number = any(stem[:1].isdigit() and len(stem) > 1 for stem in held)
    return min(len(held) + (number and len(held) < len(stems)), len(stems)) / len(stems)


def vocabulary(runs: Runs) -> Vocabulary:
    """The words of a folder's runs."""
    titles = {run.name: frozenset(words(run.title)) for run in runs.runs}
    openings = {run.name: frozenset(words(run.description)) for run in runs.runs}
    named = {one.dataset for run in runs.runs for one in run.quantities if one.dataset}
    keys = {one.metric for run in runs.runs for one in run.quantities}
    metrics = {}
    for key in keys:
        stems = frozenset(words(key))
        metrics[key] = frozenset(stems - _VAGUE) or stems
    datasets = {name: frozenset(stem for stem in words(name) if len(stem) > 1) for name in named}
    spoken: Iterable[frozenset[str]] = (*titles.values(), *metrics.values(), *datasets.values())
    settings = {stem for stems in spoken for stem in stems if stem[:1].isdigit()}
    # A description opens with what was set ('15% each') and goes on with what came out: long numbers are results.
    settings |= {stem for stems in openings.values() for stem in stems if re.fullmatch(r"\d{1,3}(?:x\d+)?", stem)}
    return Vocabulary(
        titles,
        openings,
        dict(sorted(datasets.items())),
        dict(sorted(metrics.items())),
        frozenset(settings),
        frozenset(words(runs.title)),
    )
