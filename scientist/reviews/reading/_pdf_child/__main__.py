"""Starts one look at a file: `python -I -S __main__.py pages|beside FILE FOLDER...`, the folders being where packages lie.

Without `site` the process starts in a third of the time, and nothing but these folders can be imported.
"""

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    sys.path.extend([str(Path(__file__).parents[1]), *sys.argv[3:]])
    import_module(f"_pdf_child.{sys.argv[1]}").main(sys.argv[2])
