"""From a sketch to an idea that a person can read: slug, title, question, hypothesis, reason, plan. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from pydantic import ValidationError

from scientist.ideas._idea import Idea, Transfer
from scientist.ideas._propose_knobs import cost, data_knob, family_knob
from scientist.ideas._propose_sketch import Sketch
from scientist.ideas._propose_text import Words, reason, tell
from scientist.template import Template

VERBS = {
    "dose-response": "dose",
    "comparison": "compare",
    "interaction": "interact",
    "robustness": "robust",
    "transfer": "transfer",
    "tuning": "tune",
}
SUBTITLES = {
    "sharper": "a sharper test",
    "replicated": "a replication",
    "wider": "a wider range",
    "reversed": "the opposite, declared in advance",
    "spared": "without the values that failed",
}
LONGEST_SLUG, LONGEST_TITLE = 60, 200


def compose(sketch: Sketch, template: Template, taken: Collection[str], titles: Collection[str] = ()) -> Idea | None:
    """The idea of a sketch, with a slug that is not `taken` and a title that is not among `titles`.

    None when no valid idea comes of it (a title that cannot be told apart, a name too long).
    """
    words = Words(template, sketch.settings, template.objective.smallest_effect)
    title, question, hypothesis = tell(sketch.design, sketch.expect, words)
    if sketch.label:
        title = f"{title.rstrip('?')}: {SUBTITLES[sketch.label]}"
    if title in titles or len(title) > LONGEST_TITLE:
        return None
    why = reason(sketch.design, words)
    if sketch.parent:
        why += " An earlier study of this laboratory left it open."
    try:
        return Idea(
            slug=free_slug(slug_of(sketch, template), taken),
            title=title,
            template=template.name,
            status="proposed",
            origin="heuristic",
            question=question,
            hypothesis=hypothesis,
            expect=sketch.expect,
            smallest_effect=template.objective.smallest_effect,
            why=why,
            design=sketch.design,
            settings=sketch.settings,
            seeds=sketch.seeds,
            lessons=sketch.uses,
            notes=plan(sketch, template, words),
        )
    except ValidationError:
        return None


def plan(sketch: Sketch, template: Template, words: Words) -> str:
    """The prose below the front matter: what will be run, and what was changed because of which lesson."""
    runs = cost(sketch.design)
    lines = [
        f"Each seed costs {runs} runs; the template's budget of {template.budget.runs} allows up to "
        f"{max(1, template.budget.runs // runs)} seeds per variant. The primary contrast is worth caring about from "
        f"{words.amount} of {words.measure} on."
    ]
    for use in sketch.uses:
        lines.append(f"Because of the lesson `{use.lesson}`, {use.change}.")
    return "\n\n".join(lines)


def slug_of(sketch: Sketch, template: Template) -> str:
    """'dose-label-noise-mlp-wine': the kind, what is varied, and where when that is not the usual place."""
    parts = [VERBS[sketch.design.kind]]
    family, data = family_knob(template), data_knob(template)
    if sketch.design.kind != "tuning":
        parts += sketch.varied
    elif family is not None:
        parts.append(str(sketch.settings.get(family.name, family.default)))
    else:
        parts += sketch.varied[:2]
    for knob in (family, data):
        if knob and knob.name in sketch.settings and str(sketch.settings[knob.name]) not in parts:
            parts.append(str(sketch.settings[knob.name]))
    if isinstance(sketch.design, Transfer):
        treated = [value for name, value in sketch.design.treatment.items() if template.knob(name).type == "choice"]
        parts += [str(value) for value in treated]
    if sketch.label:
        parts.append(sketch.label)
    return shortened(slugged("-".join(parts)), LONGEST_SLUG - 4)


def slugged(text: str) -> str:
    """Lower-case letters and digits joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shortened(slug: str, longest: int) -> str:
    """The slug cut at a hyphen so that it is at most `longest` characters."""
    if len(slug) <= longest:
        return slug
    return slug[: longest + 1].rpartition("-")[0] or slug[:longest]


def free_slug(slug: str, taken: Collection[str]) -> str:
    """The slug, or the first of slug-2, slug-3, ... that is not taken."""
    if slug not in taken:
        return slug
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"
