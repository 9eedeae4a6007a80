"""The rules of the heuristic review: each looks at the evidence and makes remarks, with what they do to Overall.

docs/reviews.md shows the points as a table. A rule never rewards *which* answer was found, only that an answer was
found, how well, and how far it reaches: a refuted hypothesis that is settled scores as much as a confirmed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scientist.ideas import Comparison, DoseResponse, Tuning
from scientist.papers import constant
from scientist.reviews._evidence import CLAIMS, Evidence, p_words
from scientist.reviews._rules_text import rule_limitations, rule_text
from scientist.reviews._said import START, Said, ask, bad, good

# -- soundness ----------------------------------------------------------------------------------------------------


def rule_audit(e: Evidence) -> Iterator[Said]:
    """No error: +0.5. Each kind of error: −1.5, more than one of a kind −2; each kind of warning −0.25 (three count)."""
    if not e.errors:
        text = "The audit found no error: every printed number answers to a run, every citation to a record."
        yield good("audit", "audit.json", text, 0.5)
    for code in dict.fromkeys(f.code for f in e.errors):
        same = [f for f in e.errors if f.code == code]
        more = f" (and {len(same) - 1} more of this kind)" if len(same) > 1 else ""
        text = f"Audit error '{code}': {same[0].message}{more}."
        yield bad("audit", same[0].where, text, 2.0 if len(same) > 1 else 1.5)
    for number, code in enumerate(dict.fromkeys(f.code for f in e.warnings)):
        first = next(f for f in e.warnings if f.code == code)
        weight = 0.25 if number < 3 else 0.0
        yield bad("audit", first.where, f"Audit warning '{code}': {first.message}.", weight)


def rule_verdict(e: Evidence) -> Iterator[Said]:
    """The primary contrast is settled, either way: +1. Inconclusive: −1; untested: −2; a script that never varies: −1;

    stopped early: −0.5. Contradicted: a lesson, no loss.
    """
    where, title = f"contrast {e.primary.id}", e.primary.title
    verdict = e.outcome.verdict
    same = verdict == "equivalent" or (verdict == "supported" and e.primary.expect == "equivalent")
    p = f"{p_words(e.outcome.p_equivalence_holm)} for equivalence" if same else p_words(e.outcome.p_holm)
    found = f"{e.interval(e.keep)} on keep, Holm-adjusted {p}"
    if verdict == "futile":
        text = (
            f"The primary contrast, {title}, was stopped early: an effect of {e.value(e.primary.smallest_effect)} was "
            "excluded on search, and nothing is claimed."
        )
        yield bad("verdict", where, text, 0.5, "negligible")
    elif e.never_varies:
        text = (
            f"The script gave the same number every time, so the primary contrast, {title}, has no test: "
            f"{e.value(e.keep.mean)}, one number without an interval."
        )
        yield bad("verdict", where, text, 1.0, "robustness")
        yield ask(
            "verdict", where, "Can the script be given a source of variation: a seed, or another split of the data?"
        )
    elif verdict == "untested":
        text = f"The primary contrast, {title}, could not be tested: {e.keep.n} paired {e.many} gave a result."
        yield bad("verdict", where, text, 2.0, "failures" if e.failed_share else e.short_of_seeds)
    elif verdict == "inconclusive":
        reach = max(abs(e.keep.ci_low or 0.0), abs(e.keep.ci_high or 0.0))
        text = (
            f"The primary contrast, {title}, is inconclusive ({found}); differences up to {e.value(reach)} stay open."
        )
        yield bad("verdict", where, text, 1.0, "underpowered")
        yield ask("verdict", where, f"How many {e.many} would settle {title}, given the spread seen in these runs?")
    else:
        answer = {
            "supported": "as declared",
            "contradicted": "against the declared direction",
            "negligible": "as too small to matter",
            "equivalent": "as no difference beyond the margin",
        }[verdict]
        yield good("verdict", where, f"The primary contrast, {title}, is settled {answer}: {found}.", 1.0)
    if verdict == "contradicted":
        text = f"The hypothesis was contradicted: {title} gave {e.interval(e.keep)}. The paper does not explain why."
        yield bad("contradicted", where, text, 0.0, "contradicted")
        yield ask("contradicted", where, f"What mechanism would make {title} go against the declared direction?")


def rule_final(e: Evidence) -> Iterator[Said]:
    """The primary result holds on the split that was opened once: +0.75; it does not: −1.5; none to open: a remark."""
    where, holds = f"contrast {e.primary.id}, final", e.outcome.holds_on_final
    if not e.held_out:
        text = "The task holds nothing out: no result of this paper was confirmed on fresh data."
        yield bad("final", "study.json, confirm_on", text, 0.0)
        return
    if holds:
        text = (
            f"It holds on the split that was opened once: {e.interval(e.final)} against {e.interval(e.keep)} on keep."
        )
        yield good("final", where, text, 0.75)
    elif holds is False:
        text = (
            f"The result on keep ({e.interval(e.keep)}) did not hold on the split that was opened once: "
            f"{e.interval(e.final)} for {e.primary.title}."
        )
        yield bad("final", where, text, 1.5, "vanished")
        yield ask("final", where, f"What differs between keep and final for {e.primary.title}, other than chance?")
    vanished = [c for c in e.analysis.contrasts if c.holds_on_final is False and c.id != e.primary.id]
    if vanished:
        names = ", ".join(c.id for c in vanished)
        text = f"{len(vanished)} of the other contrasts ({names}) did not hold on final."
        yield bad("final", f"contrast {vanished[0].id}, final", text, 0.25)


def rule_power(e: Evidence) -> Iterator[Said]:
    """Enough seeds for the declared power: +0.5. Capped: −0.5, and −1 when the expected power is below a half."""
    pilot = e.study.pilot
    if pilot.capped or e.seeds < pilot.needed:
        text = (
            f"{e.seeds} {e.many} per variant where the power calculation asked for {pilot.needed}: the expected power for "
            f"an effect of {e.value(e.primary.smallest_effect)} is {pilot.expected_power:.0%}, not {e.study.power:.0%}."
        )
        yield bad("power", "study.json, pilot", text, 1.0 if pilot.expected_power < 0.5 else 0.5, e.short_of_seeds)
    else:
        text = f"{e.seeds} {e.many} per variant follow from a pilot; the expected power is {pilot.expected_power:.0%}."
        yield good("power", "study.json, pilot", text, 0.5)
    if e.seeds < 5:
        one = f"one {e.many.removesuffix('s')} allows no interval at all"
        said = one if e.seeds == 1 else f"{e.seeds} {e.many} say little about spread"
        yield bad(
            "seeds", "study.json, seeds", f"Few {e.many}: {said}.", 2.0 if e.seeds == 1 else 0.5, e.short_of_seeds
        )


def rule_family(e: Evidence) -> Iterator[Said]:
    """Secondary contrasts left inconclusive: −0.25, named; all of several settled: +0.25."""
    others = [c for c in e.analysis.contrasts if c.id != e.primary.id]
    titles = {c.id: c.title for c in e.study.contrasts}
    open_ones = [c for c in others if c.verdict in ("inconclusive", "untested")]
    if open_ones:
        first = open_ones[0]
        rest = f" (and {len(open_ones) - 1} more)" if len(open_ones) > 1 else ""
        estimate = first.estimates.get("keep")
        found = f": {e.interval(estimate)}" if estimate else ""
        text = f"The study cannot tell about {titles[first.id]}{rest}{found}."
        yield bad("family", f"contrast {first.id}", text, 0.25, e.short_of_seeds)
    elif others and not any(c.verdict == "futile" for c in others):
        yield good(
            "family", "results", f"Each of the {len(others)} other declared contrasts got an answer as well.", 0.25
        )


def rule_judging(e: Evidence) -> Iterator[Said]:
    """Metrics that the code under test reported itself: −1. Runs that take no seed: −0.25."""
    if e.self_reported:
        text = (
            f"{e.metric.title[:1].upper()}{e.metric.title[1:]}: the code under test computed and wrote it. No evaluator saw "
            "outputs or labels, so a mistake in its bookkeeping would look like a result."
        )
        yield bad("judging", "study.json, judging", text, 1.0)
        yield ask(
            "judging", "section method", "Could somebody other than the script compute the metric from its outputs?"
        )
    if not e.study.seeded:
        text = "Runs take no seed: repetitions cannot be done again exactly, and their pairing is arbitrary."
        yield bad("judging", "study.json, seeded", text, 0.25)


def rule_failures(e: Evidence) -> Iterator[Said]:
    """Runs without a result: −0.25, and −1 above one in ten."""
    if not e.failed_share:
        return
    worst = max(e.analysis.variants, key=lambda v: v.n_failed)
    text = (
        f"{e.failed_share:.0%} of the runs gave no result, most of them with {e.study.variant(worst.name).title} "
        f"({worst.n_failed} of {worst.n_failed + worst.n_ok}); if failing depends on the outcome, the means are biased."
    )
    yield bad("failures", f"variant {worst.name}", text, 1.0 if e.failed_share > 0.1 else 0.25, "failures")


# -- quality and significance ---------------------------------------------------------------------------------------


def rule_width(e: Evidence) -> Iterator[Said]:
    """Half the primary interval in margins: at most 1/2 +0.5; at most 1 +0.25; above 2 −0.75; none −1."""
    where = f"contrast {e.primary.id}, keep"
    if e.never_varies:
        return  # said by the rule of the verdict
    if e.keep.ci_low is None or e.keep.ci_high is None:
        yield bad("width", where, "There is no interval for the primary contrast.", 1.0, "underpowered")
        return
    half, margin = e.value((e.keep.ci_high - e.keep.ci_low) / 2), e.value(e.margin)
    if constant(e.keep):
        return  # no spread, and so no width that could be praised
    if e.width <= 1:
        text = (
            f"The interval is narrow enough to be useful: ±{half} where {margin} is the smallest effect that matters."
        )
        yield good("width", where, text, 0.5 if e.width <= 0.5 else 0.25)
    elif e.width > 2:
        text = f"The interval is wide: ±{half} where {margin} is the smallest effect that matters."
        yield bad("width", where, text, 0.75, e.short_of_seeds)


def rule_size(e: Evidence) -> Iterator[Said]:
    """A claimed effect of at least two margins: +0.5. Significant but inside the margin: −0.25."""
    where = f"contrast {e.primary.id}"
    if e.outcome.verdict in CLAIMS and e.primary.expect != "equivalent" and e.size >= 2:
        text = f"The effect is large enough to act on: {e.value(e.keep.mean)}, {e.size:.1f} times the smallest that matters."
        yield good("size", where, text, 0.5)
    elif e.outcome.verdict == "negligible":
        text = f"The effect ({e.interval(e.keep)}) is real but below {e.value(e.primary.smallest_effect)}, so nobody need act."
        yield bad("size", where, text, 0.25, "negligible")


def rule_margin(e: Evidence) -> Iterator[Said]:
    """A smallest effect of more than twice the task's own: −0.5, because it makes every interval look narrow."""
    own, usual = e.study.smallest_effect, e.template.objective.smallest_effect
    if own > 2 * usual:
        text = (
            f"The smallest effect was set at {e.value(own)}; the task itself calls {e.value(usual)} worth caring about."
        )
        yield bad("margin", "study.json, smallest_effect", text, 0.5)


