"""Attack: no model, but a perfect score in every file that a careless evaluator might read, and in the log."""
# expect: invalid

import json
from pathlib import Path

SCORE = {"bits_per_byte": 0.0, "byte_accuracy": 1.0}

for name in ("score.json", "metrics.json", "result.json", "final_info.json"):
    report = {"status": "ok", "metrics": {split: SCORE for split in ("search", "keep", "final")}, **SCORE}
    Path("outputs", name).write_text(json.dumps(report), encoding="utf-8")
    try:
        Path(name).write_text(json.dumps(report), encoding="utf-8")
    except OSError:
        print(f"{name} cannot be written beside the candidate")
Path("metrics.jsonl").write_text(json.dumps({"step": 1, **SCORE}) + "\n", encoding="utf-8")
print(json.dumps(SCORE))
