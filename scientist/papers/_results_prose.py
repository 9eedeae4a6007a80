"""The results section: the primary contrast first, then the others, the final split, and what else was measured."""

from __future__ import annotations

from itertools import pairwise

from scientist.experiments import Contrast
from scientist.ideas._idea import Comparison, DoseResponse, Interaction, Robustness, Transfer, Tuning
from scientist.papers._candour import always_the_same, curves, early_stops, endings, known_paragraphs
from scientist.papers._floor import guessing
from scientist.papers._kinds import constant
from scientist.papers._phrases import Phrases, count, listing, share, start, val
from scientist.papers._print import escape
from scientist.papers._records import Fact


def finding(p: Phrases) -> str:
    """The main finding in one sentence: the primary contrast's outcome."""
    return p.outcome(p.study.primary)


def results_section(p: Phrases, facts: dict[str, Fact]) -> tuple[str, ...]:
    """Paragraphs of the results, with figures and tables where they are first spoken of."""
    primary = p.study.primary
    others = [c for c in p.study.contrasts if c.id != primary.id]
    paragraphs = [
        endings(p, facts) + _setting_the_scene(p, facts),
        r"\placetable{means}",
        rf"\paragraph{{The declared question.}} {finding(p)} {_against_hypothesis(p)} {p.on_final(primary)}".rstrip(),
        r"\placefigure{main}",
        *known_paragraphs(p, facts),
    ]
    if others:
        sentences = " ".join(p.outcome(contrast) for contrast in others)
        how_many = "both" if len(others) == 1 else f"all {val('study.n_contrasts')}"
        paragraphs.append(
            rf"\paragraph{{The other contrasts.}} Table~\ref{{tab:contrasts}} and Figure~\ref{{fig:contrasts}} give "
            rf"{how_many} contrasts of the family. {sentences}"
        )
    else:
        paragraphs.append(
            r"The primary contrast is the whole family; Table~\ref{tab:contrasts} and Figure~\ref{fig:contrasts} show it "
            "with its margin."
        )
    paragraphs += [r"\placetable{contrasts}", r"\placefigure{contrasts}"]
    paragraphs += [text for text in (_confirmation(p, others), early_stops(p), always_the_same(p)) if text]
    paragraphs += [text for text in (_shape(p), _sensitivity(p)) if text]
    if told := curves(facts):
        paragraphs += [told, r"\placefigure{curves}"]
    if any(metric.name != p.study.metric for metric in p.template.metrics):
        paragraphs += [_secondary(p, facts), r"\placetable{secondary}"]
    return tuple(paragraphs)


def _setting_the_scene(p: Phrases, facts: dict[str, Fact]) -> str:
    metric = p.study.metric
    reference = p.study.variants[0]
    mean = f"v.{reference.name}.keep.{metric}.mean"
    if mean not in facts:
        return r"Table~\ref{tab:means} gives every variant, Figure~\ref{fig:main} shows them."
    spread = (
        f" (standard deviation over {p.many} {val(f'v.{reference.name}.keep.{metric}.sd')}{p.points})"
        if f"v.{reference.name}.keep.{metric}.sd" in facts
        else ""
    )
    return (
        f"The reference, {val(f'variant.{reference.name}.title')}, reached {val(mean)}{p.unit} {p.name}"
        rf"{p.on_keep}{spread}. Table~\ref{{tab:means}} gives every variant and Figure~\ref{{fig:main}} shows them "
        f"with their single {p.many}." + guessing(p)
    )


def _against_hypothesis(p: Phrases) -> str:
    """Direction and size are two claims: the test is about the first, the interval says what is known of the second."""
    primary = p.study.primary
    result = p.analysis.contrast(primary.id)
    if result.verdict == "supported" and primary.expect != "equivalent":
        margin = f"{val(f'c.{primary.id}.margin')}{p.points}"
        return f"The direction is the one that the hypothesis expected. {SIZES[size_of(p)].format(margin=margin)}"
    return {
        "supported": "This is what the hypothesis expected.",
        "contradicted": "This is the opposite of what the hypothesis expected.",
        "negligible": "The hypothesis asked for an effect that matters; this is not one.",
        "equivalent": "The hypothesis expected a difference; one of the size it asked for is excluded.",
        "inconclusive": "The hypothesis is neither supported nor refuted.",
        "untested": "The hypothesis was not tested.",
        "futile": "The hypothesis asked for an effect that matters; the study gave up looking for one, and claims nothing.",
    }[result.verdict]


SIZES = {
    "same": "It was the same each time and larger than the {margin} that were asked for.",
    "beyond": "The whole interval lies beyond {margin}, so that the size it asked for is established too.",
    "likely": "Its size is less certain: the estimate reaches the {margin} that were asked for, but the interval also "
    "holds smaller effects.",
    "unlikely": "Its size falls short: the estimate stays below the {margin} that were asked for, and the interval only "
    "just allows them.",
}


