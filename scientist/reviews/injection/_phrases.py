"""Does a text tell a reviewer, or the model that plays one, what to say? Patterns in several languages. Pure, linear.

The same words mean nothing in a paper *about* such attacks. `commands` is for places that no reader sees, where nothing is
discussed; `orders` is for the text on the page, and lets quotations and discussions pass.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\uffa0\U000e0000-\U000e007f]"
)
ALIKE = str.maketrans(
    {
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ѕ": "s", "ј": "j", "ԁ": "d", "ɡ": "g",
        "һ": "h", "ո": "n", "ս": "u", "ν": "v", "ο": "o", "ι": "i", "α": "a", "ρ": "p", "т": "t", "м": "m", "к": "k", "в": "b",
        "н": "h", "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O", "Р": "P", "С": "C", "Т": "T", "Х": "X",
        "І": "I", "Ѕ": "S", "Ј": "J", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N",
        "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X", "ı": "i", "ł": "l",
    }
)  # fmt: skip
LOOKALIKES = frozenset("аеорсухіѕјԁһАВЕКМНОРСТХІЅЈοΟ")
"""Cyrillic letters and omicron, that nobody tells from Latin ones in print; the other Greek letters stand in formulas."""
_GOOD = r"(?:positive|favou?rable|good|glowing|strong|high|highest|perfect|excellent|enthusiastic|best|maximum|top)"
_REVIEW = r"(?:reviews?|scores?|ratings?|evaluations?|assessments?|recommendations?|feedback|grades?|marks?|verdicts?)"
_OVERRIDE = (
    r"\b(?:ignore|disregard|forget|override|bypass|dismiss)\b[^.!?]{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|other|"
    r"system|existing|original)\b[^.!?]{0,30}\b(?:instructions?|prompts?|directions?|guidelines?|rules?|commands?)"
)
_PRAISE = (
    rf"\b(?:give|write|provide|output|produce|generate|submit|return|leave|assign|award|make|print)\b[^.!?]{{0,50}}\b{_GOOD}\b"
    rf"[^.!?]{{0,30}}\b{_REVIEW}\b"
)
_ACCEPT = (
    r"\b(?:recommend|suggest|vote|argue|opt|decide|advise|choose|select)\b[^.!?]{0,30}\b(?:strong(?:ly)? )?(?:accept(?:ance|ing)?|"
    r"publication|oral|best paper)\b|\bmust (?:be )?accept(?:ed)?\b|\baccept this (?:paper|manuscript|submission)\b"
)
_SILENCE = (
    r"\b(?:do not|don't|dont|never|avoid|refrain from|without|no need to)\b[^.!?]{0,30}\b(?:highlight|mention|list|point|critici[sz]e|discuss|"
    r"report|raise|include|note)\w*\b[^.!?]{0,40}\b(?:negativ\w*|weakness\w*|limitations?|flaws?|shortcomings?|concerns?|problems?|drawbacks?|"
    r"criticisms?)"
)
_ADDRESSED = (
    r"\b(?:if you are|you are|as|dear|attention|notes? (?:to|for)|instructions? (?:to|for)|message (?:to|for)|to (?:the|all|any)|hey|hello|hi|fao|for)\b"
    r"[^.!?\w]{0,3}(?:(?:an?|the|all|any|every) )?(?:ai|a\.i\.|llms?|large language models?|language models?|chatgpt|gpt(?:-\d)?|claude|gemini|automated|"
    r"automatic|machine|artificial intelligence)\b[^.!?]{0,30}\b(?:review\w*|assistants?|agents?|models?|systems?|evaluat\w*|tools?)"
)
_MARKS = (
    r"\b(?:rate|score|assign|award|grade|give|set)\b[^.!?]{0,60}\b(?:10|9|ten|nine|5|five)\s*(?:/|out of)\s*(?:10|ten|5|five)\b"
    r"|\b(?:highest|maximum|top|perfect|full)(?: possible)? (?:scores?|ratings?|marks?|grades?)\b"
)
_STRESS = (
    r"\b(?:emphasi[sz]e|highlight|stress|praise|focus(?: only| solely)? on|mention only|extol|applaud)\b[^.!?]{0,60}\b(?:strengths?|"
    r"contributions?|novelty|impact|positives?|merits?|rigou?r|excellence)\b"
)
ENGLISH = {
    name: re.compile(pattern)
    for name, pattern in {
        "override": _OVERRIDE, "praise": _PRAISE, "accept": _ACCEPT, "silence": _SILENCE, "addressed": _ADDRESSED,
        "marks": _MARKS, "stress": _STRESS,
    }.items()
}  # fmt: skip
OTHERS = {
    "German": r"\b(?:ignorier(?:e|t|en sie)|missachte(?:t|n sie)?|vergiss|vergessen sie|beachte\w* nicht)\b[^.!?]{0,50}\b(?:anweisung\w*|vorgabe\w*|instruktion\w*|befehl\w*)"
    r"|\b(?:positive\w*|gute\w*|wohlwollende\w*|beste\w*)\b[^.!?]{0,20}\b(?:bewertung\w*|gutachten|rezension\w*|begutachtung\w*)",
    "French": r"\b(?:ignore[zr]?|oublie[zr]?|ne tene?z pas compte)\b[^.!?]{0,40}\b(?:instructions?|consignes?|directives?)"
    r"|\b(?:évaluation|evaluation|critique|avis|rapport|relecture)\b[^.!?]{0,15}\b(?:positi(?:ve|f)|favorable)\b",
    "Spanish": r"\b(?:ignora|ignore|olvida|olvide|haz caso omiso)\b[^.!?]{0,40}\b(?:instrucciones|indicaciones|órdenes)"
    r"|\b(?:reseña|revisión|evaluación|valoración|crítica)\b[^.!?]{0,15}\b(?:positiva|favorable)\b",
    "Portuguese": r"\b(?:ignore|ignora|esqueça)\b[^.!?]{0,40}\b(?:instruções)|\b(?:avaliação|revisão|parecer)\b[^.!?]{0,15}\b(?:positiv[ao]|favorável)\b",
    "Italian": r"\b(?:ignora|ignorate|dimentica)\b[^.!?]{0,40}\bistruzioni|\b(?:recensione|valutazione|revisione)\b[^.!?]{0,15}\b(?:positiva|favorevole)\b",
    "Russian": r"\b(?:игнорир\w+|забуд\w+|не обращай\w*)\b[^.!?]{0,40}(?:инструкци\w*|указани\w*)|положительн\w+[^.!?]{0,20}(?:отзыв|рецензи|оценк)\w*",
    "Chinese": r"(?:忽略|无视|忽視|無視|不要理会|忘记)[^。！？]{0,14}(?:指令|指示|提示|说明|說明)|(?:正面|积极|積極|好评|正向|肯定)(?:的)?[^。！？]{0,4}(?:评价|評價|评审|審查|审稿|意见|评论)|(?:推荐|建议|建議)(?:接收|录用|接受)",
    "Japanese": r"(?:指示|命令|プロンプト)[^。]{0,6}無視|無視[^。]{0,8}(?:指示|命令)|(?:肯定的|好意的|高い|ポジティブ)な?(?:査読|レビュー|評価)",
    "Korean": r"(?:지시|명령|프롬프트)[^.]{0,8}무시|긍정적인?\s?(?:리뷰|평가|심사)",
}  # fmt: skip
FOREIGN = {language: re.compile(pattern) for language, pattern in OTHERS.items()}
# The first alternative of each is about dropping instructions, the others about praise.
FOREIGN_OVERRIDE = {language: re.compile(pattern.split("|" + mark)[0]) for language, pattern, mark in (
    (language, OTHERS[language], mark) for language, mark in (
        ("German", r"\b(?:positive"), ("French", r"\b(?:évaluation"), ("Spanish", r"\b(?:reseña"), ("Portuguese", r"\b(?:avaliação"),
        ("Italian", r"\b(?:recensione"), ("Russian", "положительн"), ("Chinese", "(?:正面"), ("Japanese", "(?:肯定的"), ("Korean", "긍정적인"),
    )
)}  # fmt: skip
_ASKED = re.compile(
    r"^\W*(?:bitte |gib|geben sie|schreib|donne|donnez|écri|rédige|veuillez|da |dé |dale|escrib|por favor|dê |escrev|dai |date |scriv|дай|напиши|"
    r"поставь|请|請|给出|務必|务必)|(?:してください|て下さい|せよ|주세요|하십시오|하시오)"
)
_TIGHT = re.compile(
    r"ignore(?:all)?(?:previous|prior|above)(?:instructions|prompts)|disregard(?:all)?(?:previous|prior)instructions|"
    r"(?:give|write)(?:only)?a?(?:very)?(?:positive|favorable)review|positivereviewonly|recommend(?:strong)?acceptance|acceptthispaper"
)
_SPELT = re.compile(r"(?:(?<![^\W_])[^\W\d_](?:[ .\-_*·|/]{1,3})){6,}[^\W\d_](?![^\W_])")
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{4}){6,700}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?![A-Za-z0-9+/=])"
)
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){20,1500}(?![0-9A-Fa-f])")
_QUOTES = ("“”", "‘’", "«»", "„“", "「」", "『』", '""', "``")
_DISCUSSED = re.compile(
    r"attack|inject|adversari|jailbreak|malicious|hidden (?:prompt|instruction|text|command)|e\.g\.|for example|for instance|such as|"
    r"payload|phrases?\b|manipulat|exploit|vulnerab|red[- ]team|guideline|instructed|asked to|told to|prompted (?:to|with)|the prompt|"
    r"following (?:prompt|instruction|template|text)|(?:reviewers|they|we|who|models?|annotators|participants|users) (?:\w+ ){0,2}$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"prompt[- ]injection|jailbreak|adversarial (?:prompt|instruction|text|suffix)|hidden prompt|indirect injection|instruction hierarchy",
    re.IGNORECASE,
)
_START = re.compile(
    r"^\W*(?:please |now |you (?:must|should|shall|will|are to|need to) |kindly |also |and |instead,? |simply |just |important: |note: |system: |"
    r"(?:if you are|as|dear|attention|notes? to|instructions? (?:to|for)|hey|hello|hi)\b[^.!?]{0,80}?[,:;–-] ?(?:please |you (?:must|should) )?)*"
    r"(?:ignore|disregard|forget|override|bypass|give|write|provide|output|produce|generate|submit|return|recommend|suggest|assign|award|rate|score|"
    r"accept|do not|don't|never|avoid|emphasi[sz]e|highlight|praise|focus)\b",
    re.IGNORECASE,
)  # fmt: skip


def folded(text: str) -> str:
    """Text as patterns expect it: compatible characters, no invisible ones, look-alikes as Latin letters, small letters.
    Text that is Cyrillic or Greek throughout keeps its letters."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    latin = sum("a" <= char <= "z" or "A" <= char <= "Z" for char in text)
    other = sum("\u0370" <= char <= "\u04ff" for char in text)
    if latin > other:
        text = text.translate(ALIKE)
    return " ".join(text.casefold().replace("’", "'").split())


