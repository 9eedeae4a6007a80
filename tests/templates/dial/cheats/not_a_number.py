"""Attack: a value that is no number, which JSON readers let through."""
# expect: invalid

from pathlib import Path

Path("outputs/value.json").write_text('{"value": Infinity}', encoding="utf-8")
