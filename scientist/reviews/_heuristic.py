"""The heuristic reviewer: the form filled by stated rules, from records alone."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Protocol

from scientist.papers import constant
from scientist.reviews._evidence import CLAIMS, Evidence, load_evidence
from scientist.reviews._form import Citation, Decision, Review
from scientist.reviews._rules import START, remarks
from scientist.template import Template

ACCEPT_AT = 6
CEILING_WITH_ERRORS = 3
"""No paper with an audit error scores more, whatever else speaks for it."""

_LAYOUT = (
    "undefined-ref",
    "unused-label",
    "figure-unused",
    "table-unused",
    "figure-missing",
    "figure-duplicate",
    "placeholder",
)
_SENSITIVE = re.compile(r"cancer|diabet|patient|medical|clinic|hospital|disease|face|person|income|credit", re.I)


class Reviewer(Protocol):
    """Whoever fills the form for a paper."""

    @property
    def name(self) -> str:
        """The file's name under `reviews/<slug>/`."""
        ...

    def review(self, paper: Path, template: Template) -> Review:
        """Review the paper in a folder. Raises :class:`RecordError` when a record is missing or broken."""
        ...


class HeuristicReviewer:
    """Reads audit, analysis, study, novelty and manuscript, and nothing else; the same paper gets the same review."""

    name = "heuristic"

    def review(self, paper: Path, template: Template) -> Review:
        """Fill the form. The paper has to be audited first (`audit.json`)."""
        return judge(load_evidence(paper, template))


def judge(e: Evidence) -> Review:
    """The whole form from the evidence. Pure."""
    said = remarks(e)
    strengths = tuple(s.remark for s in said if s.kind == "strength")
    weaknesses = tuple(sorted((s.remark for s in said if s.kind == "weakness"), key=lambda r: r.weight))
    overall = overall_score(e, START + sum(s.remark.weight for s in said))
    decision: Decision = "Accept" if overall >= ACCEPT_AT and not e.errors else "Reject"
    return Review(
        slug=e.study.slug,
        reviewer=HeuristicReviewer.name,
        summary=summary(e),
        strengths=strengths,
        weaknesses=weaknesses,
        questions=tuple(s.remark for s in said if s.kind == "question"),
        limitations=limitations(e),
        ethical_concerns=ethics(e),
        originality=originality(e),
        quality=quality(e),
        clarity=clarity(e),
        significance=significance(e),
        soundness=soundness(e),
        presentation=presentation(e),
        contribution=contribution(e),
        overall=overall,
        confidence=confidence(e),
        decision=decision,
        citations=citations(e),
    )


def citations(e: Evidence) -> tuple[Citation, ...]:
    """What the citations rest on, a row per work and passage. Whether it carries them is for a reader to judge."""
    times = Counter((c.key, c.passage, c.passage_of, c.source) for c in e.citations)
    return tuple(
        Citation(key=key, passage=passage, passage_of=kind, source=source, times=n)
        for (key, passage, kind, source), n in sorted(times.items())
    )


# -- scores (docs/reviews.md has them as tables) --------------------------------------------------------------------


def overall_score(e: Evidence, points: float) -> int:
    """Points to 1–10, halves upward; at most :data:`CEILING_WITH_ERRORS` when the audit found an error."""
    score = max(1, min(10, math.floor(points + 0.5)))
    return min(score, CEILING_WITH_ERRORS) if e.errors else score


def _scale(points: float) -> int:
    return max(1, min(4, math.floor(points + 0.5)))


def soundness(e: Evidence) -> int:
    """4; 1 with an audit error; −1 each: primary not settled, lost on final, power below 60 %, under 5 seeds, failures,

    self-reported metrics.
    """
    if e.errors:
        return 1
    lost = [
        not e.settled,
        e.outcome.holds_on_final is False,
        e.study.pilot.expected_power < 0.6,
        e.seeds < 5,
        e.failed_share > 0.1,
        e.self_reported,
    ]
    return _scale(4 - sum(lost))


def quality(e: Evidence) -> int:
    """Half the primary interval in margins: at most 1/2 → 4, at most 1 → 3, at most 2 → 2, wider or none → 1.

    At most 2 where every run gave the same number; one less when more than one run in ten failed.
    """
    points = 4 if e.width <= 0.5 else 3 if e.width <= 1 else 2 if e.width <= 2 else 1
    points = min(points, 2) if constant(e.keep) else points  # no spread is no evidence of a narrow one
    return _scale(points - (e.failed_share > 0.1))


