"""The simulated studies of the papers' tests serve the reviews' as well, and so does the model server of `llm`'s."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("papers", "llm")]
