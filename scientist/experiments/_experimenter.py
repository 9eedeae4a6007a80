"""Who writes a change of the code: the role, its form by a model, and the record of every try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from scientist.errors import StudyError
from scientist.experiments._bench import Bench
from scientist.experiments._code import apply_edits, code_folder, diff_of, hashes, parse_edits
from scientist.ideas._idea import Idea, Modification
from scientist.lab import KnobValue, Record, read_json, remove_tree, write_atomic
from scientist.llm import Ask, Message, Model, NoAnswer, data, render
from scientist.template import Template

VARIANT = "changed"
TRIES = 4
"""Changes that are tried out: the first, and three that are told how the one before failed."""

SMOKE_SEED = 2**31 - 7
"""Of the trial run. No study draws it."""

LOG_TAIL = 3000

PATCH, REFUSED = "patch.diff", "refused.txt"
"""Of a try: what was tried out with a run, or why it was not. One of them is there when it has ended."""

ENDED = "ended.txt"
"""Of a try that was run: its status and reason."""


TryOut = Callable[[Mapping[str, bytes]], tuple[str, str, str]]
"""(status, reason, end of the log) of one run of changed files with the idea's settings."""


class CodeTry(Record):
    """One change that was tried out with a single run, and how that ended."""

    number: int
    status: str
    reason: str
    diff: str


class Change(Record):
    """`variants/changed/change.json`: the change that a study compares with the code as it is, and who wrote it."""

    schema_version: Literal[1] = 1
    by: str
    name: str
    files: dict[str, str]
    lines_added: int
    lines_removed: int
    tries: tuple[CodeTry, ...]


class Experimenter(Protocol):
    """The role that turns 'change the code so' into code that runs."""

    @property
    def name(self) -> str:
        """Who it is: 'heuristic', or how the model is called."""
        ...

    def implement(
        self, idea: Idea, template: Template, try_out: TryOut
    ) -> tuple[dict[str, bytes], tuple[CodeTry, ...]]:
        """(file -> new content, every try). The last try ended well.

        Raises :class:`StudyError` when no change was found that runs.
        """


@dataclass(frozen=True)
class HeuristicExperimenter:
    """Turns knobs, and cannot write code."""

    name: str = "heuristic"

    def implement(
        self, idea: Idea, template: Template, try_out: TryOut
    ) -> tuple[dict[str, bytes], tuple[CodeTry, ...]]:
        """See :class:`Experimenter`; always refuses."""
        raise StudyError(
            f"'{idea.slug}' changes the code, which rules cannot do", "play the experimenter by a model: --model"
        )


@dataclass(frozen=True)
class ModelExperimenter:
    """Asks `model` for edits, applies them whole or not at all, tries them with one run, and tells it what went wrong."""

    model: Model
    paper: str = ""

    @property
    def name(self) -> str:
        """How the model is called."""
        return self.model.label

    def implement(
        self, idea: Idea, template: Template, try_out: TryOut
    ) -> tuple[dict[str, bytes], tuple[CodeTry, ...]]:
        """See :class:`Experimenter`."""
        assert isinstance(idea.design, Modification)
        tries: list[CodeTry] = []
        failed: dict[str, bytes] = {}
        log = ""
        while len(tries) < TRIES:
            values: dict[str, object] = {
                "files": "\n".join(_file(template, name) for name in template.editable),
                "change": data("change", f"{idea.design.name}\n{idea.design.change}"),
                "may": ", ".join(template.editable),
            }
            task = "implement"
            if tries:
                task, values = (
                    "mend_code",
                    values
                    | {
                        "diff": data("diff", diff_of(template, failed)),
                        "ended": data("ended", f"{tries[-1].status}: {tries[-1].reason}\n{log}"),
                    },
                )
            try:
                failed = self._ask(task, render(task, **values), template)
            except NoAnswer as error:
                said = f" after: {tries[-1].reason}" if tries else ""
                raise StudyError(
                    f"no change could be made of '{idea.slug}' ({error.message}{said})", "mend the idea"
                ) from error
            status, reason, log = try_out(failed)
            tries.append(CodeTry(number=len(tries) + 1, status=status, reason=reason, diff=diff_of(template, failed)))
            if status == "ok":
                return failed, tuple(tries)
        raise StudyError(
            f"'{idea.slug}': {len(tries)} changes were tried and none ran ({tries[-1].reason})", "mend the idea"
        )

    def _ask(self, task: str, asked: str, template: Template) -> dict[str, bytes]:
        system = Message(role="system", text=render("system", role="experimenter"))
        ask = Ask(role="experimenter", task=task, messages=(system, Message(role="user", text=asked)), max_tokens=8000)
        return self.model.ask(ask, lambda text: apply_edits(template, parse_edits(text)), self.paper)


def _file(template: Template, name: str) -> str:
    return data(f"file {name}", (template.root / name).read_text(encoding="utf-8", errors="replace"), 200_000)


def make_change(experimenter: Experimenter, bench: Bench, idea: Idea, paper: Path) -> Change:
    """Have the change of an idea written and tried out, below `paper/variants`; once: what is there is read.

    Raises :class:`StudyError` when it cannot be made. The tries are kept all the same.
    """
    assert isinstance(idea.design, Modification)
    template = bench.template
    folder = paper / "variants" / VARIANT
    if (folder / "change.json").is_file():
        return read_json(Change, folder / "change.json")
    remove_tree(folder)
    knobs: dict[str, KnobValue] = template.complete(dict(idea.settings))
    tries_folder = folder / "tries"

    def try_out(files: Mapping[str, bytes]) -> tuple[str, str, str]:
        with bench.run(knobs, SMOKE_SEED, (template.looked_at,), files) as outcome:
            log = outcome.folder / "log.txt"
            told = log.read_text(encoding="utf-8", errors="replace") if log.is_file() and not log.is_symlink() else ""
            here = next(
                place
                for place in (tries_folder / str(number) for number in range(1, TRIES + 1))
                if not any((place / name).exists() for name in (PATCH, REFUSED))
            )
            write_atomic(here / PATCH, diff_of(template, files))
            write_atomic(here / "log.txt", told)
            write_atomic(here / ENDED, f"{outcome.status}: {outcome.reason}\n")
            return outcome.status, outcome.reason, told[-LOG_TAIL:]

    files, tries = experimenter.implement(idea, template, try_out)
    for name, content in files.items():
        write_atomic(code_folder(paper, VARIANT) / name, content)
    diff = diff_of(template, files)
    write_atomic(folder / "patch.diff", diff)
    lines = [line for line in diff.splitlines() if not line.startswith(("+++", "---"))]
    change = Change(
        by=experimenter.name,
        name=idea.design.name,
        files=hashes(files),
        lines_added=sum(line.startswith("+") for line in lines),
        lines_removed=sum(line.startswith("-") for line in lines),
        tries=tries,
    )
    write_atomic(folder / "change.json", change.canonical())
    return change
