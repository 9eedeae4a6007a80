"""What printed lines are by their shape: headings, captions, entries of a list of references, cites. Pure, linear.

Shared by the readers of plain text and of PDF, which know where lines stand; this only looks at what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from scientist.literature import find_arxiv, find_doi
from scientist.reviews.reading._build import CLOSE, OPEN, mark
from scientist.reviews.reading._document import RefEntry

NAMED = re.compile(
    r"(?:abstract|introduction|background|preliminaries|related works?|(?:materials and )?methods?|methodology|experiments?|"
    r"experimental (?:setup|results|settings?)|results?|results and discussion|discussion|discussion and conclusions?|evaluation|"
    r"analysis|conclusions?|conclusions? and (?:future work|discussion|limitations)|concluding remarks|future work|limitations|"
    r"limitations and future work|broader impacts?|(?:broader )?impact statement|ethics(?: statement)?|ethical considerations|"
    r"acknowledge?ments?|references|bibliography|references and notes|works cited|literature cited|literatur|références|appendix|"
    r"appendices|supplementary materials?|reproducibility(?: statement)?|data availability|code availability|contributions|"
    r"author contributions|funding|competing interests|disclosure|keywords)",
    re.IGNORECASE,
)
LIST_NAME = re.compile(
    r"(?:references|bibliography|references and notes|works cited|literature cited|literatur|références)", re.IGNORECASE
)
_NUMBERED = re.compile(
    r"(?:(?P<app>Appendix|Anhang)\s+)?(?P<number>(?:\d{1,2}|[A-Z])(?:\.\d{1,2}){0,3}|(?:X{0,3})(?:IX|IV|V?I{1,3}|V|X))"
    r"[.:)]?\s+(?P<title>\S.{0,180})$"
)
_CAPTION = re.compile(
    r"\s*(?P<kind>fig(?:ure|\.)?|table|tab\.|algorithm|abbildung|tabelle|listing|scheme)\s*"
    r"(?P<number>S?\d{1,3}(?:\.\d{1,3}){0,2}[a-z]?|[A-Z]\.?\d{1,3}|[IVX]{1,6})\s*(?P<after>[.:|–—-]|\s|$)\s*(?P<text>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_ENTRY_NUMBER = re.compile(r"\s*(?:\[(\d{1,4}|[A-Z][\w+*.\- ]{1,20}\d{2,4}[a-z]?)\]|\(?(\d{1,3})[.)](?=\s))\s*")
_YEAR = re.compile(r"(?<![\d.:/-])(1[89]\d\d|20\d\d)[a-z]?(?![\d/]|[.:]\d)")
_IDENTIFIER = re.compile(r"https?://\S+|(?:arxiv[:\s]*|abs/)[\d.]+(?:v\d+)?|10\.\d{4,9}/\S+", re.IGNORECASE)
_BRACKET = re.compile(r"\[(\s*\d{1,4}(?:\s*[-–—,;]\s*\d{1,4}){0,30}\s*)\]")
_LABELLED = re.compile(r"\[([A-Z][\w+*]{1,20}\d{2}[a-z]?(?:[,;]\s*[A-Z][\w+*]{1,20}\d{2}[a-z]?){0,20})\]")
_NAMES = r"[A-ZÀ-ÖØ-ÞŁŠŽČĆ][\w'’`´¨ˇ\-]{1,40}"
_PARTICLES = r"(?:(?:[Vv]an|[Dd]e[rnls]?|[Vv]on|[Ll][ae]|[Dd]i|[Dd]u|El|Al|Ben|Mac|[Tt]en|[Dd]os|[Dd]a)[ -]){0,3}"
_AUTHORS = (
    rf"{_PARTICLES}{_NAMES}(?:,? {_PARTICLES}{_NAMES}){{0,2}}"
    rf"(?:,? (?:&|and) {_PARTICLES}{_NAMES}(?: {_NAMES})?| et al\.?,?| and others)?"
)
_BY_NAME = re.compile(
    rf"({_AUTHORS}),? ?\(((?:1[89]|20)\d\d)([a-z]?)((?:[,;] ?(?:(?:1[89]|20)\d\d)?[a-z]?){{0,6}})(?:, [^()]{{1,40}})?\)"
)
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{4,1200}?)[)\]]")
_ONE = re.compile(
    rf"({_AUTHORS}),? ?((?:1[89]|20)\d\d)([a-z]?)((?:[,;] ?(?:(?:1[89]|20)\d\d[a-z]?|[a-z])(?![\w])){{0,6}})"
)
_REFERRED = re.compile(
    r"\b(?P<kind>Fig(?:ure|s?\.|ures)?|Tab(?:le|s?\.|les)?|Sec(?:tion|s?\.|tions)?|Eq(?:uation|n?s?\.|uations)?|Alg(?:orithm|\.)|"
    r"Appendix|App\.)[\s~]*\(?(?P<number>\d{1,3}(?:\.\d{1,2}){0,3}|[A-Z]\.?\d{0,3}(?:\.\d{1,2}){0,2}(?![a-zA-Z])|\?\?)\)?"
)
_KINDS = {"f": "Figure", "t": "Table", "s": "Section", "e": "Equation", "a": "Algorithm"}


def numbered(line: str) -> tuple[str, str, int] | None:
    """(number, title, level) of a line that could be a numbered heading."""
    match = _NUMBERED.match(line.strip())
    if match is None or not re.search(r"[^\W\d_]{2}", match["title"]) or re.match(r"[a-z,;=+*/<>%]", match["title"]):
        return None
    return match["number"], match["title"].strip(), match["number"].count(".") + 1


def follows(previous: str, number: str) -> bool:
    """Whether a heading's number can come after the previous one: the next at its level, or one level deeper from 1."""
    if not previous:
        return number in ("1", "I", "0")
    before, after = [_ordinal(p) for p in previous.split(".")], [_ordinal(p) for p in number.split(".")]
    letter = number[:1].isalpha() and not _roman(number.split(".")[0])
    if letter and previous[:1].isdigit():
        return number in ("A", "A.1")
    if len(after) > len(before):
        return after[: len(before)] == before and len(after) == len(before) + 1 and after[-1] in (0, 1)
    here = before[: len(after)]
    return after[:-1] == here[:-1] and 0 < after[-1] - here[-1] <= 2


