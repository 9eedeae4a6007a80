"""What a paper says about the kind of study it is: who judged, what a repetition is, what was held out, what stopped."""

from __future__ import annotations

from collections.abc import Mapping

from scientist.papers._floor import floor_limits
from scientist.papers._kinds import SAID_BY, constant
from scientist.papers._known import known_measure, known_value, relate
from scientist.papers._phrases import Phrases, listing, val
from scientist.papers._print import clipped, escape
from scientist.papers._records import Fact
from scientist.template import Metric

# -- abstract and method -------------------------------------------------------------------------------------------


def caveats(p: Phrases) -> str:
    """What a reader of the abstract has to know before believing a number of it; empty for an ordinary study."""
    said = []
    if p.self_reported:
        said.append(SAID_BY)
    if not p.study.seeded:
        repeat = "" if p.deterministic else ": runs are repetitions, and none can be reproduced exactly"
        said.append(f"{p.seedless}{repeat}.")
    if clocked(p):
        said.append("A clock decides how far some runs get, so that they do not repeat exactly.")
    if not p.held_out:
        said.append("The task has nothing to hold out, so nothing was confirmed on fresh data.")
    return " ".join(said)


def task(p: Phrases, table: bool) -> str:
    """The task, who runs and who judges, and the splits."""
    several = len(p.study.data) > 1
    what = ("data sets" if several else "data") if p.held_out else f"{p.dataset}{'s' if several else ''}"
    described = rf"Table~\ref{{tab:data}} describes the {what}. " if table else ""
    head = rf"\paragraph{{Task.}} {escape(clipped(p.template.summary))} {described}"
    if p.self_reported:
        return head + (
            "The experiment is somebody else's script, run as it is but for the values of its knobs. It computes its "
            "metrics itself and reports them in a file. No evaluator checks them, and no labels are kept from the code: "
            "whatever is said here about a metric is what the script said. " + _single_score(p)
        )
    if not p.held_out:
        return head + (
            "The code under test runs in a process of its own, receives a problem and writes an answer; a sealed "
            "evaluator in another process computes every score from that answer alone. The code under test never "
            "reports a score itself. " + _single_score(p)
        )
    return head + (
        f"The code under test runs in a process of its own, {_exchange(p)} and computes every score. The code under test "
        f"never reports a score itself. Test {escape(p.template.examples or 'examples')} "
        r"are divided into three splits: \emph{search}, which pilots and tuning may look at; \emph{keep}, on which the "
        r"declared tests are decided; and \emph{final}, scored once, after the analysis on \emph{keep} was complete."
    )


def _exchange(p: Phrases) -> str:
    if told := p.template.exchange:
        return f"{escape(clipped(told))}; a sealed evaluator in another process holds what that is tested on"
    return (
        "receives a training sample and the features of the test examples, and writes predictions; a sealed evaluator in "
        "another process holds the labels"
    )


def clocked(p: Phrases) -> bool:
    """A clock decides how far runs of some variant get."""
    return any(p.template.by_the_clock(variant.knobs) for variant in p.study.variants)


def _single_score(p: Phrases) -> str:
    tuned = any(variant.tuner for variant in p.study.variants)
    return (
        "The task has nothing to hold out. There is one score: the pilot "
        f"{'and the tuning look' if tuned else 'looks'} at it, the declared tests are decided on it, and nothing is "
        "confirmed on fresh data."
    )


def runs_are(p: Phrases, cited: str = "") -> str:
    """What one seed, or one repetition, is and what pairing does; `cited`: why seeds vary all of these together."""
    if not p.study.seeded:
        return (
            rf"\paragraph{{Repetitions and power.}} {p.seedless}, so every variant is run again and again as it "
            "is. Repetitions are numbered and compared pair by pair, number by number; nothing ties the runs of a pair "
            "together, so the pairs are arbitrary and pairing removes nothing from the spread"
            + (". " if p.deterministic else ", and the runs cannot be reproduced exactly. ")
        )
    if p.self_reported:
        fixes = "The seed of a run is handed to the script, and what it fixes is up to the script"
    elif not p.held_out:
        fixes = "One seed fixes whatever the code under test draws at random"
    else:
        fixes = "One seed fixes the training sample, any corruption of it, and the initialisation"
        fixes += f", since sampling and initialisation both add to the variance of a benchmark{cited}" if cited else ""
    return (
        rf"\paragraph{{Seeds and power.}} {fixes}; all variants are run at the same seeds, so that every comparison is "
        "paired. "
    )


