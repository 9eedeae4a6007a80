"""Does a campaign learn, or does it learn to please its reviewer? Paired campaigns with and without feedback.

Each pair is two campaigns with the same seed, one with `--feedback` and one with `--no-feedback`; round 1 is the same in
both. Compared are the review score, which the loop could learn to please, and four things the reviewer never sees:
whether claims hold on *final*, whether they hold on fresh seeds (the claimed contrasts run again with seeds that
no study used), how wide the intervals are, and how many distinct supported findings a CPU minute buys. Every paired
difference is reported with a 95 % t interval, whatever it is.

    python benchmarks/feedback.py --pairs 5 --out build/feedback
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from scientist.experiments import (
    Analysis,
    Bench,
    Contrast,
    RunResult,
    Study,
    Usage,
    choose_sandbox,
    contrast_values,
    paired,
    run_cells,
    scores_by_split,
    seeds_for,
)
from scientist.experiments._estimates import estimate
from scientist.experiments._statistics import holds
from scientist.ideas import load_backlog, write_idea
from scientist.lab import Lab, canonical_json, create_lab, read_json, sha256, write_atomic
from scientist.loop import PaperSummary, campaign_for, summarise
from scientist.progress import Silent
from scientist.template import Template, load_template

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = ("supported", "contradicted")
ARMS = ("feedback", "no-feedback")


@dataclass
class Claim:
    """One contrast for which a paper claims an effect, and its fate."""

    slug: str
    contrast: str
    verdict: str
    holds_on_final: bool | None
    holds_on_fresh: bool | None


@dataclass
class Arm:
    """What one campaign came to. None where there was nothing to measure (no claim, no finished paper)."""

    review_round_2: float | None
    review_all: float | None
    final_share: float | None
    fresh_share: float | None
    half_width: float | None
    findings_round_2: int
    findings_per_cpu_minute_round_2: float | None
    findings_per_cpu_minute: float | None
    cpu_s: float
    wall_s: float
    papers: list[str]
    learnt: int
    claims: list[Claim] = field(default_factory=list)


@dataclass(frozen=True)
class Measure:
    """A column of the report."""

    key: str
    title: str
    better: str
    seen_by_reviewer: bool


MEASURES = (
    Measure("review_round_2", "review score of round 2 (Overall, 1 to 10)", "higher", True),
    Measure("review_all", "review score of both rounds", "higher", True),
    Measure("final_share", "claims of round 2 that hold on *final* (share)", "higher", False),
    Measure("fresh_share", "claims of round 2 that hold on fresh seeds (share)", "higher", False),
    Measure("half_width", "median half-width of round 2's intervals / smallest effect", "lower", False),
    Measure(
        "findings_per_cpu_minute_round_2", "distinct supported findings of round 2 per CPU minute", "higher", False
    ),
    Measure("findings_per_cpu_minute", "distinct supported findings of both rounds per CPU minute", "higher", False),
)


def campaign_lab(root: Path, seed: int, arm: str, options: argparse.Namespace) -> tuple[Lab, float]:
    """Run (or continue) one campaign as a process of its own; returns its lab and the wall seconds it took."""
    if not (root / "scientist.toml").exists():
        lab = create_lab(root)
        # The repository is a lab itself: what it proposed stays out, and what it has done is open again.
        for idea in () if options.empty_backlog else load_backlog(ROOT / "ideas"):
            if idea.origin == "person":
                write_idea(lab.ideas, idea.model_copy(update={"status": "proposed", "note": ""}))
    command = [sys.executable, "-m", "scientist", "--lab", str(root), "run", str(options.template)]
    command += ["--rounds", str(options.rounds), "--ideas", str(options.ideas), "--seed", str(seed)]
    command += [f"--{arm}", "--no-pdf", "--quiet", "--json"]
    started = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SCIENTIST_ONLINE": "false"}
    )
    if done.returncode:
        sys.exit(f"seed {seed}, {arm}: the campaign failed: {done.stderr.strip()[-300:]}")
    flags = {"rounds": options.rounds, "ideas": options.ideas, "seed": seed, "feedback": arm == "feedback"}
    return Lab(root, {**flags, "online": False}), time.monotonic() - started


def own_cpu(paper: Path) -> float:
    """CPU seconds of a paper's runs and pilot, without runs that were taken over from another paper."""
    spent = 0.0
    for path in sorted(paper.glob("*/*/seed-*/usage.json")):
        if not read_json(RunResult, path.with_name("result.json")).reused_from:
            spent += read_json(Usage, path).cpu_s
    return spent


def finding_key(template: Template, study: Study, contrast: Contrast) -> str:
    """What makes two findings the same: the metric and the acting knobs (and tuners) that are weighed against each other."""
    sides = []
    for name, weight in sorted(contrast.weights.items()):
        variant = study.variant(name)
        tuner = variant.tuner.model_dump() if variant.tuner else None
        sides.append([weight, template.effective(variant.knobs), tuner])
    return sha256(canonical_json({"metric": study.metric, "sides": sorted(sides, key=canonical_json)}))


