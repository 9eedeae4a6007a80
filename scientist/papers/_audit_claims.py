r"""Checks of what is claimed: words of direction and effect against the declared tests.

A sentence claims something about a contrast when it prints one of its facts (`\val{c.<id>...}`, also inside
`\calc`, or the contrast's title) next to a word that says that something went up, down, better or worse.
Words belong to the facts that follow them in the same clause, or else to those before. Questions, negations,
hypotheses and statements of doubt claim nothing. The rules are stated, with what they cannot see, in
docs/audit.md.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from scientist.experiments._results import ContrastResult
from scientist.experiments._study import Contrast
from scientist.papers._audit_context import Context, Fragment, finding
from scientist.papers._expressions import ExpressionError, names
from scientist.papers._fragments import Sentence, Token, readable
from scientist.papers._records import Finding
from scientist.template import SPLITS, Split

_UP = r"increases?|increased|raises?|raised|rose|risen|rises?|grew|grows?|climbs?|climbed|gains|gained|boosts?|boosted|added"
_DOWN = (
    r"decreases?|decreased|lowers|lowered|reduces?|reduced|(?:fell|falls?|fallen)(?! (?:short|within|inside|into|outside|under|below|between|on)\b)|drops?|dropped|declines?|declined|lost|"
    r"loses?|diminish(?:es|ed)?|shrank|shrinks?|costs?(?=\W+(?:about\W+|some\W+)?⟦)"
)
_GOOD = (
    r"improve[sd]?|improving|improvements?|better|outperform(?:s|ed|ing)?|help(?:s|ed)|benefit(?:s|ed)|beats?|superior|"
    r"surpass(?:es|ed)?"
)
_BAD = (
    r"worse(?:ns|ned)?|hurts?|harm(?:s|ed)?|degrade[sd]?|degrading|degradation|deteriorate[sd]?|deterioration|inferior|"
    r"underperform(?:s|ed)?"
)
# An adjective is a claim when it is a predicate or qualifies points; "the higher level" is not.
_IS = r"(?:is|was|are|were|be|points?|scores?|scored|reach(?:es|ed)|came out|comes out)\W+(?:\w+\W+){0,2}?"
_WORDS = (
    rf"\b(?P<up>{_UP})\b|\b(?P<down>{_DOWN})\b|\b(?P<good>{_GOOD})\b|\b(?P<bad>{_BAD})\b|"
    rf"\b{_IS}(?P<higher>higher|lower)\b|\b(?P<effect>significant(?:ly)?|affect(?:s|ed)|changed)\b"
)
_CLAUSES = re.compile(r";|\b(?:but|while|whereas|although|though|however|yet)\b")
_MARK = re.compile(r"⟦(\d+)⟧")
# "changed the effect by 0.08, from -0.07 to 0.01": the ends are said in order to explain the change, not claimed.
_ENDS = re.compile(r"⟦\d+⟧[^⟦.;,]{0,40},\s+from\s+⟦(\d+)⟧[^⟦.;,]{0,40}\bto\s+⟦(\d+)⟧")

_NEGATION = re.compile(
    r"\b(?:not|never|neither|nor|cannot|hardly|failed to|fails to|rather than|instead of)\b|n't\b|n’t\b"
)
_MODAL = re.compile(r"\b(?:would|should|could|might|may|whether|if|predict\w*|(?:we|one|nobody) expects?)\b")
_EXPECTED = re.compile(r"(?<!\bas )(?<!\bthan )\bexpected\b(?! power)|\bhypothes\w+|\bconjectur\w+")
_NO_EFFECT = re.compile(r"\bno (?:\w+ )?(?:$|improvement|gain|increase|decrease|difference|effect|benefit|harm)")
_DOUBT = re.compile(
    r"no evidence|can(?:not|\W+not|'t) (?:tell|say|be told|conclude|rule|exclude|distinguish|decide)|could "
    r"not (?:tell|say)|"
    r"inconclusive|undecided|not significant|untested|not tested|does not show|do not show|did not "
    r"show|indistinguishable|"
    r"contains? zero|includes? zero|unclear|remains? open|left open|no "
    r"(?:significant|reliable|clear|detectable)|nothing is claimed|stopped early|nothing to test"
)
_SMALL = re.compile(
    r"negligible|too small to (?:matter|care)|inside the (?:band|margin)|within the "
    r"(?:band|margin)|equivalent|"
    r"below the smallest|smaller than the smallest|no practical"
)
_ERROR_OBJECT = re.compile(
    r"\b(?:the |its |their |test |prediction )?(?:errors?|error rates?|mistakes|misclassif\w+)\b"
)


@dataclass(frozen=True)
class Claim:
    """A word of direction (+1 up, -1 down; 0: an effect of either sign) said about one contrast on one split."""

    contrast: str
    split: Split
    word: str
    sign: int
    doubted: bool
    """The sentence itself says that the effect is not established."""
    small: bool
    """The sentence itself says that the effect is too small to matter."""


def contrasts_of(token: Token) -> list[tuple[str, Split, bool]]:
    """Contrasts that a macro prints: id, split, and whether it prints the verdict itself."""
    if token.kind == "val":
        ids: tuple[str, ...] = (token.args[0],)
    elif token.kind == "calc":
        try:
            ids = names(token.args[0])
        except ExpressionError:
            return []
    else:
        return []
    found = []
    for fact in ids:
        parts = fact.split(".")
        if parts[0] in ("c", "contrast") and len(parts) >= 2:
            split: Split = next((s for s in SPLITS if s in parts[2:3]), "keep")
            found.append((parts[1], split, parts[-1] == "verdict"))
    return found


@functools.lru_cache(maxsize=16)
def _words_about(metric: str) -> re.Pattern[str]:
    """The words of direction. Participles count before the metric only: 'raising the dose' is no claim."""
    named = rf"(?=\W+(?:\w+\W+){{0,2}}?{re.escape(metric.replace('_', ' ').lower())})"
    up, down = r"increasing|raising|boosting", r"decreasing|lowering|reducing|cutting"
    return re.compile(rf"{_WORDS}|\b(?P<raising>{up})\b{named}|\b(?P<lowering>{down})\b{named}")


def claims(sentence: Sentence, maximize: bool = True, metric: str = "accuracy") -> list[Claim]:
    """What a sentence claims about contrasts, in reading order. Pure; knows nothing of results."""
    if sentence.source.rstrip().endswith("?"):
        return []
    text = masked(sentence)
    doubted = bool(_DOUBT.search(text))
    small = bool(_SMALL.search(text))
    verdicts = {c for token in sentence.tokens for c, _, verdict in contrasts_of(token) if verdict}
    found: list[Claim] = []
    before: list[tuple[str, Split]] = []
    for clause in _CLAUSES.split(text):
        ends = {number for match in _ENDS.finditer(clause) for number in match.groups()}
        about = [
            (match.start(), contrast, split)
            for match in _MARK.finditer(clause)
            if match.group(1) not in ends
            for contrast, split, _ in contrasts_of(sentence.tokens[int(match.group(1))])
        ]
        words = list(_words_about(metric).finditer(clause))
        for index, word in enumerate(words):
            end = words[index + 1].start() if index + 1 < len(words) else len(clause)
            targets = [(c, s) for at, c, s in about if word.start() <= at < end]
            targets = targets or [(c, s) for at, c, s in about if at < word.start()]
            # A clause without a contrast of its own continues the one before, if that leaves no choice.
            targets = targets or (before if len({c for c, _ in before}) == 1 else [])
            if _hedged(clause, word.start()):
                continue
            name, sign = _direction(word, maximize, bool(_ERROR_OBJECT.search(clause)))
            for contrast, split in dict.fromkeys(targets):
                found.append(Claim(contrast, split, name, sign, doubted or contrast in verdicts, small))
        before = [(c, s) for _, c, s in about] or before
    return found


def effect_words(sentence: Sentence, maximize: bool = True, metric: str = "accuracy") -> list[str]:
    """Words of direction or effect that are neither asked, negated nor hedged, whatever they are said of."""
    text = masked(sentence)
    if sentence.source.rstrip().endswith("?") or _DOUBT.search(text):
        return []
    return [
        _direction(word, maximize, False)[0]
        for clause in _CLAUSES.split(text)
        for word in _words_about(metric).finditer(clause)
        if not _hedged(clause, word.start()) and not _condition(clause, word, metric)
    ]


def _condition(clause: str, word: re.Match[str], metric: str) -> bool:
    """'when label noise grows' says under which condition, and nothing of the metric."""
    near = re.search(r"\b(?:when|whenever|where|once|as)\b(?P<what>(?:\W+\w+){1,4})\W+$", clause[: word.start()])
    return (
        near is not None and word.lastgroup in ("up", "down") and metric.replace("_", " ").lower() not in near["what"]
    )


def masked(sentence: Sentence) -> str:
    """The sentence in lower case with its macros as ⟦position⟧."""
    pieces = [token.source if token.kind == "text" else f" ⟦{i}⟧ " for i, token in enumerate(sentence.tokens)]
    return readable("".join(pieces)).lower()


def _hedged(clause: str, at: int) -> bool:
    if _EXPECTED.search(clause):
        return True
    left = clause[:at].split()
    near, nearer = " ".join(left[-6:]), " ".join(left[-3:])
    return bool(_NEGATION.search(near) or _MODAL.search(near) or _NO_EFFECT.search(nearer + " " + clause[at:][:14]))


def _direction(word: re.Match[str], maximize: bool, about_errors: bool) -> tuple[str, int]:
    kind = str(word.lastgroup)
    name = str(word.group(kind))
    better = 1 if maximize else -1
    if kind in ("good", "bad"):
        return name, better if kind == "good" else -better
    if kind == "effect":
        return name, 0
    up = kind in ("up", "raising") or name == "higher"
    # "reduced the error" is said of accuracy too, and then means that it rose.
    return name, (1 if up else -1) * (-1 if about_errors and maximize else 1)


def check_claims(ctx: Context) -> Iterator[Finding]:
    """Claims that the declared test did not support, and words of direction against the sign of the effect."""
    if ctx.study is None or ctx.analysis is None:
        return
    declared = {contrast.id: contrast for contrast in ctx.study.contrasts}
    outcomes = {outcome.id: outcome for outcome in ctx.analysis.contrasts}
    for fragment in ctx.fragments:
        if fragment.place == "table":
            continue
        for sentence in fragment.sentences:
            for claim in dict.fromkeys(claims(sentence, ctx.study.direction == "maximize", ctx.study.metric)):
                if claim.contrast in declared and claim.contrast in outcomes:
                    yield from _judge(
                        ctx, fragment, sentence, claim, declared[claim.contrast], outcomes[claim.contrast]
                    )


def _judge(
    ctx: Context,
    fragment: Fragment,
    sentence: Sentence,
    claim: Claim,
    contrast: Contrast,
    outcome: ContrastResult,
) -> Iterator[Finding]:
    where = f"{fragment.where}: “{ctx.words(sentence)}”"
    estimate = outcome.estimates.get(claim.split)
    mean = estimate.mean if estimate else None
    # In an interaction "grows" may speak of the size of an effect; its sign cannot be read from the word.
    if claim.sign and mean and contrast.kind != "interaction" and (mean > 0) != (claim.sign > 0):
        way = "up" if mean > 0 else "down"
        message = f"'{claim.word}' goes against contrast '{claim.contrast}', which went {way} on {claim.split}"
        yield finding("error", "direction", where, message)
    if claim.doubted or (claim.small and outcome.verdict in ("negligible", "equivalent", "supported")):
        return
    if claim.split == "final" and outcome.holds_on_final is False:
        message = f"'{claim.word}' is said of 'final', where contrast '{claim.contrast}' did not hold"
        yield finding("warning", "claim-unsupported", where, message)
    verdict = outcome.verdict
    found = verdict in ("supported", "contradicted")
    if contrast.expect == "equivalent":
        found = verdict == "contradicted"
    if not found:
        said = f"'{claim.word}' claims an effect for contrast '{claim.contrast}', whose verdict is '{verdict}'"
        yield finding("error", "claim-unsupported", where, said)


def check_primary(ctx: Context) -> Iterator[Finding]:
    """The contrast that the hypothesis is about is reported where readers look first, whatever it showed."""
    if ctx.study is None or ctx.manuscript is None:
        return
    told = {
        contrast
        for fragment in ctx.fragments
        if fragment.place == "abstract"
        for token in fragment.tokens
        for contrast, _, _ in contrasts_of(token)
    }
    primary = ctx.study.primary.id
    if primary not in told:
        message = f"neither abstract nor finding reports the primary contrast '{primary}'"
        yield finding("warning", "primary-unreported", "abstract", message)
