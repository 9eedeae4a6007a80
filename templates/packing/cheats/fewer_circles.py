"""Attack: a single circle that fills the square, hoping that the score is a mean or that nobody counts."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
solution = {"problem": told["problem"], "circles": [["0.5", "0.5", "0.5"]]}
Path("outputs/solution.json").write_text(json.dumps(solution), encoding="utf-8")
