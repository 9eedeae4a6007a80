"""Attack: NaN and infinity, which JSON lets through as bare words and no comparison catches."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [[float("nan"), 0.5, float("inf")] for _ in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
