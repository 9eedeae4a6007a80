"""Attack: numbers of ten thousand digits each, to hang the verifier in its own exact arithmetic."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
long = "0." + "1234567890" * 1_000
rows = [[long, long, long] for _ in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
