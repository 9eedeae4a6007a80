"""References: where they come from, how they are searched, and how they are written.

A work can be cited only if a record here describes it: from a library in BibTeX, from the documentation of the
software in use, or from an open source that answered. See docs/literature.md. Names are imported
when they are asked for: who only looks for a DOI in a text does not pay for the sources, numpy and the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scientist._lazy import lazy

if TYPE_CHECKING:
    from scientist.literature._bibtex import escape, to_bibtex
    from scientist.literature._claims import Claim, claims_of_text
    from scientist.literature._docstrings import docstring_references
    from scientist.literature._embed import INSTALL as MEANING_INSTALL
    from scientist.literature._embed import missing as no_meaning
    from scientist.literature._entry import FormFault, Printed, printed_text
    from scientist.literature._exporting import export as export_library
    from scientist.literature._find import Found, Hit, Phrasing, find
    from scientist.literature._gist import clause, deed
    from scientist.literature._importing import Tally, import_file
    from scientist.literature._judging import Checked, Difference, Verdict
    from scientist.literature._keys import find_arxiv, find_doi, merge, same_work
    from scientist.literature._library import Library, load_library, packaged_library
    from scientist.literature._lookups import LookUp, ShelfLookUp
    from scientist.literature._meaning import embed_missing
    from scientist.literature._printed import LISTS, Listed, read_bbl, read_bib, read_list
    from scientist.literature._recorded import RecordedSource
    from scientist.literature._reference import Neighbour, Novelty, NoveltyVerdict, Reference, Searched
    from scientist.literature._retrieval import Case, Report, load_cases, measure, phrasings, retrieve, wilson
    from scientist.literature._rows import is_library
    from scientist.literature._sources import (
        ANSWERS,
        LibrarySource,
        SkippedSource,
        Source,
        default_sources,
        outages,
        search_all,
    )
    from scientist.literature._stats import library_stats
    from scientist.literature._store import FILE as LIBRARY_FILE
    from scientist.literature._store import Store
    from scientist.literature._store_source import StoreSource
    from scientist.literature._topics import FIELDS, SUBJECTS, TOPICS, foreign, topics_in, topics_told
    from scientist.literature._twins import (
        Interval,
        Scored,
        blind_auc,
        label_auc,
        score_cases,
        twin_auc,
        verdict_table,
    )
    from scientist.literature._verify import NOTES, Verification, verify
    from scientist.literature._works import Work, make_work, to_reference

__all__ = [
    "ANSWERS",
    "FIELDS",
    "LIBRARY_FILE",
    "LISTS",
    "MEANING_INSTALL",
    "NOTES",
    "SUBJECTS",
    "TOPICS",
    "Case",
    "Checked",
    "Claim",
    "Difference",
    "FormFault",
    "Found",
    "Hit",
    "Interval",
    "Library",
    "LibrarySource",
    "Listed",
    "LookUp",
    "Neighbour",
    "Novelty",
    "NoveltyVerdict",
    "Phrasing",
    "Printed",
    "RecordedSource",
    "Reference",
    "Report",
    "Scored",
    "Searched",
    "ShelfLookUp",
    "SkippedSource",
    "Source",
    "Store",
    "StoreSource",
    "Tally",
    "Verdict",
    "Verification",
    "Work",
    "blind_auc",
    "claims_of_text",
    "clause",
    "deed",
    "default_sources",
    "docstring_references",
    "embed_missing",
    "escape",
    "export_library",
    "find",
    "find_arxiv",
    "find_doi",
    "foreign",
    "import_file",
    "is_library",
    "label_auc",
    "library_stats",
    "load_cases",
    "load_library",
    "make_work",
    "measure",
    "merge",
    "no_meaning",
    "outages",
    "packaged_library",
    "phrasings",
    "printed_text",
    "read_bbl",
    "read_bib",
    "read_list",
    "retrieve",
    "same_work",
    "score_cases",
    "search_all",
    "to_bibtex",
    "to_reference",
    "topics_in",
    "topics_told",
    "twin_auc",
    "verdict_table",
    "verify",
    "wilson",
]

if not TYPE_CHECKING:  # a name that does not exist is still found by the type checker
    __getattr__ = lazy(
        __name__,
        {
            "escape": "_bibtex",
            "to_bibtex": "_bibtex",
            "Claim": "_claims",
            "claims_of_text": "_claims",
            "docstring_references": "_docstrings",
            "MEANING_INSTALL": "_embed:INSTALL",
            "no_meaning": "_embed:missing",
            "FormFault": "_entry",
            "Printed": "_entry",
            "printed_text": "_entry",
            "export_library": "_exporting:export",
            "Found": "_find",
            "Hit": "_find",
            "Phrasing": "_find",
            "find": "_find",
            "clause": "_gist",
            "deed": "_gist",
            "Tally": "_importing",
            "import_file": "_importing",
            "Checked": "_judging",
            "Difference": "_judging",
            "Verdict": "_judging",
            "find_arxiv": "_keys",
            "find_doi": "_keys",
            "merge": "_keys",
            "same_work": "_keys",
            "Library": "_library",
            "load_library": "_library",
            "packaged_library": "_library",
            "LookUp": "_lookups",
            "ShelfLookUp": "_lookups",
            "embed_missing": "_meaning",
            "LISTS": "_printed",
            "Listed": "_printed",
            "read_bbl": "_printed",
            "read_bib": "_printed",
            "read_list": "_printed",
            "RecordedSource": "_recorded",
            "Neighbour": "_reference",
            "Novelty": "_reference",
            "NoveltyVerdict": "_reference",
            "Reference": "_reference",
            "Searched": "_reference",
            "Case": "_retrieval",
            "Report": "_retrieval",
            "load_cases": "_retrieval",
            "measure": "_retrieval",
            "phrasings": "_retrieval",
            "retrieve": "_retrieval",
            "wilson": "_retrieval",
            "is_library": "_rows",
            "ANSWERS": "_sources",
            "LibrarySource": "_sources",
            "SkippedSource": "_sources",
            "Source": "_sources",
            "default_sources": "_sources",
            "outages": "_sources",
            "search_all": "_sources",
            "library_stats": "_stats",
            "LIBRARY_FILE": "_store:FILE",
            "Store": "_store",
            "StoreSource": "_store_source",
            "FIELDS": "_topics",
            "SUBJECTS": "_topics",
            "TOPICS": "_topics",
            "foreign": "_topics",
            "topics_in": "_topics",
            "topics_told": "_topics",
            "Interval": "_twins",
            "Scored": "_twins",
            "blind_auc": "_twins",
            "label_auc": "_twins",
            "score_cases": "_twins",
            "twin_auc": "_twins",
            "verdict_table": "_twins",
            "NOTES": "_verify",
            "Verification": "_verify",
            "verify": "_verify",
            "Work": "_works",
            "make_work": "_works",
            "to_reference": "_works",
        },
    )
