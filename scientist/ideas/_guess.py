"""A best guess at the design of an idea that comes as prose: its words are matched with the template's. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from scientist.ideas._idea import Tuning
from scientist.ideas._propose_knobs import data_knob, family_knob, nominal, sound
from scientist.ideas._propose_sketch import Sketch, coverage
from scientist.lab import KnobValue
from scientist.template import Knob, Template

# Words that point at a kind of design, strongest first.
CUES = {
    "tuning": r"hyper-?parameter (search|optimi[sz]ation|tuning)|random search|bayesian optimi[sz]ation|\btpe\b|\btuning\b",
    "transfer": r"(other|several|multiple|across|further|different) data ?sets|\btransfers?\b|generali[sz]es? across",
    "robustness": r"\brobust\w*|\bsurvives?\b|\bstress\b|under (label |feature )?(noise|shift|corruption)",
    "interaction": r"\binteract\w*|\bdepends? on\b|\bjoint(ly)?\b",
    "comparison": r"\bcompar\w+|\bversus\b|\bvs\b|\bbenchmark",
    "dose-response": r"\bvary(ing)?\b|\beffects? of\b|\bsweep\b|\bincreasing\b|\bscaling law",
}
NAMED, TOPIC, VALUE, CUE, PLACE = 3.0, 1.0, 1.0, 1.5, 0.5
ENOUGH = 2.0
"""A knob counts as meant from this mark on: its name, or two of its topics or values."""


def guess(text: str, template: Template) -> Sketch | None:
    """The study of the template that the text most likely asks for; None when it names nothing that can be varied."""
    text = _normal(text)
    marks = {knob.name: _mark(knob, text) for knob in template.knobs}
    meant = {name for name, mark in marks.items() if mark >= ENOUGH}
    if not meant:
        return None
    cued = {kind for kind, pattern in CUES.items() if re.search(pattern, text)}
    data, family = data_knob(template), family_knob(template)

    def likely(sketch: Sketch) -> float:
        score = sum(marks[name] if name in meant else -NAMED for name in sketch.varied)
        # Two knobs that are each half meant should not beat one that is named.
        score /= len(sketch.varied) ** 0.5
        score += CUE * (sketch.design.kind in cued)
        for knob in (data, family):
            if knob and knob.name not in sketch.varied:
                value = sketch.settings.get(knob.name)
                score += 0.0 if value is None else PLACE if _says(knob, value, text) else -PLACE
        return score

    candidates = [_meant(sketch, meant) for sketch in coverage(template) if set(sketch.varied) & meant]
    # A stable sort: among equals the order of the template decides.
    for sketch in sorted(candidates, key=lambda sketch: -likely(sketch)):
        if sound(sketch.design, sketch.settings, template):
            return sketch
    return None


def _meant(sketch: Sketch, meant: set[str]) -> Sketch:
    """A tuning design with only the knobs that the text names; any other as it is."""
    if not isinstance(sketch.design, Tuning):
        return sketch
    knobs = tuple(name for name in sketch.design.knobs if name in meant)
    return replace(sketch, design=sketch.design.model_copy(update={"knobs": knobs}))


def _normal(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text.lower())


def _has(phrase: str, text: str) -> bool:
    phrase = _normal(phrase).strip()
    forms = f"{re.escape(phrase[:-1])}(y|ies)" if phrase.endswith("y") else f"{re.escape(phrase)}(s|es)?"
    return len(phrase) > 2 and re.search(rf"\b{forms}\b", text) is not None


def _mark(knob: Knob, text: str) -> float:
    if knob.role == "dataset" or nominal(knob):
        return 0.0
    # 'model' stands in nearly every text: a family is meant by its title or by its members.
    mark = NAMED * (_has(knob.title, text) or (knob.role != "family" and _has(knob.name, text)))
    mark += TOPIC * sum(_has(topic.replace("-", " "), text) for topic in knob.topics)
    mark += VALUE * sum(_says(knob, choice, text) for choice in knob.choices)
    return mark


def _says(knob: Knob, value: KnobValue, text: str) -> bool:
    generic = {"none", "default", "standard"}
    return (str(value) not in generic and _has(str(value), text)) or (
        str(value) in knob.labels and _has(knob.label(value), text)
    )