def under_roman(previous: str, number: str) -> str | None:
    """The full number of a heading where sections are I, II, III and subsections A, B: 'B' after 'IV.A' is 'IV.B';
    None where it cannot follow."""
    section, _, letter = previous.partition(".")
    if _roman(number) and _roman(number) == _roman(section) + 1:
        return number
    if len(number) == 1 and number.isalpha() and ord(number) == (ord(letter) + 1 if letter else ord("A")):
        return f"{section}.{number}"
    return None


def _roman(part: str) -> int:
    if not part or set(part) - set("IVX"):
        return 0
    values = [{"I": 1, "V": 5, "X": 10}[c] for c in part]
    return sum(-v if any(w > v for w in values[i + 1 : i + 2]) else v for i, v in enumerate(values))


def _ordinal(part: str) -> int:
    return int(part) if part.isdigit() else _roman(part) or (ord(part[0]) - 64 if part else 0)


def caption(line: str) -> tuple[str, str, str] | None:
    """(kind, number, text) of a line that begins a caption: 'Figure 3: ...'. Running text that begins so has no mark after
    the number, and a small letter."""
    match = _CAPTION.match(line)
    if match is None:
        return None
    if not match["after"].strip() and match["text"] and (match["text"][:1].islower() or not match["kind"].isupper()):
        return None
    if not match["kind"][:1].isupper():
        return None
    first = match["kind"][:1].lower()
    kind = "table" if first == "t" else "algorithm" if match["kind"].lower().startswith("al") else "figure"
    return kind, match["number"], match["text"].strip()


def joined(lines: Iterable[str], words: Mapping[str, int] | None = None) -> str:
    """Lines as running text. A word divided at the end of a line becomes one; `words` (what else the text says) decides
    whether its hyphen stays."""
    said = ""
    for line in lines:
        line = line.strip()
        if not line:
            continue
        if said.endswith(("-", "\u00ad", "‐")) and re.match(r"[^\W\d_]", line) and re.search(r"\w[-\u00ad‐]$", said):
            said = _mended(said, line, words or {})
        else:
            said = f"{said} {line}" if said else line
    return said.replace("\u00ad", "")


