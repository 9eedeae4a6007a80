"""Attack: more circles than asked for, whose radii sum to more; or two points, which are always evenly spread."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [[f"0.{10 * i + 5:03}", f"0.{10 * j + 5:03}", "0.005"] for i in range(100) for j in range(10)]
answer = {"circles": rows} if told["kind"] == "circles" else {"points": [["0", "0"], ["1", "0"]]}
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], **answer}), encoding="utf-8")
