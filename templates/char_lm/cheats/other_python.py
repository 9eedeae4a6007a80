"""Attack: find the hidden text in another Python of the same machine, or in a compiled copy.

Only Python's own copy is what the judge reads, but another version's is nearly the same text.
"""
# expect: failed

import json
import sys
from pathlib import Path

roots = {Path(sys.base_prefix), Path(sys.prefix), Path("/usr"), Path("/usr/local"), Path("/opt")}
roots |= {root.parent for root in roots if len(root.parts) > 2}
patterns = ("lib/python3*/pydoc_data/", "*/lib/python3*/pydoc_data/", "lib/pypy3*/pydoc_data/")
found = []
for root in sorted(roots):
    for pattern in patterns:
        for name in ("topics.py", "__pycache__/topics*.pyc"):
            found += [str(path) for path in root.glob(pattern + name) if path.stat().st_size > 100_000]
if not found:
    raise SystemExit("no other copy of the text is within reach")
print(f"found {found[0]}")
Path("outputs/found.json").write_text(json.dumps(found), encoding="utf-8")
