"""Does the pipeline claim what is not there, and find what is? Whole studies with known truth, through the real thing.

Every study is a dose-response of three levels (two declared contrasts, so that Holm has work to do) on the synthetic
template: pilot, power calculation, freeze, sandboxed runs, the opening of *final*, declared statistics. Three truths:

- nothing: a knob that does nothing. A claim (`supported` or `contradicted`) is false.
- planted: the primary contrast is truly one s.d. of its paired difference, which is also the smallest effect.
- margin:  both contrasts are truly as large as the margin, one up, one down, and the idea says they are equivalent.
           A claim of equivalence is false.

The seed count follows from the *upper* confidence limit of the pilot's s.d., so a planted effect should be found more
often than the stated power says. The last rows take the pilot's caution away: simulated studies of the same design with
the seed count for the known s.d., through the same analysis, against the power that the formula promises.

    python benchmarks/null_check.py --studies 200
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from scientist.experiments import (
    Analysis,
    Bench,
    Contrast,
    Pilot,
    RunResult,
    Study,
    Variant,
    analyse,
    choose_sandbox,
    freeze,
    frozen_study,
    open_final,
    pilot,
    plan_study,
    power_of,
    run_cells,
    seeds_for,
    seeds_needed,
)
from scientist.ideas import Idea
from scientist.lab import Journal, Settings
from scientist.progress import Silent
from scientist.template import load_template

DIAL = Path(__file__).resolve().parents[1] / "tests" / "templates" / "dial"
ONE_SD = math.sqrt(2)
"""Standard deviation of the dial's paired differences (see the head of its `evaluate.py`)."""

DESIGNS: dict[str, tuple[str, list[float], str]] = {
    "nothing": ("nothing", [0, 1, 2], "greater"),
    "planted": ("effect", [0.0, ONE_SD / 2, ONE_SD], "greater"),
    "margin": ("effect", [0.0, -ONE_SD, ONE_SD], "equivalent"),
}


@dataclass(frozen=True)
class Ended:
    """One study that ran to its end."""

    study: Study
    analysis: Analysis


@dataclass(frozen=True)
class Rate:
    """How often something happened: `found` of `of`, with the exact (Clopper-Pearson) 95 % interval."""

    title: str
    found: int
    of: int
    low: float
    high: float
    against: str

    @property
    def share(self) -> float:
        return self.found / self.of


def rate(title: str, happened: Iterable[bool], against: str) -> Rate:
    """Count and interval."""
    values = list(happened)
    interval = stats.binomtest(sum(values), len(values)).proportion_ci(0.95, method="exact")
    return Rate(title, sum(values), len(values), float(interval.low), float(interval.high), against)


def idea_of(truth: str, number: int, seeds: int | None = None) -> Idea:
    """The idea behind one study; its slug, and so every seed, is its own."""
    knob, levels, expect = DESIGNS[truth]
    return Idea.model_validate(
        {
            "slug": f"{truth}-{number:04d}",
            "title": f"A study whose answer is known ({truth})",
            "template": "dial",
            "question": "Does the program say what is the case?",
            "hypothesis": "Turning the knob changes the score by the smallest effect or more.",
            "expect": expect,
            "smallest_effect": ONE_SD,
            "why": "A program that claims too much or finds too little is found out here.",
            "design": {"kind": "dose-response", "knob": knob, "levels": levels},
            "seeds": seeds,
        }
    )


def conduct(bench: Bench, idea: Idea, settings: Settings, place: Path, journal: Journal) -> Ended:
    """One study by the program's own stages, in their order; nothing is written but below `place` and the journal."""
    paper = place / idea.slug
    variants, contrasts, tried, seeds = pilot(bench, idea, paper, settings, Silent(), lambda: None)
    freeze(plan_study(bench, idea, settings, variants, contrasts, tried, seeds), paper, journal)
    study = frozen_study(paper, journal)
    results = run_cells(bench, study.variants, study.seeds, paper / "runs", Silent(), lambda: None)
    final = open_final(bench, study, results, paper, journal)
    ended = Ended(study, analyse(study, results, final))
    shutil.rmtree(paper)
    return ended