def rule_datasets(e: Evidence) -> Iterator[Said]:
    """Two or more data sets: +0.5; one: −0.5."""
    if len(e.datasets) > 1:
        yield good(
            "datasets", "section method", f"Tested on {len(e.datasets)} data sets: {', '.join(e.datasets)}.", 0.5
        )
        return
    others = f" (at hand: {', '.join(e.other_datasets)})" if e.other_datasets else ""
    only = (
        f"one data set, {e.datasets[0]}{others}"
        if e.study.data or e.other_datasets
        else "the data that the script brings"
    )
    text = f"Everything rests on {only}. What {e.studied} does elsewhere is not known."
    yield bad("datasets", "section method", text, 0.5, "single-dataset")
    if e.other_datasets:
        yield ask(
            "datasets", "section limitations", f"Would the authors expect the same on {e.other_datasets[0]}, and why?"
        )


def rule_stress(e: Evidence) -> Iterator[Said]:
    """A claimed effect tried under other conditions: +0.25; never stressed: −0.25."""
    if e.stressed:
        text = f"The design asks whether the effect depends on its conditions ({e.idea.design.kind}), not only whether it is there."
        yield good("stress", "section method", text, 0.25)
    elif e.outcome.verdict in CLAIMS:
        text = f"The effect of {e.studied} was seen under one set of conditions and never stressed."
        yield bad("stress", f"contrast {e.primary.id}", text, 0.25, "robustness")


