"""Attack: everything in one place, where a distance is zero, a ratio is zero by zero, and a pair is easily skipped."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
if told["kind"] == "circles":
    answer = {"circles": [["0.5", "0.5", "0.5"]] * told["n"]}
else:
    answer = {"points": [["0.5"] * told["dimension"]] * told["n"]}
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], **answer}), encoding="utf-8")