def studies(
    truth: str, count: int, place: Path, settings: Settings, seeds: int | None = None, workers: int | None = None
) -> Iterator[Ended]:
    """`count` studies of one truth, one after the other on a shared bench."""
    sandbox = choose_sandbox("auto")
    size = workers or len(os.sched_getaffinity(0))
    # numpy loads its generators late, in every fork anew; loaded before the fork they cost nothing.
    template = load_template(DIAL)
    template = template.model_copy(update={"warm": (*template.warm, "numpy.random", "hashlib")})
    with Bench.local(template, sandbox, place / "scratch", size) as bench:
        for number in range(count):
            journal = Journal(place / f"{truth}-{number}.jsonl")
            yield conduct(bench, idea_of(truth, number, seeds), settings, place, journal)
            journal.path.unlink()


def claims(one: Ended) -> list[bool]:
    """Per contrast: an effect is claimed."""
    return [result.verdict in ("supported", "contradicted") for result in one.analysis.contrasts]


def finds(one: Ended) -> bool:
    """The primary contrast is supported."""
    return one.analysis.contrast(one.study.primary.id).verdict == "supported"


def says_same(one: Ended) -> list[bool]:
    """Per contrast: equivalence is claimed, as it was declared or as the next best thing."""
    return [
        result.verdict == "equivalent" or (result.expect == "equivalent" and result.verdict == "supported")
        for result in one.analysis.contrasts
    ]


def flat(rows: Iterable[Sequence[bool]]) -> list[bool]:
    return [value for row in rows for value in row]


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def about_nothing(ended: Sequence[Ended]) -> list[Rate]:
    alpha = percent(ended[0].study.alpha)
    differs = [[r.p_holm is not None and r.p_holm < one.study.alpha for r in one.analysis.contrasts] for one in ended]
    return [
        rate("nothing there: studies with a false claim (family-wise)", (any(claims(e)) for e in ended), f"<= {alpha}"),
        rate("nothing there: contrasts with a false claim", flat(map(claims, ended)), f"<= {alpha}"),
        rate("nothing there: studies that find any difference, negligible ones too", map(any, differs), f"<= {alpha}"),
        rate(
            "nothing there: false claims that hold on final, per study",
            (
                any(r.holds_on_final is True and c for r, c in zip(e.analysis.contrasts, claims(e), strict=True))
                for e in ended
            ),
            f"<= {alpha}",
        ),
        rate("nothing there: contrasts rightly called equivalent", flat(map(says_same, ended)), "no bound"),
    ]


def about_planted(ended: Sequence[Ended]) -> list[Rate]:
    stated = [one.study.pilot.expected_power for one in ended]
    seeds = [len(one.study.seeds) for one in ended]
    real = [power_of(n, ONE_SD, ONE_SD, one.study.alpha / 2) for n, one in zip(seeds, ended, strict=True)]
    against = (
        f">= {percent(float(np.mean(stated)))} stated (from {min(stated):.2f} to {max(stated):.2f}; "
        f"{percent(float(np.mean(real)))} with the s.d. known; {float(np.mean(seeds)):.1f} seeds)"
    )
    return [rate("one s.d. planted: primary contrast supported", map(finds, ended), against)]


def about_margin(ended: Sequence[Ended]) -> list[Rate]:
    alpha = percent(ended[0].study.alpha)
    return [
        rate("at the margin: studies with a false 'equivalent'", (any(says_same(e)) for e in ended), f"<= {alpha}"),
        rate("at the margin: contrasts with a false 'equivalent'", flat(map(says_same, ended)), f"<= {alpha}"),
    ]


ABOUT: dict[str, Callable[[Sequence[Ended]], list[Rate]]] = {
    "nothing": about_nothing,
    "planted": about_planted,
    "margin": about_margin,
}


