"""Arithmetic inside a sentence: changes 'from A to B', parts of a whole, k of n. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.checks._rounding import interval, unit_of
from scientist.reviews.reading import Document, Number, numbers

CHANGE = re.compile(
    r"\b(?:improv\w*|increas\w*|decreas\w*|reduc\w*|gain\w*|drop\w*|declin\w*|boost\w*|(?:a|an|relative|absolute) (?:rise|fall|change|growth)|"
    r"higher|lower\w*|rais\w+|rose|grew|fell|falls|cuts?|shr[aiu]nk\w*|faster|slower|speed-?up|better|worse)\b",
    re.IGNORECASE,
)
_PERCENT = ("%", "percent")
_POINTS = re.compile(r"points?|pp$")
_FROM = re.compile(
    r"\bfrom\s+(?:(?:about|roughly|approximately|around|an?|the|~|≈)\s*){0,2}(?:[\w'-]+\s+){0,4}$", re.IGNORECASE
)
_TO = re.compile(
    r"^\s*(?:\([^()]{0,40}\)\s*|[\w'-]+\s+){0,4}?(?:down |up |just |only )?to\s+(?:(?:about|roughly|approximately|around|just|only|an?|the|~|≈)\s*){0,2}(?:[\w'-]+\s+){0,3}$",
    re.IGNORECASE,
)
_SYMBOL = re.compile(r"(?:\b[^\W\d_]|\))\s*$")
_WORDS = r"(?:\s+(?!going|moving|changing|switching|when|if|by|in\b)[\w-]+){0,3}\s+from\s"
_RISE = re.compile(
    rf"\b(?:increase[sd]|increasing|raise[sd]|raising|rose|grew|climbed|climbs|rises){_WORDS}", re.IGNORECASE
)
_FALL = re.compile(
    rf"\b(?:decrease[sd]|decreasing|reduce[sd]|reducing|dropped|drops|fell|falls|declined|declines|lowered|lowers|shrank|shrinks){_WORDS}",
    re.IGNORECASE,
)
_AFTER = re.compile(  # 'from 0.80 to 0.88, an improvement of 15%'
    r"^\s?(?:%|percent|points?|[a-z]{1,2}\b)?\)?\s*[,(–—:-]*\s*(?:which (?:is|was|means|represents)|representing|i\.e\.,?|or|that is,?|corresponding to|yielding|amounting to|"
    r"equal to|giving|for)?\s*(?:an?|the)?\s*(?:relative|absolute|total|overall|about|approximately|roughly|nearly|around|over|~|≈|\s)*"
    r"(?:(?:improvement|increase|decrease|reduction|gain|drop|decline|boost|rise|fall|change|speed-?up)s?\s+(?:of|by))?"
    r"\s*(?:about|approximately|roughly|nearly|around|over|more than|~|≈|\+|[-−])?\s*$",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"^\s*(?:\w+\s+){0,4}[,(–—]?\s*$")  # 'improves by 15% from 0.80 to 0.88'
_NOT = re.compile(
    r"\b(?:not|never|instead of|rather than|either|range|vary|varies|varied|varying|if|would|could|respectively)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:split|divided|divides?|consists?|composed|comprised?|partition(?:ed)?|breakdown|made up of)\b", re.IGNORECASE
)
_OVERLAP = re.compile(
    r"\b(?:overlap\w*|multiple|more than one|several|both|could (?:choose|select)|improv\w*|reduc\w*|accuracy|each with|probability|increase\w*|"
    r"confidence|recall|precision|respectively (?:by|to)|further|sub\w*|of (?:the|this|these|which|them))\b",
    re.IGNORECASE,
)
_SETS = re.compile(r"train\w*", re.IGNORECASE), re.compile(r"\b(?:test\w*|valid\w*|held-out|dev\w*)\b", re.IGNORECASE)
_SLASHES = re.compile(
    r"(?<![\d/.])(\d{1,2})\s?%?\s?/\s?(\d{1,2})\s?%?\s?(?:/\s?(\d{1,2})\s?%?\s?)?(?![\d/.])(?=[^.]{0,40}\bsplit)",
    re.IGNORECASE,
)
_OF = re.compile(
    r"(?<![\w.,/])(\d{1,6})\s?(?:/|\bof\b(?: the)?|\bout of\b(?: the)?)\s?(\d{1,3}(?:,\d{3})+|\d{1,6})(?![\w.,]*\d)((?:\s+[A-Za-z-]+){0,4})\s?[(\[](?:i\.e\.,? |or |~|about )?(\d{1,3}(?:\.\d{1,3})?)\s?%"
)


def check_arithmetic(document: Document) -> Iterator[Finding]:
    """Every check of this file over the running text."""
    by_sentence: dict[tuple[int, int, int], list[Number]] = defaultdict(list)
    for number in numbers(document):
        by_sentence[number.sentence.section, number.sentence.paragraph, number.sentence.start].append(number)
    for group in by_sentence.values():
        place = {"section": heading(document, group[0].section), "page": group[0].page}
        for found in (*_change(group), *_parts(group), *_shares(group[0].sentence.text)):
            yield found.model_copy(update=place)


def _change(group: list[Number]) -> Iterator[Finding]:
    """'from 0.80 to 0.88, an improvement of 15%'. With one pair and one percentage the reading is beyond doubt."""
    text = group[0].sentence.text
    pairs = []
    for first, second in pairwise(group):
        between = text[first.start + len(first.text) : second.start]
        symbol = first.text[:1] in "-−–" and _SYMBOL.search(text[: first.start])  # 'from M − 1 to 0'
        if not symbol and _FROM.search(text[max(0, first.start - 60) : first.start]) and _TO.match(between):
            pairs.append((first, second))
    if len(pairs) != 1:
        return
    before, after = pairs[0]
    if not _NOT.search(text):
        yield from _direction(text, before, after)
    others = [n for n in group if n not in (before, after) and (n.unit in _PERCENT or _POINTS.search(n.unit))]
    if len(others) != 1 or _NOT.search(text):
        return
    said = others[0]
    around = text[max(0, said.start - 60) : said.start + len(said.text) + 40]
    if not CHANGE.search(around) or before.value == 0:
        return
    if said.start > after.start:
        close = _AFTER.match(text[after.start + len(after.text) : said.start])
    else:
        gap = text[said.start + len(said.text) : before.start]
        close = _BEFORE.match(gap[: gap.lower().rfind("from")]) if "from" in gap.lower() else None
    if close is None:
        return  # 'going from 24 to 36 layers, accuracy rises by 0.2%' speaks of two things
    readings = _readings(before, after)
    low, high = interval(abs(said.value), said.text)
    slack = (
        unit_of(said.text) * 0.5
        if re.search(
            r"\b(?:about|approximately|around|roughly|nearly|almost|over|more than|~|≈)\s*$", text[: said.start]
        )
        else 0
    )
    if any(low - slack <= top and bottom <= high + slack for bottom, top in readings.values()):
        return
    told = ", ".join(
        f"{name} {_shown(range_)}" for name, range_ in readings.items() if name in ("relative", "in points")
    )
    yield finding(
        "error",
        "arithmetic",
        f"from {before.text} to {after.text} is not a change of {said.text}",
        sentence=quoted(text, said.start),
        expected=told,
    )


def _direction(text: str, before: Number, after: Number) -> Iterator[Finding]:
    head = text[: before.start][-70:] + " "
    ups, downs = _RISE.search(head), _FALL.search(head)
    wrong = (ups and after.value < before.value and not downs) or (downs and after.value > before.value and not ups)
    if wrong and before.unit == after.unit:
        yield finding(
            "error",
            "direction",
            f"from {before.text} to {after.text} is {'a rise' if after.value > before.value else 'a fall'}, not what the sentence says",
            sentence=quoted(text, before.start),
        )


def _readings(before: Number, after: Number) -> dict[str, tuple[float, float]]:
    """The sizes, in percent, that a change can have: relative to either end, in points, and of what is missing to one."""
    a_low, a_high = interval(before.value, before.text)
    b_low, b_high = interval(after.value, after.text)
    corners = [(a, b) for a in (a_low, a_high) for b in (b_low, b_high)]
    found: dict[str, tuple[float, float]] = {}

    def add(name: str, sizes: list[float]) -> None:
        if sizes:
            found[name] = (min(sizes), max(sizes))

    add("relative", [abs(b - a) / abs(a) * 100 for a, b in corners if a])
    add("relative to the second", [abs(b - a) / abs(b) * 100 for a, b in corners if b])
    percent = before.unit in _PERCENT or after.unit in _PERCENT
    if percent or max(abs(a_high), abs(b_high)) > 1.5:
        add("in points", [abs(b - a) for a, b in corners])
        add("of the rest", [abs(b - a) / abs(100 - a) * 100 for a, b in corners if 0 < a < 100])
    else:
        add("in points", [abs(b - a) * 100 for a, b in corners])
        add("of the rest", [abs(b - a) / (1 - a) * 100 for a, b in corners if 0 < a < 1])
    add("as a ratio", [b / a * 100 for a, b in corners if a])
    add("as a ratio of the first", [a / b * 100 for a, b in corners if b])
    return found


def _shown(range_: tuple[float, float]) -> str:
    low, high = range_
    if high - low < 0.05 or f"{low:.1f}" == f"{high:.1f}":
        return f"{(low + high) / 2:.1f}%"
    return f"{low:.1f} to {high:.1f}%"


def _parts(group: list[Number]) -> Iterator[Finding]:
    """'split into 70% training, 20% validation and 15% test' has parts that make 105%."""
    text = group[0].sentence.text
    parts = [number for number in group if number.unit in _PERCENT]
    sets = all(pattern.search(text) for pattern in _SETS)
    if (
        len(parts) >= 2
        and len(parts) == len({p.start for p in parts})
        and _WHOLE.search(text)
        and not _OVERLAP.search(text)
    ):
        gaps = [text[a.start + len(a.text) : b.start] for a, b in pairwise(parts)]
        rest = bool(re.search(r"\b(?:remaining|remainder|the rest)\b", text, re.IGNORECASE))
        if all(len(gap) <= 60 and not re.search(r"[.;]", gap) for gap in gaps) and (
            (sets and len(parts) in (2, 3)) or rest
        ):
            total = sum(part.value for part in parts)
            slack = sum(unit_of(part.text) for part in parts) / 2
            if total > 100 + slack + 1e-9 or (total < 100 - slack - 1e-9 and (rest or len(parts) == 3)):
                yield finding(
                    "error" if total > 100 or rest else "warning",
                    "parts-of-a-whole",
                    f"{' + '.join(part.text for part in parts)} make {total:g}%",
                    sentence=quoted(text, parts[0].start),
                    expected="100%",
                )
    for match in _SLASHES.finditer(text):
        shares = [int(share) for share in match.groups() if share]
        total = sum(shares)
        if total not in (10, 100) and 80 <= total <= 120:
            yield finding(
                "error",
                "parts-of-a-whole",
                f"a split of {match.group().strip()} makes {total}%",
                sentence=quoted(text, match.start()),
                expected="100%",
            )


def _shares(text: str) -> Iterator[Finding]:
    """'12 of 40 (25%)'."""
    for match in _OF.finditer(text):
        part, whole, said = int(match[1]), int(match[2].replace(",", "")), match[4]
        if not whole or part > whole:
            continue
        share = part / whole * 100
        if abs(share - float(said)) > unit_of(said) * (1 + 1e-9):
            yield finding(
                "error",
                "arithmetic",
                f"{part} of {whole} is not {said}%",
                sentence=quoted(text, match.start()),
                expected=f"{share:.{max(1, len(said.partition('.')[2]))}f}%",
            )
