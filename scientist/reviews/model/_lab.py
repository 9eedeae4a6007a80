"""The Reviewer of a campaign that a model plays: beside the stated rules, never instead of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scientist.experiments import Analysis, Study
from scientist.ideas import Idea, Lesson, Lessons, Topic
from scientist.llm import Model
from scientist.reviews._evidence import design_knobs
from scientist.reviews._lessons import CAP, carried
from scientist.reviews.forms import NEURIPS, Kind
from scientist.reviews.model._own import own_document, own_findings
from scientist.reviews.model._panel import Panel, review_paper
from scientist.template import Template

REVIEWERS = 3
TOPICS: Mapping[Kind, Topic] = {
    "scope": "scope",
    "novelty": "novelty",
    "soundness": "robustness",
    "evidence": "robustness",
}
"""What a next study can do about a weakness of a kind. About clarity and ethics it can do nothing."""

_SAID: Mapping[Kind, str] = {
    "scope": "finds that the study reaches less far than it should",
    "novelty": "doubts that the study is new",
    "soundness": "doubts that the result follows, and asks for it under other conditions",
    "evidence": "finds too little evidence, and asks for the effect under other conditions",
}
"""A lesson in our words: it is printed in the next paper, where no word or number of a model may stand unchecked."""


@dataclass(frozen=True)
class LabReviewer:
    """Has `model` review papers of a lab. `fell_back` is told (step, why) of a reviewer that gave nothing usable."""

    model: Model
    seed: int = 0
    say: Callable[[str], None] = lambda _: None
    fell_back: Callable[[str, str], None] = lambda *_: None

    @property
    def file(self) -> str:
        """The review's file under `reviews/<slug>/`; no name of a model makes it another one."""
        return f"by-{re.sub(r'[^A-Za-z0-9.-]+', '-', self.model.label).strip('-.')[:80]}.json"

    def review(self, folder: Path) -> Panel:
        """The reviews of a finished paper. Raises :class:`RecordError`, and what asking a model raises."""
        panel = review_paper(
            own_document(folder),
            self.model,
            NEURIPS,
            name=folder.name,
            reviewers=REVIEWERS,
            seed=self.seed,
            findings=own_findings(folder),
            say=self.say,
        )
        for line in panel.failed:
            self.fell_back("review", line)
        return panel


def with_lessons_of(
    lessons: Lessons,
    panel: Panel,
    file: str,
    study: Study,
    analysis: Analysis,
    idea: Idea,
    template: Template,
    round: int,
) -> Lessons:
    """The lessons of the rules, and behind them those of the model's reviews, at most :data:`CAP` in all.

    A weakness becomes a lesson if every score of its review counts, its quotation stands in the paper, a next study could
    settle it, and the rules have taught nothing on its topic. It weighs 1, as little as any, and names its source
    (`reviews/<slug>/<file>#reviews/<r>/weaknesses/<n>`). Pure.
    """
    found = list(lessons.lessons)
    taught: set[str] = {lesson.topic for lesson in found}
    for place, review in enumerate(panel.reviews):
        for number, weakness in enumerate(review.weaknesses):
            topic = TOPICS.get(weakness.kind) if weakness.kind else None
            usable = review.complete and weakness.located and weakness.actionable
            if len(found) >= CAP or topic is None or topic in taught or not usable or weakness.kind is None:
                continue
            taught.add(topic)
            knobs = design_knobs(idea)
            found.append(
                Lesson(
                    id=f"{study.slug}.{topic}",
                    topic=topic,
                    text=f"A reviewer that a model plays {_SAID[weakness.kind]}.",
                    source=f"reviews/{study.slug}/{file}#reviews/{place}/weaknesses/{number}",
                    paper=study.slug,
                    template=template.name,
                    knobs=knobs,
                    values=carried(topic, study, analysis, idea, template, knobs),
                    weight=1.0,
                    round=round,
                )
            )
    return Lessons(lessons=tuple(found))
