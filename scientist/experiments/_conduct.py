"""Conducting a study: the pilot, the freeze, the runs, the opening of *final*. Everything continues after a crash."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from scientist.errors import MachineryError, StudyError
from scientist.experiments._bench import Bench, Outcome
from scientist.experiments._design import compile_design, identifier
from scientist.experiments._power import MIN_SEEDS, power_of, sd_upper_limit, seeds_for, seeds_needed
from scientist.experiments._results import FinalScores, RunResult, Usage
from scientist.experiments._statistics import contrast_values, scores_by_split, tidy
from scientist.experiments._study import Contrast, Pilot, Study, Variant
from scientist.experiments._tuning import tune
from scientist.ideas._idea import Idea, render_idea
from scientist.lab import Journal, KnobValue, Settings, canonical_json, read_json, sha256, write_atomic
from scientist.lab._files import disk_error
from scientist.progress import Progress
from scientist.template import Split, Template

SEEN: tuple[Split, ...] = ("search", "keep")
"""What a run is scored on when it ends; *final* waits until writing."""

CheckStop = Callable[[], None]


def run_key(template: Template, fingerprint: str, variant: Variant, seed: int) -> str:
    """Hash of everything that determines a run: template files, effective knobs, tuner, seed."""
    what = {
        "template": fingerprint,
        "knobs": template.effective(variant.knobs),
        "tuner": variant.tuner.model_dump() if variant.tuner else None,
        "seed": seed,
    }
    return sha256(canonical_json(what))


def known_runs(papers: Path, but: str) -> dict[str, Path]:
    """key -> folder of every good run of the lab's other papers: identical work is done once."""
    found: dict[str, Path] = {}
    for path in sorted(papers.glob("*/runs/*/seed-*/result.json")):
        if path.relative_to(papers).parts[0] == but:
            continue
        try:
            result = RunResult.model_validate_json(path.read_bytes())
        except (OSError, ValueError):
            continue
        if result.status == "ok":
            found.setdefault(result.key, path.parent)
    return found


def run_cells(
    bench: Bench,
    variants: Sequence[Variant],
    seeds: Sequence[int],
    folder: Path,
    progress: Progress,
    check_stop: CheckStop,
    known: Mapping[str, Path] | None = None,
) -> list[RunResult]:
    """Do every missing (variant, seed) below `folder` and return all results in declared order.

    A run that ended, well or badly, is never repeated: its result.json is the checkpoint. Stops between runs when
    `check_stop` raises; runs in flight end first and are kept.
    """
    fingerprint = bench.template.fingerprint()
    known = known or {}
    cells = [(variant, seed) for seed in seeds for variant in variants]
    total = sum(variant.tuner.trials if variant.tuner else 1 for variant, _ in cells)
    done = failed = 0
    missing: list[tuple[Variant, int]] = []
    for variant, seed in cells:
        path = folder / variant.name / f"seed-{seed}" / "result.json"
        if path.exists():
            result = read_json(RunResult, path)
            done += result.trials
            failed += result.status != "ok"
        else:
            missing.append((variant, seed))
    progress.runs(done, total, failed)

    def do(variant: Variant, seed: int) -> RunResult:
        key = run_key(bench.template, fingerprint, variant, seed)
        target = folder / variant.name / f"seed-{seed}"
        if key in known:
            return _reuse(known[key], target, variant)
        if variant.tuner:
            return _tuned_cell(bench, variant, seed, key, target)
        return _plain_cell(bench, variant, seed, key, target)

    queue = iter(missing)
    with ThreadPoolExecutor(max_workers=bench.size, thread_name_prefix="run") as pool:
        pending: set[Future[RunResult]] = set()
        try:
            while True:
                check_stop()
                while len(pending) < bench.size and (cell := next(queue, None)) is not None:
                    pending.add(pool.submit(do, *cell))
                if not pending:
                    break
                ended, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in ended:
                    result = future.result()
                    done += result.trials
                    failed += result.status != "ok"
                if ended:
                    progress.runs(done, total, failed)
        except BaseException as error:
            for future in pending:
                future.cancel()
            if not isinstance(error, Exception):  # Ctrl-C: whoever pressed it does not want to wait for a long run
                bench.abandon()
            raise
    return read_results(folder, variants, seeds)


def read_results(folder: Path, variants: Iterable[Variant], seeds: Sequence[int]) -> list[RunResult]:
    """Every result of a study below `folder`, in declared order. A missing one is a :class:`RecordError`."""
    return [
        read_json(RunResult, folder / variant.name / f"seed-{seed}" / "result.json")
        for variant in variants
        for seed in seeds
    ]


def _plain_cell(bench: Bench, variant: Variant, seed: int, key: str, target: Path) -> RunResult:
    with bench.run(variant.knobs, seed, SEEN) as outcome:
        result = _result(variant, variant.knobs, seed, key, outcome)
        _place(target, outcome, result)
    return result


def _result(
    variant: Variant, knobs: Mapping[str, KnobValue], seed: int, key: str, outcome: Outcome, trials: int = 1
) -> RunResult:
    return RunResult(
        variant=variant.name,
        seed=seed,
        key=key,
        knobs=dict(knobs),
        status=outcome.status,
        reason=outcome.reason,
        metrics={split: {k: tidy(v) for k, v in sorted(m.items())} for split, m in outcome.metrics.items()},
        artefacts=outcome.artefacts,
        trials=trials,
    )


