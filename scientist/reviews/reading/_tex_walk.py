"""Walks through TeX and fills the parts of a Document: sections, floats, formulas, footnotes, cites."""

from __future__ import annotations

import re
from collections.abc import Callable

from scientist.reviews.reading._document import Equation, Paragraph, Section, Table
from scientist.reviews.reading._symbols import ACCENTS, accented, formula, symbol
from scientist.reviews.reading._tex_commands import Commands
from scientist.reviews.reading._tex_macros import ARGUMENT, LEVELS, Macro
from scientist.reviews.reading._tex_tables import rows

DEEP = 40  # arguments inside arguments, macros inside macros
TOKEN = re.compile(
    r"\\begin\s*\{([^{}\n]{1,60})\}|\\end\s*\{([^{}\n]{1,60})\}|\\([A-Za-z@]+)\*?|\\(.)|(\$\$?)|(\n[ \t]*\n\s*)|([{}~&#])|"
    r"([^\\{}$~&#\n]+|\n)",
    re.DOTALL,
)
_CITE = re.compile(r"(?:no|full|foot|paren|text|auto|smart|super|short)?[cC]ite[A-Za-z]*")
_REF = re.compile(r"(?:[cC]|auto|page|name|eq|v|sub|full|thm|labelc|Auto)?ref(?:range)?s?")
# Commands whose arguments are no text: how many of them go.
_GONE = {
    "label": 1, "vspace": 1, "hspace": 1, "vskip": 0, "usepackage": 1, "RequirePackage": 1, "documentclass": 1, "input": 1,
    "include": 1, "bibliographystyle": 1, "bibliography": 1, "pagestyle": 1, "thispagestyle": 1, "setlength": 2,
    "addtolength": 2, "setcounter": 2, "addtocounter": 2, "color": 1, "definecolor": 3, "hypersetup": 1, "graphicspath": 1,
    "newcommand": 2, "renewcommand": 2, "providecommand": 2, "DeclareMathOperator": 2, "newtheorem": 2, "newenvironment": 3,
    "renewenvironment": 3, "phantomsection": 0, "addcontentsline": 3, "fontsize": 2, "rule": 2, "raisebox": 1, "markboth": 2,
    "markright": 1, "newcounter": 1, "includegraphics": 1, "captionsetup": 1, "linespread": 1, "pdfinfo": 1, "phantom": 1,
    "hphantom": 1, "vphantom": 1, "extrarowheight": 0, "tikzset": 1, "pgfplotsset": 1, "lstset": 1, "addbibresource": 1,
    "thanks": 1, "footnotemark": 0, "date": 1, "parbox": 1, "resizebox": 2, "scalebox": 1, "rotatebox": 1, "selectfont": 0,
    "subfile": 1, "newlength": 1, "settowidth": 2, "bibliographyfont": 1, "institute": 1, "affiliation": 1, "email": 1,
    "affil": 1, "address": 1, "keywords": 0, "printbibliography": 0, "maketitle": 0, "IEEEpubid": 1, "textcolor": 1,
    "colorbox": 1, "cellcolor": 1, "rowcolor": 1, "multirow": 2, "acmConference": 3, "titlerunning": 1, "authorrunning": 1,
    "renewbibmacro": 2, "DeclarePairedDelimiter": 3, "minipage": 1, "setcitestyle": 1, "theoremstyle": 1, "crefname": 3,
    "subcaption": 1, "href": 1, "pagenumbering": 1, "hyphenation": 1, "cmidrule": 1, "cline": 1, "newif": 0,
    "pdfcomment": 1, "attachfile": 1, "embedfile": 1, "textattachfile": 1, "BeginAccSupp": 1, "EndAccSupp": 1,
}  # fmt: skip
_MATH = frozenset("equation align gather multline eqnarray displaymath flalign alignat math dmath".split())  # noqa: SIM905
_TABLES = frozenset("tabular tabularx tabulary longtable tabu NiceTabular supertabular".split())  # noqa: SIM905
_FLOATS = {"figure": "figure", "wrapfigure": "figure", "SCfigure": "figure", "table": "table", "wraptable": "table",
           "sidewaystable": "table", "sidewaysfigure": "figure", "algorithm": "algorithm", "longtable": "table",
           "marginfigure": "figure", "teaserfigure": "figure"}  # fmt: skip
