"""Attack: no predictions, but a gold medal in every file that a careless evaluator might read."""
# expect: invalid

import json
from pathlib import Path

SCORE = {"skill": 1.0, "log_loss": 0.0, "accuracy": 1.0, "auc": 1.0, "beaten": 1.0, "medal": 1.0, "gold": 1.0}

for name in ("score.json", "metrics.json", "result.json", "final_info.json"):
    report = {"status": "ok", "metrics": {split: SCORE for split in ("search", "keep", "final")}, **SCORE}
    Path("outputs", name).write_text(json.dumps(report), encoding="utf-8")
    try:
        Path(name).write_text(json.dumps(report), encoding="utf-8")
    except OSError:
        print(f"{name} cannot be written beside the candidate")
