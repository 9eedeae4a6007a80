"""Negative results, discussion, and limitations computed from what was not done."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments import RunResult
from scientist.ideas._idea import Comparison, DoseResponse, Interaction, Modification, Robustness, Transfer, Tuning
from scientist.literature import Novelty
from scientist.papers._candour import kind_limits
from scientist.papers._phrases import Phrases, count, listing, start, val
from scientist.papers._print import escape
from scientist.papers._records import Fact
from scientist.papers._results_prose import size_of


def negative_results(p: Phrases, results: Sequence[RunResult]) -> tuple[str, ...]:
    """What was looked for and not found, what was found and not confirmed, and what failed."""
    study, analysis = p.study, p.analysis
    rows = [(c, analysis.contrast(c.id)) for c in study.contrasts]
    paragraphs = []
    against = [c for c, r in rows if r.verdict == "contradicted"]
    nothing = [c for c, r in rows if r.verdict in ("negligible", "equivalent")]
    same = [c for c, r in rows if p.never_varies(c)]
    unsettled = [c for c, r in rows if r.verdict in ("inconclusive", "untested") and c not in same]
    futile = [c for c, r in rows if r.verdict == "futile"]
    lost = [c for c, r in rows if r.holds_on_final is False]
    if against:
        sizes = [val(f"c.{c.id}.keep.mean") + p.points for c in against]
        paragraphs.append(f"Against expectation: {p.titles(against)} went the other way ({listing(sizes)}).")
    if nothing:
        paragraphs.append(
            f"Nothing that matters was found for {p.titles(nothing)}: the data "
            f"exclude effects beyond {val('study.smallest_effect')}{p.points}. "
            + (
                "On \\emph{final} they do not for all of this, as is said below: nobody should rely on it yet."
                if any(c in lost for c in nothing)
                else "That is a result, and it should save others the runs."
            )
        )
    if unsettled:
        paragraphs.append(
            f"Unsettled: {p.titles(unsettled)}. The absence of a claim here is "
            "not a claim of absence; the intervals in Table~\\ref{tab:contrasts} say what remains possible."
        )
    if same:
        paragraphs.append(
            f"Without a test: {p.titles(same)}. The script gave the same number every time, so that there is a difference to "
            "report and nothing to tell it from."
        )
    if lost:
        paragraphs.append(
            f"Not confirmed on \\emph{{final}}: {p.titles(lost)}. A verdict on "
            "\\emph{keep} that a second set of examples does not repeat is weaker than its $p$ suggests."
        )
    if futile:
        paragraphs.append(
            f"Stopped early: {p.titles(futile)}. On \\emph{{search}} an effect worth caring about was excluded in the "
            "direction that was expected; nothing is claimed on the split that decides."
        )
    failures = [r for r in results if r.status not in ("ok", "stopped")]
    if failures:
        kinds = sorted({r.status for r in failures})
        paragraphs.append(
            f"{val('study.n_failed')} runs gave no result ({listing([escape(k) for k in kinds])}). They are kept with "
            f"their reasons in the appendix; a contrast uses only the {p.many} at which all of its variants gave a result."
        )
    if not paragraphs and not p.held_out:
        paragraphs.append(
            "Every declared contrast reached a verdict and no run failed; there is no negative result to report. Nothing "
            "was held out on which a verdict could have failed."
        )
    if not paragraphs:
        paragraphs.append(
            "Every declared contrast reached a verdict, every verdict was confirmed on \\emph{final} and no run failed; "
            "there is no negative result to report in this study."
        )
    return tuple(paragraphs)


def discussion(p: Phrases) -> tuple[str, ...]:
    """What the verdict means for somebody who has to decide, and what should be asked next."""
    result = p.analysis.contrast(p.study.primary.id)
    return (_meaning(p, result.verdict, result.holds_on_final), _how_sure(p), _next(p, result.verdict))


def _meaning(p: Phrases, verdict: str, held: bool | None) -> str:
    design = p.idea.design
    knob = {
        "dose-response": lambda: p.title(design.knob) if isinstance(design, DoseResponse) else "",
        "comparison": lambda: p.title(design.knob) if isinstance(design, Comparison) else "",
    }.get(design.kind, lambda: "the treatment")()
    primary = p.study.primary
    size = f"{val(f'c.{primary.id}.keep.abs')}{p.points}"
    margin = f"{val('study.smallest_effect')}{p.points}"
    if verdict in ("supported", "contradicted"):
        body = {
            "dose-response": (
                f"Under the conditions studied, {knob} is not a detail: between its ends {p.name} differs by {size}, "
                f"against {margin} below which we had agreed not to care. Anybody who reports results at a single value of "
                "it reports, in part, that value."
            ),
            "comparison": (
                f"Under the conditions studied the choice of {knob} is not neutral: {size} between the reference and the "
                f"variant that the hypothesis named, against a margin of {margin}. Table~\\ref{{tab:means}} shows how much "
                "of the whole range this one difference is."
            ),
            "interaction": (
                "The two factors should not be studied one at a time: the effect of the one depends on the other by "
                f"{size}, against a margin of {margin}. {_turn(p)}Advice about either that does not say where the other "
                "stood is incomplete."
            ),
            "robustness": (
                f"At the hardest condition the treatment still makes a difference of {size}. Whether it is the same "
                "difference as under clean conditions is what the contrast on the change of the effect answers, and the "
                "two questions should not be confused."
            ),
            "transfer": (
                f"Where it was not chosen, the treatment makes a difference of {size} on average, against a margin of "
                f"{margin}. The single data sets in Table~\\ref{{tab:contrasts}} show how far an average can be trusted."
            ),
            "tuning": (
                f"At this budget tuning is worth {size} over the default, against a margin of {margin}. Whether that is "
                "worth the additional runs depends on what a run costs; the comparison of the two samplers, at equal "
                "budget, is the fairer test of the method."
            ),
            "modification": (
                f"Under the conditions studied the change of the code makes a difference of {size} to {p.name}, against a "
                f"margin of {margin}. It is a finding about this patch on this task; a better or worse way of writing the "
                "same idea down could do more or less."
            ),
        }[design.kind]
        if verdict == "contradicted":
            body += " The direction is not the one the hypothesis expected, and the reasons that had made it plausible deserve a second look."
        if size_of(p) not in ("beyond", "same"):
            body += (
                " How large it is remains open: the interval contains effects smaller than the margin, so a reader who "
                "needs one of that size cannot rely on it yet."
            )
        if held is False:
            body += " Since \\emph{final} did not confirm it, this reading is provisional."
        return body
    if verdict == "negligible":
        body = (
            f"The effect is real in the statistical sense and irrelevant in the practical one: its whole interval lies "
            f"within {margin}. With enough seeds almost any difference can be told from zero; the margin, fixed before the "
            "runs, is what keeps such a difference from being sold as progress."
        )
        if held is False:
            body += " \\emph{Final} did not confirm that it is as small as that: whom a difference of this size concerns should wait for more data."
        return body
    if verdict == "equivalent":
        return (
            f"For the declared question an effect of {margin} or more is excluded under the conditions studied. Somebody "
            "who has to make that choice can make it by cost, simplicity or habit and lose nothing that this study would have called important."
        )
    if verdict == "futile":
        return (
            f"The study looked for an effect of at least {margin} in one direction, and half-way there was no longer room for "
            "one on \\emph{search}. It saved the runs that making sure would have taken. Whoever needs the answer knows where "
            "not to expect it, and no more than that."
        )
    if verdict == "untested" and p.never_varies(primary):
        return (
            "The script gave the same number every time, so there is no luck to tell an effect from. The difference is what "
            "it is for this script, these data and this machine; whether it would survive another split of the data or "
            "another initialisation is a question that a script without randomness cannot answer."
        )
    return (
        "The honest summary is that this study did not settle its question. The interval is the result: it says which "
        f"effects remain possible, and it is too wide, measured against a margin of {margin}, to act upon."
    )


def _turn(p: Phrases) -> str:
    """Whether the effect changes its sign between the two conditions, when both ends were told from zero."""
    ends = [p.analysis.contrast(i) for i in ("at_low", "at_high") if any(c.id == i for c in p.study.contrasts)]
    means = [e.estimates["keep"].mean for e in ends if e.verdict in ("supported", "contradicted")]
    if len(means) == 2 and means[0] is not None and means[1] is not None and means[0] * means[1] < 0:
        return (
            "The effect even turns over: what helps under one condition hurts under the other, so that no fixed "
            "choice is right for both. "
        )
    return ""


def _how_sure(p: Phrases) -> str:
    """The evidence for the primary contrast in one place: three splits, their signs, and what they share."""
    primary = p.study.primary
    if not p.held_out:
        number = "numbers that the code under test reported about itself" if p.self_reported else "one score"
        return (
            f"How sure can one be? Everything rests on {number}; nothing was held out, so there is no second set of examples "
            "on which a result could have failed. "
            + (
                "The code gave the same numbers every time, so there is no luck of its own to speak against."
                if p.deterministic
                else f"The interval over {p.many} speaks against luck in what the code draws at random, and against nothing "
                "else."
            )
        )
    estimates = p.analysis.contrast(primary.id).estimates
    seen = [(split, estimates[split].mean) for split in ("search", "keep", "final") if split in estimates]
    known = [(split, mean) for split, mean in seen if mean is not None]
    if len(known) < 2:
        return "There is too little to say how sure one can be."
    shown = listing([f"{val(f'c.{primary.id}.{split}.mean')}{p.points} on \\emph{{{split}}}" for split, _ in known])
    same = len({mean > 0 for _, mean in known}) == 1
    return (
        f"How sure can one be? The primary contrast was measured on {count(len(known), 'set')} of test examples: {shown}. "
        + (
            "The sign is the same each time. "
            if same
            else "The sign is not the same each time, which weighs more than any single $p$. "
        )
        + "These are the same trained models judged on different examples: agreement between the splits speaks against luck "
        "with the test set, and the interval over seeds speaks against luck with the training sample. Neither speaks about "
        "other settings or other data."
    )


def _next(p: Phrases, verdict: str) -> str:
    """What to ask next, from what this study did not do."""
    asks = []
    if verdict in ("inconclusive", "untested") and not p.never_varies(p.study.primary):
        asks.append(f"the same contrast with more {p.many}, or a larger dose, before anything else")
    if p.self_reported:
        asks.append("whether the same is found when somebody other than the script computes the metric")
    if len(p.study.data) == 1 and p.held_out:
        asks.append("whether the same holds on another data set")
    if not isinstance(p.idea.design, Robustness) and verdict in ("supported", "contradicted"):
        asks.append(
            "whether the effect survives noise in the labels or the features, or fewer examples"
            if p.held_out
            else "whether the effect survives under other settings of the same task"
        )
    if not isinstance(p.idea.design, Tuning):
        asks.append("whether the difference remains when every variant is tuned at the same budget")
    if isinstance(p.idea.design, Interaction | Transfer):
        asks.append("which property of the data makes the difference")
    return (
        f"Three questions follow. {start('; '.join(asks[:3]))}."
        if len(asks) > 2
        else f"To ask next: {'; '.join(asks)}."
    )


def limitations(
    p: Phrases, novelty: Novelty, gaps: Sequence[str], facts: dict[str, Fact], sandbox: str = "process"
) -> tuple[str, ...]:
    """Computed from the study: what was held fixed, how few, how narrow, how uncertain; nothing generic."""
    study = p.study
    items = kind_limits(p)
    if len(study.data) == 1 and not p.held_out:
        items.append(f"One problem ({_dataset(p)}): nothing here says that another would behave alike.")
    elif study.data and not p.held_out:
        items.append(f"{start(count(len(study.data), 'problem'))}, which represent no population of problems.")
    elif len(study.data) == 1:
        items.append(f"One data set ({_dataset(p)}): nothing here says that another would behave alike.")
    elif study.data:
        items.append(
            f"{start(count(len(study.data), 'data set'))}, small and clean by today's standards, chosen because they ship "
            "with the software and not because they represent a population of problems."
        )
    if sampling := _test_set_error(p, facts):
        items.append(sampling)
    if study.pilot.capped and study.pilot.expected_power < study.power:
        items.append(
            rf"Fewer {p.many} than the wanted power asks for: {val('study.n_seeds')} instead of {p.needed}; "
            rf"the expected power at the primary contrast was {val('study.expected_power')}\,\%."
        )
    family = next((k for k in p.template.knobs if k.role == "family"), None)
    if family and len({v.knobs[family.name] for v in study.variants}) == 1 and not any(v.tuner for v in study.variants):
        items.append(f"One {escape(family.title)}; whether others react in the same way was not asked.")
    if isinstance(p.idea.design, DoseResponse | Robustness):
        items.append(
            f"Only {count(_levels(p), 'level')} of {p.title(_dosed(p))} were run. Between them and beyond them the paper is silent."
        )
    if isinstance(p.idea.design, Modification):
        items.append(
            "One patch stands for the idea behind it. Whether the patch does what its name says is for a reader of the "
            "appendix to judge; no program checks that."
        )
    if not isinstance(p.idea.design, Tuning):
        items.append(
            "No variant was tuned: each was run at the settings that the appendix lists, and a variant that suffers from "
            "them would look worse here than it is."
        )
    if isinstance(p.idea.design, Tuning):
        items.append(
            "A tuned variant costs more runs than the default; the comparison with it is not one at equal cost, only the "
            "one between samplers is."
        )
    items.append(
        (
            f"{start(p.many)} changed nothing: the code gave the same numbers every time, so that no interval says how far they "
            "can be trusted."
            if p.deterministic
            else f"{start(p.many)} vary whatever the code draws at random and nothing else; intervals describe that alone."
        )
        if not p.held_out
        else "Seeds vary the training sample, the corruption and the initialisation, while the test examples stay the same; "
        "intervals describe the former and are conditional on the latter."
    )
    if novelty.verdict in ("undecided", "close"):
        items.append(
            "Novelty is undecided: the sources that answered do not cover the literature."
            if novelty.verdict == "undecided"
            else "Closely related work exists (Section~\\ref{sec:related}); this study narrows a question rather than opening one."
        )
    if gaps and sandbox != "bubblewrap":
        items.append(f"Runs were not fully isolated: {'; '.join(escape(gap) for gap in gaps)}.")
    listed = "\n".join(rf"\item {item}" for item in items)
    return (f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}",)


def _dataset(p: Phrases) -> str:
    name = next(iter(p.study.data))
    return val(f"data.{name}.title") if "title" in p.study.data[name] else escape(name)


def _levels(p: Phrases) -> int:
    design = p.idea.design
    return len(design.levels) if isinstance(design, DoseResponse | Robustness) else 0


def _dosed(p: Phrases) -> str:
    design = p.idea.design
    return (
        design.knob if isinstance(design, DoseResponse) else design.stressor if isinstance(design, Robustness) else ""
    )


def _test_set_error(p: Phrases, facts: dict[str, Fact]) -> str:
    """Standard error of a proportion on the keep split, where the objective is one: sqrt(a (1 - a) / n)."""
    reference = p.study.variants[0].name
    metric = p.study.metric
    mean = f"v.{reference}.keep.{metric}.mean"
    dataset = next(iter(p.study.data), "")
    size = f"data.{dataset}.keep"
    if metric != "accuracy" or mean not in facts or size not in facts or len(p.study.data) != 1:
        return ""
    return (
        rf"The \emph{{keep}} split has {val(size)} examples, so a single {p.name} carries a sampling error of about "
        rf"\calc{{round(100*sqrt({mean}*(1-{mean})/{size}), 1)}}{{binomial standard error of the reference on keep}}{p.points} "
        "that more seeds do not reduce. Paired differences share most of it, and \\emph{final} is a second, independent draw."
    )
