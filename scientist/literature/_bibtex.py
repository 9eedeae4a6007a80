"""BibTeX from records, and only from records: nothing that a source returned reaches LaTeX unescaped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from scientist.literature._reference import Reference

# Braces are written as commands because BibTeX counts them even behind a backslash.
_ESCAPES = {
    "\\": "{\\textbackslash}",
    "{": "{\\textbraceleft}",
    "}": "{\\textbraceright}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "^": "{\\textasciicircum}",
    "~": "{\\textasciitilde}",
    '"': "{\\textquotedbl}",
}
_TYPOGRAPHY = {
    "–": "--",
    "—": "---",
    "‐": "-",
    "‑": "-",
    "−": "-",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": "...",
    "\u00a0": " ",
    "ℓ": "l",
    "×": "x",
}
# Letters of Latin Extended-A that T1 fonts have no glyph for.
_NO_GLYPH = frozenset("ĦħĸĿŀŉŦŧſ")
_GREEK = re.compile(r"GREEK (?:SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)")
_VENUE_FIELD = {
    "article": "journal",
    "inproceedings": "booktitle",
    "incollection": "booktitle",
    "book": "publisher",
    "phdthesis": "school",
    "techreport": "institution",
}


def escape(text: str) -> str:
    """Text as LaTeX that pdflatex (utf8, T1) prints, whatever it holds.

    Accented Latin letters stay as they are; Greek letters become their names; what no font has loses its accent
    or becomes a question mark.
    """
    return "".join(_ESCAPES.get(c, c) for c in printable(text))


def printable(text: str) -> str:
    """The text in characters that T1 fonts have: ASCII, accented Latin letters, TeX's dashes and quotes."""
    return "".join(map(_plain, unicodedata.normalize("NFC", text)))


def _plain(char: str) -> str:
    if char in _TYPOGRAPHY:
        return _TYPOGRAPHY[char]
    if " " <= char <= "~":
        return char
    if char.isspace():
        return " "
    if "À" <= char <= "ž" and char.isalpha() and char not in _NO_GLYPH:
        return char
    if greek := _GREEK.match(unicodedata.name(char, "")):
        return greek.group(1).lower()
    flat = unicodedata.normalize("NFKD", char)
    if flat != char:
        return "".join(map(_plain, flat))
    return "" if unicodedata.category(char)[0] in "CM" else "?"


def to_bibtex(references: Iterable[Reference], full: bool = False) -> str:
    """A `.bib` file with the records, sorted by key; the same bytes for the same records.

    `full` adds topics, gist, annotation and source, as in the library; without it nothing is written that a
    bibliography does not print, so abstracts never meet LaTeX. A record without authors whose source printed a
    reference is a @misc with that as its note.
    """
    entries = {reference.key: _entry(reference, full) for reference in references}
    return "\n".join(entries[key] for key in sorted(entries))


def _entry(ref: Reference, full: bool) -> str:
    if not ref.authors and ref.raw:
        fields = {"key": escape(ref.key), "note": escape(ref.raw)}
        fields |= {"year": str(ref.year)} if ref.year else {}
        kind = "misc"
    else:
        # Double braces keep the capitals that a bibliography style would lower.
        fields = {"author": " and ".join(map(_author, ref.authors)), "title": f"{{{escape(ref.title)}}}"}
        kind = ref.entry_type if ref.entry_type in (*_VENUE_FIELD, "misc") else "misc"
        fields[_VENUE_FIELD.get(kind, "howpublished")] = escape(ref.venue)
        fields["year"] = str(ref.year) if ref.year else ""
        fields |= {name: escape(getattr(ref, name)) for name in ("volume", "number")}
        # Page ranges have the two hyphens that TeX sets as a dash.
        fields["pages"] = re.sub(r"(?<=\w)-(?=\w)", "--", escape(ref.pages))
    fields["doi"] = _address(ref.doi)
    if ref.arxiv:
        fields |= {"eprint": _address(ref.arxiv), "archiveprefix": "arXiv"}
    fields["url"] = _address(ref.url)
    if full:
        fields["keywords"] = ", ".join(ref.topics)
        fields |= {"gist": escape(ref.gist), "annote": escape(ref.abstract)}
        fields["retracted"] = escape(ref.retracted)
        fields["source"] = "" if ref.source == "library" else escape(ref.source)
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@{kind}{{{ref.key},\n{body}\n}}\n"


def _author(name: str) -> str:
    """One name. BibTeX splits at 'and' and at commas, so a name that holds either is kept whole by braces."""
    written = escape(name)
    if name == "others":
        return written
    return f"{{{written}}}" if " " not in name or re.search(r",|\band\b", name, re.IGNORECASE) else written


def _address(text: str) -> str:
    """An identifier or address with everything percent-encoded that LaTeX or BibTeX would read as its own."""
    return quote(text, safe="/:.()-_;=?&+,@!*[]%#~'") if text else ""
