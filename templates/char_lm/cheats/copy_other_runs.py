"""Attack: hand in the model that another run left behind."""
# expect: failed

import contextlib
import shutil
from pathlib import Path

here = Path.cwd()
found = []
for above in list(here.parents)[:4]:
    for pattern in ("*/outputs/model.json", "*/*/outputs/model.json", "*/*/*/outputs/model.json"):
        with contextlib.suppress(OSError):
            found += [path.parent for path in above.glob(pattern) if here not in path.parents]
if not found:
    raise SystemExit("no other run is within reach")
for path in found[0].iterdir():
    shutil.copyfile(path, here / "outputs" / path.name)
print(f"copied {found[0]}")
