"""What a library holds, in numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scientist.literature._embed import MODEL, missing
from scientist.literature._store import Store


def library_stats(store: Store) -> dict[str, Any]:
    """Works, by source and by year, bytes on disk, vectors, and imports that were stopped before their end."""
    works = len(store)
    sources = store.rows(
        "SELECT s.name, count(*) FROM works w JOIN sources s ON s.id = w.source GROUP BY s.id ORDER BY 2 DESC, 1"
    )
    years = store.rows("SELECT year, count(*) FROM works GROUP BY year ORDER BY year")
    filled = store.rows(
        "SELECT coalesce(sum(abstract != ''), 0), coalesce(sum(doi != ''), 0), coalesce(sum(arxiv != ''), 0) FROM works"
    )[0]
    stopped = store.rows("SELECT name, state FROM imports WHERE done = 0 ORDER BY name")
    return {
        "works": works,
        "records": works + _number(store.rows("SELECT count(*) FROM records")[0][0]),
        "sources": {str(name): count for name, count in sources},
        "years": {str(year) if year is not None else "unknown": count for year, count in years},
        "with_abstract": filled[0],
        "with_doi": filled[1],
        "with_arxiv": filled[2],
        "vectors": store.count_vectors(),
        "model": MODEL,
        "no_model": missing(),
        "bytes": size_of(store.path),
        "unfinished": [f"{name} ({json.loads(str(state))['read']:,} records in)" for name, state in stopped],
    }


def size_of(path: Path) -> int:
    """Bytes of the library on disk, what was not yet moved into it included."""
    beside = (path.with_name(path.name + ending) for ending in ("", "-wal"))
    return sum(file.stat().st_size for file in beside if file.exists())


def _number(value: object) -> int:
    return int(str(value))
