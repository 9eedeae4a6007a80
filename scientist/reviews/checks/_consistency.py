"""Whether a paper agrees with itself as a whole: its numbers return, its words point one way, its results are compared. Pure.

Each of these looks at the whole paper and asks whether what honest papers have is missing altogether. None proves anything, so all are
warnings. Their rates on real papers are in docs/benchmarks.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from scientist.reviews.checks._arithmetic import CHANGE
from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.checks._grid import cells_of, name_of
from scientist.reviews.reading import ABSTRACT, Document, Number, numbers, sentences

_DECIMAL = re.compile(r"(?<![\w.])(\d{0,9})\.(\d{1,9})(?!\d|\.\d)")
_RESULT = re.compile(
    r"accura|improv|outperf|achiev|score|error|loss|reduc|increas|gain|better|higher|lower|average|\bf1\b|\bauc\b|bleu|\bfid\b|psnr|"
    r"result|perform|compar|reach|obtain|drop|faster|speed",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"learning[- ]rate|\blr\b|weight decay|dropout|momentum|batch|temperature|threshold|epsilon|probabilit|coefficient|hyper-?param|"
    r"\bsets?\b|initiali|[=∈≤≥<>]|lambda|[αβγλϵεδτησμ]|optimi[sz]er|\badam\b|\bsgd\b|\bseeds?\b|\bgpus?\b|hours|seconds|million|billion|version",
    re.IGNORECASE,
)
_AROUND = 60
"""Characters before a number in which a word makes it a setting or a change."""
LEAST_NUMBERS = 4.0
"""Results, beyond what chance would find elsewhere, from which their support is judged."""
LEAST_POOL = 40
"""Decimals of a whole paper below which nothing is expected to return."""
SUPPORTED = 0.1
LEAST_DIGITS, GROUP = 24, 6
"""First digits that are judged, and the fewest of one form in one place."""
EVEN = ((80, 3.0), (40, 1.6), (LEAST_DIGITS, 0.5))
"""From so many digits on: the standard errors that mark an uneven spread. Fewer digits of honest tables crowd less."""
MORE_THAN_EVEN = -2.5
"""What is spread more evenly than drawn numbers are was chosen, as the steps of a grid."""
_BY = re.compile(r"improvement|gain|margin|reduction|relative|\bless\b|\bby\b", re.IGNORECASE)
_SUCCESS = re.compile(
    r"\b(?:outperform(?:s|ing)?|outperformed(?! by)|surpass\w*|improv(?:e|es|ed|ing|ements?)|better|best|superior|effective(?:ly|ness)?|"
    r"enhanc(?:e|es|ed|ing|ements?)|boosts?|robust|successfully|efficient(?:ly)?|benefits?|faster|stronger|gains?)\b",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"\b(?:outperformed by|worsen(?:s|ed|ing)?|worse|worst|inferior|deteriorat\w+|degrad(?:e|es|ed|ing|ations?)|underperform\w*|"
    r"ineffective(?:ly|ness)?|unsuccessfully|inefficient(?:ly)?|fragile|falls? (?:behind|short)|hurts?|suffers?|slower|weaker|losses)\b",
    re.IGNORECASE,
)
_PROPOSES = re.compile(
    r"\b(?:we|paper|work)\s+(?:\w+\s+){0,2}?(?:propos|introduc|present|develop|design)\w*|\bnovel\b|\bour (?:\w+ )?(?:method|approach|model|algorithm)",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:our|ours|we|(?:the )?proposed|this (?:paper|work))\b", re.IGNORECASE)
LEAST_WORDS, AGAINST = 10, 0.55
LEAST_OWN, AGAINST_OWN = 5, 0.6
"""Words of success and failure that are needed, and the share of failure from which a paper speaks against itself: in all of its
text, and in the sentences that speak of the authors' own work."""
_COMPARES = re.compile(
    r"\bbaselines?\b|\bcompar(?:e[ds]?|ing|isons?|able|ative)\b|\bversus\b|\bvs\b|outperform|state[- ]of[- ]the[- ]art|\bSOTA\b|"
    r"\b(?:better|worse|higher|lower|faster|slower|larger|smaller|more|less|fewer)\b[^.]{0,40}\bthan\b|\bsurpass|\bsuperior\b|"
    r"\b(?:previous|prior|existing|other|competing|alternative) (?:[\w-]+ )?(?:methods?|works?|approach(?:es)?|models?|algorithms?)\b|"
    r"\brelative to\b",
    re.IGNORECASE,
)
_RESULTS = re.compile(r"experiment|result|evaluation|empirical|ablation|comparison|performance", re.IGNORECASE)
LEAST_RESULTS, LEAST_TEXT = 300, 2_000
"""Words of results, and of a whole text, in which something has to be compared with something."""
FEW, FEW_IN_ALL = 1.0, 0.8
"""Comparisons in 1,000 words of results, and of the whole text, below which a paper compares nothing."""


