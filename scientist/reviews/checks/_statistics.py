"""Reported statistics against themselves: p-values, and means and standard deviations of whole numbers. Pure.

Sources: p-values are recomputed as statcheck does (Nuijten et al. 2016, Behavior Research Methods 48, 1205-1226); means
of whole numbers by GRIM (Brown and Heathers 2017, Social Psychological and Personality Science 8, 363-369), their
standard deviations by GRIMMER (Anaya 2016, PeerJ Preprints 4:e2400). A printed value stands for every value that rounds
to it, and is accused only when none of them will do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.checks._rounding import decimals, interval, unit_of
from scientist.reviews.reading import ABSTRACT, Document, Sentence, sentences

_VALUE = r"(?P<value>[-−–]?\s?\d{0,5}(?:\.\d{1,6})?)"
_TEST = re.compile(
    r"(?<![\w])(?:(?P<t>t)\s?\(\s?(?P<tdf>\d{1,6}(?:\.\d{1,4})?)\s?\)|(?P<F>F)\s?\(\s?(?P<df1>\d{1,4}(?:\.\d{1,4})?)\s?,\s?(?P<df2>\d{1,6}(?:\.\d{1,4})?)\s?\)|"
    r"(?P<chi>(?:χ|Χ|chi|X)(?:\s?\^?\s?\{?[2²]\}?|-squared?))\s?\(\s?(?P<cdf>\d{1,4})\s?(?:,\s?[Nn]\s?=\s?\d{1,7}\s?)?\)|"
    r"(?P<r>r)\s?\(\s?(?P<rdf>\d{1,6})\s?\)|(?P<z>[zZ]))"
    r"\s?=\s?"
    + _VALUE
    + r"\s?[,;]\s?(?:[^.;=<>]{0,30}?[,;]\s?)?[pP](?:[- ]values?)?\s?(?P<how>[=<>≤≥])\s?(?P<p>\d?\.\d{1,8}(?:\s?[×x·]\s?10\s?\^?\{?[-−]\d{1,3}\}?|[eE][-−]\d{1,3})?)"
)
_ONE_SIDED = re.compile(r"one[- ](?:sided|tailed)|directional (?:test|hypothes)", re.IGNORECASE)
_ADJUSTED = re.compile(
    r"bonferroni|holm\b|adjusted|corrected|correction|greenhouse|huynh|\bFDR\b|benjamini|permutation test|bootstrap",
    re.IGNORECASE,
)
_MEAN = re.compile(r"\b(?:M|[Mm]ean(?: (?:rating|score))?)\s?(?:=|of|was|is)\s?(\d{1,3}\.\d{1,3})\b")
_SD = re.compile(r"\b(?:SD|S\.D\.|[Ss]tandard deviation)\s?(?:=|of|was|is)\s?(\d{1,3}\.\d{1,3})\b")
_N = re.compile(r"(?<![\w-])[nN]\s?=\s?(\d{1,5})(?![\d.,]*\d)")
_SCALE = re.compile(
    r"(?:scale\s?(?:from|of|:|\()?\s?|rated (?:from|between)?\s?|Likert[^.;]{0,20}?)(\d{1,2})\s?(?:-|–|—|to|and)\s?(\d{1,3})\b|"
    r"\b(\d{1,2}|five|seven|ten)-point (?:Likert|scale|rating|item)",
    re.IGNORECASE,
)
_SEVERAL_ITEMS = re.compile(
    r"\b(?:items|composite|averaged|subscale|inventory|questionnaire|index|sum of|weighted)\b", re.IGNORECASE
)
_WORDS = {"five": 5, "seven": 7, "ten": 10}


def check_statistics(document: Document) -> Iterator[Finding]:
    """p-values, means and standard deviations of the running text and of captions."""
    said = [
        *sentences(document),
        *(Sentence(text=c.text, section=ABSTRACT - 1, page=c.page) for c in document.captions),
    ]
    text = " ".join(sentence.text for sentence in said)
    one_sided, adjusted = bool(_ONE_SIDED.search(text)), bool(_ADJUSTED.search(text))
    for sentence in said:
        place = {"section": heading(document, sentence.section), "page": sentence.page}
        for found in (*_p_values(sentence.text, one_sided, adjusted), *_moments(sentence.text)):
            yield found.model_copy(update=place)


def _p_values(text: str, one_sided: bool, adjusted: bool) -> Iterator[Finding]:
    for match in _TEST.finditer(text):
        printed = match["value"].replace(" ", "")
        if not re.search(r"\d", printed):
            continue
        value = abs(float(re.sub(r"[−–]", "-", printed)))
        low, high = interval(value, printed)
        low = max(0.0, low)
        name = next(kind for kind in ("t", "F", "chi", "r", "z") if match[kind])
        degrees = [float(match[key]) for key in ("tdf", "df1", "df2", "cdf", "rdf") if match[key]]
        if any(not degree for degree in degrees) or (name == "r" and value >= 1):
            continue
        top, bottom = p_value(name, low, degrees), p_value(name, high, degrees)
        said_text = match["p"]
        said = _number(said_text)
        how = match["how"]
        if _agrees(how, said, said_text, bottom, top):
            continue
        halved = name in ("t", "r", "z") and _agrees(how, said, said_text, bottom / 2, top / 2)
        if halved and one_sided:
            continue
        expected = f"p = {p_value(name, value, degrees):.3g}" + (" (two-sided)" if name in ("t", "r", "z") else "")
        yield finding(
            "warning" if halved or adjusted else "error",
            "p-value",
            f"{match.group().strip()}: the statistic gives another p"
            + (
                ", unless the test is one-sided, which is not said"
                if halved
                else ", unless it was adjusted"
                if adjusted
                else ""
            ),
            sentence=quoted(text, match.start()),
            expected=expected,
        )


def p_value(name: str, value: float, degrees: list[float]) -> float:
    """The p-value of |t|, |z|, |r| (two-sided), F or chi-squared; `degrees` of freedom as they are printed."""
    from scipy import special

    if name == "z":
        return float(2 * special.ndtr(-value))
    if name == "F":
        return float(special.fdtrc(degrees[0], degrees[1], value))
    if name == "chi":
        return float(special.chdtrc(degrees[0], value))
    if name == "r":
        if value >= 1:
            return 0.0
        value = value * math.sqrt(degrees[0] / (1 - value * value))
    return float(2 * special.stdtr(degrees[0], -value))


def _agrees(how: str, said: float, printed: str, bottom: float, top: float) -> bool:
    """Whether some p between `bottom` and `top` is what was printed."""
    if how in "<≤":
        return bottom <= said * (1 + 1e-9)
    if how in ">≥":
        return top >= said * (1 - 1e-9)
    half = 10.0 ** -decimals(printed) / 2 * (1 + 1e-6)
    return bottom <= said + half and top >= said - half


def _number(text: str) -> float:
    text = text.replace("−", "-")
    power = re.search(r"[×x·]\s?10\s?\^?\{?(-\d{1,3})\}?", text)
    return float(text[: power.start()]) * 10.0 ** int(power[1]) if power else float(text)


def _moments(text: str) -> Iterator[Finding]:
    """'M = 3.47, SD = 1.10, n = 20' on a scale of whole numbers that the sentence names, one item each."""
    scale, count = _SCALE.search(text), _N.findall(text)
    means, spreads = list(_MEAN.finditer(text)), _SD.findall(text)
    if scale is None or len(count) != 1 or len(means) != 1 or len(spreads) > 1 or _SEVERAL_ITEMS.search(text):
        return
    if scale[3]:
        low, high = 1, _WORDS.get(scale[3].lower()) or int(scale[3])
    else:
        low, high = int(scale[1]), int(scale[2])
    n, mean = int(count[0]), means[0][1]
    if n < 2 or not low < high:
        return
    shown = quoted(text, means[0].start())
    at_least, at_most = interval(float(mean), mean)
    if at_most < low or at_least > high:
        yield finding("error", "mean-off-scale", f"a mean of {mean} is not between {low} and {high}", sentence=shown)
        return
    if not possible_mean(mean, n):
        sums = sorted({math.floor(float(mean) * n), math.ceil(float(mean) * n)})
        near = " or ".join(f"{total / n:.{decimals(mean)}f}" for total in sums)
        yield finding(
            "error",
            "impossible-mean",
            f"no {n} whole numbers have the mean {mean} (GRIM)",
            sentence=shown,
            expected=near,
        )
    elif spreads and not possible_spread(mean, spreads[0], n, low, high):
        yield finding(
            "error",
            "impossible-spread",
            f"no {n} whole numbers from {low} to {high} with the mean {mean} have the standard deviation {spreads[0]} (GRIMMER)",
            sentence=shown,
        )


def _sums(mean: str, n: int) -> range:
    """The sums of n whole numbers whose mean is printed so; the interval is closed, so any rule of rounding will do."""
    low, high = interval(float(mean), mean)
    return range(math.ceil(low * n - 1e-9), math.floor(high * n + 1e-9) + 1)


def possible_mean(mean: str, n: int) -> bool:
    """GRIM: whether n whole numbers can have the printed mean."""
    return len(_sums(mean, n)) > 0


def possible_spread(mean: str, spread: str, n: int, low: int, high: int) -> bool:
    """GRIMMER: whether n whole numbers from `low` to `high` can have the printed mean and standard deviation (n - 1).

    A sum of squares is a whole number, odd when the sum is odd, and bounded by the scale.
    """
    half = unit_of(spread) / 2 * (1 + 1e-9)
    least, most = max(0.0, float(spread) - half), float(spread) + half
    for total in _sums(mean, n):
        if not low * n <= total <= high * n:
            continue
        base = total * total / n
        first = math.ceil(base + least**2 * (n - 1) - 1e-7)
        last = math.floor(base + most**2 * (n - 1) + 1e-7)
        # The widest spread has all but one value at the ends of the scale, the narrowest all values side by side.
        tops, rest = divmod(total - low * n, high - low)
        widest = tops * high**2 + (n - tops - 1) * low**2 + (low + rest) ** 2 if tops < n else n * high**2
        floor_, more = divmod(total, n)
        narrowest = more * (floor_ + 1) ** 2 + (n - more) * floor_**2
        if any(
            square % 2 == total % 2 for square in range(max(first, narrowest), min(last, widest, first + 10_000) + 1)
        ):
            return True
    return False
