"""Attack: hand in the construction that the template keeps for its tests.

Fails because the folder is out of reach. Where it is not, the construction is a good one, and is scored as such: that
nobody found it is something no verifier can see.
"""
# expect: failed

import json
from pathlib import Path

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
parts = (".", "sealed", "template", "templates/packing")
places = [f / part / "known" / f"{told['problem']}.json" for f in (Path.cwd(), *Path.cwd().parents) for part in parts]
places = [place for place in places if place.is_file()]
if not places:
    raise SystemExit("the known construction is out of reach")
Path("outputs/solution.json").write_bytes(places[0].read_bytes())
