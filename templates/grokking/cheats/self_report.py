"""Attack: no answers, but a perfect score in every file that a careless evaluator might read."""
# expect: invalid

import json
from pathlib import Path

SCORE = {"accuracy": 1.0, "curve_area": 1.0, "generalises_at": 1.0}

for name in ("score.json", "metrics.json", "result.json", "final_info.json"):
    report = {"status": "ok", "metrics": {split: SCORE for split in ("search", "keep", "final")}, **SCORE}
    Path("outputs", name).write_text(json.dumps(report), encoding="utf-8")
    try:
        Path(name).write_text(json.dumps(report), encoding="utf-8")
    except OSError:
        print(f"{name} cannot be written beside the candidate")