def fresh_claims(
    bench: Bench, study: Study, analysis: Analysis, seed: int, pool: Path
) -> list[tuple[Contrast, bool | None, bool | None]]:
    """(contrast, holds on final, holds on fresh seeds) of every claim; runs what the claims weigh again, below `pool`."""
    claimed = [c for c in study.contrasts if analysis.contrast(c.id).verdict in CLAIMS]
    if not claimed:
        return []
    weighed = {name for contrast in claimed for name in contrast.weights}
    variants = [variant for variant in study.variants if variant.name in weighed]
    seeds = seeds_for(study.slug, "fresh", seed, len(study.seeds))
    if set(seeds) & {*study.seeds, *study.pilot.seeds}:
        raise AssertionError("a fresh seed was used before")
    results = run_cells(bench, variants, seeds, pool / study.digest()[:16], Silent(), lambda: None)
    scores = scores_by_split(results, None)["keep"]
    found = []
    for contrast in claimed:
        again = paired(list(contrast_values(contrast, scores, study.metric).values()), contrast.smallest_effect)
        old = analysis.contrast(contrast.id)
        fresh = holds(contrast, old.verdict, old.estimates["keep"], again, study.alpha)
        found.append((contrast, old.holds_on_final, fresh))
    return found


def share(values: Sequence[bool | None]) -> float | None:
    """Share of True; None without values. A claim that could not be looked at again counts as one that does not hold."""
    return sum(value is True for value in values) / len(values) if values else None


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def measure(lab: Lab, bench: Bench, template: Template, wall_s: float, pool: Path, rounds: int) -> Arm:
    """Everything that is compared, from a finished campaign's artefacts and fresh runs."""
    summaries: list[PaperSummary] = summarise(lab, campaign_for(lab, template))
    finished = [s for s in summaries if not s.failure and s.overall is not None]
    claims: list[Claim] = []
    widths: list[float] = []
    keys: dict[str, int] = {}
    for summary in finished:
        folder = lab.paper(summary.slug)
        study, analysis = read_json(Study, folder / "study.json"), read_json(Analysis, folder / "analysis.json")
        for contrast in study.contrasts:
            result = analysis.contrast(contrast.id)
            if result.verdict == "supported":
                keys.setdefault(finding_key(template, study, contrast), summary.round)
            keep = result.estimates["keep"]
            if summary.round == rounds and keep.ci_low is not None and keep.ci_high is not None:
                widths.append((keep.ci_high - keep.ci_low) / 2 / contrast.smallest_effect)
        if summary.round == rounds:
            for contrast, final, fresh in fresh_claims(bench, study, analysis, lab.settings.seed, pool):
                claims.append(Claim(summary.slug, contrast.id, analysis.contrast(contrast.id).verdict, final, fresh))
    cpu = {s.slug: own_cpu(lab.paper(s.slug)) for s in summaries}
    last_cpu = sum(cpu[s.slug] for s in summaries if s.round == rounds)
    last_findings = sum(number == rounds for number in keys.values())
    return Arm(
        review_round_2=mean([float(s.overall or 0) for s in finished if s.round == rounds]),
        review_all=mean([float(s.overall or 0) for s in finished]),
        final_share=share([claim.holds_on_final for claim in claims]),
        fresh_share=share([claim.holds_on_fresh for claim in claims]),
        half_width=median(widths) if widths else None,
        findings_round_2=last_findings,
        findings_per_cpu_minute_round_2=60 * last_findings / last_cpu if last_cpu else None,
        findings_per_cpu_minute=60 * len(keys) / sum(cpu.values()) if sum(cpu.values()) else None,
        cpu_s=round(sum(cpu.values()), 1),
        wall_s=round(wall_s, 1),
        papers=[f"{s.round}: {s.slug}" for s in summaries],
        learnt=sum(bool(s.because) for s in summaries),
        claims=claims,
    )