def early_stop_rule(p: Phrases) -> str:
    """The declared rule of early stopping, as `EarlyStop` has it; empty without one."""
    if p.study.early_stop is None:
        return ""
    return (
        rf"\paragraph{{Early stopping.}} Declared with the study: after the first {val('study.look')} {p.many} there is one "
        r"look, on \emph{search} and never on the split that decides. A contrast is futile when its "
        r"\calc{round(100*(1 - study.alpha/study.n_contrasts), 2)}{confidence level of the look: one minus alpha over the "
        r"number of contrasts}\,\% interval there lies wholly below the smallest effect in the direction that was expected. "
        "A variant all of whose contrasts are futile is not run any further. A futile contrast claims nothing, and it still "
        "counts in the family that is corrected for; stopping for futility alone cannot raise the rate of false claims."
    )


def kind_limits(p: Phrases) -> list[str]:
    """Limitations that follow from the kind of study; none for an ordinary one."""
    items = floor_limits(p)
    if clocked(p):
        items.append(
            "A clock decides how far some runs get. The same seed on another machine, or beside other work, gives other "
            f"numbers; that spread is part of the intervals here as far as it fell between the {p.many}."
        )
    if p.self_reported:
        items.append(
            f"Every value of {p.name} is self-reported: the script under test computed and wrote it, and no evaluator saw "
            "the labels or the outputs. A mistake in its bookkeeping, or code that looks at its own test data, would look "
            "like a result here."
        )
    if not p.study.seeded:
        items.append(
            f"{p.seedless}, and it repeats itself exactly; how it would do from another start is not known."
            if p.deterministic
            else f"{p.seedless}. Repetitions cannot be done again exactly, their pairing is arbitrary, and what "
            "makes them differ is not recorded."
        )
    if p.metric.assumed:
        way = "larger" if p.metric.direction == "maximize" else "smaller"
        items.append(f"That {way} values of {p.name} are better was assumed: neither the script nor the name says so.")
    if basis := p.template.objective.basis:
        items.append(
            f"Nobody who knows the task chose the smallest effect worth caring about. A rule did: it is {escape(basis)}."
        )
    if not p.held_out:
        items.append(
            "Nothing was held out: what was looked at while the study was planned is what decides, and no result was "
            "confirmed on fresh data."
        )
    if p.study.early_stop is not None and p.analysis.n_stopped:
        items.append(
            f"Early stopping left some variants with fewer {p.many}, so that their intervals are wider; it saves runs and "
            "costs certainty about what was stopped."
        )
    return items


# -- results ---------------------------------------------------------------------------------------------------------

ENDINGS = {
    "failed": "failed",
    "timeout": "ran out of time",
    "memory": "ran out of memory",
    "processes": "started too many processes",
    "disk": "wrote too much to disk",
    "log": "printed too much",
    "output": "left nothing that may be judged",
    "invalid": "left something that is not valid",
    "killed": "took their worker down",
}


def endings(p: Phrases, facts: Mapping[str, Fact]) -> str:
    """How the declared runs ended: the share of valid results, and every other ending by its name."""
    total = val("study.n_runs")
    if not p.analysis.n_failed and not p.analysis.n_stopped:
        return rf"All {total} declared runs ended in a valid result ({val('study.valid_share')}\,\%). "
    text = ""
    if p.analysis.n_failed:
        kinds = [key.rpartition(".")[2] for key in facts if key.startswith("study.status.")]
        others = listing([f"{val(f'study.status.{kind}')} {ENDINGS.get(kind, kind)}" for kind in kinds])
        each = ", counting a tuned result once" if any(v.tuner for v in p.study.variants) else ""
        text = (
            f"Of {val('study.n_done')} runs that were done{each}, {val('study.n_valid')} "
            rf"({val('study.valid_share')}\,\%) ended in a valid result"
            f"{f'; of the others, {others}' if others else ''}. The appendix lists why. "
        )
    elif p.analysis.n_stopped:
        text = f"All {val('study.n_done')} runs that were begun gave a result. "
    return text


