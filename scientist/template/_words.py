"""Words for what strangers named: identifiers and descriptions as prose without digits, control or invisible characters.

A paper prints only numbers that have a source, and a stranger's text is hostile: it is bounded, and whatever cannot be
said in words is left out.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 60
"""Characters of what prose calls a metric or a knob."""


def vocabulary(text: str) -> frozenset[str]:
    """The words of a text as a set: long lists of names stay readable so."""
    return frozenset(text.split())


_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

EXPANDED = {
    "acc": "accuracy",
    "avg": "average",
    "bs": "batch size",
    "char": "characters",
    "conv": "convolution",
    "corr": "correlation",
    "dim": "dimension",
    "dims": "dimensions",
    "emb": "embedding",
    "embd": "embedding",
    "err": "error",
    "eval": "evaluation",
    "f1": "F1",
    "frac": "fraction",
    "hid": "hidden",
    "iter": "iteration",
    "iters": "iterations",
    "kl": "KL",
    "l1": "L1",
    "l2": "L2",
    "lam": "lambda",
    "len": "length",
    "lr": "learning rate",
    "mae": "mean absolute error",
    "max": "maximal",
    "min": "minimal",
    "mlp": "MLP",
    "mse": "mean squared error",
    "n": "number of",
    "nll": "negative log-likelihood",
    "num": "number of",
    "ppl": "perplexity",
    "prob": "probability",
    "r2": "R squared",
    "reg": "regularisation",
    "rmse": "root mean squared error",
    "roc": "ROC",
    "auc": "AUC",
    "fid": "FID",
    "seq": "sequence",
    "std": "standard deviation",
    "val": "validation",
    "valid": "validation",
    "wd": "weight decay",
}
_NUMBERS_OF = {
    "layer": "layers",
    "head": "heads",
    "embd": "embedding dimensions",
    "emb": "embedding dimensions",
    "hidden": "hidden units",
    "iter": "iterations",
    "step": "steps",
    "epoch": "epochs",
    "block": "blocks",
    "unit": "units",
    "channel": "channels",
    "train": "training examples",
    "sample": "samples",
    "iters": "iterations",
}
_COUNTED = vocabulary(
    "epochs iterations iters steps restarts cycles updates episodes trees layers heads neighbors neighbours "
    "rounds generations components features samples trials"
)


def spelled(number: int) -> str:
    """A whole number in words: 'ninety-nine'; beyond that digit by digit."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    return " ".join(_ONES[int(digit)] for digit in str(number))


def parts(name: str) -> list[str]:
    """The words of an identifier, in small letters: 'numTrain_Steps2' -> ['num', 'train', 'steps2']."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", clean(name, 200))
    return [part for part in re.split(r"[^a-z0-9]+", text.lower()) if part]


def identifier(name: str, fallback: str = "x") -> str:
    """A name of small letters, digits and underscores that begins with a letter, at most 48 long."""
    text = "_".join(parts(name))[:48].strip("_")
    return text if text[:1].isalpha() else f"{fallback}_{text}".strip("_")


def plain_phrase(name: str) -> str:
    """The words of a name as they are, digits spelled: how a folder or a data set is called."""
    pieces = [piece for word in parts(name) for piece in re.findall(r"[a-z]+|\d+", word)]
    return _short(" ".join(spelled(int(piece[:9])) if piece.isdigit() else piece for piece in pieces))


def phrase(name: str) -> str:
    """How prose calls what a program calls `name`, without free digits: 'step_val_acc_99' -> 'step validation accuracy ninety-nine'."""
    words = parts(name)
    if len(words) == 2 and words[0] in ("n", "num") and words[1] in _NUMBERS_OF:
        return f"number of {_NUMBERS_OF[words[1]]}"
    if words and words[-1] in _COUNTED and (len(words) == 1 or words[:-1] == ["max"]):
        return f"number of {EXPANDED.get(words[-1], words[-1])}"
    said: list[str] = []
    for word in words:
        if word in EXPANDED:
            said.append(EXPANDED[word])
            continue
        for piece in re.findall(r"[a-z]+|\d+", word):
            said.append(spelled(int(piece[:9])) if piece.isdigit() else EXPANDED.get(piece, piece))
    return _short(" ".join(said))


def _short(said: str) -> str:
    """What prose calls something, cut where a table could not hold it."""
    return said if len(said) <= LONGEST_NAME else said[:LONGEST_NAME].rstrip() + "..."


def clean(text: str, most: int) -> str:
    """One line of at most `most` characters: control, invisible and unassigned characters become spaces."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: 20 * most])
    return " ".join(kept.split())[:most].strip()


def has_digits(text: str) -> bool:
    """Whether any character is a digit or a number of any alphabet."""
    return any(unicodedata.category(char)[0] == "N" for char in text)


_ADDRESSING = re.compile(
    r"\b(you|your|yours|please|i|we|ideas?|ignore|instructions?|prompts?|assistant)\b", re.IGNORECASE
)
# A number in words before 'points' reads like a result; a paper prints those only with a source.
_QUANTITY = re.compile(
    rf"\b(?:{'|'.join([*_ONES[1:], *_TENS[2:], 'hundred'])})(?!-dimensional)(?:-[a-z]+)?\s+(?:per ?cent(?:age)?|points?)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[\\{}$<>`|~^_#@\[\]*]|https?:|www\.|=|/")


def sentences_without_digits(text: str, most: int = 500) -> str:
    """The sentences of a stranger's text that a paper may repeat, up to `most` characters in all.

    Small numbers are spelled; a sentence is left out when a digit remains, when it carries markup or an address, or
    when it speaks to whoever reads it: text of that kind is meant for a model, not for a paper.
    """
    kept: list[str] = []
    length = 0
    for raw in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"“(])", clean(text, 8 * most)):
        sentence = re.sub(r"(?<![\w.,-])(\d)D\b", lambda m: f"{spelled(int(m.group(1)))}-dimensional", raw)
        sentence = re.sub(r"(?<![\w.,-])(\d{1,2})(?![\w.,%-])", lambda m: spelled(int(m.group(1))), sentence)
        sentence = sentence.strip("\"'“” ")
        if sentence[-1:] not in ".!?":
            continue  # cut off
        if _QUANTITY.search(sentence):
            continue
        if has_digits(sentence) or _MARKUP.search(sentence) or _ADDRESSING.search(sentence) or len(sentence) < 15:
            continue
        if length + len(sentence) > most:
            break
        kept.append(sentence[:1].upper() + sentence[1:])
        length += len(sentence) + 1
    return " ".join(kept)


_GIVEN = re.compile(
    r"^you are given the following files? to work with,?\s*(?:which|that)?\s+(.{10,400}?)\.(?=\s|$)", re.IGNORECASE
)


def task_of(text: str) -> str:
    """What a task description says the script does ('trains small models on ...'), without digits; or nothing.

    The usual opening of these descriptions speaks to a model; the rest of that sentence says what the code does.
    """
    found = _GIVEN.match(clean(text, 4000))
    if not found:
        return ""
    return sentences_without_digits(f"The script {found.group(1)}.", 400)
