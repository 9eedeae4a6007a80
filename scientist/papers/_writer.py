"""The Writer role and its heuristic form: a careful workshop paper from facts, declared study, records and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from scientist.experiments import Analysis, RunResult, Study, Usage
from scientist.ideas._idea import Idea
from scientist.literature import Novelty
from scientist.papers._baseline import baseline
from scientist.papers._candour import (
    caveats,
    early_stop_rule,
    known_sentences,
    runs_are,
    task,
)
from scientist.papers._change import change_paragraph
from scientist.papers._discussion import discussion, limitations, negative_results
from scientist.papers._figures_pictures import Picture
from scientist.papers._kinds import marked
from scientist.papers._machinery import reproducibility
from scientist.papers._method_sources import method_sources
from scientist.papers._phrases import Phrases, count, listing, series, share, val
from scientist.papers._print import clipped, escape
from scientist.papers._records import Facts, Figure, Manuscript, Section
from scientist.papers._related import related_work
from scientist.papers._results_prose import finding, results_section
from scientist.papers._tables import data_columns, make_tables
from scientist.template import Template


@dataclass(frozen=True)
class Material:
    """Everything a Writer may use; nothing else reaches a paper."""

    template: Template
    idea: Idea
    study: Study
    analysis: Analysis
    results: Sequence[RunResult]
    facts: Facts
    novelty: Novelty
    figures: tuple[Figure, ...]
    sandbox: str
    sandbox_gaps: tuple[str, ...]
    roles: dict[str, str]
    executor: str = "local"
    usages: tuple[Usage, ...] = ()
    look: Callable[[], Mapping[str, Picture]] = dict
    """The figures as pictures, by id; drawn when somebody looks."""
    by_rules: tuple[str, ...] = ()
    """Titles of the parts that rules wrote although a model was asked."""


LONGEST_CONTEXT = 400
"""Characters of the abstract's first sentence, which a template's author wrote."""


class Writer(Protocol):
    """Turns material into a manuscript of LaTeX fragments whose values are macros."""

    @property
    def name(self) -> str:
        """Who it is: 'heuristic', or how the model is called."""
        ...

    def write(self, material: Material) -> Manuscript:
        """The manuscript. Raises nothing for want of words: what cannot be grounded is left out."""


class HeuristicWriter:
    """Writes by rules: the sentences follow design and verdicts, the numbers are all macros."""

    name = "heuristic"

    def write(self, material: Material) -> Manuscript:
        """See :class:`Writer`."""
        template = marked(material.template, material.study)
        phrases = Phrases(template, material.idea, material.study, material.analysis)
        facts = material.facts.by_id()
        found = " ".join([finding(phrases), *known_sentences(phrases, facts)])
        came_with = baseline(phrases, facts)
        sections = [
            Section(id="introduction", title="Introduction", paragraphs=_introduction(phrases, material, found)),
            Section(id="related", title="Related work", paragraphs=related_work(phrases, material.novelty)),
            Section(id="method", title="Method", paragraphs=_method(phrases, material)),
            Section(id="results", title="Results", paragraphs=results_section(phrases, facts)),
            *([Section(id="baseline", title="What the template came with", paragraphs=came_with)] if came_with else []),
            Section(id="negative", title="Negative results", paragraphs=negative_results(phrases, material.results)),
            Section(id="discussion", title="Discussion", paragraphs=discussion(phrases)),
            Section(
                id="limitations",
                title="Limitations",
                paragraphs=limitations(phrases, material.novelty, material.sandbox_gaps, facts, material.sandbox),
            ),
            Section(id="reproducibility", title="Reproducibility statement", paragraphs=reproducibility(material)),
            Section(id="disclosure", title="AI disclosure", paragraphs=_disclosure(material)),
        ]
        return Manuscript(
            slug=material.idea.slug,
            title=_title(material.idea.title),
            finding=found,
            abstract=_abstract(phrases, found),
            sections=tuple(sections),
            tables=make_tables(phrases, facts),
            figures=material.figures,
            roles=material.roles,
        )


def _title(title: str) -> str:
    """The idea's title; one with numbers in it is printed as the declared words that it is."""
    return val("idea.title") if any(char.isdigit() for char in title) else escape(title)


