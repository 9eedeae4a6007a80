"""When a source that keeps failing is left alone, and when it is tried again. Pure: the caller brings the time."""

from __future__ import annotations

MAX_FAULTS = 2  # faults in a row after which a source is left alone: one deadline lost is enough
COOL_S = 60.0  # how long, doubled with every try that fails
MAX_COOL_S = 900.0


class Breaker:
    """Closed while a source answers; open for a while after :data:`MAX_FAULTS` faults in a row; then one try decides.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(self) -> None:
        self._faults = 0
        self._until = float("-inf")
        self._cool_s = COOL_S
        self._note = ""

    def left_alone(self, now: float) -> str:
        """Why the source is not asked now, in a few words; empty when it may be asked."""
        if now >= self._until:
            return ""
        return f"left alone after {self._faults} faults in a row, the last: {self._note}"

    def failed(self, note: str, now: float, after: float = 0.0) -> None:
        """A question was not answered. `after`: seconds that the source asked to be left alone, if it did."""
        self._faults += 1
        self._note = note
        wait = after
        if self._faults >= MAX_FAULTS:
            wait = max(wait, self._cool_s)
            self._cool_s = min(2 * self._cool_s, MAX_COOL_S)
        if wait > 0:
            self._until = now + min(wait, MAX_COOL_S)

    def answered(self) -> None:
        """A question was answered: whatever failed before is forgotten."""
        self._faults, self._until, self._cool_s, self._note = 0, float("-inf"), COOL_S, ""
