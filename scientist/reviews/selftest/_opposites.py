"""Words of success and failure and their opposites. Pure."""

from __future__ import annotations

import re

_PAIRS = (
    ("outperforms", "is outperformed by"), ("outperform", "are outperformed by"), ("outperformed", "was outperformed by"),
    ("outperforming", "being outperformed by"), ("surpasses", "falls behind"), ("surpass", "fall behind"),
    ("exceeds", "falls short of"), ("improves", "worsens"), ("improve", "worsen"), ("improved", "worsened"),
    ("improving", "worsening"), ("improvement", "deterioration"), ("improvements", "deteriorations"),
    ("better", "worse"), ("best", "worst"), ("higher", "lower"), ("highest", "lowest"), ("superior", "inferior"),
    ("increases", "decreases"), ("increase", "decrease"), ("increased", "decreased"),
    ("faster", "slower"), ("effective", "ineffective"), ("effectively", "ineffectively"), ("efficient", "inefficient"),
    ("succeeds", "fails"), ("successfully", "unsuccessfully"), ("consistently", "rarely"), ("robust", "fragile"),
    ("significantly", "insignificantly"), ("enhances", "degrades"), ("enhance", "degrade"), ("boosts", "hurts"),
    ("outstanding", "poor"), ("strong", "weak"), ("stronger", "weaker"), ("raises", "lowers"), ("raised", "lowered"), ("benefits", "suffers"), ("helps", "hurts"), ("helpful", "harmful"),
)  # fmt: skip
_OTHER = (
    {two: one for one, two in _PAIRS}
    | {one: two for one, two in _PAIRS}
    | {"reduces": "increases", "reduced": "increased", "gain": "loss", "gains": "losses"}
)
_ANY = re.compile(r"\b(?:" + "|".join(sorted(_OTHER, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def opposite(text: str) -> str:
    """The text with every such word replaced by its opposite; a capital stays one."""

    def other(found: re.Match[str]) -> str:
        word = _OTHER[found[0].lower()]
        return word.capitalize() if found[0][:1].isupper() else word

    return _ANY.sub(other, text)
