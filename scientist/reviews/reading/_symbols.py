"""What TeX's commands stand for, and formulas as one line of plain characters. Pure."""

from __future__ import annotations

import re
import unicodedata

SYMBOLS = {
    "ldots": "…", "dots": "…", "cdots": "…", "textellipsis": "…", "S": "§", "P": "¶", "times": "×", "pm": "±", "mp": "∓",
    "approx": "≈", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "sim": "~", "cdot": "·", "to": "→",
    "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒", "uparrow": "↑", "downarrow": "↓", "infty": "∞", "in": "∈",
    "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪", "cap": "∩", "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂",
    "nabla": "∇", "forall": "∀", "exists": "∃", "ell": "ℓ", "mid": "|", "vert": "|", "Vert": "‖", "lVert": "‖", "rVert": "‖",
    "lvert": "|", "rvert": "|", "langle": "⟨", "rangle": "⟩", "circ": "∘", "otimes": "⊗", "oplus": "⊕", "star": "⋆", "ast": "∗",
    "ll": "≪", "gg": "≫", "equiv": "≡", "propto": "∝", "varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "hbar": "ħ",
    "sqrt": "√", "bullet": "•", "textbullet": "•", "checkmark": "✓", "dagger": "†", "dag": "†", "ddagger": "‡", "prime": "′",
    "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "textquotedblleft": "“",
    "textquotedblright": "”", "textless": "<", "textgreater": ">", "textbar": "|", "textasciitilde": "~", "textdegree": "°",
    "degree": "°", "textbackslash": "\\", "textasciicircum": "^", "textunderscore": "_", "lbrace": "{", "rbrace": "}",
    "textpm": "±", "texttimes": "×", "textregistered": "®", "texttrademark": "™", "copyright": "©", "pounds": "£", "euro": "€",
    "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ",
    "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "i": "ı", "j": "ȷ", "dj": "đ", "DJ": "Đ", "th": "þ", "TH": "Þ", "dh": "ð",
    "quad": " ", "qquad": " ", "space": " ", "hfill": " ", "newline": " ", "linebreak": " ", "thinspace": " ", "enspace": " ",
    "log": "log", "exp": "exp", "min": "min", "max": "max", "sin": "sin", "cos": "cos", "tanh": "tanh", "lim": "lim",
    "arg": "arg", "sup": "sup", "inf": "inf", "det": "det", "Pr": "Pr", "ln": "ln", "dim": "dim", "gcd": "gcd", "today": "",
    "colon": ":", "lbrack": "[", "rbrack": "]", "eg": "e.g.", "ie": "i.e.", "etal": "et al.",
}  # fmt: skip
ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307", "c": "\u0327",
    "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a", "d": "\u0323", "b": "\u0331",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?[ \t]*")
_NAMED = re.compile(r"\\(?:label|tag|vspace|hspace|phantom|vphantom|hphantom|color|textcolor)\*?\s*\{[^{}]*\}")
_SPACE = re.compile(r"\\[,;:! ]|\\(?:quad|qquad)\b|~")


def symbol(name: str) -> str | None:
    """The character that a command stands for, or None."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    word = name.removeprefix("var")
    for case in ("SMALL", "CAPITAL"):
        if (case == "CAPITAL") == word[:1].isupper():
            try:
                return unicodedata.lookup(f"GREEK {case} LETTER {word.upper()}")
            except KeyError:
                return None
    return None


def accented(accent: str, base: str) -> str:
    """A letter with its accent."""
    plain = {"ı": "i", "ȷ": "j"}.get(base[:1], base[:1])
    return unicodedata.normalize("NFC", plain + ACCENTS[accent]) + base[1:] if base else ""


def _spaced(stands: str) -> str:
    """The space behind a command's name is not printed; signs of a relation or operation have their own."""
    return f" {stands} " if stands in _APART else stands


_APART = frozenset("±∓≈≤≥≠=×→←⇒∈∉⊂⊆∪∩≪≫≡∝~·")


def formula(tex: str) -> str:
    """A formula in one line: `93.4 \\pm 0.2` is '93.4 ± 0.2'. Scripts lose their marks, unknown commands go."""
    text = _NAMED.sub(" ", tex)
    text = re.sub(r"\\(?:left|right|[bB]igg?[lr]?)\s*(?=\\?[^A-Za-z\s])\.?", "", text)
    text = re.sub(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = _SPACE.sub(" ", text)
    text = _COMMAND.sub(lambda match: _spaced(symbol(match[1]) or ""), text)
    text = re.sub(r"\\([%$#&_{}|])", r"\1", text.replace("\\\\", " ").replace("{", "").replace("}", ""))
    return " ".join(text.replace("^", "").replace("_", "").replace("&", " ").replace("\\", "").split())
