"""Attack: leave a splendid value behind and die, hoping that nobody looks at the exit status."""
# expect: failed

import sys
from pathlib import Path

Path("outputs/value.json").write_text('{"value": 100.0}', encoding="utf-8")
sys.exit(3)
