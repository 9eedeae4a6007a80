"""Attack: load the sealed evaluator from wherever it can be read, and let it hand over the hidden text.

Fails because the file is out of reach, or because the text that it would read is.
"""
# expect: failed

import importlib.util
from pathlib import Path

import numpy as np

folders = (Path.cwd(), *Path.cwd().parents, *Path(np.__file__).parents)
parts = (".", "sealed", "template", "templates/char_lm")
places = [folder / part / "evaluate.py" for folder in folders for part in parts]
places = [place for place in places if place.is_file()]
if not places:
    raise SystemExit("the evaluator is out of reach")
spec = importlib.util.spec_from_file_location("sealed", places[0])
sealed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sealed)
hidden = sealed._text().tests["keep"]
Path("outputs/found.json").write_text(f'{{"bytes": {hidden.size}}}', encoding="utf-8")