def early_stops(p: Phrases) -> str:
    """Which variants were stopped at the declared look; empty without a rule."""
    if p.study.early_stop is None:
        return ""
    stopped = [v.name for v in p.analysis.variants if v.n_stopped]
    futile = [c for c in p.study.contrasts if p.analysis.contrast(c.id).verdict == "futile"]
    head = r"\paragraph{Early stopping.} "
    if not futile:
        return (
            head
            + f"At the look after {val('study.look')} {p.many} no contrast was futile; every variant ran to the end."
        )
    text = (
        head
        + f"At the look after {val('study.look')} {p.many}, {p.titles(futile)} {'was' if len(futile) == 1 else 'were'} futile. "
    )
    if stopped:
        names = listing([val(f"variant.{name}.title") for name in stopped])
        text += (
            f"So {names} {'was' if len(stopped) == 1 else 'were'} not run any further, and {val('study.n_stopped')} runs "
            "were never begun; they are no failures. "
        )
    else:
        text += "Every variant was needed by another contrast, so that none was stopped. "
    return text + "Nothing is claimed about what was given up in this way."


def always_the_same(p: Phrases) -> str:
    """Variants whose runs gave one and the same number; empty when there is none."""
    metric = p.study.metric
    flat = [v.name for v in p.analysis.variants if constant(v.estimates.get("keep", {}).get(metric))]
    if not flat:
        return ""
    every = len(flat) == len(p.study.variants)
    names = "every variant" if every else listing([val(f"variant.{name}.title") for name in flat])
    text = rf"\paragraph{{No spread.}} For {names} the script gave the same number every time. "
    if p.self_reported:
        return text + (
            "A number that cannot vary is one observation, however often it is made: there is no interval around it, and "
            "comparisons between such numbers are reported without a test."
        )
    return text + (
        f"There is no interval around such a number. Where all {p.many} give one difference, the exact sign-flip test takes "
        f"the place of the $t$ test; it counts {p.many} as independent draws, which holds only as far as the seed reaches "
        "what the code does."
    )


def known_sentences(p: Phrases, facts: Mapping[str, Fact]) -> list[str]:
    """One short sentence per data set with a known value, for the finding."""
    found = []
    for name, relation in _known(p, facts):
        measure = known_measure(p.template, p.study, name)
        best = f"{escape(measure.title) if measure else p.name} {_best(p, name, measure)}"
        where = f" on {val(f'data.{name}.title')}" if len(p.study.data) > 1 and f"data.{name}.title" in facts else ""
        told = {
            "optimum": "reaches the proven optimum. This is a reproduction of a known value.",
            "reproduced": "equals the best known value. This is a reproduction of a known value.",
            "close": "falls just short of the best known value.",
            "short": f"falls short of the best known value by {_gap(p, name)}.",
            "exceeds": "exceeds the value in our table; that is a reason to look for newer records, not a claim of novelty.",
            "impossible": "lies beyond a bound that is held to be proven, which points to an error and not to a discovery.",
        }[relation]
        found.append(f"The best of {val(f'best.{name}.n')} runs{where} ({best}) {told}")
    return found


