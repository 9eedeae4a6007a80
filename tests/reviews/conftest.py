"""The simulated studies of the papers' tests serve the reviews' as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "papers"))