def compare(pairs: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
    """Arm means and the mean paired difference (feedback minus no-feedback) with its 95 % t interval."""
    both = [(p["feedback"][key], p["no-feedback"][key]) for p in pairs]
    whole = [(a, b) for a, b in both if a is not None and b is not None]
    found = estimate([a - b for a, b in whole])
    return {
        "pairs": len(whole),
        "feedback": mean([a for a, _ in whole]),
        "no_feedback": mean([b for _, b in whole]),
        "difference": found.mean,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
    }


def pooled(pairs: Sequence[dict[str, Any]], arm: str, key: str) -> str:
    """'17 of 19' over all pairs: a share weighs claims, where the table above weighs campaigns."""
    values = [claim[key] for pair in pairs for claim in pair[arm]["claims"]]
    return f"{sum(value is True for value in values)} of {len(values)}"


def number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def markdown(report: dict[str, Any]) -> str:
    """The report as a person reads it."""
    pairs, rows = report["pairs"], []
    for one in MEASURES:
        found = report["measures"][one.key]
        interval = "no interval" if found["ci_low"] is None else f"[{found['ci_low']:.2f}, {found['ci_high']:.2f}]"
        rows.append(
            f"| {one.title} | {one.better} | {'yes' if one.seen_by_reviewer else 'no'} | {number(found['feedback'])} "
            f"| {number(found['no_feedback'])} | {number(found['difference'])} | {interval} | {found['pairs']} |"
        )
    each: Callable[[dict[str, Any], str, str], str] = lambda pair, arm, key: number(pair[arm][key])  # noqa: E731
    lines = [
        "# Feedback against no feedback",
        "",
        f"{len(pairs)} paired campaigns, template `{report['template']}`, {report['rounds']} rounds of "
        f"{report['ideas']} papers, {report['backlog']}; {report['date']}, {report['cores']} cores.",
        "Difference = feedback minus no feedback, paired by the campaign's seed, with Student's 95 % interval.",
        "",
        "| measure | better | seen by the reviewer | feedback | no feedback | difference | 95 % interval | pairs |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Pooled over campaigns: claims of round 2 that hold on *final*: "
        + ", ".join(f"{pooled(pairs, arm, 'holds_on_final')} with {arm}" for arm in ARMS)
        + "; on fresh seeds: "
        + ", ".join(f"{pooled(pairs, arm, 'holds_on_fresh')} with {arm}" for arm in ARMS)
        + ".",
        "",
        "| seed | arm | review round 2 | hold on final | hold on fresh | half-width | findings round 2 | CPU s | papers that used a lesson |",
        "|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {pair['seed']} | {arm} | {each(pair, arm, 'review_round_2')} | {each(pair, arm, 'final_share')} "
            f"| {each(pair, arm, 'fresh_share')} | {each(pair, arm, 'half_width')} | {pair[arm]['findings_round_2']} "
            f"| {pair[arm]['cpu_s']:.0f} | {pair[arm]['learnt']} |"
            for pair in pairs
            for arm in ARMS
        ),
        "",
    ]
    return "\n".join(lines)


def run_pairs(options: argparse.Namespace, place: Path) -> dict[str, Any]:
    """All pairs, one after the other; the report is written anew after each, so that nothing is lost."""
    template = load_template(options.template)
    report: dict[str, Any] = {
        "template": template.name,
        "rounds": options.rounds,
        "ideas": options.ideas,
        "backlog": "empty backlog" if options.empty_backlog else "backlog of hand-written ideas",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": len(os.sched_getaffinity(0)),
        "pairs": [],
    }
    sandbox = choose_sandbox("auto", template.hide)
    for seed in range(options.first_seed, options.first_seed + options.pairs):
        pair: dict[str, Any] = {"seed": seed}
        for arm in ARMS:
            lab, wall_s = campaign_lab(place / f"{seed}-{arm}", seed, arm, options)
            with Bench.local(template, sandbox, place / "scratch", lab.workers) as bench:
                found = measure(lab, bench, template, wall_s, place / f"fresh-{seed}", options.rounds)
            pair[arm] = {**vars(found), "claims": [vars(claim) for claim in found.claims]}
            print(f"seed {seed}, {arm}: {wall_s:.0f} s, round 2 scored {number(found.review_round_2)}", file=sys.stderr)
        firsts = [[p for p in pair[arm]["papers"] if p.startswith("1:")] for arm in ARMS]
        pair["same_round_1"] = firsts[0] == firsts[1]
        report["pairs"].append(pair)
        report["measures"] = {one.key: compare(report["pairs"], one.key) for one in MEASURES}
        write_atomic(options.out / "feedback.json", json.dumps(report, indent=2, sort_keys=True) + "\n")
        write_atomic(options.out / "feedback.md", markdown(report))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of campaigns")
    parser.add_argument("--first-seed", type=int, default=1, help="seed of the first pair")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ideas", type=int, default=2, help="papers per round")
    parser.add_argument("--template", type=Path, default=ROOT / "templates" / "digits")
    parser.add_argument("--empty-backlog", action="store_true", help="start without the hand-written ideas")
    parser.add_argument("--out", type=Path, default=Path("build/feedback"), help="folder for feedback.md and .json")
    parser.add_argument("--labs", type=Path, help="keep the labs here, and continue those that are there")
    options = parser.parse_args()
    if options.labs:
        options.labs.mkdir(parents=True, exist_ok=True)
        report = run_pairs(options, options.labs.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="feedback-") as place:
            report = run_pairs(options, Path(place))
    print(markdown(report))


if __name__ == "__main__":
    main()