def known_paragraphs(p: Phrases, facts: Mapping[str, Fact]) -> list[str]:
    """The best value that any run reached beside the best known one, said plainly."""
    paragraphs = []
    for name, relation in _known(p, facts):
        metric, measure = p.study.metric, known_measure(p.template, p.study, name)
        best, known = f"best.{name}.{metric}", f"data.{name}.best_known"
        by = f" ({val(f'data.{name}.best_known_by')})" if f"data.{name}.best_known_by" in facts else ""
        title = f" on {val(f'data.{name}.title')}" if f"data.{name}.title" in facts else ""
        variant = facts[best].runs[0].rpartition("/seed-")[0]
        if measure is None:
            others = [m for m in p.template.metrics if m.name != metric and f"best.{name}.{m.name}" in facts]
            said_of = f"best value known{title} is, as {p.name}, {val(known)}{p.unit}"
            as_well = listing([f"{escape(m.title)} {_best(p, name, m)}" for m in others])
        else:
            in_units = f"{val(f'data.{name}.known_{measure.name}')}{p.unit_of(measure)}"
            said_of = f"best known {escape(measure.title)}{title} is {in_units}"
            as_well = f"{p.name} {_best(p, name, None)}"
        said = {
            "optimum": "It reaches the proven optimum. This is a reproduction of a known value, which nothing can pass.",
            "reproduced": "It equals the best known value, to the digits that results are stored with. This is a "
            "reproduction of a known value.",
            "close": f"It falls short of the best known value by {_gap(p, name)}: all but a reproduction of a known value.",
            "short": f"It falls short of the best known value by {_gap(p, name)}.",
            "exceeds": "It exceeds the value in our table; that is a reason to look for newer records, not a claim of "
            "novelty.",
            "impossible": "It lies beyond a bound that is held to be proven. That points to an error in the evaluator or "
            "in the bound, and not to a discovery.",
        }[relation]
        proven = "; it is proven optimal" if _bound_is_known(p, name) else ""
        paragraphs.append(
            rf"\paragraph{{Against known values.}} The {said_of}{by}{proven}. "
            f"The best of {val(f'best.{name}.n')} runs reached {_best(p, name, measure)}, with "
            f"{val(f'variant.{variant}.title')}{f' ({as_well})' if as_well else ''}. {said} The best run was selected "
            "after the fact from all of them: it says what was reached, and nothing about what a variant reaches as a rule."
        )
    return paragraphs


def _best(p: Phrases, name: str, measure: Metric | None) -> str:
    """What the best run on a data set reached, as the objective or as another metric, with its unit."""
    metric = measure or p.metric
    return f"{val(f'best.{name}.{metric.name}')}{p.unit_of(metric)}"


def _known(p: Phrases, facts: Mapping[str, Fact]) -> list[tuple[str, str]]:
    """(data set, relation) for every data set whose best run is a fact."""
    found = []
    for name, described in sorted(p.study.data.items()):
        best = facts.get(f"best.{name}.{p.study.metric}")
        known = known_value(described.get("best_known"))
        if best is not None and known is not None and not isinstance(best.value, str):
            relation = relate(float(best.value), known, known_value(described.get("bound")), p.study.direction)
            found.append((name, str(relation)))
    return found


def _bound_is_known(p: Phrases, name: str) -> bool:
    described = p.study.data[name]
    known, bound = known_value(described.get("best_known")), known_value(described.get("bound"))
    return known is not None and bound is not None and relate(known, known, bound, p.study.direction) == "optimum"


def _gap(p: Phrases, name: str) -> str:
    """The distance to the known value, in printed units where these are plain, and as a share of it."""
    best, known = f"best.{name}.{p.study.metric}", f"data.{name}.best_known"
    parts = []
    if p.metric.scale in (1.0, 100.0):
        times = "100*" if p.metric.scale == 100.0 else ""
        parts.append(
            rf"\calc{{{times}abs({known} - {best})}}{{distance of the best run to the best known value}}{p.points}"
        )
    if known_value(p.study.data[name].get("best_known")) and not (p.metric.scale == 100.0 and p.metric.unit == r"\%"):
        share = rf"\calc{{100*abs({known} - {best})/abs({known})}}{{the same as a share of the known value}}\,\%"
        parts.append(f"({share} of it)" if parts else f"{share} of it")
    return " ".join(parts)


def curves(facts: Mapping[str, Fact]) -> str:
    """The sentence that refers to the figure of the learning curves; empty without one."""
    if "curve.series" not in facts:
        return ""
    return (
        r"\paragraph{Learning curves.} Figure~\ref{fig:curves} shows how "
        rf"\emph{{{val('curve.series')}}} went while the runs worked. It is what the code under test said about itself; it "
        "enters no test, and no verdict rests on it."
    )
