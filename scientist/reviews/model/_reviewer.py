"""One reviewer: the form, criterion by criterion; what has no evidence goes back once; findings may be seen once."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.lab import canonical_json
from scientist.llm import Ask, Message, Model, NoAnswer, data, render
from scientist.reviews.forms import OVERALL, Answer, FilledReview, Form
from scientist.reviews.model._answers import (
    Mended,
    Reviewed,
    Scored,
    check_reviewed,
    check_scores,
    counted,
    filled,
    judged,
)
from scientist.reviews.model._quotes import Searchable
from scientist.reviews.model._shown import Shown, shuffled
from scientist.reviews.rule import Checked, told_findings

ROLE = "reviewer"
TEMPERATURE = 0.7
ANSWER, MEND = 6_000, 3_000  # tokens

PERSONAS = (
    "a statistician: you ask what each number is, how many runs it rests on, and what else could explain it",
    "an experimenter who would have to repeat this work: you ask what was done exactly, and what it was compared with",
    "a scholar of the field: you ask what was known before, what this adds, and how far it reaches",
    "an engineer who would have to use this: you ask whether it holds outside of the paper's own conditions, and what it costs",
    "an editor: you ask whether the claims of abstract and conclusion are the ones that the middle of the paper supports",
)
"""Where reviewers look first. None is kinder than another, none knows of the others, and no review says whose it is."""


class ModelReviewer:
    """Fills a form for a paper. `number` (from 1) and `seed` choose persona, order of criteria and order of sections."""

    def __init__(self, model: Model, form: Form, number: int, seed: int) -> None:
        self._model, self._form, self._number, self._seed = model, form, number, seed
        self.persona = shuffled(PERSONAS, seed, "personas")[(number - 1) % len(PERSONAS)]
        self.criteria = (*shuffled(form.criteria, seed, number, "criteria"), form.scored[-1])
        self.name = f"{model.label}, reviewer {number}"

    def review(self, paper: str, shown: Shown, findings: Sequence[Checked] = ()) -> FilledReview:
        """The filled form. With findings the reviewer sees them once and may revise; `before` then holds the first scores.

        Raises :class:`NoAnswer` when no usable answer came, and whatever else asking a model raises.
        """
        searchable = shown.searchable()
        asked = self.question(shown)
        first, answers = self._filled(asked, searchable, paper)
        review = filled(first, answers, self._form, searchable, paper, self.name)
        if not findings:
            return review
        mended = {one.criterion: one for one in answers}
        stands = first.model_copy(update={"scores": tuple(_as_scored(mended[one.criterion]) for one in first.scores)})
        told = data("findings", told_findings(findings, shown.blind))
        again = (
            *asked,
            Message(role="assistant", text=_json(stands)),
            Message(role="user", text=render("review_revise", findings=told)),
        )
        try:
            second, revised = self._filled(again, searchable, paper, "after the findings")
        except NoAnswer:
            return review  # the first form stands; it was complete without them
        made = filled(second, revised, self._form, searchable, paper, self.name)
        return made.model_copy(update={"before": dict(counted(answers))})

    def question(self, shown: Shown) -> tuple[Message, ...]:
        """What the reviewer is asked. The same seed, number and paper make the same words."""
        text = render(
            "review",
            criteria="\n".join(f"- `{c.name}`: {c.question} Score: {c.told()}." for c in self.criteria),
            confidence=self._form.confidence.told(),
            texts="\n".join(f"- in `texts`, `{t.name}`: {t.question or t.title}" for t in self._form.own_texts)
            or "The list `texts` stays empty.",
            references=shown.references,
            left_out=f"Left out for length or because it could not be read: {'; '.join(shown.left_out)}."
            if shown.left_out
            else "Nothing was left out for length.",
            paper=_fenced(shown.text(self._seed, self._number, "sections")),
        )
        system = render("review_system", persona=self.persona)
        return (Message(role="system", text=system), Message(role="user", text=text))

    def _filled(
        self, messages: tuple[Message, ...], paper: Searchable, name: str, when: str = ""
    ) -> tuple[Reviewed, tuple[Answer, ...]]:
        """An answer of the right shape, and its scores with those that had no evidence asked for once more."""
        what = " ".join(filter(None, (f"review {name} ({self._number})", when)))
        reviewed = self._model.ask_record(
            self._ask(what, messages, ANSWER), Reviewed, lambda answer: check_reviewed(answer, self._form), name
        )
        answers = judged(reviewed.scores, paper)
        lacking = [c.name for c in self.criteria if not answers[c.name].supported]
        if lacking:
            problems = "\n".join(f"- {name}: {answers[name].problem}" for name in lacking)
            again = (
                *messages,
                Message(role="assistant", text=_json(reviewed)),
                Message(role="user", text=render("review_mend", problems=problems)),
            )
            try:
                mended = self._model.ask_record(
                    self._ask(f"{what}: evidence", again, MEND),
                    Mended,
                    lambda answer: check_scores(answer.scores, self._form, lacking),
                    name,
                )
                answers.update(judged(mended.scores, paper))
            except NoAnswer:
                pass  # they stay as they are: unsupported
        return reviewed, _overall_needs_parts(tuple(answers[c.name] for c in self.criteria))

    def _ask(self, task: str, messages: tuple[Message, ...], most: int) -> Ask:
        return Ask(
            role=ROLE,
            task=task,
            messages=messages,
            max_tokens=most,
            temperature=TEMPERATURE,
            sample=self._number - 1,
        )


def _overall_needs_parts(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Overall does not count where fewer than half of the criteria do: it would be an impression."""
    parts = [one for one in answers if one.criterion != OVERALL]
    if 2 * sum(one.counts for one in parts) >= len(parts):
        return answers
    lost = {"supported": False, "problem": "fewer than half of the criteria are supported"}
    return tuple(one.model_copy(update=lost) if one.criterion == OVERALL and one.counts else one for one in answers)


def _as_scored(answer: Answer) -> Scored:
    quotes = tuple(quote.text for quote in answer.quotes)
    return Scored(criterion=answer.criterion, why=answer.why, quotes=quotes, score=int(answer.score))


def _json(answer: Reviewed) -> str:
    return canonical_json(answer.model_dump(mode="json")).decode()


def _fenced(text: str) -> str:
    """The paper as data, whole: what is too long was left out before, and that was said."""
    return data("paper", text, longest=len(text) + 1)