@dataclass
class _Tally:
    """Words of success and of failure."""

    good: int = 0
    bad: int = 0

    def add(self, good: int, bad: int) -> None:
        self.good, self.bad = self.good + good, self.bad + bad

    def against(self, least: int, share: float) -> bool:
        every = self.good + self.bad
        return every >= least and self.bad > share * every


def check_consistency(document: Document) -> Iterator[Finding]:
    """Every check of this file over the main text."""
    pool = _pool(document)
    told = [number for number in numbers(document) if _in_main(document, number.section)]
    yield from _unsupported(document, told, pool)
    yield from _abstract_numbers(document, told)
    yield from _even_digits(document)
    yield from _against_itself(document)
    yield from _compares_nothing(document)


def _in_main(document: Document, section: int) -> bool:
    return section == ABSTRACT or not document.sections[section].appendix


def _texts(document: Document) -> Iterator[str]:
    """Everything that may hold a number, table by table and section by section, without the abstract."""
    for section in document.sections:
        yield section.text
    for caption in document.captions:
        yield caption.text
    for table in document.tables:
        yield " ".join(cell for row in table.rows for cell in row)


def _pool(document: Document) -> Counter[str]:
    """How often each decimal is printed anywhere."""
    found: Counter[str] = Counter()
    for text in (document.abstract, *_texts(document)):
        found.update(_plain(match) for match in _DECIMAL.finditer(text))
    return found


def _plain(match: re.Match[str]) -> str:
    return f"{match[1].lstrip('0')}.{match[2]}"


def _reads(text: str) -> bool:
    """A sentence in words, and not what is left of a table or a formula."""
    tokens = text.split()
    words = sum(token.strip(".,;:()%").isalpha() for token in tokens)
    return len(tokens) >= 6 and words >= 0.6 * len(tokens) and len(_DECIMAL.findall(text)) <= max(2, len(tokens) / 6)


def _unsupported(document: Document, told: list[Number], pool: Counter[str]) -> Iterator[Finding]:
    """Results told in words that stand in no table, caption or other sentence, nearly all of them.

    A number of few digits is found elsewhere by chance: by how often is known from how many numbers of its form there are, and taken off.
    Changes ('by 2.3 points') are computed and stand nowhere, so they are not asked for.
    """
    if sum(pool.values()) < LEAST_POOL:
        return
    forms = Counter((len(value.partition(".")[0]), len(value.partition(".")[2])) for value in pool)
    asked = found = chance = 0.0
    lost: list[Number] = []
    for number in told:
        match = _DECIMAL.search(number.text)
        text = number.sentence.text
        before = text[max(0, number.start - _AROUND) : number.start]
        after = text[number.start + len(number.text) :][:30]
        if not match or len(_plain(match).replace(".", "").lstrip("0")) < 2 or not _reads(text):
            continue
        if not _RESULT.search(text) or _SETTING.search(before) or CHANGE.search(before[-40:]) or CHANGE.search(after):
            continue
        if _BY.search(text) and (number.unit or number.text[:1] in "+-−–"):
            continue
        value = _plain(match)
        own = sum(_plain(other) == value for other in _DECIMAL.finditer(text))
        whole, part = (len(half) for half in value.split("."))
        chance += min(1.0, forms[whole, part] / (10**part * (9 * 10 ** (whole - 1) if whole else 1)))
        asked += 1
        if pool[value] > own:
            found += 1
        else:
            lost.append(number)
    if asked - chance < LEAST_NUMBERS or (found - chance) / (asked - chance) >= SUPPORTED:
        return
    first = lost[0]
    yield finding(
        "warning",
        "unsupported-numbers",
        f"{len(lost)} of {asked:g} results told in words stand in no table, caption or other sentence, {first.text} among them",
        sentence=quoted(first.sentence.text, first.start),
        section=heading(document, first.section),
        page=first.page,
        expected="the same number in a table, a figure's caption or where it is derived",
    )