def _mended(said: str, line: str, words: Mapping[str, int]) -> str:
    first = re.search(r"[\w'’-]+$", said[:-1])
    second = re.match(r"[\w'’-]+", line)
    a, b = (first.group() if first else ""), (second.group() if second else "")
    if said.endswith("\u00ad"):
        return said[:-1] + line
    whole, kept = words.get((a + b).lower(), 0), words.get(f"{a}-{b}".lower(), 0)
    if line[:1].isupper() or kept > whole or "-" in a:
        return said + line
    if not whole and (a.lower() in _PREFIXES or any(c.isdigit() for c in a)):
        return said + line
    return said[:-1] + line


_PREFIXES = frozenset(
    """
    self non well state high low multi cross semi quasi real long short large small fine full half end one two three zero
    open closed data time task model domain class human machine rule off near co ex
    """.split()  # noqa: SIM905
)


def spoken(text: str) -> dict[str, int]:
    """How often a text says each word, hyphenated ones as they are."""
    counts: dict[str, int] = {}
    for word in re.findall(r"[^\W_]+(?:-[^\W_]+)*", text.lower()):
        counts[word] = counts.get(word, 0) + 1
    return counts


# --- references ---


def entry(text: str, page: int = 0) -> RefEntry:
    """One entry of a printed list: its label, its year, its title where its form shows it, its identifiers."""
    label = _ENTRY_NUMBER.match(text)
    body = text[label.end() :] if label else text
    key = (label[1] or label[2]) if label else ""
    bare = _IDENTIFIER.sub(" ", body)
    bare = re.sub(r"\d+\s*[-–—]+\s*\d+|\b(?:pp?|pages)\.?\s*\d+", " ", bare)
    in_brackets = re.findall(r"\(((?:1[89]|20)\d\d)[a-z]?\)", bare)
    years = in_brackets or _YEAR.findall(bare)
    year = int(years[0] if in_brackets else years[-1]) if years else None
    if not year and (arxiv := find_arxiv(body)) and re.match(r"\d{4}\.", arxiv):
        year = 2000 + int(arxiv[:2])
    return RefEntry(
        key=key,
        text=body.strip()[:2000],
        title=_title(body),
        year=year,
        doi=find_doi(re.sub(r"(?<=[/.\d]) (?=[\d/])", "", body)) or "",
        arxiv=find_arxiv(body) or "",
        page=page,
    )


def _title(body: str) -> str:
    quoted = re.search(r"[“\"]([^”\"]{8,300})[”\"]", body)
    if quoted:
        return quoted[1].strip(" ,.")
    after_year = re.search(r"\((?:[A-Z][a-z]+ )?(?:1[89]|20)\d\d[a-z]?\)[.,:]?\s+([^.?!]{8,300}[.?!]?)", body)
    if after_year:
        return after_year[1].strip(" .,")
    year_first = re.match(r"[^0-9]{5,400}?\.\s+(?:1[89]|20)\d\d[a-z]?\.\s+([^.?!]{8,300}[.?!]?)", body)
    if year_first:
        return year_first[1].strip(" .,")
    # 'Ada Lovelace, C. Babbage, and D. Last. Title of it. Venue, year.': names end at the first stop after no initial.
    stop = re.search(r"(?<![ .\-(][A-Z])(?<!^[A-Z])(?<!\bet al)(?<!\bJr)\.\s+(?=[^a-z\s])", body)
    if stop and stop.start() < 600:
        rest = body[stop.end() :]
        end = re.search(r"[.?!](?=\s|$)", rest)
        title = rest[: end.start()] if end else rest
        if 8 <= len(title) <= 300:
            return title.strip(" ,")
    return ""


def starts_entry(line: str, expected: int) -> bool:
    """Whether a line begins with a label: '[12]', or '12.' where that is the number that comes next."""
    match = _ENTRY_NUMBER.match(line)
    return match is not None and (match[1] is not None or int(match[2]) == expected)


# --- cites and references in the running text ---