def originality(e: Evidence) -> int:
    """Novel → 3, and 4 when the novelty score is at least 0.7; close or undecided → 2; known → 1."""
    match e.novelty.verdict:
        case "novel":
            return 4 if e.novelty.score >= 0.7 else 3
        case "known":
            return 1
        case _:
            return 2


def significance(e: Evidence) -> int:
    """1 if nothing is settled, else 2, or 3 for a claimed effect of two margins; +1 for two or more data sets (at most 4)."""
    large = e.outcome.verdict in CLAIMS and e.size >= 2 and e.primary.expect != "equivalent"
    return _scale((3 if large else 2 if e.settled else 1) + (len(e.datasets) > 1))


def clarity(e: Evidence) -> int:
    """4; −1 each: abstract outside 80–300 words, mean sentence above 30, longest above 80, a float never mentioned."""
    prose = e.prose
    lost = [not 80 <= prose.abstract <= 300, prose.sentence > 30, prose.longest > 80, bool(prose.unreferenced)]
    return _scale(4 - sum(lost))


def presentation(e: Evidence) -> int:
    """4; −1 for each kind of audit finding about references, figures or placeholders, and for a paper without floats."""
    kinds = {f.code for f in e.findings if f.severity != "note" and f.code in _LAYOUT}
    return _scale(4 - len(kinds) - (not e.prose.floats))


def contribution(e: Evidence) -> int:
    """Mean of originality, significance and certainty (4 settled and held on final, 3 settled, 1 not)."""
    certain = 1 if not e.settled or e.outcome.holds_on_final is False else 4 if e.outcome.holds_on_final else 3
    return _scale((originality(e) + significance(e) + certain) / 3 - 0.01)


def confidence(e: Evidence) -> int:
    """How much could be checked: 4 (rules cannot judge an argument); −1 each: novelty undecided, final unopened, < 5 seeds,

    self-reported metrics.
    """
    missing = [e.novelty.verdict == "undecided", e.final.mean is None, e.seeds < 5, e.self_reported]
    return max(1, 4 - sum(missing))


# -- words -----------------------------------------------------------------------------------------------------------


def summary(e: Evidence) -> str:
    """What was asked, how it was tested, and what came out."""
    variants, contrasts = len(e.study.variants), len(e.study.contrasts)
    tested = f"{contrasts} contrast{'s' if contrasts > 1 else ''} declared before the runs"
    found = e.prose.finding or f"The primary contrast, {e.primary.title}, came out {e.outcome.verdict}."
    return (
        f"The paper asks: {e.idea.question} It compares {variants} variants with {e.seeds} {e.many} each on "
        f"{', '.join(e.datasets)} and tests {tested}. {found} Verdict on the primary contrast: {e.outcome.verdict}."
    )


def limitations(e: Evidence) -> str:
    """What the study cannot show, as far as its design tells."""
    parts = [
        f"{e.many.capitalize()} redraw what the code draws at random on {', '.join(e.datasets)}; intervals say nothing else."
        if e.self_reported or not e.held_out
        else f"Seeds redraw the training sample, the noise and the initialisation on {', '.join(e.datasets)}; intervals say "
        "nothing about other data."
    ]
    if e.self_reported:
        parts.append("Every metric is self-reported by the experiment's own code; no evaluator checked it.")
    if not e.study.seeded:
        parts.append("Runs take no seed, so none can be reproduced exactly.")
    if not e.held_out:
        parts.append("The task holds nothing out, so nothing was confirmed on fresh data.")
    if e.study.pilot.capped:
        parts.append(f"The budget stopped at {e.seeds} of {e.study.pilot.needed} {e.many}.")
    if not e.stressed:
        parts.append("One set of conditions was tried.")
    if e.outcome.holds_on_final is None and e.settled and e.held_out:
        parts.append("No split was kept unopened for the primary result.")
    named = "names" if e.prose.limitations else "does not name"
    parts.append(f"The paper {named} limitations of its own.")
    return " ".join(parts)


def ethics(e: Evidence) -> str:
    """Concerns that can be read from the data sets and the disclosure."""
    about_people = [title for title in e.datasets if _SENSITIVE.search(title)]
    parts = []
    if about_people:
        names = ", ".join(about_people)
        parts.append(f"Data about people ({names}): nothing here supports a decision about a person.")
    if not e.prose.disclosed:
        parts.append("The paper does not disclose that a program wrote it.")
    if not parts and e.self_reported:
        return "None that the records show; where the data of this template come from was not checked."
    return " ".join(parts) or "None beyond the usual: public data, no people studied, automation disclosed."