def _abstract_numbers(document: Document, told: list[Number]) -> Iterator[Finding]:
    """Decimals and percentages of the abstract, where not one of them returns below, not even with more digits."""
    mine = [
        number
        for number in told
        if number.section == ABSTRACT and ("." in number.text or number.unit in ("%", "percent"))
    ]
    if not mine or sum(len(text) for text in _texts(document)) < 5_000:
        return
    body = "\n".join(_texts(document)).replace(",", "")
    for number in mine:
        digits = re.search(r"\d*\.?\d+", number.text.replace(",", ""))
        if digits and _returns(digits[0], body):
            return
    names = ", ".join(number.text for number in mine[:6])
    for number in mine[:2]:
        yield finding(
            "warning",
            "abstract-number",
            f"the abstract says {number.text}, and the paper says it nowhere else (nor any other of {names})",
            sentence=quoted(number.sentence.text, number.start),
            section="Abstract",
            page=number.page,
            expected="the number where the result is reported",
        )


def _returns(digits: str, body: str) -> bool:
    whole, _, part = digits.partition(".")
    if re.search(rf"(?<![\d.]){re.escape(whole)}{re.escape('.' + part) if part else ''}", body):
        return True  # the same, or with more digits
    value, unit = float(digits), 10.0 ** -len(part)
    near = re.finditer(rf"(?<![\d.])(?:{int(value)}|{max(0, int(value) - 1)})\.\d{{1,6}}", body)
    return any(abs(float(match[0]) - value) <= unit * 0.5 + 1e-9 for match in near)


def _even_digits(document: Document) -> Iterator[Finding]:
    """First digits of what tables hold, spread as evenly as drawn ones.

    Numbers of one form ('93.4') that stand together measure one thing and are alike, so their first digits crowd. Pearson's
    statistic against an even spread, summed over all groups and standardised: about 0 for drawn numbers, more than ten for most
    papers.
    """
    statistic = freedom = 0.0
    seen = 0
    for text in (*_paragraphs(document), *(" ".join(c for row in t.rows for c in row) for t in document.tables)):
        groups: dict[tuple[int, int], list[int]] = {}
        for match in _DECIMAL.finditer(text):
            whole = match[1].lstrip("0")
            groups.setdefault((len(whole), len(match[2])), []).append(int((whole or match[2])[0]))
        for (whole_digits, _), first in groups.items():
            if len(first) < GROUP:
                continue
            kinds = range(1, 10) if whole_digits else range(10)
            even = len(first) / len(kinds)
            statistic += sum((first.count(digit) - even) ** 2 / even for digit in kinds)
            freedom += len(kinds) - 1
            seen += len(first)
    if seen < LEAST_DIGITS:
        return
    uneven = next(bound for least, bound in EVEN if seen >= least)
    if not MORE_THAN_EVEN < (statistic - freedom) / (2 * freedom) ** 0.5 < uneven:
        return
    yield finding(
        "warning",
        "even-digits",
        f"the first digits of {seen} decimals that stand in groups are spread as evenly as drawn ones; measurements of one thing are alike",
        expected="numbers of one column that are of one size",
    )


