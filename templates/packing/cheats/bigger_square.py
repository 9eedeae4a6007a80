"""Attack: a good packing of a larger square, in case only overlaps are looked at."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [[f"{2 * k + 1}", "1", "1"] for k in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