_DRAWN = frozenset("tikzpicture pgfpicture picture filecontents thebibliography comment CCSXML".split())  # noqa: SIM905
_ARGUED = {"minipage": 1, "subfigure": 1, "subtable": 1, "wrapfigure": 2, "wraptable": 2, "adjustbox": 1, "multicols": 1,
           "thebibliography": 1, "list": 2, "spacing": 1, "longtable": 0, "subfloat": 1}  # fmt: skip


class Walker(Commands):
    """Reads a text once. `labels`: name -> printed number; filled while walking, and used for what refers to them."""

    def read(self, head: str, body: str) -> None:
        """Fill `parts` from the preamble and the body."""
        self._work = 12 * (len(head) + len(body)) + 2_000_000
        for name in ("title", "author", "abstract"):
            self._front(head, name)
        self.walk(body)
        self._paragraph()
        if self._work < 0:
            self.parts.unread.append("the TeX nests too deeply: some of it was not read")
        for head_, paragraphs in zip(self._heads, self._paragraphs, strict=True):
            if head_.level or paragraphs:
                self.parts.sections.append(head_.model_copy(update={"paragraphs": tuple(paragraphs)}))

    def walk(self, text: str) -> None:
        """Take in a stretch of TeX."""
        if self._deep > DEEP or self._work < 0:
            self._work = min(self._work, -1)
            return
        self._deep += 1
        at = 0
        while at < len(text) and self._work >= 0:
            match = TOKEN.match(text, at)
            if match is None:
                at += 1
                continue
            self._work -= 1 + len(match.group()) // 8
            begun, ended, name, char, dollars, blank, brace, words = match.groups()
            at = match.end()
            if words is not None:
                self._out.append(words)
            elif begun is not None:
                at = self._begin(begun.strip(), text, at)
            elif ended is not None:
                self._break()
            elif name is not None:
                at = self._command(name, text, at)
            elif char is not None:
                at = self._character(char, text, at)
            elif dollars is not None:
                at = self._dollars(dollars, text, at)
            elif blank is not None:
                self._break()
            else:
                self._out.append(" " if brace in "~&" else "")
        self._deep -= 1

    def _command(self, name: str, text: str, at: int) -> int:
        if name in self.macros:
            return self._macro(self.macros[name], text, at)
        if name in LEVELS:
            return self._heading(name, text[at - 1] == "*", text, at)
        handler: Callable[[str, int], int] | None = getattr(self, f"_do_{name}", None)
        if handler is not None:
            return handler(text, at)
        if _CITE.fullmatch(name):
            return self._cite(name, text, at)
        if _REF.fullmatch(name):
            return self._ref(text, at)
        if name in _GONE:
            _, at = self._options(text, at)
            for _ in range(_GONE[name]):
                _, at = self._argument(text, at)
                _, at = self._options(text, at)
            return at
        if name in ACCENTS and len(name) == 1:
            base, at = self._argument(text, at)
            self._out.append(accented(name, self.inline(base)))
            return at
        stands = symbol(name)
        if stands is not None:
            self._out.append(stands)
            space = re.compile(r"[ \t]*\n?[ \t]*(?!\n)").match(text, at)
            return space.end() if space and stands.strip() and text[at : at + 2] != "\\ " else at
        _, at = self._options(text, at)  # any other command only says how its argument looks
        space = re.compile(r"[ \t]+").match(text, at)
        return space.end() if space else at

    def _macro(self, macro: Macro, text: str, at: int) -> int:
        given: list[str] = []
        if macro.default is not None and macro.count:
            options, after = self._options(text, at)
            given.append(options[0] if options else macro.default)
            at = after if options else at
        while len(given) < macro.count:
            said, at = self._argument(text, at)
            given.append(said)
        body = re.sub(r"#(\d)", lambda m: given[int(m[1]) - 1] if 0 < int(m[1]) <= len(given) else "", macro.body)
        self._work -= len(body)
        self.walk(body)
        if not macro.count and text[at : at + 2] == "{}":
            return at + 2
        return at

    def _character(self, char: str, text: str, at: int) -> int:
        if char in "([":
            close = "\\)" if char == "(" else "\\]"
            end = text.find(close, at, at + ARGUMENT)
            if end < 0:
                self._work -= ARGUMENT // 8
                return at
            self._math(text[at:end], display=char == "[")
            return end + 2
        if char in ACCENTS:
            base, at = self._argument(text, at)
            self._out.append(accented(char, self.inline(base)))
        elif char == "\\":
            self._out.append(" ")
            _, at = self._options(text, at)
        elif char in "%$#&_{}":
            self._out.append(char)
        elif char != "-" and char != "/":
            self._out.append(" " if char in " ,;:~\n" else "")
        return at

    def _dollars(self, dollars: str, text: str, at: int) -> int:
        end = re.compile(r"(?<!\\)" + re.escape(dollars)).search(text, at, at + ARGUMENT)
        if end is None:
            self._work -= ARGUMENT // 8
            return at
        self._math(text[at : end.start()], display=dollars == "$$")
        return end.end()

    def _math(self, tex: str, display: bool) -> None:
        tex = re.sub(r"\\([A-Za-z]+)", lambda m: self._bare_macro(m[1]) or m[0], tex) if len(tex) < 4000 else tex
        if not display:
            self._out.append(formula(tex))
            return
        self._equation(tex, numbered=False)

    def _bare_macro(self, name: str) -> str:
        macro = self.macros.get(name)
        return macro.body if macro is not None and not macro.count and "\\" + name not in macro.body else ""

    def _equation(self, tex: str, numbered: bool) -> None:
        lines = [tex] if "\\\\" not in tex or not numbered else re.split(r"\\\\(?:\[[^\]]*\])?", tex)
        if re.search(r"\\begin\{(?:split|aligned|cases|\w*matrix|array)\}", tex):
            lines = [tex]
        for line in lines:
            label = re.search(r"\\label\s*\{([^{}]*)\}", line)
            number = ""
            if numbered and not re.search(r"\\(?:nonumber|notag)\b", line) and line.strip():
                self._things["equation"] += 1
                number = str(self._things["equation"])
            if label:
                self.labels[label[1]] = number or self._now
            said = " ".join(re.sub(r"\\(?:label\s*\{[^{}]*\}|nonumber|notag)", "", line).split())
            if said:
                self.parts.equations.append(Equation(text=said[:4000], number=number, label=label[1] if label else ""))
        self._out.append(" ")

    # --- environments ---

    def _begin(self, name: str, text: str, at: int) -> int:
        plain = name.rstrip("*")
        if (
            plain in _MATH
            or plain in _TABLES
            or plain in _FLOATS
            or plain in _DRAWN
            or plain in ("abstract", "tabbing")
        ):
            end, after = self._end_of(name, text, at)
            body = text[at:end]
            if plain in _MATH:
                body = re.sub(r"^\s*\{[^{}]*\}", "", body) if plain == "alignat" else body
                self._equation(body, numbered=plain == name and plain not in ("displaymath", "math"))
            elif plain in _FLOATS and (self._blocks or plain != "longtable"):
                self._floating(plain, body)
            elif plain in _TABLES:
                self._tabular(plain + name[len(plain) :], body)
            elif plain == "abstract":
                self._told("abstract", body)
            return after
        self._break()
        _, at = self._options(text, at)
        if plain in ("subfigure", "subtable"):
            self._sub = True
            self._inner += 1
        for _ in range(_ARGUED.get(plain, 0)):
            _, at = self._argument(text, at)
            _, at = self._options(text, at)
        if plain.lower() in (
            "proof",
            "theorem",
            "lemma",
            "proposition",
            "corollary",
            "definition",
            "remark",
            "assumption",
        ):
            self._out.append(f"{plain.capitalize()}. ")
        return at

    def _end_of(self, name: str, text: str, at: int) -> tuple[int, int]:
        """Where the environment ends, and where the text goes on; without an end it ends with the text."""
        depth = 1
        for match in re.compile(rf"\\(begin|end)\s*\{{{re.escape(name)}\}}").finditer(text, at):
            depth += 1 if match[1] == "begin" else -1
            if depth == 0:
                self._work -= (match.end() - at) // 8
                return match.start(), match.end()
        self._work -= (len(text) - at) // 8
        self.parts.unread.append(f"\\begin{{{name}}} has no end")
        return len(text), len(text)

    def _floating(self, plain: str, body: str) -> None:
        kept = self._float, self._inner, self._out, self._blocks, self._last_table
        self._float, self._inner, self._last_table = _FLOATS[plain], 0, None
        self._out, self._blocks = [], False
        first_table = len(self.parts.tables)
        if plain == "longtable":
            self._tabular(plain, body)
            for caption in re.compile(r"\\caption\s*(?:\[[^\[\]]*\])?\s*(?=\{)").finditer(body):
                self._do_caption(body, caption.end())
                break
        else:
            _, at = self._options(body, 0)
            for _ in range(_ARGUED.get(plain, 0)):
                _, at = self._argument(body, at)
            if plain == "algorithm":
                body = re.sub(
                    r"\\(?:State|If|For|While|Return|Require|Ensure|EndIf|EndFor|Comment)[A-Za-z]*", r" ", body
                )
            self.walk(body[at:])
        number = str(self._things[self._float]) if self._captioned else ""
        for place in range(first_table, len(self.parts.tables)):
            if not self.parts.tables[place].number:
                self.parts.tables[place] = self.parts.tables[place].model_copy(update={"number": number})
        said = " ".join("".join(self._out).split())
        self._captioned = False
        self._sub = False
        self._float, self._inner, self._out, self._blocks, self._last_table = kept
        if plain == "algorithm" and said:
            self._paragraphs[-1].append(Paragraph(text=said))

    def _tabular(self, name: str, body: str) -> None:
        _, at = self._options(body, 0)
        for _ in range(2 if name in ("tabularx", "tabulary", "tabular*", "tabularx*") else 1):
            _, at = self._argument(body, at)
            _, at = self._options(body, at)
        inside = re.sub(r"\\(?:caption|label)\s*(?:\[[^\[\]]*\])?\s*\{(?:[^{}]|\{[^{}]*\})*\}", "", body[at:])
        found = [tuple(self.inline(cell) for cell in row) for row in rows(inside)]
        if found and self._deep < DEEP:
            self.parts.tables.append(Table(rows=tuple(found)))

    # --- headings ---

    def _heading(self, name: str, starred: bool, text: str, at: int) -> int:
        _, at = self._options(text, at)
        said, at = self._argument(text, at)
        title = self.inline(said)
        if not self._blocks:
            self._out.append(f" {title} ")
            return at
        self._paragraph()
        level = LEVELS[name]
        number = ""
        if not starred and level <= 3:
            self._counts[level - 1] += 1
            self._counts[level:] = [0] * (3 - level)
            first = chr(64 + min(self._counts[0], 26)) if self._appendix and self._counts[0] else str(self._counts[0])
            number = ".".join([first, *(str(n) for n in self._counts[1:level])])
        self._now = number
        self._heads.append(
            Section(
                number=number, title=title.rstrip(" .") if level == 4 else title, level=level, appendix=self._appendix
            )
        )
        self._paragraphs.append([])
        return at
