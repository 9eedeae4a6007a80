"""The ledger: one row per value that the paper prints, linked both ways between the page and the row.

:class:`Ledger` is filled while the body is expanded and is printed as the first appendix.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from scientist.errors import LatexError
from scientist.papers._expressions import names, show
from scientist.papers._fragments import check_latex, escape, numbers, parse
from scientist.papers._records import Fact, Facts
from scientist.papers._unicode import set_text, typable

PREAMBLE = r"""
\definecolor{fact}{RGB}{34,62,112}
% A value: an invisible target above the line (where the ledger's links land), then the text, linked to its row.
\newcommand{\factvalue}[3]{\factwords{#1}{#2}{\textcolor{fact}{#3}}}
% The same for whole sentences, which keep the colour of the text.
\newcommand{\factwords}[3]{\raisebox{1.6ex}[0pt][0pt]{\hypertarget{use.#1.#2}{}}\label{use.#1.#2}%
  {\hypersetup{linkcolor=.}\hyperlink{ledger.#1}{#3}}}
\newcommand{\ledgerrow}[1]{\raisebox{1.6ex}[0pt][0pt]{\hypertarget{ledger.#1}{}}}
% The ledger is a little wider than the text.
\newlength{\ledgerwiden}\setlength{\ledgerwiden}{0.4in}
% Pages of a value's uses, each page once, in the order of the text.
\makeatletter
\newcommand{\usesfrom}{\gdef\seenusepages{,}}
\newcommand{\usepage}[1]{\edef\thisusepage{\getpagerefnumber{use.#1}}%
  \edef\checkusepage{\noexpand\in@{,\thisusepage,}{\seenusepages}}\checkusepage
  \ifin@\else\def\firstusepage{,}\ifx\seenusepages\firstusepage\else, \fi\hyperlink{use.#1}{\thisusepage}%
  \xdef\seenusepages{\seenusepages\thisusepage,}\fi}
\makeatother
"""

LONGEST_VALUE = 24
"""A longer text (a whole sentence) is not repeated in the ledger."""

MOST_USES = 200
MOST_SEEDS = 8


@dataclass
class Calc:
    """One expression that the paper prints the value of."""

    expression: str
    why: str
    text: str
    facts: tuple[str, ...]
    uses: int = 0


@dataclass
class Ledger:
    """Counts which fact is printed where; knows how a value is typeset."""

    facts: dict[str, Fact]
    values: dict[str, float]
    uses: dict[str, int] = field(default_factory=dict)
    drawn: dict[str, list[str]] = field(default_factory=dict)
    calcs: dict[tuple[str, str], Calc] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Facts) -> Ledger:
        """An empty ledger over a paper's facts."""
        return cls(facts.by_id(), numbers(facts))

    def value(self, fact_id: str) -> str:
        """LaTeX of one printed fact. Raises :class:`LatexError` when there is no such fact, or its text is unsafe."""
        fact = self._fact(fact_id)
        macro = "factvalue" if len(fact.text) <= LONGEST_VALUE else "factwords"
        number = self.uses[fact_id] = self.uses.get(fact_id, 0) + 1
        return rf"\{macro}{{{fact_id}}}{{{number}}}{{{minus(set_text(fact.text))}}}"

    def calculated(self, expression: str, why: str) -> str:
        """LaTeX of one printed calculation. Raises :class:`ExpressionError`."""
        key = (" ".join(expression.split()), " ".join(why.split()))
        if key not in self.calcs:
            self.calcs[key] = Calc(*key, show(expression, self.values), names(expression))
        calc = self.calcs[key]
        calc.uses += 1
        name = f"calc.{list(self.calcs).index(key) + 1}"
        return rf"\factvalue{{{name}}}{{{calc.uses}}}{{{minus(calc.text)}}}"

    def draw(self, figure: str, shows: Iterable[str]) -> None:
        """Facts that a placed figure draws without printing them."""
        for fact_id in shows:
            self._fact(fact_id)
            if figure not in self.drawn.setdefault(fact_id, []):
                self.drawn[fact_id].append(figure)

    def _fact(self, fact_id: str) -> Fact:
        fact = self.facts.get(fact_id)
        if fact is None:
            raise LatexError(
                f"the manuscript prints the fact '{fact_id}', which does not exist", "use an id of facts.json"
            )
        # What a person typed (a question, a title) may hold any character; set_text replaces the strange ones.
        problems = check_latex("".join(char if typable(char) else "?" for char in fact.text))
        if problems or any(token.kind != "text" for token in parse(fact.text)):
            raise LatexError(
                f"the text of fact '{fact_id}' cannot be printed: {'; '.join(problems) or 'it holds a macro'}",
                "make facts.json again",
            )
        return fact

    def rows(self) -> list[Fact]:
        """Facts that are printed, drawn, or calculated with, in the order of facts.json."""
        inner = {fact_id for calc in self.calcs.values() for fact_id in calc.facts}
        return [fact for key, fact in self.facts.items() if key in self.uses or key in self.drawn or key in inner]

    def latex(self, seeds: Sequence[int], many: str = "seeds") -> str:
        """The ledger's tables: declared and counted facts, then those that rest on runs, then calculations.

        Facts about the same thing (`v.<variant>`, `c.<contrast>`) from the same file and runs share a heading, which
        holds what their ids, titles and pointers have in common. `seeds` are the study's, so that "all of them" can
        be said shortly, and `many` is what they are called.
        """
        plain: list[str] = []
        backed: list[str] = []
        for group in _groups(self.rows()):
            into = backed if group.runs else plain
            title = self._contrast(group.subject)
            place = code(f"{group.file}:{group.parent}" if group.parent else group.file)
            start = [rf"\textbf{{{code(group.subject)}}}"] if group.subject else []
            into.append(
                _heading(
                    "; ".join([*start, *([escape(title)] if title else []), place, *_runs(group.runs, seeds, many)])
                )
            )
            into += [self._row(fact, group) for fact in group.facts]
        if self.calcs:
            backed.append(_heading("Calculated from facts by the expression shown"))
        backed += [self._calc_row(place, calc) for place, calc in enumerate(self.calcs.values(), start=1)]
        tables = ((plain, (0.28, 0.28, 0.17, 0.17, 0.11)), (backed, (0.23, 0.32, 0.2, 0.12, 0.15)))
        return "\n".join(_table(rows, widths) for rows, widths in tables if rows)

    def _contrast(self, fact_id: str) -> str:
        """The title of the contrast that a fact `c.<contrast>...` is about, else nothing."""
        kind, _, rest = fact_id.partition(".")
        about = self.facts.get(f"contrast.{rest.partition('.')[0]}.title")
        return str(about.value) if kind == "c" and about else ""

    def _row(self, fact: Fact, group: _Group) -> str:
        text = minus(set_text(fact.text)) if len(fact.text) <= LONGEST_VALUE else r"\emph{text}"
        n = "" if fact.n is None else str(fact.n)
        pages = self._pages(fact.id, self.uses.get(fact.id, 0))
        figures = [rf"\hyperref[fig:{name}]{{Fig.~\ref*{{fig:{name}}}}}" for name in self.drawn.get(fact.id, [])]
        calcs = [
            rf"\hyperlink{{ledger.calc.{place}}}{{calc {place}}}"
            for place, calc in enumerate(self.calcs.values(), start=1)
            if fact.id in calc.facts
        ]
        where = ", ".join([*([pages] if pages else []), *figures, *calcs])
        name = fact.id.removeprefix(group.subject)
        title = self._contrast(fact.id)
        what = fact.title.replace(f"{title}, ", "").replace(f": {title}", "") if title else fact.title
        what = what.replace(f" of {group.subject[2:]} ", " ") if group.subject.startswith("v.") else what
        last = code(fact.pointer.removeprefix(group.parent).removeprefix("/")) if fact.pointer else "(its hash)"
        return rf"\ledgerrow{{{fact.id}}}{code(name)} & {breakable(what)} & {last} & {text} & {n} & {where} \\"

    def _calc_row(self, place: int, calc: Calc) -> str:
        name = f"calc.{place}"
        links = ", ".join(rf"\hyperlink{{ledger.{key}}}{{{code(key)}}}" for key in calc.facts)
        return (
            rf"\ledgerrow{{{name}}}calc {place}: {code(calc.expression)} & {set_text(calc.why)}; from {links} & & "
            rf"{minus(calc.text)} & & {self._pages(name, calc.uses)} \\"
        )

    def _pages(self, name: str, uses: int) -> str:
        if not uses:
            return ""
        marks = "".join(rf"\usepage{{{name}.{k}}}" for k in range(1, min(uses, MOST_USES) + 1))
        return r"\usesfrom " + marks + (", \\ldots" if uses > MOST_USES else "")


def _table(rows: Sequence[str], widths: tuple[float, float, float, float, float]) -> str:
    left = r">{\raggedright\arraybackslash}p"
    first, second, third, _, last = (rf"{left}{{{width:g}\linewidth}}" for width in widths)
    return "\n".join(
        [
            r"\begingroup\scriptsize\setlength{\tabcolsep}{3pt}\renewcommand{\arraystretch}{1.1}",
            r"\setlength{\LTleft}{-\ledgerwiden}\setlength{\LTright}{-\ledgerwiden}",
            rf"\begin{{longtable}}{{@{{\hspace{{1em}}}}{first}@{{\extracolsep{{\fill}}}}{second}{third}"
            rf">{{\raggedleft\arraybackslash}}p{{{widths[3]:g}\linewidth}}r{last}@{{}}}}",
            r"\toprule \hspace{-1em}fact & what & at & printed & $n$ & on page \\* \midrule\endhead \bottomrule\endfoot",
            *rows,
            r"\end{longtable}\endgroup",
        ]
    )


def _heading(text: str) -> str:
    return (
        r"\addlinespace[3pt]\multicolumn{6}{@{}>{\raggedright\arraybackslash}p{\dimexpr\linewidth+2\ledgerwiden}@{}}"
        rf"{{\color{{black!65}}{text}}} \\*"
    )


@dataclass
class _Group:
    """Rows under one heading: facts of one file and the same runs; `subject` and `parent` are what they share."""

    file: str
    runs: tuple[str, ...]
    subject: str
    facts: list[Fact]

    @property
    def parent(self) -> str:
        """The pointer down to where their pointers part; nothing for facts that share no subject."""
        return shared_pointer([fact.pointer for fact in self.facts]) if self.subject else ""


LEAST_GROUP = 3
"""Declared facts about one thing get a heading of their own from this many on."""


def _groups(facts: Sequence[Fact]) -> list[_Group]:
    subjects = [".".join(fact.id.split(".")[:2]) if fact.id.count(".") > 1 else "" for fact in facts]
    sizes = Counter(zip(subjects, (fact.file for fact in facts), strict=True))
    groups: dict[tuple[str, tuple[str, ...], str], _Group] = {}
    for fact, subject in zip(facts, subjects, strict=True):
        if not fact.runs and sizes[subject, fact.file] < LEAST_GROUP:
            subject = ""
        key = (fact.file, fact.runs, subject)
        groups.setdefault(key, _Group(*key, [])).facts.append(fact)
    return list(groups.values())


def shared_pointer(pointers: Sequence[str]) -> str:
    """The longest JSON pointer that all of these lead through, above each one's last part."""
    parts = [pointer.split("/")[:-1] for pointer in pointers]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)


def minus(text: str) -> str:
    """A leading hyphen of a number as a proper minus."""
    return re.sub(r"(?<![\w.$-])-(?=\d)", "$-$", text)


def code(text: str) -> str:
    """Typewriter text that may break after dots, slashes, underscores and operators."""
    return r"\texttt{" + re.sub(r"(\\_|[./:,*+()=-])", r"\1\\allowbreak{}", escape(text)) + "}"


def breakable(text: str) -> str:
    """Plain text that may break after underscores: names of variants are long and hold no blank."""
    return escape(text).replace(r"\_", r"\_\allowbreak{}")


def digest(text: str) -> str:
    """A hash in typewriter that may break every eight characters."""
    return r"\texttt{" + r"\allowbreak{}".join(text[i : i + 8] for i in range(0, len(text), 8)) + "}"


def by_variant(runs: Iterable[str]) -> dict[str, list[int]]:
    """`variant/seed-n` names grouped: variant -> seeds, both in order of appearance."""
    grouped: dict[str, list[int]] = {}
    for run in runs:
        variant, _, seed = run.partition("/seed-")
        if seed.isdigit():
            grouped.setdefault(variant, []).append(int(seed))
    return grouped


def _runs(runs: Iterable[str], seeds: Sequence[int], many: str) -> list[str]:
    """Runs in short, each variant linked to its rows in the table of runs; nothing without runs."""
    pieces = []
    for variant, mine in by_variant(runs).items():
        link = rf"\hyperlink{{run.{variant}}}{{{code(variant)}}}"
        which = f"all {len(mine)} {many}" if len(mine) > 1 and set(mine) == set(seeds) else f"{many} {ranges(mine)}"
        pieces.append(f"{link} ({which})")
    return ["runs: " + ", ".join(pieces)] if pieces else []


def ranges(seeds: Sequence[int]) -> str:
    """`[1, 2, 3, 7]` -> `1--3, 7`, shortened when it would be long."""
    found: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if found and seed == found[-1][1] + 1:
            found[-1][1] = seed
        else:
            found.append([seed, seed])
    parts = [str(low) if low == high else f"{low}--{high}" for low, high in found]
    if len(parts) > MOST_SEEDS:
        parts = [*parts[: MOST_SEEDS - 1], rf"\ldots, {parts[-1]}"]
    return ", ".join(parts)