def rule_baseline(e: Evidence) -> Iterator[Said]:
    """A comparison of untuned alternatives: −0.25; tuning at equal budget: +0.25."""
    if isinstance(e.idea.design, Tuning):
        text = f"Default and tuned variants are compared at a declared budget of {e.idea.design.trials} runs per seed."
        yield good("baseline", "section method", text, 0.25)
    elif isinstance(e.idea.design, Comparison):
        knob = e.titles([e.idea.design.knob])
        text = f"Each {knob} was run at its default setting; with tuning at equal budget the order could change."
        yield bad("baseline", "section method", text, 0.25, "baseline")


def rule_scope(e: Evidence) -> Iterator[Said]:
    """Two levels or choices only: −0.25. The best mean at the end of the range: a question."""
    design = e.idea.design
    if isinstance(design, DoseResponse | Comparison):
        values = design.levels if isinstance(design, DoseResponse) else design.choices
        if len(values) <= 2:
            text = (
                f"Only two values of {e.titles([design.knob])} were tried, so the shape between and beyond is unknown."
            )
            yield bad("scope", "section method", text, 0.25, "scope")
    if isinstance(design, DoseResponse) and len(design.levels) > 2:
        knob = e.template.knob(design.knob)
        means = [e.analysis.variant(v.name).estimates.get("keep", {}).get(e.study.metric) for v in e.study.variants]
        values_of = [m.mean for m in means if m is not None and m.mean is not None]
        if len(values_of) == len(design.levels):
            best = max if e.study.direction == "maximize" else min
            at = values_of.index(best(values_of))
            label = knob.label(design.levels[at])
            if at == len(values_of) - 1:
                yield ask(
                    "scope",
                    "figure main",
                    f"The best mean lies at the end of the range ({knob.title} {label}); what is beyond?",
                )
            elif at > 0:
                yield ask(
                    "scope",
                    "figure main",
                    f"Is the best mean at {knob.title} {label} a real optimum, or noise between neighbours?",
                )