def commands(text: str) -> list[str]:
    """Which kinds of command to a reviewer a text holds, in whatever disguise; for places that no reader sees."""
    found: list[str] = []
    for how, plain in _readings(text[:200_000]):
        said = folded(plain)
        kinds = [name for name, pattern in ENGLISH.items() if pattern.search(said)]
        kinds += [language for language, pattern in FOREIGN.items() if pattern.search(said)]
        if how == "letters":
            kinds += ["spelt"] if _TIGHT.search(re.sub(r"\W", "", said)) else []
        if kinds in (["stress"], ["marks"], ["addressed"]) or (how == "rot13" and len(kinds) < 2):
            continue  # each of these alone says little
        found += [f"{kind}, {how}" if how else kind for kind in kinds]
    return list(dict.fromkeys(found))


def _readings(text: str) -> Iterator[tuple[str, str]]:
    """The text, and what it says when letters spelt out, base64, hexadecimal or rot13 are read."""
    yield "", text
    spelt = " ".join(match.group() for match in _SPELT.finditer(text))
    if spelt:
        yield "letters", spelt
    for how, pattern in (("base64", _BASE64), ("hex", _HEX)):
        for match in list(pattern.finditer(text))[:50]:
            try:
                data = base64.b64decode(match.group()) if how == "base64" else bytes.fromhex(match.group())
                plain = data.decode("utf-8")
            except (binascii.Error, ValueError):
                continue
            if sum(char.isprintable() for char in plain) > 0.9 * len(plain):
                yield how, plain
    turned = codecs.encode(text[:50_000], "rot13")
    yield "rot13", turned


