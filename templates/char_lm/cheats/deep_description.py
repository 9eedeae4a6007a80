"""Attack: a description nested so deeply that reading it ends in an error that no judge expects."""
# expect: invalid

from pathlib import Path

Path("outputs/model.json").write_text("[" * 4000, encoding="utf-8")