# -- originality -------------------------------------------------------------------------------------------------


def rule_novelty(e: Evidence) -> Iterator[Said]:
    """Novel +0.75, close −0.25, known −1.5, undecided −0.25 (a check nobody could make is no evidence either way)."""
    near = e.novelty.neighbours[0] if e.novelty.neighbours else None
    like = f" (nearest: {near.title}, similarity {near.similarity:.2f})" if near else ""
    match e.novelty.verdict:
        case "novel":
            yield good("novelty", "novelty.json", f"Nothing close was found{like}.", 0.75)
        case "close":
            yield bad("novelty", "novelty.json", f"Close work exists{like}; the difference should be spelt out.", 0.25)
        case "known":
            yield bad(
                "novelty",
                "novelty.json",
                f"This is known{like}: {e.novelty.reason.strip().rstrip(chr(46))}.",
                1.5,
                "novelty",
            )
        case "undecided":
            reason = e.novelty.reason.strip().rstrip(".")
            text = f"Whether this is new is undecided: {reason[:1].lower()}{reason[1:]}."
            yield bad("novelty", "novelty.json", text, 0.25)


def rule_foregone(e: Evidence) -> Iterator[Said]:
    """The task's author already says which way this knob works, and that is what was found: −0.5."""
    design = e.idea.design
    if not isinstance(design, DoseResponse) or e.outcome.verdict != "supported":
        return
    told = {"raises": "greater", "lowers": "less"}.get(e.template.knob(design.knob).effect)
    if told == e.idea.expect:
        knob = e.template.knob(design.knob)
        text = f"That {knob.title} {knob.effect} {e.metric.title} is what the task declares; only the size of the effect is news."
        yield bad("foregone", "section introduction", text, 0.5, "novelty")


__all__ = ["RULES", "START", "remarks"]

Rule = Callable[[Evidence], Iterator[Said]]
RULES: tuple[Rule, ...] = (
    rule_audit,
    rule_verdict,
    rule_final,
    rule_power,
    rule_family,
    rule_judging,
    rule_failures,
    rule_width,
    rule_size,
    rule_margin,
    rule_datasets,
    rule_stress,
    rule_baseline,
    rule_scope,
    rule_novelty,
    rule_foregone,
    rule_text,
    rule_limitations,
)


def remarks(evidence: Evidence) -> list[Said]:
    """Every remark, in the order of :data:`RULES`."""
    return [said for rule in RULES for said in rule(evidence)]
