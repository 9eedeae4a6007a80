"""Conducting a study: the pilot, the freeze, the runs, the opening of *final*. Everything continues after a crash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scientist.errors import MachineryError, StudyError
from scientist.experiments._bench import Bench
from scientist.experiments._cells import CheckStop, run_cells
from scientist.experiments._design import compile_design, identifier
from scientist.experiments._early import declare_early_stop
from scientist.experiments._estimates import contrast_values, scores_by_split, tidy
from scientist.experiments._power import MIN_SEEDS, power_of, sd_upper_limit, seeds_for, seeds_needed
from scientist.experiments._results import FinalScores, RunResult
from scientist.experiments._study import Contrast, Pilot, Study, Variant
from scientist.ideas._idea import Idea, render_idea
from scientist.lab import Journal, Settings, read_json, sha256, write_atomic
from scientist.progress import Progress


def pilot(
    bench: Bench,
    idea: Idea,
    paper: Path,
    settings: Settings,
    progress: Progress,
    check_stop: CheckStop,
    code: Mapping[str, str] | None = None,
) -> tuple[tuple[Variant, ...], tuple[Contrast, ...], list[RunResult], tuple[int, ...]]:
    """Run the pilot below `paper/pilot`: every variant at a few seeds that the study will never use.

    `code` is file -> SHA-256 of the change that was written for the idea, if its design is one.
    """
    variants, contrasts = compile_design(idea, bench.template, code)
    per_seed = sum(v.tuner.trials if v.tuner else 1 for v in variants)
    affordable = max(2, bench.template.budget.runs // (4 * per_seed))
    seeds = seeds_for(idea.slug, "pilot", settings.seed, min(settings.pilot_seeds, affordable))
    results = run_cells(bench, variants, seeds, paper / "pilot", progress, check_stop)
    return variants, contrasts, results, seeds


def plan_study(
    bench: Bench,
    idea: Idea,
    settings: Settings,
    variants: tuple[Variant, ...],
    contrasts: tuple[Contrast, ...],
    pilot_results: Sequence[RunResult],
    pilot_seeds: tuple[int, ...],
) -> Study:
    """Choose the number of seeds and write down everything that is decided before the first run.

    The seed count is the smallest that finds the smallest effect at the primary contrast with the wanted power, at
    alpha divided by the number of contrasts (the hardest step of Holm), with the upper confidence limit of the
    pilot's s.d.; the lab's cap, the idea's cap and the template's budget bound it.
    """
    template = bench.template
    # The split that may be looked at; keep stays for the test.
    looked = scores_by_split(pilot_results, None)[template.looked_at]
    metric = template.objective.metric
    sd: dict[str, float] = {}
    upper: dict[str, float] = {}
    for contrast in contrasts:
        values = list(contrast_values(contrast, looked, metric).values())
        if len(values) < 2:
            continue
        mean = sum(values) / len(values)
        spread = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
        sd[contrast.id] = tidy(spread)
        upper[contrast.id] = tidy(sd_upper_limit(spread, len(values)))
    primary = next(c for c in contrasts if c.primary)
    if primary.id not in upper:
        reasons = sorted({result.reason for result in pilot_results if result.status != "ok"})
        raise StudyError(
            f"the pilot of '{idea.slug}' left no two results to compare ({reasons[0] if reasons else 'no reason given'})",
            "see the logs below pilot/; mend the template or reject the idea",
        )
    per_seed = sum(v.tuner.trials if v.tuner else 1 for v in variants)
    cap = max(2, min(idea.seeds or settings.seeds, template.budget.runs // per_seed))
    level = settings.alpha / len(contrasts)
    same = primary.expect == "equivalent"
    needed = seeds_needed(upper[primary.id], idea.smallest_effect, level, settings.power, equivalence=same)
    count = max(2, min(cap, max(needed, MIN_SEEDS)))
    expected = power_of(count, upper[primary.id], idea.smallest_effect, level, equivalence=same)
    return Study(
        slug=idea.slug,
        template=template.name,
        template_sha256=template.fingerprint(),
        idea_sha256=sha256(render_idea(idea).encode()),
        metric=metric,
        direction=template.metric(metric).direction,
        alpha=settings.alpha,
        power=settings.power,
        smallest_effect=idea.smallest_effect,
        variants=variants,
        contrasts=contrasts,
        seeds=seeds_for(idea.slug, "study", settings.seed, count),
        pilot=Pilot(
            seeds=pilot_seeds,
            sd=sd,
            sd_upper=upper,
            needed=needed,
            capped=needed > count,
            expected_power=round(expected, 4),
        ),
        data=_describe(bench, variants),
        confirm_on="final" if "final" in template.splits else "none",
        judging=template.judging,
        seeded=template.seeded,
        early_stop=declare_early_stop(count) if settings.early_stop and "search" in template.splits else None,
    )


def _describe(bench: Bench, variants: Sequence[Variant]) -> dict[str, dict[str, float | int | str]]:
    found: dict[str, dict[str, float | int | str]] = {}
    seen: set[str] = set()
    for variant in variants:
        data_knobs = {k.name: variant.knobs[k.name] for k in bench.template.knobs if k.role == "dataset"}
        if (mark := json.dumps(data_knobs, sort_keys=True)) in seen:
            continue
        seen.add(mark)
        facts = bench.judge.describe(variant.knobs)
        found[identifier(facts.get("name", "data"))] = facts
    return found


def freeze(study: Study, paper: Path, journal: Journal) -> None:
    """Write study.json, then journal its hash. After a crash between the two, :func:`frozen_study` journals it."""
    write_atomic(paper / "study.json", study.canonical())
    journal.append("study.frozen", slug=study.slug, sha256=study.digest())


def frozen_study(paper: Path, journal: Journal) -> Study:
    """Read the frozen study and hold it against the journal.

    Raises :class:`StudyError` when it was changed after the freeze. One that a crash kept from the journal is journaled
    now, unless runs exist already.
    """
    study = read_json(Study, paper / "study.json")
    entries = journal.find("study.frozen", slug=study.slug)
    if not entries:
        if (paper / "runs").exists():
            raise StudyError(
                f"{paper.name}: runs exist, but the journal knows no frozen study", "delete runs/ to redo it"
            )
        journal.append("study.frozen", slug=study.slug, sha256=study.digest())
    elif entries[-1]["data"]["sha256"] != study.digest():
        raise StudyError(
            f"{paper.name}: study.json was changed after it was frozen",
            "restore it, or delete study.json and runs/ to declare and run a new study",
        )
    return study


def open_final(bench: Bench, study: Study, results: Sequence[RunResult], paper: Path, journal: Journal) -> FinalScores:
    """Score the *final* split of every good run, once, and journal the opening before anything is read.

    A template that holds nothing out has no such split: nothing is opened, and the scores stay empty.
    """
    digest = study.digest()
    if study.confirm_on == "none":
        nothing = FinalScores(study_sha256=digest, scores={})
        write_atomic(paper / "final.json", nothing.canonical())
        return nothing
    earlier = journal.find("final.opened", slug=study.slug, study=digest)
    if not earlier:
        journal.append("final.opened", slug=study.slug, study=digest)
    scores: dict[str, dict[str, dict[str, float]]] = {variant.name: {} for variant in study.variants}
    good = [result for result in results if result.status == "ok"]
    places = [paper / "runs" / result.variant / f"seed-{result.seed}" / "outputs" for result in good]
    work = [(place, result.knobs, result.seed) for place, result in zip(places, good, strict=True)]
    for result, (metrics, reason) in zip(good, bench.judge.score_all(work, ("final",)), strict=True):
        if reason:
            raise MachineryError(
                f"{result.variant}/seed-{result.seed} cannot be scored on final: {reason}",
                "delete that run, then resume",
            )
        scores[result.variant][str(result.seed)] = {k: tidy(v) for k, v in sorted(metrics["final"].items())}
    final = FinalScores(study_sha256=digest, scores=scores)
    write_atomic(paper / "final.json", final.canonical())
    return final
