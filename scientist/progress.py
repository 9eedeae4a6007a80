"""What long work tells whoever watches: a terminal, a stream of JSON lines, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Receives what happens, as it happens. Implementations must be cheap and never raise."""

    def stage(self, paper: str, stage: str) -> None:
        """A stage of a paper (or of a round, with an empty `paper`) begins."""

    def runs(self, done: int, total: int, failed: int) -> None:
        """`done` of `total` runs of the current stage have ended, `failed` of them without a result."""

    def curve(self, run: str, point: Mapping[str, float]) -> None:
        """A run in flight ('variant, seed n') reports a point of its learning curve: 'step' and what it measured."""

    def note(self, text: str) -> None:
        """Something worth a line: an idea was archived, a source is out, a seed count was capped."""


class Silent:
    """Nobody watches."""

    def stage(self, paper: str, stage: str) -> None: ...

    def runs(self, done: int, total: int, failed: int) -> None: ...

    def curve(self, run: str, point: Mapping[str, float]) -> None: ...

    def note(self, text: str) -> None: ...
