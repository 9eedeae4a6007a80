"""Attack: a trivial but feasible construction that brings its own score, beside it and within it."""
# expect: invalid

import json
from pathlib import Path

SCORE = {"relative": 1.0, "value": 9.0, "reached": 1.0}

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [[f"0.{500 + k}", "0.5", "0"] for k in range(told["n"])]
claims = {name: str(value) for name, value in SCORE.items()}
solution = {"problem": told["problem"], "circles": rows, "score": claims, **claims}
Path("outputs/solution.json").write_text(json.dumps(solution), encoding="utf-8")
for name in ("score.json", "metrics.json", "result.json", "final_info.json"):
    Path("outputs", name).write_text(json.dumps({"status": "ok", "metrics": {"keep": SCORE}}), encoding="utf-8")
with Path("metrics.jsonl").open("a", encoding="utf-8") as progress:
    progress.write(json.dumps({"step": 1, **SCORE}) + "\n")
print("relative: 1.0")
