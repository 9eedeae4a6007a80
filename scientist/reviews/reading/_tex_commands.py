"""What TeX's commands with a meaning of their own do to the Document: captions, footnotes, links, cites, references."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from scientist.reviews.reading._build import Parts, mark, unmarked
from scientist.reviews.reading._document import Caption, Figure, Footnote, Link, Paragraph, Section
from scientist.reviews.reading._tex_macros import ARGUMENT, Macro, group


class Commands(ABC):
    """What is known while a text is walked through, and the commands that add to it: `_do_NAME` takes the text and where
    it goes on behind the name, and returns where it goes on behind the arguments."""

    def __init__(self, macros: Mapping[str, Macro], labels: Mapping[str, str]) -> None:
        self.macros = macros
        self.known = labels
        self.labels: dict[str, str] = {}
        self.parts = Parts()
        self.cited: set[str] = set()
        self.everything = False
        self._out: list[str] = []
        self._heads = [Section(level=0)]
        self._paragraphs: list[list[Paragraph]] = [[]]
        self._counts = [0, 0, 0]
        self._things = {"figure": 0, "table": 0, "algorithm": 0, "equation": 0, "footnote": 0}
        self._appendix = False
        self._now = ""
        self._float = ""
        self._inner = 0  # subfigures so far in this float
        self._sub = False
        self._captioned = False  # this float has a caption of its own
        self._last_table: int | None = None
        self._deep = 0
        self._blocks = True
        self._work = 0

    @abstractmethod
    def walk(self, text: str) -> None:
        """Take in a stretch of TeX."""

    @abstractmethod
    def _math(self, tex: str, display: bool) -> None:
        """Take in a formula."""

    # --- title, authors, abstract ---

    def _front(self, head: str, name: str) -> None:
        for match in re.compile(rf"\\{name}\s*(?:\[[^\[\]]*\])?\s*(?=\{{)").finditer(head):
            said, end = group(head, match.end())
            if end >= 0:
                self._told(name, said)

    def _told(self, name: str, said: str) -> None:
        if name == "title":
            self.parts.title = self.parts.title or unmarked(self.inline(re.sub(r"\\\\", " ", said)))
        elif name == "author":
            self.parts.authors += [a for a in self._authors(said) if a not in self.parts.authors]
        elif name == "abstract" and not self.parts.abstract:
            self.parts.abstract = self.inline(said)

    def _authors(self, said: str) -> list[str]:
        found = []
        said = re.sub(
            r"\\(?:thanks|footnote|inst|textsuperscript|email|orcidID|affil)\s*\{(?:[^{}]|\{[^{}]*\})*\}", "", said
        )
        said = re.sub(r"\$\s*(?:\{\})?\^[^$]*\$|\\IEEEauthorrefmark\{[^{}]*\}", "", said)
        said = re.sub(r"\\IEEEauthorblockA\s*\{[^{}]*\}", "", said)
        for block in re.split(r"\\(?:and|And|AND)\b|\\quad|\\qquad", said):
            line = unmarked(self.inline(re.split(r"\\\\", block)[0]))
            for name in re.split(r",|;|\band\b", line):
                name = name.strip(" *†‡§¶0123456789")
                if 3 <= len(name) <= 80 and "@" not in name and re.search(r"[^\W\d_]{2}", name):
                    found.append(name)
        return found[:200]

    # --- arguments ---

    def inline(self, text: str) -> str:
        """A stretch of TeX as one line of text, marks included; headings and floats in it are no longer such."""
        out, blocks = self._out, self._blocks
        self._out, self._blocks = [], False
        self.walk(text)
        said = " ".join("".join(self._out).split())
        self._out, self._blocks = out, blocks
        return said

    def _argument(self, text: str, at: int) -> tuple[str, int]:
        """The next argument: a group, or one token."""
        space = re.compile(r"[ \t]*\n?[ \t]*").match(text, at)
        start = space.end() if space else at
        if text[start : start + 1] == "{":
            said, end = group(text, start)
            self._work -= (end - start if end >= 0 else ARGUMENT) // 8
            return (said, end) if end >= 0 else ("", start + 1)
        token = re.compile(r"\\[A-Za-z@]+|\\.|[^\\{}\s]", re.DOTALL).match(text, start)
        return (token.group(), token.end()) if token else ("", at)

    def _options(self, text: str, at: int) -> tuple[list[str], int]:
        """The optional arguments that follow."""
        found = []
        while match := re.compile(
            r"[ \t]*\n?[ \t]*\[((?:[^\[\]{}]|\{[^{}]{0,2000}\}|\[[^\[\]]{0,200}\]){0,3000})\]"
        ).match(text, at):
            found.append(match[1])
            at = match.end()
        return found, at

    # --- commands ---

    def _do_appendix(self, text: str, at: int) -> int:
        self._paragraph()
        self._appendix = True
        self._counts = [0, 0, 0]
        return at

    def _do_title(self, text: str, at: int) -> int:
        return self._front_here("title", text, at)

    def _do_author(self, text: str, at: int) -> int:
        return self._front_here("author", text, at)

    def _do_abstract(self, text: str, at: int) -> int:
        return self._front_here("abstract", text, at)

    def _front_here(self, name: str, text: str, at: int) -> int:
        _, at = self._options(text, at)
        said, at = self._argument(text, at)
        self._told(name, said)
        return at

    def _do_caption(self, text: str, at: int) -> int:
        _, at = self._options(text, at)
        said, at = self._argument(text, at)
        kind = self._float or "figure"
        label = re.compile(r"\s*\\label\s*\{([^{}]*)\}").match(text, at) or re.search(r"\\label\s*\{([^{}]*)\}", said)
        if self._sub:
            self._sub = False
            number = f"{self._things[kind] + 1}{chr(96 + min(self._inner, 26))}"
        else:
            self._things[kind] += 1
            self._captioned = True
            number = str(self._things[kind])
        self._now = number
        if label:
            self.labels[label[1]] = number
        self.parts.captions.append(
            Caption(kind=kind, number=number, text=self.inline(said), label=label[1] if label else "")
        )
        return at

    def _do_captionof(self, text: str, at: int) -> int:
        kind, at = self._argument(text, at)
        kept = self._float
        self._float = kind.strip() if kind.strip() in ("figure", "table") else "figure"
        at = self._do_caption(text, at)
        self._float = kept
        return at

    def _do_label(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        self.labels.setdefault(said.strip(), self._now)
        return at

    def _do_includegraphics(self, text: str, at: int) -> int:
        _, at = self._options(text, at)
        said, at = self._argument(text, at)
        self.parts.figures.append(Figure(name=said.strip()[:300]))
        return at

    def _do_footnote(self, text: str, at: int) -> int:
        _, at = self._options(text, at)
        said, at = self._argument(text, at)
        self._things["footnote"] += 1
        self.parts.footnotes.append(Footnote(text=self.inline(said), mark=str(self._things["footnote"])))
        return at

    _do_footnotetext = _do_footnote

    def _do_pdftooltip(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        _, at = self._argument(text, at)
        self.walk(said)
        return at

    _do_pdfmarkupcomment = _do_pdftooltip

    def _do_url(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        self.parts.links.append(Link(url=said.replace("\\", "")[:2000]))
        self._out.append(said.replace("\\", ""))
        return at

    _do_nolinkurl = _do_path = _do_url

    def _do_href(self, text: str, at: int) -> int:
        url, at = self._argument(text, at)
        self.parts.links.append(Link(url=url.replace("\\", "")[:2000]))
        said, at = self._argument(text, at)
        self._out.append(self.inline(said))
        return at

    def _do_item(self, text: str, at: int) -> int:
        options, at = self._options(text, at)
        self._break()
        if options:
            self._out.append(self.inline(options[0]) + " ")
        return at

    def _do_ensuremath(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        self._math(said, display=False)
        return at

    def _do_par(self, text: str, at: int) -> int:
        self._break()
        return at

    def _do_texorpdfstring(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        _, at = self._argument(text, at)
        self.walk(said)
        return at

    def _do_def(self, text: str, at: int) -> int:
        match = re.compile(r"\s*\\[A-Za-z@]+[^{}\n]{0,20}(?=\{)").match(text, at)
        if match is None:
            return at
        _, end = group(text, match.end())
        return end if end >= 0 else match.end()

    def _cite(self, name: str, text: str, at: int) -> int:
        while match := re.compile(r"\s*(?:\[[^\[\]]{0,400}\]|\([^()]{0,400}\))").match(text, at):
            at = match.end()
        said, at = self._argument(text, at)
        keys = [key.strip() for key in said.split(",") if key.strip() and "#" not in key and "\\" not in key]
        while name.endswith("s") and text[at : at + 1] == "{":  # \cites{a}{b}
            said, at = self._argument(text, at)
            keys += [key.strip() for key in said.split(",") if key.strip()]
        self.everything |= name == "nocite" and "*" in keys
        self.cited.update(keys)
        if name != "nocite" and keys:
            last = len(keys) - 1
            for place, key in enumerate(keys):
                printed = ("[" if place == 0 else "; ") + key + ("]" if place == last else "")
                self._out.append(mark("c", key, printed))
        return at

    def _ref(self, text: str, at: int) -> int:
        said, at = self._argument(text, at)
        for place, label in enumerate(part.strip() for part in said.split(",")):
            self._out.append((", " if place else "") + mark("r", label, self.known.get(label) or "??"))
        return at

    # --- paragraphs ---

    def _break(self) -> None:
        if self._blocks:
            self._paragraph()
        else:
            self._out.append(" ")

    def _paragraph(self) -> None:
        said = " ".join("".join(self._out).split())
        self._out.clear()
        if said:
            self._paragraphs[-1].append(Paragraph(text=said))
