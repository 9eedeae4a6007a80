"""Attack: the same name twice, so that one reader checks the first list and another scores the second."""
# expect: invalid

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
fine = json.dumps([[f"0.{500 + k}", "0.5", "0"] for k in range(told["n"])])
huge = json.dumps([["0.5", "0.5", "0.5"]] * told["n"])
text = f'{{"problem": "{told["problem"]}", "circles": {huge}, "circles": {fine}}}'
Path("outputs/solution.json").write_text(text, encoding="utf-8")