def _paragraphs(document: Document) -> Iterator[str]:
    for section in document.sections:
        if not section.appendix:
            for paragraph in section.paragraphs:
                yield paragraph.text


def _against_itself(document: Document) -> Iterator[Finding]:
    """A paper that proposes something and speaks of it in words of failure, everywhere or only in its abstract."""
    main = [one for one in sentences(document) if _in_main(document, one.section)]
    if not any(_PROPOSES.search(one.text) for one in main):
        return
    everywhere, abstract, own, own_abstract = _Tally(), _Tally(), _Tally(), _Tally()
    worst = None
    for one in main:
        successes, failures = len(_SUCCESS.findall(one.text)), len(_FAILURE.findall(one.text))
        mine, above = bool(_OWN.search(one.text)), one.section == ABSTRACT
        for tally, counts in ((everywhere, True), (abstract, above), (own, mine), (own_abstract, mine and above)):
            if counts:
                tally.add(successes, failures)
        if failures and (worst is None or (mine and not _OWN.search(worst.text))):
            worst = one
    if worst is None:
        return
    body = _Tally(everywhere.good - abstract.good, everywhere.bad - abstract.bad)
    if everywhere.against(LEAST_WORDS, AGAINST) or own.against(LEAST_OWN, AGAINST_OWN):
        message = f"{everywhere.bad} of {everywhere.bad + everywhere.good} words of success and failure speak of failure, in a paper that proposes something"
        kind = "against-itself"
    elif body.good + body.bad >= LEAST_WORDS and (
        (abstract.against(2, 0.5) and body.good > 2 * body.bad)
        or (own_abstract.against(1, 0.5) and abstract.against(1, 0.5) and body.good > 4 * body.bad)
    ):
        message = f"the abstract speaks of failure ({abstract.bad} of {abstract.bad + abstract.good} words), the text of success ({body.good} of {body.good + body.bad})"
        kind = "abstract-against-text"
    else:
        return
    yield finding(
        "warning",
        kind,
        message,
        sentence=quoted(worst.text),
        section=heading(document, worst.section),
        page=worst.page,
        expected="one answer, the same in abstract, text and tables",
    )


def _compares_nothing(document: Document) -> Iterator[Finding]:
    """Results of some length in which hardly a sentence compares, and tables of results with a single row."""
    words = said = all_words = all_said = 0
    inside = False
    for section in document.sections:
        if section.appendix:
            continue
        results = bool(_RESULTS.search(section.title))
        if section.level <= 1:
            inside = results
        here, hits = len(section.text.split()), len(_COMPARES.findall(section.text))
        all_words, all_said = all_words + here, all_said + hits
        if inside or results:
            words, said = words + here, said + hits
    few = words >= LEAST_RESULTS and 1_000 * said < FEW * words
    if few or (words and all_words >= LEAST_TEXT and 1_000 * all_said < FEW_IN_ALL * all_words):
        yield finding(
            "warning",
            "compares-nothing",
            f"{said} comparisons in {words} words of results ({all_said} in {all_words} of the whole text): nothing says what the results are better or worse than",
            expected="the same measurements of a baseline",
        )
    for place, table in enumerate(document.tables if document.kind == "tex" else ()):  # elsewhere rows may be lost
        grid = cells_of(table, place)
        rows = {cell.row for cell in grid}
        if len(rows) == 1 and len({cell.column for cell in grid if "." in cell.text}) >= 2:
            yield finding(
                "warning",
                "lone-row",
                f"{name_of(table, place)} holds one row of results and nothing to compare it with",
                sentence=" | ".join(cell.printed for cell in grid[:12]),
                section=name_of(table, place),
                page=table.page,
                expected="a row for what it is compared with",
            )
