"""Which LaTeX a fragment may hold. What is not listed here never reaches the compiler."""

from __future__ import annotations

import re
import unicodedata

from scientist.papers._expressions import ExpressionError, names
from scientist.papers._tokens import ARGUMENTS, FragmentError, parse
from scientist.papers._unicode import typable

MAX_FRAGMENT = 20_000

ENVIRONMENTS = frozenset({"itemize", "enumerate", "description"})
_WORDS = """
    emph textbf textit texttt textsc textrm textsuperscript textsubscript S P ldots dots paragraph item footnote
    multicolumn quad qquad noindent mbox LaTeX TeX textbackslash textasciitilde textasciicircum textless textgreater textendash
    textemdash textminus textquotesingle textellipsis o O l L ss ae AE oe OE aa AA i j c v H u k r
"""
WORDS = frozenset(_WORDS.split())
"""Control words in text."""

_MATH = """
    times pm mp approx leq le geq ge neq ne ll gg sim simeq propto cdot cdots ldots dots to rightarrow leftarrow uparrow downarrow
    mapsto infty in notin subset cup cap sum prod frac sqrt bar hat tilde vec dot overline mathrm mathit mathbf
    mathcal text log ln exp min max arg Pr quad qquad left right mid lvert rvert lVert rVert prime partial nabla
    forall exists ell alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi pi
    rho sigma tau phi varphi chi psi omega iota upsilon Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
"""
MATH = frozenset(_MATH.split())
"""Control words in inline math."""

SYMBOLS = frozenset("%&_#${},;: -/!'`^\"~=.")
"""Characters that may follow a backslash: escaped characters, spaces and accents."""

_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_KEY = re.compile(r"[A-Za-z0-9:_+-]+")
_REF = re.compile(r"(sec|fig|tab|app):[A-Za-z0-9_-]+")
_PLACE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"\\([A-Za-z]+|.|\Z)", re.DOTALL)
_SIGN = re.compile(r"\\ensuremath\{\\?([A-Za-z]+|-)\}")
_ENVIRONMENT = re.compile(r"\{([A-Za-z*]*)\}")


def check_latex(fragment: str) -> list[str]:
    """What is wrong with a fragment, one line each; empty when it may be compiled. Never raises.

    Refused: control words, symbols and environments outside the lists, comments, `^^` notation, invisible
    characters, bare `#`, `&`, `_`, `^`, unbalanced braces, dollars and environments, blank lines inside braces,
    display math, malformed macros, and macros in the reason of a `\\calc`.
    """
    if len(fragment) > MAX_FRAGMENT:
        return [f"longer than {MAX_FRAGMENT} characters"]
    problems = [*_characters(fragment), *_structure(fragment)]
    try:
        tokens = parse(fragment)
    except FragmentError as error:
        return [*problems, str(error)]
    for token in tokens:
        if token.kind == "text":
            continue
        problems.extend(_macro(token.kind, token.args, token.math))
    for match in re.finditer(r"\\placefigure|\\placetable", fragment):
        alone = re.fullmatch(r"\\place(figure|table)\s*\{[^{}]*\}", fragment.strip())
        if not alone:
            problems.append(f"{match.group()} has to be a paragraph of its own")
    return problems


def _macro(kind: str, args: tuple[str, ...], math: bool) -> list[str]:
    match kind:
        case "val":
            return [] if _ID.fullmatch(args[0]) else [f"\\val{{{args[0][:40]!a}}} is no fact id"]
        case "calc":
            try:
                names(args[0])
            except ExpressionError as error:
                return [str(error)]
            if not args[1]:
                return [f"\\calc{{{args[0][:40]}}} does not say why"]
            inner = check_latex(args[1])
            if any(f"\\{name}" in args[1] for name in ARGUMENTS):
                inner.append("the reason of a \\calc holds a macro")
            return inner
        case "cite":
            wrong = [key for key in (part.strip() for part in args[0].split(",")) if not _KEY.fullmatch(key)]
            problems = [f"'{key[:40]!a}' is no citation key" for key in wrong]
            return [*problems, "a citation inside math"] if math else problems
        case "ref":
            return [] if _REF.fullmatch(args[0]) else [f"\\ref{{{args[0][:40]!a}}} names no sec:, fig:, tab: or app:"]
        case _:
            return [] if _PLACE.fullmatch(args[0]) else [f"\\{kind}{{{args[0][:40]!a}}} is no id"]


def _characters(fragment: str) -> list[str]:
    problems: list[str] = []
    for char in sorted(set(fragment)):
        if not typable(char):
            name = unicodedata.name(char, f"control character {ord(char)}").lower()
            problems.append(f"the character U+{ord(char):04X} ({name}) is not allowed")
    if "^^" in fragment:
        problems.append("'^^' hides characters")
    return problems


def _structure(fragment: str) -> list[str]:
    """Braces, dollars, environments and control sequences, in one walk. Macros are left to `_macro`."""
    problems: list[str] = []
    stack: list[str] = []
    position, math = 0, False
    masked = _mask(fragment)
    while position < len(masked):
        char = masked[position]
        if char == "\\":
            match = _CONTROL.match(masked, position)
            assert match is not None
            name = match.group(1)
            position = match.end()
            if name in ("begin", "end"):
                environment = _ENVIRONMENT.match(masked, position)
                problems.extend(_environment(name, environment.group(1) if environment else "", stack))
                position = environment.end() if environment else position
            elif not _allowed(name, math):
                problems.append(f"\\{name[:30]} is not allowed{' in math' if math else ''}")
            continue
        position += 1
        if char == "{":
            stack.append("{")
        elif char == "}":
            if stack and stack[-1] == "{":
                stack.pop()
            else:
                problems.append("a closing brace without its opening one")
        elif char == "$":
            if masked[position : position + 1] == "$":
                problems.append("display math is not allowed")
                position += 1
            elif math and (not stack or stack.pop() != "$"):
                problems.append("a brace is open across the end of math")
            elif not math:
                stack.append("$")
            math = not math
        elif char in "%#&" or (char in "_^" and not math):
            problems.append(f"a bare '{char}'")
        elif char == "\n" and stack and re.match(r"[ \t]*\n", masked[position:]) and stack[-1] in "{$":
            problems.append("a blank line inside braces or math")
    names_of = {"$": "a dollar", "{": "a brace"}
    problems.extend(f"{names_of.get(left, left)} is never closed" for left in stack)
    return problems


def _environment(word: str, name: str, stack: list[str]) -> list[str]:
    if name not in ENVIRONMENTS:
        return [f"\\{word}{{{name[:30]}}} is not allowed"]
    if word == "begin":
        stack.append(name)
    elif stack and stack[-1] == name:
        stack.pop()
    else:
        return [f"\\end{{{name}}} without its \\begin"]
    return []


def _allowed(name: str, math: bool) -> bool:
    if len(name) == 1 and not name.isalpha():
        return name in SYMBOLS
    return name in ARGUMENTS or (name in MATH or name in ("mbox", "emph") if math else name in WORDS)


def _mask(fragment: str) -> str:
    """The fragment with every macro, and every single sign of math (`\\ensuremath{\\alpha}`), blanked.

    Macros' ids and expressions follow rules of their own; the signs are what `set_text` makes of typed characters.
    """
    try:
        tokens = parse(fragment)
    except FragmentError:
        return fragment
    text = "".join(token.source if token.kind == "text" else " " * len(token.source) for token in tokens)
    return _SIGN.sub(lambda m: " " * len(m.group()) if m.group(1) in MATH | {"-"} else m.group(), text)