class Cited:
    """Finds cites of a list of references in running text and marks them. `keys`: what a cite may be known by."""

    def __init__(self, references: Sequence[RefEntry]) -> None:
        self.labels = {entry.key for entry in references if entry.key}
        self.by_name: set[tuple[str, int]] = set()
        for reference in references:
            if reference.year:
                # The first author's names, however they are written; a cite gives the family name.
                for name in re.findall(r"[^\W\d_][\w'’\-]+", _folded(reference.text[:160]))[:12]:
                    self.by_name.add((name, reference.year))
        self.numeric = sum(key.isdigit() for key in self.labels) >= max(1, len(references) // 2)
        self.found: set[str] = set()

    def marked(self, text: str) -> str:
        """The text with its cites marked."""
        if OPEN in text or not text:
            return text
        if self.labels:
            text = _BRACKET.sub(self._numbers, text) if self.numeric else text
            text = _LABELLED.sub(self._labels, text)
        if not self.numeric:
            text = _BY_NAME.sub(self._named, text)
            text = _IN_BRACKETS.sub(self._bracket, text)
        return text

    def known(self, key: str) -> bool:
        """Whether an entry answers to what a cite says."""
        if key in self.labels:
            return True
        match = re.search(r"((?:1[89]|20)\d\d)[a-z]?$", key)
        names = re.findall(r"[^\W\d_][\w'’\-]+", _folded(key))
        return bool(
            match and any((name, int(match[1])) in self.by_name for name in names if name not in ("et", "al", "and"))
        )

    def _numbers(self, match: re.Match[str]) -> str:
        numbers: list[str] = []
        for piece in re.split(r"[,;]", match[1]):
            ends = [int(n) for n in re.findall(r"\d+", piece)]
            if len(ends) == 2 and 0 < ends[1] - ends[0] <= 40:
                numbers += [str(n) for n in range(ends[0], ends[1] + 1)]
            else:
                numbers += [str(n) for n in ends]
        if not numbers or any(int(n) > 2000 for n in numbers) or "0" in numbers:
            return match[0]
        return self._all(match[0], numbers)

    def _labels(self, match: re.Match[str]) -> str:
        return self._all(match[0], [piece.strip() for piece in re.split(r"[,;]", match[1])])

    def _named(self, match: re.Match[str]) -> str:
        keys = self._years(match[1], match[2] + match[3], match[4])
        return self._all(match[0], keys) if keys else match[0]

    def _bracket(self, match: re.Match[str]) -> str:
        if OPEN in match[0]:
            return match[0]
        keys: list[str] = []
        for found in _ONE.finditer(match[1]):
            keys += self._years(found[1], found[2] + found[3], found[4])
        return self._all(match[0], keys) if keys else match[0]

    def _years(self, names: str, first: str, more: str) -> list[str]:
        names = re.sub(
            r"^(?:See|In|As|For|By|From|The|Both|With|While|Unlike|Following|Recently|Also|And|Cf|E\.g|However|Similarly|Then)(?:,| ) ?",
            "",
            names.strip(" ,"),
        )
        names = re.sub(r"[,\s]+$", "", names)
        keys = [f"{names}, {first}"]
        year = first[:4]
        for piece in re.findall(r"(?:1[89]|20)\d\d[a-z]?|(?<=[,; ])[a-z]\b", more):
            keys.append(f"{names}, {piece if piece[0].isdigit() else year + piece}")
        return keys if names else []

    def _all(self, printed: str, keys: Sequence[str]) -> str:
        self.found.update(keys)
        head = mark("c", keys[0], printed)
        return head + "".join(mark("c", key, "") for key in keys[1:])


def _folded(text: str) -> str:
    import unicodedata

    text = re.sub(r"[´`¨ˇ˜¸ˆ]\s?", "", text)
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def referred(text: str) -> str:
    """The text with its references to figures, tables, sections and equations marked."""

    def one(match: re.Match[str]) -> str:
        kind = "Appendix" if match["kind"].startswith("App") else _KINDS[match["kind"][0].lower()]
        return mark("r", f"{kind} {match['number']}", match[0])

    pieces = re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", text)
    return "".join(piece if piece.startswith(OPEN) else _REFERRED.sub(one, piece) for piece in pieces)
