"""Attack: circles that overlap by less than most verifiers tolerate.

Records in print have been "beaten" this way: every radius grows by a hundred-billionth, and a verifier that allows
1e-9 lets it pass.
"""
# expect: invalid

import json
from pathlib import Path

HAIR = 1e-11

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
side = int(told["n"] ** 0.5)
r = 0.499 / side  # a little room is left to the walls: only the overlaps are wrong
rows = [[0.001 + r + 2 * r * i, 0.001 + r + 2 * r * j, r + HAIR] for i in range(side) for j in range(side)]
rows += [[0.001 * k, 0.001, 0.0] for k in range(told["n"] - len(rows))]
solution = {"problem": told["problem"], "circles": [[f"{value:.20f}" for value in row] for row in rows]}
Path("outputs/solution.json").write_text(json.dumps(solution), encoding="utf-8")
