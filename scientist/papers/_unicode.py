"""Characters that pdfLaTeX can set in T1, and what stands in for the others (names and titles from anywhere)."""

from __future__ import annotations

import unicodedata

_NOT_IN_T1 = frozenset(map(chr, (0xAD, 0xB8, 0x126, 0x127, 0x138, 0x13F, 0x140, 0x149, 0x166, 0x167, 0x17F)))
_SIGNS = frozenset("–—‘’‚“”„†‡•…‰‹›™→←€№ȘșȚțǦǧǍǎ")

_MATH = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "≤": "leq", "≥": "geq", "≠": "neq",
    "≈": "approx", "∞": "infty", "−": "-", "∈": "in", "∑": "sum", "√": "surd", "∼": "sim", "≪": "ll", "≫": "gg",
}  # fmt: skip
_WORDS = {"‐": "-", "‑": "-", "‒": "--", "\u2009": r"\,", "\u202f": r"\,", "\xa0": "~"}


def settable(char: str) -> bool:
    """Can the document's fonts set this character as it is?"""
    code = ord(char)
    if code < 0x80:
        return code >= 0x20 or char in "\n\t"
    if code < 0x180:
        return code > 0xA0 and char not in _NOT_IN_T1 and unicodedata.category(char) != "No"
    return char in _SIGNS


def typable(char: str) -> bool:
    """May a writer type this character? It can be set, or there is something that means the same."""
    return settable(char) or char in _MATH or char in _WORDS


def set_text(text: str) -> str:
    """LaTeX in which every character can be set: Greek and signs as math, other letters without their marks, else `?`.

    ASCII passes unchanged, so the text may hold LaTeX already.
    """
    return "".join(char if settable(char) else _stand_in(char) for char in unicodedata.normalize("NFC", text))


def _stand_in(char: str) -> str:
    if char in _WORDS:
        return _WORDS[char]
    if char in _MATH:
        name = _MATH[char]
        return rf"\ensuremath{{{name if name == '-' else chr(92) + name}}}"
    if unicodedata.category(char) in ("Cc", "Cf", "Mn", "Zs", "Zl", "Zp"):
        return "" if unicodedata.category(char)[0] in "CM" else " "
    letters = "".join(
        part for part in unicodedata.normalize("NFKD", char) if " " <= part <= "~" and part not in "\\{}$&#_%~^"
    )
    if unicodedata.category(char) == "No" and letters.isdigit():
        return rf"\textsuperscript{{{letters}}}"
    return letters or "?"