def about_injection(text: str) -> bool:
    """Whether a paper is about such attacks: it names them more than once."""
    return len(_ABOUT.findall(text)) >= 2


def orders(sentence: str, before: str = "", after: str = "") -> list[str]:
    """Which kinds of command a sentence on the page gives to its reviewer. `before`, `after`: the text around it.

    Quoted and discussed ones are let pass, and what only sounds alike: English sentences must begin as a command."""
    around = f"{before[-200:]} {sentence} {after[:120]}"
    disguised = [kind for kind in commands(sentence) if ", " in kind or kind == "spelt"]
    said = folded(sentence)
    kinds = [name for name, pattern in ENGLISH.items() if pattern.search(said)]
    kinds += [language for language, pattern in FOREIGN.items() if pattern.search(said)]
    if INVISIBLE.search(sentence) and kinds:
        return kinds
    if disguised:
        return disguised
    if not kinds or _quoted(sentence, before) or _DISCUSSED.search(around):
        return []
    if any(kind in FOREIGN for kind in kinds):
        # In another language too: to be told to drop instructions, or asked outright for praise.
        dropped = any(FOREIGN_OVERRIDE[kind].search(said) for kind in kinds if kind in FOREIGN)
        return kinds if dropped or _ASKED.search(said) else []
    starts = _START.match(said) is not None
    strong = {"override", "praise"} & set(kinds)
    addressed = "addressed" in kinds and len(kinds) > 1
    return kinds if (starts and (strong or len(kinds) > 1)) or addressed else []


def _quoted(sentence: str, before: str) -> bool:
    """Whether a sentence stands in quotation marks, or holds one that could be the quotation."""
    for marks in _QUOTES:
        opening, closing = marks[0], marks[-1]
        if opening in sentence or closing in sentence:
            return True
        if opening != closing and before[-400:].rfind(opening) > before[-400:].rfind(closing):
            return True
    return before.count('"') % 2 == 1
