"""Reads the first pages of one PDF and tells them as JSON. Runs as a script of its own: see `_pdfs`.

Imports nothing of ours, so that it starts quickly and holds nothing worth having. It limits itself before it looks at
the file: memory, processor time, no file may grow, no process may be started.
"""

from __future__ import annotations

import json
import logging
import re
import resource
import sys
from typing import Any

MEMORY = 1 << 30  # bytes of address space
SECONDS = 20  # of processor time
PAGES = 2
CHARS = 30_000


def limit() -> None:
    """The least that reading needs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def first_pages(path: str) -> dict[str, Any]:
    """`text` of the first pages, `large`: what is printed largest on the first, `title`, `subject`, `date`: metadata."""
    from pypdf import PdfReader

    logging.disable(logging.CRITICAL)
    reader = PdfReader(path, strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return {"problem": "encrypted"}
    sizes: dict[float, list[str]] = {}

    def visit(text: str, cm: list[float], tm: list[float], font: object, size: float) -> None:
        upright = abs(tm[1]) < 1e-3 and abs(cm[1]) < 1e-3  # the stamp in the margin is printed sideways
        if text.strip() and upright:
            sizes.setdefault(round(abs(size * (tm[0] or 1.0) * (cm[0] or 1.0)), 1), []).append(text)

    texts = []
    for number in range(min(PAGES, len(reader.pages))):
        page = reader.pages[number]
        texts.append(page.extract_text(visitor_text=visit) if number == 0 else page.extract_text())
    large = (" ".join(" ".join(sizes[size]).split()) for size in sorted(sizes, reverse=True))
    about: Any = reader.metadata or {}
    told = {
        name: str(about.get(f"/{key}") or "")[:2000]
        for name, key in (("title", "Title"), ("subject", "Subject"), ("author", "Author"))
    }
    return {
        **told,
        "date": str(about.get("/CreationDate") or "")[:40],
        "large": next((text for text in large if len(re.findall(r"[^\W\d_]", text)) >= 8), "")[:1000],
        "text": "\n".join(texts)[:CHARS],
    }


def main() -> None:
    """One JSON object on standard output, whatever the file does; being killed is the only other end."""
    limit()
    try:
        told = first_pages(sys.argv[1])
    except MemoryError:
        told = {"problem": "needs too much memory"}
    except Exception as error:  # noqa: BLE001 - a broken file makes the reader raise anything; the parent tells it
        told = {"problem": f"not readable ({type(error).__name__})"}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
