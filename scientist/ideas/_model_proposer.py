"""The Proposer that a model plays: a batch of distinct ideas as records, merged with those made by rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scientist.ideas._backlog import Backlog
from scientist.ideas._idea import Idea
from scientist.ideas._lessons import Lesson
from scientist.ideas._model_ideas import Batch, Proposed, to_idea
from scientist.ideas._proposer import HeuristicProposer, Proposer
from scientist.literature import Reference, Source, search_all
from scientist.llm import Ask, Message, Model, NoAnswer, data, render
from scientist.template import Knob, Template

if TYPE_CHECKING:
    from scientist.search import Archive

MOST_ASKED = 12
LISTED = 30
WORKS = 10
ABSTRACT = 500
CODE = 16_000


@dataclass(frozen=True)
class _Asked:
    """What the last question for ideas was about, for a further one about some of them."""

    task: str
    template: Template
    backlog: Backlog
    known: Sequence[Idea]
    lessons: Sequence[Lesson]
    round: int


@dataclass
class ModelProposer:
    """Asks `model` for ideas, checks each like any other, has those mended once that fail a check, and adds the
    heuristic ones: all are ranked together afterwards. Where the model gives nothing usable the heuristic ones remain,
    and `say` is told. `code_may_change`: somebody plays the Experimenter who can make a modification."""

    model: Model
    sources: Sequence[Source] = ()
    deadline_s: float = 8.0
    code_may_change: bool = False
    say: Callable[[str], None] = lambda _: None
    fell_back: Callable[[str, str], None] = lambda *_: None
    """Told (step, why) when rules alone make the ideas of a round."""
    fallback: Proposer = field(default_factory=HeuristicProposer)
    _state: _Asked | None = None

    def propose(
        self,
        template: Template,
        backlog: Backlog,
        lessons: Sequence[Lesson],
        archive: Archive,
        count: int,
        seed: int,
        round: int,
    ) -> list[Idea]:
        """See :class:`Proposer`: the model's ideas first, then those made by rules that are unlike them."""
        lessons = [lesson for lesson in lessons if lesson.template == template.name]
        known = [idea for idea in backlog if idea.template == template.name]
        ideas: list[Idea] = []
        try:
            ideas = self._ask(
                template, backlog, known, lessons, archive.of(template.name), min(count, MOST_ASKED), round
            )
            if not ideas:
                self.fell_back(f"ideas of round {round}", "none of the proposals could be used")
        except NoAnswer as error:
            self.say(f"ideas come from the rules alone: {error.message}")
            self.fell_back(f"ideas of round {round}", error.message)
        made = self.fallback.propose(template, backlog, lessons, archive, count, seed, round)
        taken = {idea.slug for idea in ideas}
        return [*ideas, *(idea for idea in made if idea.slug not in taken)]

    def _ask(
        self,
        template: Template,
        backlog: Backlog,
        known: Sequence[Idea],
        lessons: Sequence[Lesson],
        archive: Archive,
        count: int,
        round: int,
    ) -> list[Idea]:
        task = describe_task(template)
        self._state = _Asked(task, template, backlog, known, lessons, round)
        works, _ = search_all(self.sources, [template.title, template.objective.metric], self.deadline_s)
        asked = render(
            "propose",
            task=task,
            code="\n".join(_code(template)),
            lessons=_listed(f"- {lesson.id}: {lesson.text}" for lesson in lessons),
            findings=_listed(_findings(archive)),
            backlog=_listed(f"- {idea.title} ({idea.status})" for idea in known),
            works=_listed(_work(work) for work in works[:WORKS]),
            count=count,
            more_kinds=render("propose_change") if self.code_may_change else "",
        )
        batch = self._batch("propose", asked, round)
        taken, ideas = set(backlog.taken), list[Idea]()
        problems = self._take(batch.ideas, template, taken, known, lessons, ideas)
        if problems and len(ideas) < count:
            told = "\n\n".join(f"{data('proposal', one.model_dump_json())}\nProblem: {why}" for one, why in problems)
            try:
                mended = self._batch("mend_proposals", render("mend_proposals", task=task, problems=told), round)
            except NoAnswer as error:
                self.say(f"{len(problems)} proposals were dropped: {error.message}")
            else:
                problems = self._take(mended.ideas[: len(problems)], template, taken, known, lessons, ideas)
        for one, why in problems:
            self.say(f"a proposal was dropped ('{one.title[:60]}'): {why}")
        return ideas[:count]

    def differ(self, close: Sequence[tuple[Idea, str]]) -> dict[str, Idea]:
        """See :class:`Differs`: one question for all of them; an answer that is no idea leaves the first one in place."""
        if self._state is None:
            return {}
        asked = self._state
        told = "\n\n".join(
            f"{data('proposal', _proposal(idea))}\nProblem: a work in the literature is too close. What it tells and "
            f"what it does not, of which something has to carry the study:\n{data('evidence', why)}"
            for idea, why in close
        )
        taken = {*asked.backlog.taken, *(idea.slug for idea, _ in close)}
        instead: dict[str, Idea] = {}
        try:
            mended = self._batch(
                "mend_proposals", render("mend_proposals", task=asked.task, problems=told), asked.round
            )
        except NoAnswer as error:
            self.say(f"{len(close)} proposals that a work tells in part stay as they are: {error.message}")
            return {}
        for (idea, _), one in zip(close, mended.ideas, strict=False):
            made: list[Idea] = []
            for _, why in self._take([one], asked.template, taken, asked.known, asked.lessons, made):
                self.say(f"'{idea.title[:60]}' stays, though a work tells part of it: {why}")
            if made:
                instead[idea.slug] = made[0]
        return instead

    def _batch(self, prompt: str, asked: str, round: int) -> Batch:
        system = Message(role="system", text=render("system", role="proposer"))
        ask = Ask(
            role="proposer",
            task=prompt,
            messages=(system, Message(role="user", text=asked)),
            max_tokens=6000,
            temperature=0.7,
            sample=round,
        )
        return self.model.ask_record(ask, Batch)

    def _take(
        self,
        proposed: Sequence[Proposed],
        template: Template,
        taken: set[str],
        known: Sequence[Idea],
        lessons: Sequence[Lesson],
        ideas: list[Idea],
    ) -> list[tuple[Proposed, str]]:
        """Add to `ideas` what passes; returns what does not, with the reason."""
        problems = []
        for one in proposed:
            try:
                if one.plan.kind == "modification" and not self.code_may_change:
                    raise ValueError("nobody here can change the code: choose another kind")
                idea = to_idea(one, template, taken, [*known, *ideas], lessons)
            except ValueError as error:
                problems.append((one, str(error)))
                continue
            ideas.append(idea)
            taken.add(idea.slug)
        return problems


