"""Which literature a lab can ask: what its settings, its files and a recording allow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist._cast import recording
from scientist.lab import Lab, Settings
from scientist.literature import ANSWERS, LIBRARY_FILE, RecordedSource, Source, StoreSource, default_sources


def open_sources(settings: Settings, libraries: Sequence[Path] = (), cache: Path | None = None) -> list[Source]:
    """The packaged library and what answers online, as the settings have it."""
    s = settings
    return default_sources(
        s.online,
        s.arxiv_url,
        s.semantic_scholar_url,
        libraries=libraries,
        openalex_url=s.openalex_url,
        crossref_url=s.crossref_url,
        contact=s.contact,
        cache=cache,
    )


def lab_sources(lab: Lab, recorded: bool = True) -> list[Source]:
    """The literature a lab can ask: its library, its `library.bib`, the packaged one, and what answers online.

    Where models play roles, what the network answered is part of the recording, and a replay asks nobody; unless
    `recorded` is false, for questions that no campaign asks.
    """
    own = lab.root / "library.bib"
    s = lab.settings
    found = open_sources(s, [own] if own.exists() else [], lab.private / ANSWERS)
    stored = lab.root / LIBRARY_FILE
    if stored.exists():
        found.insert(0, StoreSource(stored, s.library_covers))
    if not recorded or not (s.replay or s.model or any(role.model or role.command for role in s.roles.values())):
        return found
    kept = recording(lab) / "searches"
    return [source if source.breadth == "curated" else RecordedSource(source, kept, bool(s.replay)) for source in found]
