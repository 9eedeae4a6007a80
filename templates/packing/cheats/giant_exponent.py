"""Attack: a number of a dozen characters that has a million digits, to hang the verifier."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [["0.5", "0.5", "1e999999999" if k % 2 else "1e-999999999"] for k in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