def _proposal(idea: Idea) -> str:
    """What was proposed, as the model sees it."""
    shown = {"title", "question", "hypothesis", "expect", "smallest_effect", "why", "design", "settings"}
    return idea.model_dump_json(include=shown)


def describe_task(template: Template) -> str:
    """What a model has to know of a template: the task, its objective, its knobs. The same bytes for every question."""
    metric = template.metric(template.objective.metric)
    head = [
        data("task", f"{template.title}\n{template.summary}\n{template.background.strip()}"),
        f"Objective: `{metric.name}` ({metric.title}), to be {metric.direction}d; an effect smaller than "
        f"{template.objective.smallest_effect:g} does not matter. At most {template.budget.runs} runs per study.",
        "",
        "| knob | values | default | acts | why |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(knob) for knob in template.knobs)])


def _row(knob: Knob) -> str:
    if knob.choices:
        values = ", ".join(knob.choices)
    elif knob.type == "bool":
        values = "true, false"
    else:
        values = f"{knob.type} from {knob.low:g} to {knob.high:g}" if knob.low is not None else knob.type
        values += f", such as {', '.join(map(str, knob.levels))}" if knob.levels else ""
    acts = "; ".join(f"only with {name} = {' or '.join(map(str, v))}" for name, v in knob.only_with.items()) or "always"
    cells = [f"`{knob.name}` ({knob.title})", values, str(knob.default), acts, knob.why]
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "/") for cell in cells) + " |"


def _code(template: Template) -> list[str]:
    return [
        data(f"file {name}", (template.root / name).read_text(encoding="utf-8", errors="replace"), CODE)
        for name in template.editable[:3]
    ]


def _findings(archive: Archive) -> list[str]:
    lines = []
    for effect in archive.effects():
        if effect.primary and effect.mean is not None:
            changes = ", ".join(f"{change.knob} from {change.start} to {change.to}" for change in effect.changes)
            interval = (
                f" (95% interval {effect.ci_low:.3g} to {effect.ci_high:.3g})"
                if effect.ci_low is not None and effect.ci_high is not None
                else ""
            )
            lines.append(
                f"- {changes} on {effect.dataset}: {effect.metric} {effect.mean:+.3g}{interval}, {effect.verdict}"
            )
    return lines


def _work(work: Reference) -> str:
    head = f"{work.title} ({', '.join(work.authors[:3])}, {work.year or 'no year'})"
    return data("work", f"{head}\n{(work.gist or work.abstract)[:ABSTRACT]}".strip())


def _listed(lines: Iterable[str]) -> str:
    found = list(lines)[-LISTED:]
    return "\n".join(found) or "(none)"
