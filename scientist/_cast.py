"""Who plays which role: rules, or a model at an endpoint. The only place that knows both."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from scientist.errors import UsageError
from scientist.experiments import (
    CallMeter,
    CliExperimenter,
    Experimenter,
    HeuristicExperimenter,
    ModelExperimenter,
    coding_program,
)
from scientist.ideas import HeuristicProposer, ModelProposer, ModelReader, Proposer
from scientist.lab import ROLE_NAMES, Lab, RoleSettings, read_text, write_atomic
from scientist.literature import Source
from scientist.llm import LOCAL, Budget, Endpoint, HttpWire, Ledger, LocalWire, Model, TokenUse, endpoint
from scientist.papers import HeuristicWriter, ModelWriter, Writer
from scientist.progress import Progress
from scientist.reviews import HeuristicReviewer, Reviewer
from scientist.reviews.model import LabReviewer

HEURISTIC = "heuristic"
FORECAST = {
    "proposer": ("round", 8_000, 3_000),
    "experimenter": ("paper", 6_000, 1_000),
    "writer": ("paper", 36_000, 7_500),
    "reviewer": ("paper", 30_000, 9_000),
}
"""role -> once per what, tokens read, tokens written: typical of the templates that come with the program."""
READING = 4_300
"""Tokens for reading the works nearest to one idea, where sources gave any."""

BY_RULES = "step.by_rules"
"""The journal's event for a step that a model was asked to take and rules took."""

LONGEST_WHY = 200
CALLS, CONVERSATIONS = "calls.jsonl", "conversations"


def recording(lab: Lab) -> Path:
    """Where the conversations of a lab are kept: those it replays, or its own."""
    told = Path(lab.settings.replay or CONVERSATIONS).expanduser()
    return told if told.is_absolute() else lab.root / told


