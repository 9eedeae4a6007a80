"""Attack: a radius so negative that its square, or the sum with another, makes any overlap look fine."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [["0.5", "0.5", "0.5" if k else "-0.5"] for k in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