def size_of(p: Phrases) -> str:
    """Where the primary contrast stands against its margin: 'beyond' with its whole interval, 'likely', or 'unlikely'.

    'same' when there is no interval because it never varied, and it is beyond the margin.
    """
    primary = p.study.primary
    keep = p.analysis.contrast(primary.id).estimates["keep"]
    if keep.mean is None or keep.ci_low is None or keep.ci_high is None:
        return "unlikely"
    if constant(keep):
        return "same" if abs(keep.mean) >= primary.smallest_effect else "unlikely"
    near = min(abs(keep.ci_low), abs(keep.ci_high)) if keep.ci_low * keep.ci_high > 0 else 0.0
    if near >= primary.smallest_effect:
        return "beyond"
    return "likely" if abs(keep.mean) >= primary.smallest_effect else "unlikely"


def _confirmation(p: Phrases, others: list[Contrast]) -> str:
    """How many of the claims on keep are found again on final (the primary one is told where it stands)."""
    claims = [(c, p.analysis.contrast(c.id)) for c in others]
    claims = [(c, r) for c, r in claims if r.holds_on_final is not None]
    if not claims:
        return ""
    held = [c for c, r in claims if r.holds_on_final]
    lost = [c for c, r in claims if not r.holds_on_final]
    text = (
        rf"\paragraph{{On the final split.}} Besides the primary contrast, {count(len(claims), 'contrast')} "
        f"{'has' if len(claims) == 1 else 'have'} a verdict that \\emph{{final}} can confirm; "
        f"{share(len(held), len(claims))} {'holds' if len(held) == 1 else 'hold'} there"
    )
    if lost:
        names = listing([f"{val(f'contrast.{c.id}.title')} ({val(f'c.{c.id}.final.mean')}{p.points})" for c in lost])
        text += f", while {names} {'was' if len(lost) == 1 else 'were'} not confirmed. What was not confirmed should not be cited as a finding"
    return text + "."


def _shape(p: Phrases) -> str:
    """One paragraph that reads the design as a whole."""
    design, study, analysis = p.idea.design, p.study, p.analysis
    metric = study.metric
    means = {v.name: analysis.variant(v.name).estimates.get("keep", {}).get(metric) for v in study.variants}
    known = {name: e.mean for name, e in means.items() if e is not None and e.mean is not None}
    if len(known) < len(study.variants):
        return ""
    order = [v.name for v in study.variants]
    values = [known[name] for name in order]
    if isinstance(design, DoseResponse) and len(order) > 2:
        steps = [b - a for a, b in pairwise(values)]
        largest = max(range(len(steps)), key=lambda i: abs(steps[i]))
        if not any(steps):
            return ""
        same = all(s >= 0 for s in steps) or all(s <= 0 for s in steps)
        calc = (
            rf"\calc{{round(100*(v.{order[largest + 1]}.keep.{metric}.mean - v.{order[largest]}.keep.{metric}.mean), 1)}}"
            if p.metric.scale == 100
            else rf"\calc{{v.{order[largest + 1]}.keep.{metric}.mean - v.{order[largest]}.keep.{metric}.mean}}"
        )
        return (
            r"\paragraph{Shape.} Over the doses the means "
            f"{'move in one direction' if same else 'do not move in one direction'}. The largest single step lies between "
            f"{val(f'set.{order[largest]}.{design.knob}')} and {val(f'set.{order[largest + 1]}.{design.knob}')}: "
            f"{calc}{{the step between two neighbouring doses}}{p.points}. Steps between neighbours were not declared as "
            "contrasts, so this describes the curve and tests nothing."
        )
    if isinstance(design, Comparison) and len(order) > 2:
        better = p.metric.direction == "maximize"
        best, worst = (max(known, key=lambda n: known[n]), min(known, key=lambda n: known[n]))
        if not better:
            best, worst = worst, best
        return (
            rf"\paragraph{{Ranking.}} By their means{p.on_keep} the variants range from "
            f"{val(f'variant.{worst}.title')} ({val(f'v.{worst}.keep.{metric}.mean')}{p.unit}) to "
            f"{val(f'variant.{best}.title')} ({val(f'v.{best}.keep.{metric}.mean')}{p.unit}). Only differences from the "
            "reference were declared; the order of the others is descriptive."
        )
    if isinstance(design, Interaction):
        low, high = (next(c for c in study.contrasts if c.id == i) for i in ("at_low", "at_high"))
        parts = [
            f"{start(p.place(design.second, next(n for n, w in c.weights.items() if w > 0)))} it is "
            f"{val(f'c.{c.id}.keep.mean')}{p.points}"
            for c in (low, high)
        ]
        return (
            rf"\paragraph{{Reading the interaction.}} The effect of {p.title(design.first)} is estimated twice. "
            f"{parts[0]}; {parts[1][:1].lower() + parts[1][1:]}. The interaction is the difference between the two, and "
            "it is this difference, not either effect alone, that the primary test is about."
        )
    if isinstance(design, Robustness | Transfer):
        effects = [c for c in study.contrasts if c.id.startswith("effect_")]
        found = [analysis.contrast(c.id).estimates["keep"].mean for c in effects]
        signs = {f > 0 for f in found if f is not None}
        word = "levels of the stressor" if isinstance(design, Robustness) else "data sets"
        shown = listing(
            [f"{val(f'c.{c.id}.keep.mean')}{p.points} {p.place(_factor(design), _plus(c))}" for c in effects]
        )
        return rf"\paragraph{{Across the {word}.}} The treatment's estimated effect is {shown}. " + (
            "The estimates share one sign."
            if len(signs) == 1
            else f"The estimates do not share one sign, so no single statement covers all {word}."
        )
    if isinstance(design, Tuning):
        if not p.held_out:
            return (
                r"\paragraph{What tuning cost.} Each tuned result stands for "
                rf"{val('study.trials')} runs where the default needs a single one, and it was chosen by the score that it "
                "is then judged by. The best of several numbers is above their average by luck alone."
            )
        return (
            r"\paragraph{What tuning cost.} Each tuned result stands for "
            rf"{val('study.trials')} runs where the default needs a single one, and it was chosen on "
            r"\emph{search}; its score there is therefore biased upwards, and only \emph{keep} and \emph{final} are compared."
        )
    return ""


