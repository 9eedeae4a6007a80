"""The runs of a study: every missing (variant, seed) is done once, and its result.json is the checkpoint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from scientist.experiments._bench import Bench, Outcome
from scientist.experiments._code import load_code
from scientist.experiments._curves import CURVE_FILE, read_curve, render_curve
from scientist.experiments._early import futile_contrasts, stopped_variants
from scientist.experiments._estimates import tidy
from scientist.experiments._executor import Point
from scientist.experiments._results import RunResult, Usage
from scientist.experiments._study import Study, Variant
from scientist.experiments._tuning import tune
from scientist.lab import KnobValue, canonical_json, read_json, sha256, write_atomic
from scientist.lab._files import disk_error
from scientist.progress import Progress
from scientist.template import Split, Template

CheckStop = Callable[[], None]


def seen(template: Template) -> tuple[Split, ...]:
    """What a run is scored on when it ends; *final* waits until writing."""
    return tuple(split for split in template.splits if split != "final")


def run_key(template: Template, fingerprint: str, variant: Variant, seed: int) -> str:
    """Hash of everything that determines a run: template files, effective knobs, tuner, seed."""
    what = {
        "template": fingerprint,
        "knobs": template.effective(variant.knobs),
        "tuner": variant.tuner.model_dump() if variant.tuner else None,
        "seed": seed,
    }
    if variant.code:
        what["code"] = variant.code
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
    code = {variant.name: load_code(folder.parent, variant) for variant in variants}
    cells = [(variant, seed) for seed in seeds for variant in variants]
    total = sum(variant.tuner.trials if variant.tuner else 1 for variant, _ in cells)
    done = failed = 0
    missing: list[tuple[Variant, int]] = []
    for variant, seed in cells:
        path = folder / variant.name / f"seed-{seed}" / "result.json"
        if path.exists():
            result = read_json(RunResult, path)
            done += result.trials
            failed += result.status not in ("ok", "stopped")
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
        return _plain_cell(bench, variant, seed, key, target, progress, code[variant.name])

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
                    failed += result.status not in ("ok", "stopped")
                if ended:
                    progress.runs(done, total, failed)
        except BaseException as error:  # Ctrl-C too: nothing that waits may begin after it
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


def run_study(
    bench: Bench,
    study: Study,
    folder: Path,
    progress: Progress,
    check_stop: CheckStop,
    known: Mapping[str, Path] | None = None,
) -> list[RunResult]:
    """:func:`run_cells` for a frozen study, with the early stopping that it declares.

    A run that is not begun because its variant can no longer win gets a result of status `stopped`.
    """
    if study.early_stop is not None:
        look = study.early_stop.look
        early = run_cells(bench, study.variants, study.seeds[:look], folder, progress, check_stop, known)
        fingerprint = bench.template.fingerprint()
        for name in stopped_variants(study, futile_contrasts(study, early)):
            variant = study.variant(name)
            progress.note(f"{study.slug}: '{variant.title}' stopped after {look} seeds, it can no longer win")
            for seed in study.seeds[look:]:
                target = folder / name / f"seed-{seed}" / "result.json"
                if not target.exists():
                    key = run_key(bench.template, fingerprint, variant, seed)
                    write_atomic(target, _stopped(variant, seed, key, look).canonical())
    return run_cells(bench, study.variants, study.seeds, folder, progress, check_stop, known)


def _stopped(variant: Variant, seed: int, key: str, look: int) -> RunResult:
    return RunResult(
        variant=variant.name,
        seed=seed,
        key=key,
        knobs=variant.knobs,
        status="stopped",
        reason=f"not begun: after {look} seeds an effect worth caring about was excluded on search",
        trials=0,
    )


def _plain_cell(
    bench: Bench, variant: Variant, seed: int, key: str, target: Path, progress: Progress, code: Mapping[str, bytes]
) -> RunResult:
    def watch(points: Sequence[Point]) -> None:
        progress.curve(f"{variant.title}, seed {seed}", points[-1])

    with bench.run(variant.knobs, seed, seen(bench.template), code, watch=watch, key=key) as outcome:
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
        tree=outcome.tree,
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
        if points := read_curve(outcome.folder / CURVE_FILE):
            (staging / "curve.jsonl").write_bytes(render_curve(points))
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
    spent = Usage(wall_s=0, cpu_s=0, max_rss_mb=0, sandbox=bench.executor.sandbox, gaps=bench.executor.gaps)
    best: tuple[float, RunResult, Path] | None = None

    def trial(number: int, knobs: dict[str, KnobValue]) -> float | None:
        nonlocal best, spent
        with bench.run(knobs, seed, seen(bench.template)) as outcome:
            spent = Usage(
                wall_s=round(spent.wall_s + outcome.usage.wall_s, 4),
                cpu_s=round(spent.cpu_s + outcome.usage.cpu_s, 4),
                max_rss_mb=max(spent.max_rss_mb, outcome.usage.max_rss_mb),
                sandbox=spent.sandbox,
                gaps=spent.gaps,
                node=outcome.usage.node,
            )
            result = _result(variant, knobs, seed, key, outcome)
            folder = work / f"trial-{number}"
            folder.mkdir()
            (folder / "result.json").write_bytes(result.canonical())
            if result.status != "ok":
                _copy_plain(outcome.folder / "log.txt", folder / "log.txt")
                return None
            value = result.metrics[template.looked_at][metric.name]
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
