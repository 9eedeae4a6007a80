"""The sealed evaluator of a template, spoken to from outside."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scientist.errors import AlarmError, MachineryError, StudyError
from scientist.experiments._host import HOSTS, Host
from scientist.experiments._sandbox import CHILD_ENV, bubblewrap_works
from scientist.experiments._seal import Seal
from scientist.lab import KnobValue, canonical_json
from scientist.template import Split, Template

Work = tuple[Path, Mapping[str, KnobValue], int]
Scores = dict[Split, dict[str, float]]

ANSWER_S = 90.0
"""For an answer."""

MEMBER_S = 10.0
"""For each member of a batch in addition, as in _judge_host.py, which gives up earlier than this."""

TOLERANCE = 1e-9
"""How far a score may pass a proven bound b before it is an alarm, times max(1, |b|): what sums of floats err by."""


class Judge:
    """The sealed evaluator in a process of its own. What is sealed is held against its hashes around every judgement.

    With `writable`, a folder, and where bubblewrap works, the process lives in a box: it sees the machine read-only,
    writes below that folder only and has no network, because the artefacts it reads are hostile. `seal` may be shared
    between judges of one template; `environment` is for checks that a judgement does not depend on it.
    """

    def __init__(
        self,
        template: Template,
        *,
        seal: Seal | None = None,
        writable: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.template = template
        self.seal = seal or Seal(template)
        self._lock = threading.Lock()
        self._bounds: dict[bytes, float | None] = {}
        command = [sys.executable, "-I", str(HOSTS / "_judge_host.py"), json.dumps(self._told())]
        env = {**CHILD_ENV, **(environment or {})}
        if writable is not None:
            command = boxed(command, writable)
            env["TMPDIR"] = str(writable)
        self.host = Host(command, "evaluator", env, f"check {self._evaluator}")

    @property
    def _evaluator(self) -> Path:
        own = self.template.judging == "sealed"
        return self.template.root / "evaluate.py" if own else HOSTS / "_self_reported.py"

    def _told(self) -> dict[str, Any]:
        """What the process must know of the template; see _judge_host.py."""
        template, reported = self.template, self.template.judging == "self-reported"
        rules = {
            "files": [artefact.model_dump(mode="json") for artefact in template.artefacts],
            "total_mb": template.budget.output_mb,
            "reported": reported,
        }
        return {
            "evaluator": str(self._evaluator),
            "root": str(template.root),
            "sealed": {} if reported else self.seal.digests,
            "rules": rules,
            "metrics": [metric.name for metric in template.metrics],
            "reported": reported,
        }

    def start(self) -> None:
        """Begin starting; :meth:`wait` returns when the evaluator is loaded."""
        self.host.start()

    def wait(self) -> None:
        """Raises :class:`MachineryError` when the evaluator cannot be loaded."""
        self.host.wait_ready()

    def stop(self) -> None:
        """End the process."""
        self.host.stop()

    def _ask(self, request: dict[str, Any], *, full: bool = False) -> dict[str, Any]:
        with self._lock:
            self.seal.check(full=full)
            answer = self.host.ask(request, ANSWER_S + MEMBER_S * len(request.get("batch", ())))
            if answer is None:
                self.host.stop()  # an answer that comes late must not be taken for that to another question
            self.seal.check(full=full)
        if answer is None:
            raise MachineryError("the evaluator died", f"check {self._evaluator}")
        if "impossible" in answer:
            raise StudyError(
                f"the template cannot prepare these knobs: {answer['impossible']}", "change the idea's values"
            )
        if "error" in answer:
            raise MachineryError(f"the evaluator failed: {answer['error']}", f"check {self._evaluator}")
        return answer

    def describe(self, knobs: Mapping[str, KnobValue]) -> dict[str, float | int | str]:
        """What the evaluator says about the data that these knobs select: text and finite numbers by name."""
        return dict(self._ask({"do": "describe", "knobs": dict(knobs)})["value"])

    def prepare(self, inputs: Path, knobs: Mapping[str, KnobValue], seed: int) -> None:
        """Write a run's inputs."""
        self._ask({"do": "prepare", "inputs": str(inputs), "knobs": dict(knobs), "seed": seed})

    def score(
        self, outputs: Path, splits: Sequence[Split], knobs: Mapping[str, KnobValue], seed: int
    ) -> tuple[Scores, str]:
        """(metrics per split, "") or ({}, why the artefacts were refused).

        Raises :class:`MachineryError` when the evaluator returns anything but one finite float per metric, and
        :class:`AlarmError` when a score passes a proven bound.
        """
        return self.score_all([(outputs, knobs, seed)], splits)[0]

    def score_all(self, work: Sequence[Work], splits: Sequence[Split]) -> list[tuple[Scores, str]]:
        """Several (outputs, knobs, seed) scored in one fresh fork, each as :meth:`score` does.

        Opening *final* hashes everything that is sealed anew.
        """
        if not work:
            return []
        bounds = [self._bound(knobs) for _, knobs, _ in work]
        batch = [{"outputs": str(outputs), "knobs": dict(knobs), "seed": seed} for outputs, knobs, seed in work]
        answers = self._ask({"do": "score", "batch": batch, "splits": list(splits)}, full="final" in splits)["value"]
        found: list[tuple[Scores, str]] = []
        for answer, one, bound in zip(answers, work, bounds, strict=True):
            if "invalid" in answer:
                found.append(({}, str(answer["invalid"])))
                continue
            for split in splits:
                self._hold_against_bounds(answer["value"][split], split, one, bound)
            found.append((answer["value"], ""))
        return found

    def _bound(self, knobs: Mapping[str, KnobValue]) -> float | None:
        """The proven bound of the objective that the evaluator knows for the data of these knobs."""
        if self.template.judging == "self-reported":
            return None
        key = data_key(self.template, knobs)
        if key not in self._bounds:
            bound = self.describe(knobs).get("bound")
            if isinstance(bound, str):
                raise MachineryError("the evaluator failed: its 'bound' is no number", f"check {self._evaluator}")
            self._bounds[key] = bound
        return self._bounds[key]

    def _hold_against_bounds(self, scores: dict[str, float], split: Split, one: Work, proven: float | None) -> None:
        for metric in self.template.metrics:
            own = proven if metric.name == self.template.objective.metric else None
            for bound in (metric.bound, own):
                if bound is not None and passes(scores[metric.name], bound, metric.direction == "maximize"):
                    raise alarm(metric.name, split, scores[metric.name], bound, one)


