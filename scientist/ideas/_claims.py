"""What one of the lab's own ideas claims, from its design and its texts; and what a search for it asks. Pure."""

from __future__ import annotations

from scientist.ideas._bibliography import used_values
from scientist.ideas._idea import Idea, Modification
from scientist.ideas._similarity import knobs_of
from scientist.literature import Claim
from scientist.literature._claims import LONGEST, MOST_CLAIMS, ClaimRole, sentences
from scientist.literature._text import clean
from scientist.template import Template

_KINDS = {
    "dose-response": "the effect of {}",
    "comparison": "comparison of {}",
    "interaction": "the interaction of {}",
    "robustness": "robustness of {}",
    "transfer": "{} across data sets",
    "tuning": "hyperparameter tuning of {}",
    "modification": "{}",
}


def claims_of(idea: Idea, template: Template) -> tuple[Claim, ...]:
    """The idea in a line, what its design changes, on what, measured how, and what is expected."""
    told: list[tuple[ClaimRole, str]] = [("idea", idea.title), ("mechanism", mechanism(idea, template))]
    if isinstance(idea.design, Modification):
        told += [("mechanism", line) for line in sentences(idea.design.change)[:3]]
    told += [("setting", setting(idea, template))]
    told += [("measure", template.metric(template.objective.metric).title)]
    told += [("expected", line) for line in (*sentences(idea.question)[:1], *sentences(idea.hypothesis))]
    kept = [(role, clean(text, LONGEST)) for role, text in told]
    return tuple(Claim(role=role, text=text) for role, text in dict.fromkeys(kept) if text)[:MOST_CLAIMS]


def mechanism(idea: Idea, template: Template) -> str:
    """What the design varies, by the names that people use."""
    if isinstance(idea.design, Modification):
        return idea.design.name
    names = []
    for knob in template.knobs:
        if knob.name in knobs_of(idea) and knob.role != "dataset":
            labels = [knob.label(value) for value in used_values(knob, idea)]
            names.append(" and ".join(labels) if knob.role == "family" and labels else knob.title)
    return _KINDS[idea.design.kind].format(" and ".join(names) or "the task")


def setting(idea: Idea, template: Template) -> str:
    """What is held fixed, and the task."""
    fixed = [
        knob.label(value) if knob.choices else knob.title
        for knob in template.knobs
        if knob.name in idea.settings and knob.name not in knobs_of(idea)
        for value in used_values(knob, idea)[:1]
    ]
    return ", ".join([template.title, *fixed])
