"""The forms that come with the program. Scales and anchors are those of the conferences; the questions are our words."""

from __future__ import annotations

from collections.abc import Mapping

from scientist.reviews.forms._form import Criterion, Form, FreeText, Scale

_PARTS = {1: "poor", 2: "fair", 3: "good", 4: "excellent"}
_DEGREES = {1: "low", 2: "medium", 3: "high", 4: "very high"}
_QUESTIONS = {
    "originality": "What is new here (task, method, combination, insight), and is it told apart from what was known?",
    "quality": "Is the work technically sound and whole: are claims supported by analysis or experiments, weaknesses named?",
    "clarity": "Is it written and organised so that an expert could do it again?",
    "significance": "Would others use or build on this: does it settle a question, or solve a task better than was possible?",
    "soundness": "Do method, experiments and statistics support the central claims?",
    "presentation": "How good are writing, figures and tables, and the place given to earlier work?",
    "contribution": "How much does the paper add: is the question important, is what was found worth sharing?",
}
_CONFIDENCE = Scale(
    low=1,
    high=5,
    anchors={
        1: "an educated guess",
        2: "willing to defend, but central parts may be misunderstood",
        3: "fairly confident; details were not checked",
        4: "confident, not certain",
        5: "certain; details were checked",
    },
)
_TEXTS = (
    FreeText(name="summary", title="Summary"),
    FreeText(name="strengths", title="Strengths"),
    FreeText(name="weaknesses", title="Weaknesses"),
    FreeText(name="questions", title="Questions"),
)


def _part(name: str, anchors: Mapping[int, str]) -> Criterion:
    return Criterion(
        name=name, title=name.capitalize(), question=_QUESTIONS[name], low=1, high=4, anchors=dict(anchors)
    )


NEURIPS = Form(
    name="neurips",
    title="NeurIPS 2024",
    criteria=(
        *(_part(name, _DEGREES) for name in ("originality", "quality", "clarity", "significance")),
        *(_part(name, _PARTS) for name in ("soundness", "presentation", "contribution")),
    ),
    overall=Scale(
        low=1,
        high=10,
        anchors={
            1: "known results or unaddressed ethics",
            2: "strong reject: major technical flaws",
            3: "reject: flaws, weak evaluation",
            4: "borderline reject",
            5: "borderline accept",
            6: "weak accept: solid, moderate impact",
            7: "accept: good evaluation, high impact in one area",
            8: "strong accept",
            9: "very strong accept",
            10: "award quality",
        },
    ),
    confidence=_CONFIDENCE,
    accept_at=6,
    texts=(
        *_TEXTS,
        FreeText(name="limitations", title="Limitations"),
        FreeText(name="ethical_concerns", title="Ethical concerns"),
    ),
)

ICLR = Form(
    name="iclr",
    title="ICLR (OpenReview)",
    criteria=tuple(_part(name, _PARTS) for name in ("soundness", "presentation", "contribution")),
    overall=Scale(
        low=1,
        high=10,
        steps=(1, 3, 5, 6, 8, 10),
        anchors={
            1: "strong reject",
            3: "reject",
            5: "marginally below the threshold",
            6: "marginally above the threshold",
            8: "accept",
            10: "strong accept",
        },
    ),
    confidence=_CONFIDENCE,
    accept_at=6,
    texts=(*_TEXTS, FreeText(name="ethical_concerns", title="Ethical concerns")),
)

BUILTIN: Mapping[str, Form] = {form.name: form for form in (NEURIPS, ICLR)}
