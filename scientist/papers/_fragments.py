"""What builder, audit and terminal ask of a fragment: its tokens, sentences, typed numbers and readable text.

A fragment comes from a writer, who may be a model, so it is hostile data until :func:`check_latex` passed it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from scientist.papers._expressions import ExpressionError, show
from scientist.papers._records import Fact, Facts
from scientist.papers._tokens import FragmentError, Sentence, Token, parse, sentences
from scientist.papers._unicode import set_text
from scientist.papers._whitelist import check_latex

__all__ = [
    "ExpressionError",
    "FragmentError",
    "Sentence",
    "Token",
    "check_latex",
    "escape",
    "free_digits",
    "numbers",
    "parse",
    "plain",
    "readable",
    "sentences",
]


_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SKIP = re.compile(
    r"\\multicolumn\s*\{\d{1,2}\}\s*\{[^{}]*\}"  # a span is layout
    r"|\\S\s*~?\s*\d{1,2}(?![\d.,]*\d)"  # a section sign with its number
    r"|(?<=[A-Za-z)\]|])\s*[_^]\s*(?:\{\s*-?\d{1,2}\s*\}|\d)"  # R^2, x_{10}
)


def free_digits(tokens: Sequence[Token]) -> list[str]:
    """Numbers typed into the text tokens: digits that are no part of a word (F1, L2, k2) or of a script (R^2).

    Digits of every alphabet, superscripts and fractions count. Macros' arguments are not looked into.
    """
    found: list[str] = []
    for token in tokens:
        if token.kind != "text":
            continue
        source = _SKIP.sub(lambda match: " " * len(match.group()), token.source)
        for match in _DIGITS.finditer(source):
            before = re.search(r"(\\?)([A-Za-z]+)$", source[: match.start()])
            short = len(match.group()) <= 2 and before is not None and not before.group(1) and len(before.group(2)) <= 5
            if not short:
                found.append(match.group())
        found.extend(char for char in source if unicodedata.category(char) in ("No", "Nl"))
    return found


_SYMBOLS = {
    "ldots": "…", "dots": "…", "S": "§", "P": "¶", "times": "×", "pm": "±", "approx": "≈", "leq": "≤", "le": "≤",
    "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "sim": "~", "cdot": "·", "to": "→", "rightarrow": "→",
    "infty": "∞", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ", "epsilon": "ε",
    "varepsilon": "ε", "eta": "η", "lambda": "λ", "mu": "μ", "sigma": "σ", "rho": "ρ", "theta": "θ", "tau": "τ",
    "phi": "φ", "chi": "χ", "omega": "ω", "pi": "π", "kappa": "κ", "item": "- ", "quad": " ", "qquad": " ",
    "textbackslash": "\ue05c", "textasciicircum": "\ue05e", "textless": "<", "textgreater": ">", "textasciitilde": "\ue07e", "textminus": "-",
    "textendash": "–", "textemdash": "—", "LaTeX": "LaTeX", "TeX": "TeX", "ss": "ß", "o": "ø", "O": "Ø",
    "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å",
}  # fmt: skip
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "c": "\u0327", "v": "\u030c",
}  # fmt: skip


def readable(latex: str) -> str:
    """LaTeX text without macros as plain text: `5\\,\\%` -> `5 %`, `\\emph{no}` -> `no`, `--` -> `–`."""
    text = re.sub(r"\\(?:begin|end)\{[a-z]*\}", " ", latex)
    text = re.sub(r"\\multicolumn\{\d+\}\{[^{}]*\}", "", text)
    text = re.sub(
        r"\\(['`^\"~]|[cv](?=[\s{]))\s*\{?\\?([A-Za-z])\}?",
        lambda match: unicodedata.normalize("NFC", match.group(2) + _ACCENTS[match.group(1)]),
        text,
    )
    text = re.sub(r"\\([A-Za-z]+)[ \t]*", lambda match: _SYMBOLS.get(match.group(1), ""), text)
    text = re.sub(r"\\[,;: !/-]", lambda match: "" if match.group()[1] in "!/-" else " ", text)
    text = re.sub(
        r"\\([%&_#${}])", lambda match: chr(0xE000 + ord(match.group(1))), text
    )  # out of reach of the next lines
    text = re.sub(r"[{}$]", "", text).replace("~", " ").replace("---", "—").replace("--", "–")
    text = text.replace("``", "“").replace("''", "”")
    text = re.sub("[\ue000-\ue07f]", lambda match: chr(ord(match.group()) - 0xE000), text)
    return re.sub(r"\s+", " ", text).strip()


_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "\n": " ",
}  # fmt: skip


def escape(text: str) -> str:
    """Plain text as LaTeX that prints it; characters that cannot be set are replaced by what comes near."""
    return set_text("".join(_ESCAPES.get(char, char) for char in text))


def numbers(facts: Facts | Mapping[str, Fact]) -> dict[str, float]:
    """The raw values that expressions may use: every fact that is a number."""
    known = facts.by_id() if isinstance(facts, Facts) else facts
    return {
        key: float(fact.value)
        for key, fact in known.items()
        if isinstance(fact.value, int | float) and not isinstance(fact.value, bool)
    }


def plain(fragment: str | Sentence, facts: Facts | Mapping[str, Fact]) -> str:
    """Readable text with the values put in, for terminals and reports. An unknown fact shows as `?id?`.

    Raises :class:`FragmentError` or :class:`ExpressionError` where the fragment cannot be read.
    """
    known = facts.by_id() if isinstance(facts, Facts) else facts
    values = numbers(known)
    pieces: list[str] = []
    for token in parse(fragment) if isinstance(fragment, str) else fragment.tokens:
        match token.kind:
            case "val":
                fact = known.get(token.args[0])
                pieces.append(fact.text if fact else f"?{token.args[0]}?".replace("_", r"\_"))
            case "calc":
                pieces.append(show(token.args[0], values))
            case "cite":
                pieces.append(f"[{', '.join(token.keys)}]".replace("_", r"\_"))
            case "ref":
                pieces.append(token.args[0].partition(":")[2].replace("_", r"\_"))
            case "text":
                pieces.append(token.source)
    return readable("".join(pieces))
