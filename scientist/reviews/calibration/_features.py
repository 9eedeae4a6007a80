"""What the prior counts: interpretable properties of a stripped text, each one named and explained.

Everything is a density, a share, or a count that stops early, so that more of the same adds nothing. The model clips each to
the range of ordinary papers on top of that. docs/prior.md has the table with the direction that was learnt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import sqrt
from types import MappingProxyType

from scientist.reviews.calibration._strip import main_sections, sentences, strip
from scientist.reviews.calibration._text import PaperText, Section

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_TERM = re.compile(r"[a-z]+|[^\sa-z]")
_FUNCTION_WORDS = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "in",
        "is",
        "are",
        "we",
        "for",
        "that",
        "this",
        "with",
        "on",
        "as",
        "by",
        "our",
        "can",
        "it",
        "be",
        "which",
        "from",
        "an",
        "a",
        "not",
        "or",
        "at",
        "these",
        "have",
        "has",
        "was",
        "were",
        "they",
        "their",
        "its",
        "than",
        "more",
        "such",
        "also",
    ]
)
SPECIFIC = re.compile(r"\d|\b[A-Z][A-Za-z]*[A-Z]| [A-Za-z] |[^\x00-\x7f]")
"""A sentence with a number, an acronym or a symbol after its first letter. Filler has none of them."""
MAX_EVIDENCE = 5000
"""Tokens of specific prose, equations, tables and captions that count; a paper that fills nine pages has about 5,000."""
MAX_SPECIFIC = 4000
_YEAR = r"(?:1[89]|20)\d\d[a-z]?\b"
_WORK = re.compile(rf"([A-Z][\w'-]{{1,40}})(?: et al\.?,?| (?:and|&) [A-Z][\w'-]{{1,40}},?|,)? [(\[]?({_YEAR})")
_GROUP = re.compile(r"[(\[][^()\[\]]{3,600}[)\]]")
_NUMBERS = re.compile(r"\[(\d{1,3}(?:[,–-] ?\d{1,3}){0,20})\]")
MAX_RETURNED = 20
MAX_CITED = 60
MAX_LISTED = 3000
MOST_UNCITED = 1.25
_ENTRY = re.compile(r"\b(?:19|20)\d\d[a-z]?\b")
INTRODUCTION = "introduction: "
"""Before a term that is counted in the introduction only."""

_ANY_CASE: Mapping[str, tuple[str, str]] = {
    "hedges": (
        r"\b(?:may|might|could|possibl[ey]|perhaps|likely|suggests?|seems?|appears?|potentially|arguably|somewhat|tends?|roughly|presumably)\b",
        "may, might, seems, suggests",
    ),
    "boosters": (
        r"\b(?:significant(?:ly)?|clearly|obviously|greatly|dramatically|superior|remarkabl[ey]|extensive|huge|effectively|excellent|very|powerful|promising)\b",
        "significantly, clearly, very, superior",
    ),
    "novelty words": (r"\b(?:novel|new|first)\b", "novel, new, first"),
    "ablation words": (r"\bablat\w*", "ablation"),
    "numbered statements": (
        r"\b(?:theorem|lemma|proposition|corollary|definition|assumption)s? \d",
        "Theorem 1, Assumption 2",
    ),
    "theory words": (
        r"\b(?:theorems?|lemma|proofs?|prove[sdn]?|propositions?|bounds?|bounded|converges?|guarantees?)\b",
        "proof, bound, converges",
    ),
    "empirical words": (
        r"\b(?:datasets?|accuracy|benchmarks?|performance|trained|training)\b",
        "dataset, accuracy, training",
    ),
    "reasons": (
        r"\b(?:because|since|therefore|thus|hence|why|due to|reason|intuiti\w+)\b",
        "because, hence, why, intuitively",
    ),
    "contrasts": (
        r"\b(?:however|although|though|while|whereas|despite|unlike|nevertheless|but|yet|instead|rather)\b",
        "however, whereas, despite",
    ),
    "failure words": (r"\b(?:limitation\w*|fails?|failures?|drawback|cannot)\b", "limitation, fails, cannot"),
    "questions": (r"\?", "question marks"),
    "we": (r"\bwe\b", "we"),
    "our": (r"\bour\b", "our"),
    "passives": (r"\b(?:is|are|was|were|been|be) \w+ed\b", "is trained, was used"),
    "propose": (r"\bpropose[sd]?\b", "propose, proposed"),
    "inquiry words": (r"\b(?:find|observe|investigate|study|ask|hypothesi[sz]e)\b", "find, observe, study, ask"),
    "insight words": (r"\b(?:understand\w*|insights?|phenomen\w*|mechanisms?)\b", "understand, insight, phenomenon"),
    "generality words": (r"\b(?:any|arbitrary|every|wide|broad|diverse|various|variety)\b", "any, arbitrary, diverse"),
    "cross-references": (r"(?:\bsections?|\bsec\.|§)\s*\d", "Section 3"),
    "equation references": (r"\b(?:eq\.?|eqn\.?|eqs\.?|equations?)\s*\(?\d", "Eq. (2)"),
    "numbers": (r"\b\d+(?:\.\d+)?\b", "any number in running text"),
    "decimals": (r"\b\d+\.\d+\b", "3.14"),
    "percentages": (r"\d ?%", "12 %"),
    "plus-minus": (r"±", "±"),
    "statistics words": (
        r"\b(?:seeds?|standard deviations?|standard errors?|confidence intervals?|error bars?|trials|statistical\w*|variance)\b",
        "seeds, standard deviation, confidence interval",
    ),
    "e.g.": (r"\be\.g\.", "e.g."),
    "i.e.": (r"\bi\.e\.", "i.e."),
    "brackets": (r"\(", "opening round brackets"),
    "colons": (r":", "colons"),
    "semicolons": (r";", "semicolons"),
    "dashes": (r"—|–", "long dashes"),
    "quotes": (r"\"", "quotation marks"),
    "connectives at the start": (
        r"(?:^|[.!?] )(?:moreover|furthermore|besides|in addition|additionally|firstly|secondly|finally|then)\b",
        "Moreover, Besides, In addition",
    ),
    "asides": (r"\b(?:importantly|interestingly|crucially|surprisingly|notably|note that)\b", "importantly, note that"),
    "precision words": (r"\b(?:specifically|in particular|namely|precisely|concretely)\b", "specifically, namely"),
    "good, better, best": (r"\b(?:good|better|best|great|well)\b", "good, better, best"),
    "respectively": (r"\brespectively\b", "respectively"),
    "recent": (r"\brecent\w*", "recent, recently"),
    "hyperparameters": (r"\bhyper-?param\w*", "hyperparameter"),
    "training details": (
        r"\b(?:batch|epochs?|learning rate|adam|layers?|units|gpus?)\b",
        "batch, epochs, learning rate",
    ),
    "etc.": (r"\betc\b", "etc."),
    "use, utilise": (r"\b(?:use[sd]?|using|utili[sz]\w+)\b", "use, utilise"),
    "compounds": (r"\b[a-z]+-[a-z]+", "sample-efficient"),
    "the": (r"\bthe\b", "the"),
    "of": (r"\bof\b", "of"),
    "a, an": (r"\ban?\b", "a, an"),
    "relative clauses": (r"\b(?:which|that|whose|where|when)\b", "which, that, where"),
    "modal verbs": (r"\b(?:can|will|should|must|would)\b", "can, will, should"),
    "negations": (r"\b(?:not|no|never|without|neither|nor)\b", "not, without, nor"),
    "quantifiers": (
        r"\b(?:only|even|just|still|already|both|each|same|most|many|several|few)\b",
        "only, both, each, several",
    ),
    "logic words": (
        r"\b(?:if|then|let|given|such that|suppose|assume|consider|denote[sd]?)\b",
        "let, suppose, such that",
    ),
    "past tense": (r"\b(?:was|were|had|did)\b", "was, were, had"),
    "pronouns": (r"\b(?:it|this|these|those)\b", "it, this, those"),
}
_EXACT_CASE: Mapping[str, tuple[str, str]] = {
    "acronyms": (r"\b[A-Z][A-Za-z]*[A-Z]+[A-Za-z]*\b", "SGD, ResNet"),
    "symbols": (
        r"(?<= )[^A-Za-z0-9\s](?= )|(?<= )[A-Za-z](?= )|[^\x00-\x7f]",
        "single letters and signs of formulas in running text",
    ),
    "figure without capital": (r"\b(?:figure|table) \d", "figure 1, table 2"),
    "figure with capital": (r"\b(?:Figure|Table) \d", "Figure 1, Table 2"),
    "Fig.": (r"\bFigs?\.", "Fig."),
}
_DENSITIES = {name: (re.compile(pattern, re.IGNORECASE), what) for name, (pattern, what) in _ANY_CASE.items()} | {
    name: (re.compile(pattern), what) for name, (pattern, what) in _EXACT_CASE.items()
}
_OTHERS = {
    "sentence length": "median words of a sentence",
    "long sentences": "words of the longest tenth of sentences",
    "short sentences": "words of the shortest tenth of sentences",
    "function words": "share of the, of, and, we, ... in all words",
    "length of content words": "letters of a content word, on average",
    "long words": "share of content words of ten letters and more",
    "variety of words": "different words among the first 1,000 content words",
    "focus": "share of the ten commonest content words",
    "repetition": "share of word triples that came before",
    "works returned to": f"different works cited at two places and more, at most {MAX_RETURNED}",
    "grouped citations": f"places where a work returned to is cited together with others, at most {MAX_RETURNED}",
    "works in the experiments": f"works returned to that sections on experiments cite, at most {MAX_RETURNED}",
    "numbers in the introduction": "numbers for each word of the introduction",
    "figures mentioned": "different figures mentioned in the text, at most 8",
    "tables mentioned": "different tables mentioned in the text, at most 6",
    "length of the introduction": "words, at most 1,000",
    "figure in the introduction": "the introduction mentions Figure 1",
    "questions in the introduction": "question marks in the introduction, at most 3",
    "length of the abstract": "words, at most 250",
    "word length in the abstract": "letters of a word in the abstract, on average",
    "numbers in the abstract": "digits in the abstract, at most 5",
    "our in the abstract": "how often the abstract says our, at most 3",
    "generality in the abstract": "any, arbitrary, diverse in the abstract, at most 3",
    "insight in the abstract": "understand, insight, phenomenon in the abstract, at most 3",
    "length of the title": "words of the title",
    "colon in the title": "the title has a colon",
    "question in the title": "the title has a question mark",
    "sections": "numbered sections, at most 9",
    "subsections": "subsections, at most 14",
    "length of headings": "words of a heading, on average",
    "plain headings": "share of headings such as Method, Results",
    "place of related work": "where the section on related work stands, from 0 to 1",
    "specific prose": f"words in sentences with a number, acronym or symbol, at most {MAX_SPECIFIC}",
    "works cited": f"different works that the text cites, at most {MAX_CITED}",
    "reference list": f"square root of the words of the reference list as far as the text cites it, at most {MAX_LISTED}",
    "evidence": f"tokens of specific prose, equations, tables and captions before the references, at most {MAX_EVIDENCE}",
}
FEATURES: Mapping[str, str] = MappingProxyType({name: what for name, (_, what) in _DENSITIES.items()} | _OTHERS)
"""Every feature with what it counts. Those of the first part are densities: the square root of hits in 1,000 words."""

_PLAIN_HEADING = re.compile(
    r"introduction|related works?|background|preliminaries|methods?|methodology|approach|proposed \w+|our \w+|model|algorithm|"
    r"experiments?|experimental \w+|results?|discussions?|conclusions?.{0,40}|evaluation|ablation stud\w+|analysis|"
    r"implementation details|datasets?|baselines?"
)
_EXPERIMENTS = re.compile(r"experiment|result|evaluat|ablation|empiric|dataset|baseline")


def features(paper: PaperText) -> dict[str, float]:
    """Every feature of FEATURES, of a paper as it was read (not stripped yet)."""
    seen = strip(paper)
    text = seen.text
    words = [word.lower() for word in _WORD.findall(text)]
    size = max(len(words), 50)
    found = {name: sqrt(1000 * len(pattern.findall(text)) / size) for name, (pattern, _) in _DENSITIES.items()}
    found |= _style(text, words)
    found |= _citing(paper)
    found |= _introduction(seen)
    found |= _head(seen)
    found |= _structure(seen)
    found |= _volume(paper)
    return found


def terms(paper: PaperText) -> Counter[str]:
    """How often each word, sign, and pair of them is in the stripped paper, title and abstract included; digits are 0."""
    seen = strip(paper)
    counts: Counter[str] = Counter()
    for prefix, text in (("", f"{seen.title} . {seen.abstract} {seen.text}"), (INTRODUCTION, _intro_of(seen))):
        tokens = _TERM.findall(re.sub(r"\d", "0", text.lower()))
        counts.update(prefix + token for token in tokens)
        counts.update(f"{prefix}{first} {second}" for first, second in pairwise(tokens))
        counts[prefix] = len(tokens)
    return counts


def term_value(counts: Mapping[str, int], term: str) -> float:
    """The density of a term: square root of hits in 1,000 tokens."""
    prefix = INTRODUCTION if term.startswith(INTRODUCTION) else ""
    return sqrt(1000 * counts.get(term, 0) / max(counts.get(prefix, 0), 50))


def _style(text: str, words: list[str]) -> dict[str, float]:
    lengths = sorted(len(sentence.split()) for sentence in sentences(text)) or [20]
    content = [word for word in words if word not in _FUNCTION_WORDS] or ["none"]
    counts = Counter(content)
    first = content[:1000]
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return {
        "sentence length": lengths[len(lengths) // 2],
        "long sentences": lengths[int(0.9 * (len(lengths) - 1))],
        "short sentences": lengths[int(0.1 * (len(lengths) - 1))],
        "function words": 1 - len(content) / max(len(words), 1),
        "length of content words": sum(map(len, content)) / len(content),
        "long words": sum(len(word) >= 10 for word in content) / len(content),
        "variety of words": len(set(first)) / len(first),
        "focus": sum(count for _, count in counts.most_common(10)) / len(content),
        "repetition": 1 - len(set(triples)) / max(len(triples), 1),
    }


def _citing(paper: PaperText) -> dict[str, float]:
    """Works that the text comes back to: one that is mentioned once, or in a sentence said again, costs nothing."""
    sections = main_sections(paper)
    text = " ".join(dict.fromkeys(one for section in sections for one in sentences(section.text)))
    tests = " ".join(section.text for section in _under(sections, _EXPERIMENTS))
    mentions = Counter(_works(text))
    returned = {work for work, times in mentions.items() if times > 1}
    groups = [set(_works(group)) for group in _GROUP.findall(text)]
    return {
        "works returned to": min(len(returned), MAX_RETURNED),
        "grouped citations": min(
            sum(len(group) > 1 and not group.isdisjoint(returned) for group in groups), MAX_RETURNED
        ),
        "works in the experiments": min(len(returned.intersection(_works(tests))), MAX_RETURNED),
        "works cited": min(len(mentions), MAX_CITED),
        "reference list": sqrt(min(_listed(paper, len(mentions)), MAX_LISTED)),
    }


def _listed(paper: PaperText, cited: int) -> float:
    """Words of the reference list; of a list that is much longer than what is cited, as much as would be cited.

    So entries that nobody cites add next to nothing, and short invented ones take away.
    """
    entries = sum(bool(_ENTRY.search(line)) for line in paper.references)
    words = sum(len(line.split()) for line in paper.references)
    return words * min(1.0, MOST_UNCITED * cited / max(entries, 1))


def _works(text: str) -> list[str]:
    """Name and year of each citation of a text; of numbered ones the number."""
    named = [f"{name} {year}" for name, year in _WORK.findall(text)]
    return named + [number for group in _NUMBERS.findall(text) for number in re.findall(r"\d+", group)]


def _intro_of(seen: PaperText) -> str:
    return next((section.text for section in seen.sections if section.heading.startswith("intro")), "")


def _introduction(seen: PaperText) -> dict[str, float]:
    text = seen.text
    intro = _intro_of(seen)
    intro_words = len(intro.split())
    return {
        "numbers in the introduction": sqrt(1000 * len(re.findall(r"\d", intro)) / (intro_words + 100)),
        "figures mentioned": min(len(set(re.findall(r"[Ff]ig(?:ure|\.)s? ?(\d+)", text))), 8),
        "tables mentioned": min(len(set(re.findall(r"[Tt]ab(?:le|\.)s? ?(\d+)", text))), 6),
        "length of the introduction": min(intro_words, 1000),
        "figure in the introduction": float(bool(re.search(r"[Ff]ig(?:ure|\.) ?1", intro))),
        "questions in the introduction": min(intro.count("?"), 3),
    }


def _head(seen: PaperText) -> dict[str, float]:
    words = _WORD.findall(seen.abstract)

    def hits(name: str) -> float:
        return min(len(_DENSITIES[name][0].findall(seen.abstract)), 3)

    return {
        "length of the abstract": min(len(words), 250),
        "word length in the abstract": sum(map(len, words)) / len(words) if words else 5.0,
        "numbers in the abstract": min(len(re.findall(r"\d", seen.abstract)), 5),
        "our in the abstract": hits("our"),
        "generality in the abstract": hits("generality words"),
        "insight in the abstract": hits("insight words"),
        "length of the title": len(seen.title.split()),
        "colon in the title": float(":" in seen.title),
        "question in the title": float("?" in seen.title),
    }


def _structure(seen: PaperText) -> dict[str, float]:
    headings = [section.heading for section in seen.sections if section.heading]
    many = max(len(headings), 1)
    related = (i for i, heading in enumerate(headings) if "related" in heading or "prior work" in heading)
    return {
        "sections": min(sum(section.depth == 1 for section in seen.sections), 9),
        "subsections": min(sum(section.depth >= 2 for section in seen.sections), 14),
        "length of headings": sum(len(heading.split()) for heading in headings) / many,
        "plain headings": sum(bool(_PLAIN_HEADING.fullmatch(heading)) for heading in headings) / many,
        "place of related work": next(related, 0.5 * many) / many,
    }


def _volume(paper: PaperText) -> dict[str, float]:
    """How much there is that filler cannot imitate. Counted before the cut of the text, and capped by itself."""
    uncut = strip(paper, max_words=100_000)
    specific = sum(len(one.split()) for one in sentences(uncut.text) if SPECIFIC.search(one[1:]))
    rest = sum(section.rest for section in uncut.sections)
    return {"specific prose": min(specific, MAX_SPECIFIC), "evidence": min(specific + rest, MAX_EVIDENCE)}


def _under(sections: tuple[Section, ...], pattern: re.Pattern[str]) -> list[Section]:
    """Sections whose heading, or the heading of the section they belong to, matches."""
    kept, inside = [], False
    for section in sections:
        if section.depth == 1:
            inside = bool(pattern.search(section.heading))
        if inside or pattern.search(section.heading):
            kept.append(section)
    return kept
