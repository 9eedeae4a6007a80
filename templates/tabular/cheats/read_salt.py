"""Attack: read the salt of the simulated survey, from which its labels could be made, or the field to be beaten."""
# expect: failed

from pathlib import Path

parts = (".", "sealed", "template", "templates/tabular")
places = [
    folder / part / name for folder in Path.cwd().parents for part in parts for name in ("salt.txt", "field.json")
]
places = [place for place in places if place.is_file()]
if not places:
    raise SystemExit("the salt is out of reach")
Path("outputs/stolen.json").write_text(f'"{places[0].read_bytes()[:80].hex()}"', encoding="utf-8")