def _place(target: Path, outcome: Outcome, result: RunResult, trials: Path | None = None) -> None:
    """Put a run's files in their folder in one rename, so that the folder exists whole or not at all."""
    staging = target.parent / f".{target.name}.tmp"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for name in ("log.txt", "knobs.json"):
            _copy_plain(outcome.folder / name, staging / name)
        for name in result.artefacts:
            _copy_plain(outcome.folder / "outputs" / name, staging / "outputs" / name)
        if trials is not None:
            for folder in sorted(trials.iterdir()):
                shutil.move(folder, staging / folder.name)
        (staging / "usage.json").write_bytes(outcome.usage.canonical())
        (staging / "result.json").write_bytes(result.canonical())
        shutil.rmtree(target, ignore_errors=True)
        os.replace(staging, target)  # noqa: PTH105 - the atomic rename is the point
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise disk_error(error, target) from error


def _copy_plain(source: Path, target: Path) -> None:
    """Copy a regular file; a link that a candidate put in its place is not followed."""
    if source.is_symlink() or not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _reuse(source: Path, target: Path, variant: Variant) -> RunResult:
    """Copy an identical run of another paper; the result says where it came from."""
    original = read_json(RunResult, source / "result.json")
    origin = "/".join(source.parts[-4:])
    result = original.model_copy(update={"variant": variant.name, "reused_from": original.reused_from or origin})
    staging = target.parent / f".{target.name}.tmp"
    try:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.copytree(source, staging, symlinks=True)
        (staging / "result.json").write_bytes(result.canonical())
        os.replace(staging, target)  # noqa: PTH105
    except OSError as error:
        raise disk_error(error, target) from error
    return result


def _tuned_cell(bench: Bench, variant: Variant, seed: int, key: str, target: Path) -> RunResult:
    """One seed of a tuned variant: trials one after the other, the best on *search* becomes the result."""
    assert variant.tuner is not None
    template = bench.template
    metric = template.metric(template.objective.metric)
    work = target.parent / f".{target.name}-trials.tmp"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    spent = Usage(wall_s=0, cpu_s=0, max_rss_mb=0, sandbox=bench.sandbox.name)
    best: tuple[float, RunResult, Path] | None = None

    def trial(number: int, knobs: dict[str, KnobValue]) -> float | None:
        nonlocal best, spent
        with bench.run(knobs, seed, SEEN) as outcome:
            spent = Usage(
                wall_s=round(spent.wall_s + outcome.usage.wall_s, 4),
                cpu_s=round(spent.cpu_s + outcome.usage.cpu_s, 4),
                max_rss_mb=max(spent.max_rss_mb, outcome.usage.max_rss_mb),
                sandbox=spent.sandbox,
            )
            result = _result(variant, knobs, seed, key, outcome)
            folder = work / f"trial-{number}"
            folder.mkdir()
            (folder / "result.json").write_bytes(result.canonical())
            if result.status != "ok":
                _copy_plain(outcome.folder / "log.txt", folder / "log.txt")
                return None
            value = result.metrics["search"][metric.name]
            better = best is None or (value > best[0] if metric.direction == "maximize" else value < best[0])
            if better:
                kept = work / ".best"
                shutil.rmtree(kept, ignore_errors=True)
                kept.mkdir()
                for name in ("log.txt", "knobs.json"):
                    _copy_plain(outcome.folder / name, kept / name)
                for name in result.artefacts:
                    _copy_plain(outcome.folder / "outputs" / name, kept / "outputs" / name)
                best = (value, result, kept)
            return value

    tune(template, variant.tuner, variant.knobs, seed, metric.direction, trial)
    if best is None:
        first = read_json(RunResult, work / "trial-0" / "result.json")
        chosen = first.model_copy(
            update={"trials": variant.tuner.trials, "reason": f"every trial failed; {first.reason}"}
        )
        kept = work / ".best"
        kept.mkdir(exist_ok=True)
    else:
        chosen, kept = best[1].model_copy(update={"trials": variant.tuner.trials}), best[2]
    elsewhere = target.parent / f".{target.name}-best.tmp"
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.move(kept, elsewhere)
    outcome = Outcome(chosen.status, chosen.reason, {}, chosen.artefacts, spent, elsewhere)
    _place(target, outcome, chosen, trials=work)
    shutil.rmtree(elsewhere, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    return chosen


def pilot(
    bench: Bench, idea: Idea, paper: Path, settings: Settings, progress: Progress, check_stop: CheckStop
) -> tuple[tuple[Variant, ...], tuple[Contrast, ...], list[RunResult], tuple[int, ...]]:
    """Run the pilot below `paper/pilot`: every variant at a few seeds that the study will never use."""
    variants, contrasts = compile_design(idea, bench.template)
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
    seen = scores_by_split(pilot_results, None)["search"]  # the split that may be looked at; keep stays for the test
    metric = template.objective.metric
    sd: dict[str, float] = {}
    upper: dict[str, float] = {}
    for contrast in contrasts:
        values = list(contrast_values(contrast, seen, metric).values())
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
    """Score the *final* split of every good run, once, and journal the opening before anything is read."""
    digest = study.digest()
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
