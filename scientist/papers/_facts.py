"""Facts: the closed set of numbers and words that a paper may print, derived from its artefacts by pure rules.

Running :func:`build_facts` again on the same artefacts gives the same facts; that is how the audit finds one that was
bent afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist.experiments import Analysis, RunResult, Study
from scientist.ideas._idea import Idea, Tuning
from scientist.lab import KnobValue
from scientist.papers._change import change_facts
from scientist.papers._collector import Collector
from scientist.papers._curves import curve_facts
from scientist.papers._facts_derived import VERDICT_WORDS, derived_facts
from scientist.papers._facts_kinds import ending_facts
from scientist.papers._kinds import marked, seed_word, seeds_word, self_reported
from scientist.papers._known import KNOWN_KEYS, known_facts, known_metric
from scientist.papers._print import clipped, counted, escape, exact, printed, printed_p, told
from scientist.papers._records import Facts
from scientist.papers._reported import reported_facts
from scientist.template import Template

__all__ = ["VERDICT_WORDS", "build_facts", "counted", "escape", "printed", "printed_p"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def build_facts(
    paper: Path, template: Template, idea: Idea, study: Study, analysis: Analysis, results: Sequence[RunResult]
) -> Facts:
    """Every fact of a paper, in a fixed order: declared, counted, measured, derived."""
    into = Collector(paper)
    template = marked(template, study)
    _declared(into, template, idea, study)
    _counted(into, study, analysis)
    ending_facts(into, study, analysis, results)
    _measured(into, template, study, results)
    derived_facts(into, template, study, analysis, results)
    known_facts(into, template, study, results)
    reported_facts(into, template)
    curve_facts(into, study, results, template.curves)
    return Facts(study_sha256=study.digest(), facts=tuple(into.facts))


def _declared(into: Collector, template: Template, idea: Idea, study: Study) -> None:
    metric = template.metric(study.metric)

    def declare(name: str, value: KnobValue, text: str, title: str, pointer: str, unit: str = "") -> None:
        into.add(f"study.{name}", value, text, title, "declared", "study.json", pointer, unit=unit)

    declare("alpha", study.alpha, f"{study.alpha * 100:g}", "family-wise error rate", "/alpha", r"\%")
    declare(
        "ci_level", study.alpha, f"{100 - study.alpha * 100:g}", "confidence level of every interval", "/alpha", r"\%"
    )
    declare("power", study.power, f"{study.power * 100:g}", "wanted power", "/power", r"\%")
    declare(
        "smallest_effect",
        study.smallest_effect,
        printed(study.smallest_effect, metric),
        "smallest effect worth caring about",
        "/smallest_effect",
        metric.difference,
    )
    if study.early_stop is not None:
        look = study.early_stop.look
        declare("look", look, str(look), f"{seeds_word(study)} after which is looked at", "/early_stop/look")
    pilot = study.pilot
    declare(
        "needed_seeds",
        pilot.needed,
        str(pilot.needed),
        f"{seeds_word(study)} that the wanted power asks for",
        "/pilot/needed",
    )
    declare(
        "expected_power",
        pilot.expected_power,
        f"{pilot.expected_power * 100:.0f}",
        f"power expected at the primary contrast with the {seeds_word(study)} used",
        "/pilot/expected_power",
        r"\%",
    )
    into.add(
        "study.sha",
        study.digest(),
        study.digest()[:12],
        "hash of the frozen study (first digits)",
        "word",
        "study.json",
        "",
    )
    for name, what in (
        ("title", "title"),
        ("question", "question"),
        ("hypothesis", "hypothesis"),
        ("why", "motivation"),
    ):
        text = getattr(idea, name)
        into.add(f"idea.{name}", text, told(text), f"the {what} as declared", "word", "idea.md", f"/{name}")
    for letter, (index, use) in zip(LETTERS, enumerate(idea.lessons), strict=False):
        for part in ("text", "change"):
            value = getattr(use, part)
            title = "a lesson of an earlier review" if part == "text" else "what that lesson changed"
            into.add(
                f"idea.lesson_{letter}.{part}",
                value,
                told(value),
                title,
                "word",
                "idea.md",
                f"/lessons/{index}/{part}",
            )
    change_facts(into, into.paper, idea)
    if isinstance(idea.design, Tuning):
        trials = idea.design.trials
        into.add(
            "study.trials",
            trials,
            str(trials),
            f"runs per {seed_word(study)} of a tuned variant",
            "declared",
            "idea.md",
            "/design/trials",
        )
    for index, variant in enumerate(study.variants):
        title = escape(variant.title)
        into.add(
            f"variant.{variant.name}.title",
            variant.title,
            title,
            f"name of variant {variant.name}",
            "word",
            "study.json",
            f"/variants/{index}/title",
        )
        for name, value in sorted(variant.knobs.items()):
            knob = template.knob(name)
            into.add(
                f"set.{variant.name}.{name}",
                value,
                escape(knob.label(value)),
                f"{knob.title} of variant {variant.name}",
                "declared",
                "study.json",
                f"/variants/{index}/knobs/{name}",
            )
    for index, contrast in enumerate(study.contrasts):
        into.add(
            f"contrast.{contrast.id}.title",
            contrast.title,
            escape(contrast.title),
            f"name of contrast {contrast.id}",
            "word",
            "study.json",
            f"/contrasts/{index}/title",
        )
        into.add(
            f"c.{contrast.id}.margin",
            contrast.smallest_effect,
            printed(contrast.smallest_effect, metric),
            f"smallest effect worth caring about: {contrast.title}",
            "declared",
            "study.json",
            f"/contrasts/{index}/smallest_effect",
            unit=metric.difference,
        )
    for dataset, described in sorted(study.data.items()):
        for key, value in sorted(described.items()):
            known = None if isinstance(value, str) else metric if key in KNOWN_KEYS else known_metric(template, key)
            if known is not None:
                text = exact(float(value), known)
            else:
                text = counted(value) if isinstance(value, int) else escape(clipped(str(value)))
            into.add(
                f"data.{dataset}.{key}",
                value,
                text,
                f"{key} of data set {dataset}",
                "word" if isinstance(value, str) else "declared",
                "study.json",
                f"/data/{dataset}/{key}",
                unit=known.unit if known is not None else "",
            )


def _counted(into: Collector, study: Study, analysis: Analysis) -> None:
    pilot_runs, many = len(study.pilot.seeds), seeds_word(study)
    counts = {
        "n_seeds": (len(study.seeds), f"{many} per variant", "study.json", "/seeds/#"),
        "n_variants": (len(study.variants), "variants", "study.json", "/variants/#"),
        "n_contrasts": (len(study.contrasts), "declared contrasts", "study.json", "/contrasts/#"),
        "pilot_seeds": (pilot_runs, f"{many} of the pilot", "study.json", "/pilot/seeds/#"),
        "n_runs": (analysis.n_runs, "runs of the study, tuning trials included", "analysis.json", "/n_runs"),
        "n_failed": (analysis.n_failed, "runs without a result", "analysis.json", "/n_failed"),
    }
    for name, (value, title, file, pointer) in counts.items():
        into.add(f"study.{name}", value, counted(value), title, "counted", file, pointer)


def _measured(into: Collector, template: Template, study: Study, results: Sequence[RunResult]) -> None:
    metric = template.metric(study.metric)
    for result in results:
        if result.status != "ok":
            continue
        run = f"{result.variant}/seed-{result.seed}"
        for split in sorted(result.metrics):
            value = result.metrics[split][metric.name]
            into.add(
                f"run.{result.variant}.s{result.seed}.{split}",
                value,
                printed(value, metric),
                f"{metric.title} on {split} of {run}",
                "self-reported" if self_reported(study) else "measured",
                f"runs/{run}/result.json",
                f"/metrics/{split}/{metric.name}",
                unit=metric.unit,
                n=1,
                runs=(run,),
            )