def _abstract(p: Phrases, found: str) -> str:
    study, primary = p.study, p.study.primary
    context = clipped(p.template.background.split(". ")[0], LONGEST_CONTEXT).rstrip(".") + "."
    parts = [
        escape(context),
        f"We ask: {val('idea.question')}",
        (
            f"Before any run, a study of {val('study.n_variants')} variants, {val('study.n_seeds')} {p.many} each and "
            f"{val('study.n_contrasts')} contrast{'s' if len(study.contrasts) > 1 else ''} was declared and frozen, with "
            f"{val('study.smallest_effect')}{p.points} of {p.name} as the smallest effect worth caring about."
        ),
        found,
        p.on_final(primary),
        caveats(p),
    ]
    others = [p.analysis.contrast(c.id) for c in study.contrasts if c.id != primary.id]
    if others:
        claimed = sum(r.verdict in ("supported", "contradicted") for r in others)
        open_ = sum(r.verdict in ("inconclusive", "untested") for r in others)
        futile = sum(r.verdict == "futile" for r in others)
        early = f", {share(futile, len(others))} {'was' if futile == 1 else 'were'} stopped early" if futile else ""
        parts.append(
            _the_other(others[0].verdict)
            if len(others) == 1
            else f"Of the {count(len(others), 'other declared contrast')}, {share(claimed, len(others))} "
            f"{'differs' if claimed == 1 else 'differ'} from zero after Holm's correction by an amount that can matter{early}, and "
            f"{share(open_, len(others))} {'is' if open_ < 2 else 'are'} left open."
        )
    parts.append("Every number below links to the runs that it came from.")
    return " ".join(part for part in parts if part)


def _family(p: Phrases, cited: str) -> str:
    """What is corrected for."""
    if len(p.study.contrasts) == 1:
        return f"There is one contrast, so that Holm's method{cited} has nothing to correct."
    return f"The {val('study.n_contrasts')} contrasts form one family, corrected by Holm's method{cited}."


def _the_other(verdict: str) -> str:
    """What became of the only contrast beside the primary one."""
    told = {
        "supported": "differs from zero after Holm's correction by an amount that can matter",
        "inconclusive": "is left open",
        "untested": "is left open",
        "futile": "was stopped early",
    }
    found = told.get("supported" if verdict == "contradicted" else verdict, "shows no difference that can matter")
    return f"The one other declared contrast {found}."


def _introduction(p: Phrases, material: Material, found: str) -> tuple[str, ...]:
    idea = material.idea
    paragraphs = [
        escape(clipped(p.template.background)),
        (
            f"This paper asks one question of that kind. {val('idea.question')} {val('idea.why')} The hypothesis, written "
            f"down before the first run, was: ``{val('idea.hypothesis')}''"
        ),
    ]
    if idea.lessons:
        told = [
            f"An earlier review in this laboratory had noted: ``{val(f'idea.lesson_{letter}.text')}'' "
            f"In answer, {val(f'idea.lesson_{letter}.change')}"
            for letter, _ in zip("abcdefghijklmnopqrstuvwxyz", idea.lessons, strict=False)
        ]
        paragraphs.append(" ".join(text.rstrip(".") + "." if not text.endswith("}") else text + "." for text in told))
    paragraphs.append(
        f"In short: {found} Section~\\ref{{sec:method}} says what was declared, Section~\\ref{{sec:results}} what was "
        "found, Section~\\ref{sec:negative} what was not, and Section~\\ref{sec:limitations} what the study cannot show. "
        "The appendix lists every run, every failure, the frozen study, and for every number the file that holds it."
    )
    return tuple(paragraphs)


def _method(p: Phrases, material: Material) -> tuple[str, ...]:
    table = bool(data_columns(material.study))
    paragraphs = [
        task(p, table),
        *([r"\placetable{data}"] if table else []),
        _variants(p) + method_sources(p, material.novelty),
        change_paragraph(p, material.facts.by_id()),
        (
            f"{runs_are(p, _cite(material.novelty, 'bouthillier'))}A pilot with "
            f"{val('study.pilot_seeds')} other {p.many} per variant, whose runs enter no test, measured how much paired "
            "differences spread. From the upper confidence limit of that spread"
            rf"{_cite(material.novelty, 'browne')} the study needs {p.needed} {p.many} per variant to find the "
            rf"smallest effect at the primary contrast with a power of {val('study.power')}\,\% "
            rf"at a family-wise error rate of {val('study.alpha')}\,\%; {_seed_choice(p)}"
        ),
        (
            r"\paragraph{Tests.} Each contrast is a weighted sum of variant means, computed per "
            f"{p.one} and tested against zero with a two-sided $t$ test on the per-{p.one} values, the paired $t$ test{_cite(material.novelty, 'student')} when two variants are compared. "
            f"Wilcoxon's signed-rank test{_cite(material.novelty, 'wilcoxon')}, which assumes less, is reported beside it. "
            rf"Intervals are {val('study.ci_level')}\,\% Student intervals of the same values. "
            f"{_family(p, _cite(material.novelty, 'holm'))} Where a contrast is "
            "not distinguishable from zero, two one-sided tests"
            f"{_cite(material.novelty, 'schuirmann', 'lakens')} against a margin of {val('study.smallest_effect')}{p.points} "
            "decide whether it may be called equivalent; without that it is called inconclusive. A difference whose whole "
            "interval lies inside the margin is called too small to matter, however small its $p$. The study was frozen, "
            f"hashed ({val('study.sha')}\\ldots) and entered in an append-only journal before the first run"
            f"{_cite(material.novelty, 'nosek')}; nothing in it was changed afterwards."
        ),
        early_stop_rule(p),
    ]
    return tuple(text for text in paragraphs if text)


