"""Attack: strings that `float` and `Fraction` understand, but that are no decimals: NaN, infinity, quotients by zero."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
rows = [["0.5", "1/0", ("nan", "inf", "-Infinity", "1_0", "٣")[k % 5]] for k in range(told["n"])]
Path("outputs/solution.json").write_text(json.dumps({"problem": told["problem"], "circles": rows}), encoding="utf-8")
