"""Attack: lists within lists, deeper than a parser can follow."""
# expect: invalid

from pathlib import Path

Path("outputs/solution.json").write_text("[" * 30_000 + "]" * 30_000, encoding="utf-8")