def passes(value: float, bound: float, maximize: bool) -> bool:
    """Whether `value` lies beyond a proven bound by more than :data:`TOLERANCE` allows."""
    beyond = value - bound if maximize else bound - value
    return beyond > TOLERANCE * max(1.0, abs(bound))


def alarm(metric: str, split: Split, value: float, bound: float, work: Work) -> AlarmError:
    """The error that halts a campaign; the bench adds where the artefacts were kept."""
    outputs, knobs, seed = work
    details = {"metric": metric, "split": split, "value": value, "bound": bound, "knobs": dict(knobs), "seed": seed}
    return AlarmError(
        f"{metric} = {value!r} on {split} passes its proven bound {bound!r} (seed {seed}): the evaluator was beaten",
        f"nothing of that run counts; look at {outputs}, mend evaluate.py",
        details,
    )


def data_key(template: Template, knobs: Mapping[str, KnobValue]) -> bytes:
    """What the data of a run depend on: its effective data knobs."""
    acting = template.effective(dict(knobs))
    return canonical_json({k.name: acting[k.name] for k in template.knobs if k.applies == "data" and k.name in acting})


def boxed(command: Sequence[str], writable: Path) -> list[str]:
    """`command` in a box of its own where bubblewrap works: everything read-only but `writable`, and no network."""
    program, _ = bubblewrap_works()
    if not program:
        return list(command)
    place = str(writable)
    walls = ["--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    mounts = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--bind", place, place]
    return [program, *walls, *mounts, "--chdir", "/", "--", *command]