# -- the same analysis on simulated results, without processes ---------------------------------------------------------


def simulated_study(contrasts: int, seeds: int, expect: str = "greater", alpha: float = 0.05) -> Study:
    """A frozen-looking dose-response of `contrasts` + 1 variants; the last contrast is the primary one."""
    names = [f"v{number}" for number in range(contrasts + 1)]
    return Study(
        slug="simulated",
        template="none",
        template_sha256="",
        idea_sha256="",
        metric="score",
        direction="maximize",
        alpha=alpha,
        power=0.8,
        smallest_effect=ONE_SD,
        variants=tuple(Variant(name=name, title=name, knobs={"v": name}) for name in names),
        contrasts=tuple(
            Contrast.model_validate(
                {
                    "id": f"c{number}",
                    "title": f"c{number}",
                    "weights": {names[number]: 1.0, names[0]: -1.0},
                    "expect": expect,
                    "primary": number == contrasts,
                    "smallest_effect": ONE_SD,
                }
            )
            for number in range(1, contrasts + 1)
        ),
        seeds=seeds_for("simulated", "study", 0, seeds),
        pilot=Pilot(seeds=(), sd={}, sd_upper={}, needed=seeds, capped=False, expected_power=0.8),
    )


def simulated_results(study: Study, table: np.ndarray, failed: np.ndarray | None = None) -> list[RunResult]:
    """Results as runs would leave them. `table`: (variants, seeds) scores on *keep*; `failed`: True where a run died."""
    return [
        RunResult(
            variant=variant.name,
            seed=seed,
            key="",
            knobs={},
            status="failed" if failed is not None and failed[i, j] else "ok",
            metrics={} if failed is not None and failed[i, j] else {"keep": {"score": float(table[i, j])}},
        )
        for i, variant in enumerate(study.variants)
        for j, seed in enumerate(study.seeds)
    ]


def about_formula(count: int, alpha: float, power: float) -> list[Rate]:
    """Planted effects with the seed count for the known s.d.: one contrast (the formula is exact), and two with Holm."""
    generator = np.random.default_rng(0)
    rows = []
    for contrasts in (1, 2):
        n = seeds_needed(ONE_SD, ONE_SD, alpha / contrasts, power)
        study = simulated_study(contrasts, n, alpha=alpha)
        truth = np.linspace(0, ONE_SD, contrasts + 1)[:, None]
        ended = (
            Ended(
                study, analyse(study, simulated_results(study, truth + generator.standard_normal((contrasts + 1, n))))
            )
            for _ in range(count)
        )
        promised = percent(power_of(n, ONE_SD, ONE_SD, alpha / contrasts))
        title = f"simulated, s.d. known, {n} seeds, {contrasts} contrast{'s' if contrasts > 1 else ''}: supported"
        rows.append(rate(title, map(finds, ended), f"{'=' if contrasts == 1 else '>='} {promised} by the formula"))
    return rows


def table(rows: Sequence[Rate]) -> str:
    """Markdown."""
    lines = ["| what | found | rate | 95 % interval | against |", "|---|---|---|---|---|"]
    for row in rows:
        interval = f"[{percent(row.low)}, {percent(row.high)}]"
        lines.append(f"| {row.title} | {row.found} of {row.of} | {percent(row.share)} | {interval} | {row.against} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200, help="studies per truth")
    parser.add_argument("--simulated", type=int, default=2000, help="simulated studies per row")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    settings = Settings(online=False)
    rows: list[Rate] = []
    with tempfile.TemporaryDirectory(prefix="null-check-") as place:
        for truth, about in ABOUT.items():
            started = time.monotonic()
            rows += about(list(studies(truth, options.studies, Path(place), settings)))
            print(f"{truth}: {options.studies} studies in {time.monotonic() - started:.0f} s", file=sys.stderr)
    rows += about_formula(options.simulated, settings.alpha, settings.power)
    if options.json:
        print(json.dumps([{**asdict(row), "rate": row.share} for row in rows], indent=2))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()
