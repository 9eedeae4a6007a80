"""What no index of publications lists: pages, programs, data, patents. How such an entry is told, and what its address is."""

from __future__ import annotations

import re

_UNLISTED = frozenset(
    """
    online electronic www webpage website software softwareversion softwaremodule codefragment dataset data patent
    standard unpublished video audio movie music image artwork legislation jurisdiction legal letter proceedings mvproceedings
    periodical
    """.split()  # noqa: SIM905
)
"""Kinds of entries that say of themselves that they are no publication."""
_PERHAPS = frozenset({"misc", "manual", "report", "techreport", "booklet"})
"""Kinds that are no publication, or none that indexes have, where they give an address and no identifier."""
_REGISTERED = {
    "10.5281": "Zenodo", "10.6084": "figshare", "10.17632": "Mendeley Data", "10.7910": "Harvard Dataverse", "10.5061": "Dryad",
    "10.24432": "UCI", "10.57967": "Hugging Face", "10.34740": "Kaggle", "10.17605": "OSF", "10.18129": "Bioconductor",
}  # fmt: skip
"""Prefixes of DOIs for programs and data. DataCite registers them, which is not asked."""
_ADDRESS = re.compile(r"(?:https?://|ftp://|(?<![\w/])www\.)[^\s{}<>\"]+", re.IGNORECASE)
_HOST = re.compile(
    r"(?:(?:https?|ftp)://)?(?:[^\s/?#@]*@)?(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,61}\.?(?::\d{1,5})?(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_NUMBERS = re.compile(
    r"(?:https?|ftp)://(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|localhost)(?::\d{1,5})?(?:[/?#].*)?", re.I
)
_OTHER_SCHEME = re.compile(r"(?:urn|hdl|doi|ark|info|arxiv|git|ssh|mailto|file|isbn|pmid|gopher):", re.IGNORECASE)
_VENUE = re.compile(
    r"\\(?:emph|textit|em|it|itshape|sl)\b|\bin[:\s]+(?:proc|[A-Z])|\b(?:vol(?:ume)?|pp?|pages|no)\b[.\s~]*\d|\d\s*\(\d+\)|\d\s*:\s*\d"
    r"|\b(?:proceedings|journal|conference|transactions|workshop|symposium|press|thesis|dissertation|lecture notes)\b",
    re.IGNORECASE,
)


def is_unlisted(kind: str, url: str, doi: str, arxiv: str) -> bool:
    """Whether an entry may well be something that exists and that no index has."""
    if arxiv:
        return False
    if doi:
        return registrar(doi) != ""
    return kind in _UNLISTED or (kind in _PERHAPS and bool(url))


def registrar(doi: str) -> str:
    """Who gave a DOI for a program or data; empty for the DOI of a publication."""
    return _REGISTERED.get(doi.partition("/")[0], "")


def is_page(body: str) -> bool:
    """Whether a reference in running LaTeX names an address and nothing that it was published in."""
    told = re.sub(r"\\(?:emph|textit)\s*\{\s*et[\s~]al\.?\s*\}", " ", _ADDRESS.sub(" ", body))
    return told.strip() != "" and _ADDRESS.search(body) is not None and not _VENUE.search(told)


def address(text: str) -> str:
    """The first address in a text as a browser takes it, without LaTeX and the punctuation behind it; or empty."""
    match = _ADDRESS.search(unescaped(text))
    return match.group(0).rstrip(".,;)") if match else ""


def unescaped(text: str) -> str:
    """An address as it is, of one that was written for LaTeX."""
    text = re.sub(r"\\(?:url|path|nolinkurl|href)\s*(?=\{)", " ", text)
    text = re.sub(r"\{?\\(?:textasciitilde|sim|string\s*~)(?:\{\}|\s)?\}?|\$\\sim\$|\\~(?:\{\})?", "~", text)
    return re.sub(r"\\([_%&#$~])", r"\1", text)


def is_address(text: str) -> bool:
    """Whether a field `url` holds an address: a host with a dot, or the name of a scheme that has no hosts. Nobody goes there."""
    text = (address(text) or unescaped(text)).strip(" {}<>\n\t")[:4000]
    return bool(
        _HOST.fullmatch(text) or _NUMBERS.fullmatch(text) or _OTHER_SCHEME.match(text) or text.startswith("10.")
    )
