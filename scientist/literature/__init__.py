"""References: where they come from, how they are searched, and how they are written.

A work can be cited only if a record here describes it: from a library in BibTeX, from the documentation of the
software in use, or from an open source that answered. See docs/literature.md.
"""

from scientist.literature._bibtex import escape, to_bibtex
from scientist.literature._docstrings import docstring_references
from scientist.literature._keys import merge, same_work
from scientist.literature._library import TOPICS, Library, load_library, packaged_library
from scientist.literature._recorded import RecordedSource
from scientist.literature._reference import Neighbour, Novelty, NoveltyVerdict, Reference, Searched
from scientist.literature._sources import ANSWERS, LibrarySource, SkippedSource, Source, default_sources, search_all

__all__ = [
    "ANSWERS",
    "TOPICS",
    "Library",
    "LibrarySource",
    "Neighbour",
    "Novelty",
    "NoveltyVerdict",
    "RecordedSource",
    "Reference",
    "Searched",
    "SkippedSource",
    "Source",
    "default_sources",
    "docstring_references",
    "escape",
    "load_library",
    "merge",
    "packaged_library",
    "same_work",
    "search_all",
    "to_bibtex",
]
