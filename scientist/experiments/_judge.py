"""The sealed evaluator of a template, spoken to from outside."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scientist.errors import MachineryError, StudyError
from scientist.experiments._host import HOSTS, Host
from scientist.experiments._sandbox import CHILD_ENV
from scientist.lab import KnobValue
from scientist.template import Split, Template


class Judge:
    """The sealed evaluator in a process of its own. Sealed files are hashed before and after every judgement."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._seal = template.hash_files(template.sealed)
        self._lock = threading.Lock()
        own = template.judging == "sealed"
        evaluator = template.root / "evaluate.py" if own else HOSTS / "_self_reported.py"
        command = [sys.executable, "-I", str(HOSTS / "_judge_host.py"), str(evaluator)]
        self.host = Host(command, "evaluator", CHILD_ENV, f"check {evaluator}")

    def start(self) -> None:
        """Begin starting; :meth:`wait` returns when the evaluator is loaded."""
        self.host.start()

    def wait(self) -> None:
        """Raises :class:`MachineryError` when the evaluator cannot be loaded."""
        self.host.wait_ready()

    def stop(self) -> None:
        """End the process."""
        self.host.stop()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._check_seal()
            answer = self.host.ask(request, 90.0)
            self._check_seal()
        if answer is None:
            raise MachineryError("the evaluator died", f"check {self.template.root}/evaluate.py")
        if "impossible" in answer:
            raise StudyError(
                f"the template cannot prepare these knobs: {answer['impossible']}", "change the idea's values"
            )
        if "error" in answer:
            raise MachineryError(f"the evaluator failed: {answer['error']}", f"check {self.template.root}/evaluate.py")
        return answer

    def _check_seal(self) -> None:
        if self.template.hash_files(self.template.sealed) != self._seal:
            raise MachineryError("a sealed file of the template changed while it was in use", "restore it, then resume")

    def describe(self, knobs: Mapping[str, KnobValue]) -> dict[str, float | int | str]:
        """What the evaluator says about the data that these knobs select."""
        return dict(self._ask({"do": "describe", "knobs": dict(knobs)})["value"])

    def prepare(self, inputs: Path, knobs: Mapping[str, KnobValue], seed: int) -> None:
        """Write a run's inputs."""
        self._ask({"do": "prepare", "inputs": str(inputs), "knobs": dict(knobs), "seed": seed})

    def score(
        self, outputs: Path, splits: Sequence[Split], knobs: Mapping[str, KnobValue], seed: int
    ) -> tuple[dict[Split, dict[str, float]], str]:
        """(metrics per split, "") or ({}, why the artefacts were refused).

        A metric that passes its proven bound refuses the artefact; one that is not a finite float is a fault of the
        evaluator (:class:`MachineryError`).
        """
        return self.score_all([(outputs, knobs, seed)], splits)[0]

    def score_all(
        self, work: Sequence[tuple[Path, Mapping[str, KnobValue], int]], splits: Sequence[Split]
    ) -> list[tuple[dict[Split, dict[str, float]], str]]:
        """Several (outputs, knobs, seed) scored in one fresh fork, each as :meth:`score` does."""
        batch = [{"outputs": str(outputs), "knobs": dict(knobs), "seed": seed} for outputs, knobs, seed in work]
        answers = self._ask({"do": "score", "batch": batch, "splits": list(splits)})["value"]
        return [self._accept(answer, splits) for answer in answers]

    def _accept(self, answer: dict[str, Any], splits: Sequence[Split]) -> tuple[dict[Split, dict[str, float]], str]:
        if "invalid" in answer:
            return {}, str(answer["invalid"])
        scores: dict[Split, dict[str, float]] = answer["value"]
        for split in splits:
            for metric in self.template.metrics:
                value = scores.get(split, {}).get(metric.name)
                if type(value) not in (int, float) or value != value or value in (float("inf"), float("-inf")):
                    if self.template.judging == "self-reported":
                        return {}, f"the run reports no finite '{metric.name}'"
                    raise MachineryError(
                        f"the evaluator returned no finite '{metric.name}' on {split}", "mend evaluate.py"
                    )
                assert value is not None
                sign = 1 if metric.direction == "maximize" else -1
                if metric.bound is not None and (value - metric.bound) * sign > 1e-9:
                    return {}, f"{metric.name} passes its proven bound: the evaluator was gamed"
        return scores, ""