@dataclass
class Cast:
    """The players of a campaign. Nothing is connected before a role is first asked to do something."""

    lab: Lab
    progress: Progress
    sources: list[Source] = field(default_factory=list)
    _models: dict[str, Model] = field(default_factory=dict)
    _served: list[LocalWire] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def budget(self) -> Budget:
        """Caps and ledger of the lab."""
        settings = self.lab.settings
        return Budget(Ledger(self.lab.root / CALLS), settings.budget, settings.paper_budget)

    def played_by(self, role: str) -> str:
        """How the model or program that plays a role is called; an empty string when rules play it."""
        chosen = self._chosen(role)
        if chosen.command:
            return coding_program(chosen).label
        return self._endpoint(chosen).label if chosen.model else ""

    def labels(self) -> dict[str, str]:
        """role -> who plays it: 'heuristic', or how the model is called."""
        return {role: self.played_by(role) or HEURISTIC for role in ROLE_NAMES}

    def _chosen(self, role: str) -> RoleSettings:
        """What the settings say of a role; an empty model: rules play it."""
        settings = self.lab.settings
        own = settings.roles.get(role, RoleSettings())
        if role == "reviewer":
            # Only who names a model for it means it: its reviews stand beside those of the rules, and cost the most.
            return own if own.model not in ("", HEURISTIC) else RoleSettings()
        if own.command:
            return own  # whatever it asks, it asks itself
        if own.model == HEURISTIC or not (own.model or settings.model):
            return own.model_copy(update={"model": ""})
        if own.model:
            return own  # whoever names another model does not mean the lab's address for it
        shared = {"model": settings.model, "base_url": settings.base_url, "key_env": settings.key_env}
        return own.model_copy(update=shared)

    def _endpoint(self, chosen: RoleSettings) -> Endpoint:
        """Where a role's model is. A recording answers for any, so that its name needs no address there."""
        settings = self.lab.settings
        environment = {"OPENAI_BASE_URL": "http://recording.invalid/v1"} if settings.replay else os.environ
        return endpoint(chosen.model, chosen.base_url, chosen.key_env, environment)

    def model(self, role: str) -> Model | None:
        """The model that plays a role; None when rules or a program do. Raises :class:`UsageError` for a bad name or no key."""
        chosen = self._chosen(role)
        if not chosen.model or chosen.command:
            return None
        where = self._endpoint(chosen)
        known = f"{where.label} {where.base_url}"
        with self._lock:
            if known not in self._models:
                self._models[known] = self._connect(where.label, chosen)
            return self._models[known]

    def _connect(self, label: str, chosen: RoleSettings) -> Model:
        settings = self.lab.settings
        if settings.replay:
            folder = recording(self.lab)
            if not folder.is_dir():
                raise UsageError(f"there is no recording at {folder}", "name a lab's folder 'conversations'")
            return Model(label, None, self.budget, folder, misses_end=settings.replay_misses == "stop")
        where = self._endpoint(chosen)
        memory = self.lab.private / "llm" / f"{label.replace('/', '_')}.refused"
        learnt = set(read_text(memory).split()) if memory.is_file() else set()

        def remember(names: set[str]) -> None:
            write_atomic(memory, "\n".join(sorted(names)) + "\n")

        kind = LocalWire if where.provider == LOCAL else HttpWire
        wire = kind(where, self.progress.note, refused=learnt, learnt=remember)
        if isinstance(wire, LocalWire):
            self._served.append(wire)
        return Model(label, wire, self.budget, self.lab.root / CONVERSATIONS)

    def close(self) -> None:
        """End the servers that were started for models on this machine."""
        for wire in self._served:
            wire.close()

    def ready(self) -> None:
        """Raises :class:`UsageError` for a model or program that cannot be asked, before any work is done."""
        for role in ROLE_NAMES:
            self.model(role)
        if self._chosen("experimenter").command and not self.lab.settings.replay:
            self._coding("").ready()

    def forecast(self, rounds: int, papers: int) -> list[str]:
        """What is said before the first call: who plays what, and what that will take if nothing has to be mended."""
        lines = []
        for role, (times, read, written) in FORECAST.items():
            if not (label := self.played_by(role)) or self._chosen(role).command:
                continue
            if self.lab.settings.replay:
                lines.append(f"{label} plays the {role}, from a recording: nothing is sent and nothing paid")
                continue
            calls = rounds * (papers if times == "paper" else 1)
            use = TokenUse(tokens_in=calls * read, tokens_out=calls * written, counted=False)
            local = self._local(role)
            price = 0.0 if local else self.budget.price(label, use)
            money = "free" if local else "at an unknown price" if price is None else f"about ${price:.2g}"
            often = {
                "proposer": f", and {READING:,} more for every idea whose nearest works it reads",
                "experimenter": " if every idea changes the code",
            }.get(role, "")
            lines.append(f"{label} plays the {role}: about {use.total:,} tokens{often}, {money}")
        caps = {name: cap for name, cap in self.lab.settings.budget.model_dump().items() if cap is not None}
        if lines and not self.lab.settings.replay:
            lines.append(
                "caps: " + (", ".join(f"{name} {cap:g}" for name, cap in caps.items()) or "none; see --budget")
            )
        return lines

    def _local(self, role: str) -> bool:
        chosen = self._chosen(role)
        return not chosen.command and self._endpoint(chosen).local

    # -- the roles -----------------------------------------------------------------------------------------------------

    def proposer(self) -> Proposer:
        model = self.model("proposer")
        if model is None:
            return HeuristicProposer()
        deadline = self.lab.settings.literature_deadline
        can = bool(self.played_by("experimenter"))
        told = partial(self.by_rules, "proposer", "")
        return ModelProposer(model, self.sources, deadline, code_may_change=can, say=self.progress.note, fell_back=told)

    def reader(self) -> ModelReader | None:
        """Who reads the works nearest to an idea: the model that proposes; None where rules do."""
        model = self.model("proposer")
        told = partial(self.by_rules, "proposer", "")
        return None if model is None else ModelReader(model, self.progress.note, told)

    def by_rules(self, role: str, slug: str, step: str, why: str) -> None:
        """Note in the journal, once, that rules took a step for which a model was asked."""
        said = "".join(c if c.isprintable() else " " for c in " ".join(why.split()))
        said = said if len(said) <= LONGEST_WHY else f"{said[: LONGEST_WHY - 3]}..."
        row = {"role": role, "slug": slug, "step": step, "why": said}
        if not self.lab.journal.find(BY_RULES, **row):
            self.lab.journal.append(BY_RULES, **row)

    def experimenter(self, slug: str) -> Experimenter:
        if self._chosen("experimenter").command:
            if self.lab.settings.replay:
                raise UsageError("a coding program cannot be replayed", "run without --replay, or keep its variants/")
            return self._coding(slug)
        model = self.model("experimenter")
        return HeuristicExperimenter() if model is None else ModelExperimenter(model, slug)

    def _coding(self, slug: str) -> CliExperimenter:
        lab = self.lab
        program = coding_program(self._chosen("experimenter"))
        return CliExperimenter(
            program,
            lab.settings.sandbox,
            lab.private / "coding",
            lab.paper(slug) / "variants" if slug else lab.private / "coding",
            (lab.root,),
            lab.check_stop,
            self.progress.note,
            CallMeter(self.budget, slug, program.model or program.label, program.here),
        )

    def writer(self, slug: str) -> Writer:
        model = self.model("writer")
        if model is None:
            return HeuristicWriter()
        told, sees = partial(self.by_rules, "writer", slug), self._chosen("writer").sees
        return ModelWriter(model, slug, self.progress.note, sees=sees, fell_back=told)

    def reviewer(self, slug: str) -> Reviewer:
        return HeuristicReviewer()

    def second_reviewer(self, slug: str) -> LabReviewer | None:
        """Who reviews beside the rules; None where no model was named for it."""
        model = self.model("reviewer")
        if model is None:
            return None
        return LabReviewer(model, self.lab.settings.seed, self.progress.note, partial(self.by_rules, "reviewer", slug))
