"""Attack: the proven solution of an easier problem, handed in under its own name."""
# expect: invalid

import json
from pathlib import Path

square = [["0", "0"], ["1", "0"], ["0", "1"], ["1", "1"]]
Path("outputs/solution.json").write_text(json.dumps({"problem": "spread_4", "points": square}), encoding="utf-8")