def _factor(design: Robustness | Transfer) -> str:
    return design.stressor if isinstance(design, Robustness) else design.knob


def _plus(contrast: Contrast) -> str:
    return next(name for name, weight in contrast.weights.items() if weight > 0)


def _sensitivity(p: Phrases) -> str:
    """Does the rank test, which does not assume normal differences, agree at the uncorrected level?"""
    judged = [(c, p.analysis.contrast(c.id)) for c in p.study.contrasts]
    rows = [(c, r.estimates["keep"]) for c, r in judged if r.verdict != "futile"]  # no test was made of those
    rows = [(c, e) for c, e in rows if e.p is not None and e.p_signed_rank is not None and not constant(e)]
    if not rows:
        return ""
    alpha = p.study.alpha
    differ = [
        c
        for c, e in rows
        if e.p is not None and e.p_signed_rank is not None and (e.p < alpha) != (e.p_signed_rank < alpha)
    ]
    text = (
        rf"\paragraph{{Sensitivity.}} The $t$ test assumes that per-{p.one} differences are roughly normal. Wilcoxon's "
        "signed-rank test does not; at the same uncorrected level it "
    )
    if not differ:
        return text + "agrees with the $t$ test on every contrast."
    return text + f"disagrees on {p.titles(differ)}, which should be read with that in mind."


def _secondary(p: Phrases, facts: dict[str, Fact]) -> str:
    """Which variant is best by each other measure, and whether it is the same as by the declared one."""
    study = p.study

    def best(metric_name: str) -> str | None:
        """The variant with the best mean; empty where all are equal; None where there is nothing to rank."""
        metric = p.template.metric(metric_name)
        found = {
            v.name: fact.value
            for v in study.variants
            if (fact := facts.get(f"v.{v.name}.keep.{metric_name}.mean")) is not None
        }
        numbers = {name: float(value) for name, value in found.items() if not isinstance(value, str)}
        if not numbers or (metric.assumed and metric_name != study.metric):
            return None
        if len(numbers) > 1 and max(numbers.values()) == min(numbers.values()):
            return ""
        choose = max if metric.direction == "maximize" else min
        return choose(numbers, key=lambda name: numbers[name])

    declared = best(study.metric)
    agree: list[tuple[str, str]] = []
    differ: list[tuple[str, str]] = []
    equal: list[str] = []
    for metric in p.template.metrics:
        if metric.name != study.metric and (winner := best(metric.name)) is not None:
            if winner:
                (agree if winner == declared else differ).append((metric.title, winner))
            else:
                equal.append(escape(metric.title))
    text = r"\paragraph{Other measures.} Table~\ref{tab:secondary} gives measures that were not declared. "
    if isinstance(p.idea.design, Robustness | Transfer | Interaction):
        return (
            text
            + "Rows under different conditions are not comparable; what can be compared, without a test, is the pair of "
            "rows under the same condition."
        )
    if declared and agree:
        text += f"{start(listing([escape(t) for t, _ in agree]))} {'puts' if len(agree) == 1 else 'put'} the same variant first as {p.name} does"
        text += ". " if not differ else "; "
    if differ:
        told = listing([f"{escape(title)} favours {val(f'variant.{winner}.title')}" for title, winner in differ])
        text += (told if declared and agree else start(told)) + ". "
    if equal:
        text += f"{start(listing(equal))} {'is' if len(equal) == 1 else 'are'} the same for every variant. "
    ranked = agree or differ
    return text + ("These rankings carry no test and no claim." if ranked else "They carry no test and no claim.")