def _variants(p: Phrases) -> str:
    """What varies and what is held fixed."""
    study = p.study
    reference = study.variants[0]
    varied = sorted({k for v in study.variants for k in v.knobs if v.knobs[k] != reference.knobs[k]})
    tuned = sorted({k for v in study.variants if v.tuner for k in v.tuner.knobs})
    names = [f"{val(f'variant.{v.name}.title')}" for v in study.variants]
    text = rf"\paragraph{{Variants.}} The study compares {val('study.n_variants')} variants: {series(names) if any(',' in v.title for v in study.variants) else listing(names)}. "
    if varied:
        units = [
            f"{p.title(k)} as {escape(p.knob(k).unit)}"
            for k in varied
            if p.knob(k).unit and p.knob(k).type != "choice" and p.knob(k).unit not in p.knob(k).title
        ]
        text += f"They differ in {listing([p.title(k) for k in varied])} and in nothing else"
        text += f" (given: {listing(units)}). " if units else ". "
    if any(variant.code for variant in study.variants):
        text += "They differ in the code of one of them, as said below, and in nothing else. "
    if tuned:
        where = r" scored on \emph{search}" if p.held_out else ""
        judged = (
            r"the best on \emph{search} is what \emph{keep} and \emph{final} judge."
            if p.held_out
            else "the best of them is the result, chosen by the very score that decides, which flatters it."
        )
        text += (
            f"The tuned variants choose {listing([p.title(k) for k in tuned])} anew for every {p.one}, by "
            f"{val('study.trials')} runs{where}, the first of which is the default itself; {judged} "
        )
    fixed = [
        f"{p.title(name)} ({val(f'set.{reference.name}.{name}')})"
        for name, value in sorted(p.template.effective(reference.knobs).items())
        if name not in varied and name not in tuned and (value != p.knob(name).default or p.knob(name).role == "family")
    ]
    if fixed:
        text += f"The same in every variant: {listing(fixed)}. "
    return text + "All other knobs stay at their defaults, which the appendix lists. "


def _seed_choice(p: Phrases) -> str:
    pilot = p.study.pilot
    if pilot.capped and pilot.expected_power >= p.study.power:
        return (
            f"the budget allowed {val('study.n_seeds')}, with which the expected power, at the spread of the pilot, is "
            rf"{val('study.expected_power')}\,\% all the same."
        )
    if pilot.capped:
        return (
            f"the budget allowed {val('study.n_seeds')}, with which the expected power is only "
            rf"{val('study.expected_power')}\,\%. An inconclusive result is therefore weak evidence of absence."
        )
    if p.study.early_stop is not None:
        return (
            f"the study plans {val('study.n_seeds')} for what is not stopped early, with an expected power of "
            rf"{val('study.expected_power')}\,\%; {val('study.n_runs')} runs were begun."
        )
    return (
        f"the study runs {val('study.n_seeds')}, {val('study.n_runs')} runs in all, with an expected power of "
        rf"{val('study.expected_power')}\,\%."
    )


def _disclosure(material: Material) -> tuple[str, ...]:
    models = sorted({name for name in material.roles.values() if name != "heuristic"})
    who = (
        "All four roles (proposing, experimenting, writing, reviewing) were played by rules; no language model was used."
        if not models
        else "Roles were played as follows: "
        + "; ".join(f"{role} by {escape(name)}" for role, name in sorted(material.roles.items()))
        + "."
    )
    instead = (
        f" Rules wrote, although the model was asked: {listing(list(material.by_rules))}." if material.by_rules else ""
    )
    origin = {
        "person": "The idea was written by a person.",
        "heuristic": "The idea was composed by rules from the task's declared knobs.",
        "model": "The idea was proposed by a language model.",
        "import": "The idea was imported from another system's list.",
    }[material.idea.origin]
    return (
        f"This document was produced by software, the AI scientist named as its author. {origin} {who}{instead} "
        "Numbers, tables and figures were placed by code from recorded runs; no person or model typed them. "
        "Nobody has checked the prose by hand: read it as a draft that comes with the means to check it.",
    )


def _cite(novelty: Novelty, *stems: str) -> str:
    r"""``~\citep{key}`` for the first references whose keys begin with the stems; empty when there is no record."""
    keys = [r.key for stem in stems for r in novelty.references if r.key.lower().startswith(stem)]
    return rf"~\citep{{{','.join(dict.fromkeys(keys))}}}" if keys else ""
