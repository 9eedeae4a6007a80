"""Plain text from the markup that strangers write: HTML, MathML and JATS tags, entities, LaTeX. Pure."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from typing import Any

import latexcodec  # noqa: F401 - registers the codec that decodes \'e and the like

from scientist.literature._text import clean

_COMMENT = re.compile(r"<!--.*?-->|<\?.*?\?>")
_HIDDEN = re.compile(r"<(script|style|template)\b[^>]*>.*?</\1\s*>", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
# A tag has a name and, if anything else, attributes with values: 'a <b and c> d' is a comparison and stays.
_TAG = re.compile(
    r"</?([A-Za-z][\w:.-]*)(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>\"']+))*\s*/?>|<![A-Za-z][^<>]*>"
)
_APART = re.compile(r"(?:\w+:)?(?:p|br|div|li|tr|td|sec|title|h\d)", re.IGNORECASE)
_OPENED = re.compile(r"<+(?=[A-Za-z/!?])")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?[ ]?")
# As in pandoc: a price is not the beginning of a formula.
_MATH = re.compile(r"\$\$?(?!\s)([^$]{1,300})(?<!\s)\$\$?(?!\d)|\\\((.{1,300}?)\\\)|\\\[(.{1,300}?)\\\]")
# Commands that only say how their argument looks.
_LOOKS = frozenset(
    """
    emph textbf textit textsl textsc texttt textrm textsf textnormal text mbox hbox it bf em rm sc tt sl sf cal
    mathbb mathcal mathrm mathbf mathfrak mathsf mathit mathscr mathtt boldsymbol bm pmb operatorname ensuremath
    left right big Big bigg Bigg displaystyle textstyle protect underline overline textsuperscript textsubscript
    quad qquad limits textup textmd upshape mdseries bfseries itshape scshape uppercase lowercase MakeUppercase MakeLowercase
    MakeTextUppercase NoCaseChange nobreakdash relax allowbreak linebreak newline xspace ignorespaces leavevmode noindent
    """.split()  # noqa: SIM905
)
_SYMBOLS = {
    "ell": "ℓ", "infty": "∞", "to": "→", "rightarrow": "→", "leftarrow": "←", "times": "×", "le": "≤", "leq": "≤",
    "ge": "≥", "geq": "≥", "neq": "≠", "ne": "≠", "pm": "±", "approx": "≈", "sim": "~", "cdot": "·", "circ": "∘",
    "in": "∈", "subset": "⊂", "otimes": "⊗", "oplus": "⊕", "partial": "∂", "nabla": "∇", "sum": "∑", "dots": "…",
    "ldots": "…", "cdots": "…", "star": "*", "ast": "*", "prime": "′", "dag": "†", "dagger": "†", "textbackslash": "",
    "slash": "/", "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textquotesingle": "'",
    "textquotedblleft": "“", "textquotedblright": "”", "textregistered": "", "texttrademark": "", "textcopyright": "",
    "lq": "‘", "rq": "’", "varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "hbar": "ħ", "sqrt": "√",
}  # fmt: skip
# What prints nothing where it stands, and the second of two ways to print something.
_UNSEEN = re.compile(
    r"\\(?:footnote|footnotemark|thanks|label|index|noop|noopsort|vphantom|hspace|vspace)\*?\s*\{[^{}]*\}|\\-"
)
_TWO_WAYS = re.compile(r"\\texorpdfstring\s*(\{(?:[^{}]|\{[^{}]*\})*\})\s*\{(?:[^{}]|\{[^{}]*\})*\}")
_ACCENTED = re.compile(r"\\(?:[`'^\"~=.]|[A-Za-z]+)")


def plain(text: object, limit: int) -> str:
    """One line of at most `limit` characters without tags, entities, LaTeX, control or direction characters.

    What a tag or a formatting command encloses stays; scripts, styles and comments go with their content. A command
    that nothing is known about leaves its name, so that no word is lost. Anything but a string becomes empty.
    """
    if not isinstance(text, str):
        return ""
    text = clean(text, 4 * limit)
    if "<" in text or "&" in text:
        text = _without_tags(text)
    if any(char in text for char in "\\${}"):
        text = _without_latex(text)
    # A tag that never ends, or that appears when a command goes, is no tag, and nobody shall take it for one.
    return clean(_OPENED.sub("", text), limit)


def _without_tags(text: str) -> str:
    text = html.unescape(html.unescape(text))  # some indexes escape what was escaped before
    if "-->" in text or "?>" in text:  # without an end there is nothing to look for, however many begin
        text = _COMMENT.sub(" ", text)
    if "</" in text:
        text = _HIDDEN.sub(" ", text)
    text = _CDATA.sub("", text)
    return _TAG.sub(lambda tag: " " if tag[1] and _APART.fullmatch(tag[1]) else "", text)


def _without_latex(text: str) -> str:
    text = _MATH.sub(lambda math: (math[1] or math[2] or math[3] or "").replace("_", ""), text)
    text = _UNSEEN.sub("", _TWO_WAYS.sub(r"\1", text))
    text = _COMMAND.sub(_symbol, text)
    if _ACCENTED.search(text):
        decode: Any = codecs.decode  # typed for bytes only, but this codec maps text to text
        text = decode(text, "ulatex", "ignore")
    text = re.sub(r"\\([&%$#_{} ,;!])", r"\1", text)
    return text.replace("``", "“").replace("''", "”").translate({ord(c): None for c in "{}\\"}).replace("~", " ")


def _symbol(command: re.Match[str]) -> str:
    name = command[1]
    if name in _LOOKS:
        return ""
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    for case, word in (("SMALL", name), ("CAPITAL", name[0].lower() + name[1:])):
        if (case == "CAPITAL") == name[0].isupper():
            try:
                return unicodedata.lookup(f"GREEK {case} LETTER {word.upper()}")
            except KeyError:
                break
    if len(name) <= 2 or name in ("aring", "textdegree", "oslash"):
        return command[0]  # \o, \ss, \ae, \c and other accents are the codec's
    return f"{name} "
