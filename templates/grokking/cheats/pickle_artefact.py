"""Attack: an array of objects, whose pickle calls a function in the process that reads it."""
# expect: invalid

import sys

import numpy as np


class Payload:
    """Unpickled, it raises the evaluator's recursion limit: harmless, but proof that its code ran."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return sys.setrecursionlimit, (54321,)


payload = np.array([Payload()], dtype=object)
np.savez("outputs/predictions.npz", steps=payload, search=payload, keep=payload, final=payload)
