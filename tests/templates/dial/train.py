"""The candidate of the synthetic template: report the dial plus noise, or fail as told.

value = strength(level) x effect + N(0, 1). The noise is seeded by the run's seed and *every* knob, so two
variants that differ in any knob, an idle one too, have independent noise under the same seed.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
data = json.loads(Path("inputs/level.json").read_text(encoding="utf-8"))
knobs = {"effect": 0.0, "nothing": 0, "fault": "none", **told["knobs"]}

if knobs["fault"] == "crash":
    raise RuntimeError("planted crash")
if knobs["fault"] == "hang":
    time.sleep(3600)
if knobs["fault"] == "memory":
    hoard = np.ones((1 << 30,))  # eight gigabytes, and touched
    sys.exit(int(hoard[-1]))
if knobs["fault"] == "output":
    with Path("outputs/flood.bin").open("wb") as flood:
        for _ in range(64):
            flood.write(bytes(1 << 20))

identity = json.dumps(
    [int(told["seed"]), data["level"], float(knobs["effect"]), int(knobs["nothing"])], separators=(",", ":")
)
words = np.frombuffer(hashlib.sha256(identity.encode()).digest(), dtype="<u4")
noise = np.random.default_rng([int(word) for word in words]).standard_normal()
value = data["strength"] * float(knobs["effect"]) + float(noise)
answer = [value, value] if knobs["fault"] == "badshape" else value
Path("outputs/value.json").write_text(json.dumps({"value": answer}), encoding="utf-8")
