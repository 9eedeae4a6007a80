"""From what a stranger's source sets to knobs: which are worth varying, over what range, and why. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from scientist.lab import KnobValue
from scientist.template._meanings import Meaning, left_alone, meaning, means_so_everywhere, range_of
from scientist.template._source import MAIN, Place, Source, options
from scientist.template._source_literals import Literals
from scientist.template._source_seeds import is_seed, seed_places
from scientist.template._template import Direction, Knob
from scientist.template._words import has_digits, identifier, parts, phrase, sentences_without_digits

MOST = 12
"""Knobs that are proposed; the names that say most go first."""

# An option is an invitation to vary it; a default deep in a class is the least certain to act.
_CERTAIN = {"option": 4, "constant": 3, "local": 3, "entry": 3, "argument": 2, "default": 1, "field": 1}
_TEXT_SKIP = frozenset(["dataset", "data", "split", "mode", "phase", "name", "stage"])


@dataclass(frozen=True)
class Proposal:
    """A knob and the place that it was read from."""

    knob: Knob
    place: Place
    weight: float


def propose(source: Source, direction: Direction | None, prefer: str = "", one_dataset: bool = True) -> list[Proposal]:
    """The knobs of a source, at most :data:`MOST`, the most promising first.

    `direction` is that of the objective, None where it is only assumed; `prefer` is its data set. What cannot be told apart is left out: an argument
    that several calls give under one name, a name that says nothing, a default that some caller replaces.
    """
    seeds = {(p.site.file, p.site.line, p.site.column) for p in seed_places(source)}
    places = [place for place in options(source) if place.type and place.word in source.read]
    chosen_by_option = {place.word for place in options(source)}
    literals = [
        place
        for place in Literals(source, prefer).all()
        if (place.site.file, place.site.line, place.site.column) not in seeds
    ]
    places += [place for place in _unambiguous(literals) if place.word not in chosen_by_option]
    found: dict[str, Proposal] = {}
    for place in places:
        proposal = _proposal(place, source, direction, one_dataset)
        if proposal is None:
            continue
        old = found.get(proposal.knob.name)
        if old is None or _CERTAIN[place.origin] > _CERTAIN[old.place.origin]:
            found[proposal.knob.name] = proposal
    order = list(found.values())
    ranked = sorted(order, key=lambda p: (-p.weight, -_CERTAIN[p.place.origin], order.index(p)))
    return ranked[:MOST]


def _unambiguous(places: list[Place]) -> list[Place]:
    """Arguments whose name occurs once, or once for a function of the script's own.

    Others carry their callee's name too, and where even that repeats nobody could say which one is meant.
    """
    arguments = [place for place in places if place.origin == "argument"]
    words = Counter(place.word for place in arguments)
    own = Counter(place.word for place in arguments if place.local_callee)
    pairs = Counter((place.callee, place.word) for place in arguments)
    kept = []
    for place in places:
        plain = words[place.word] == 1 or (place.local_callee and own[place.word] == 1)
        if place.origin != "argument" or plain:
            kept.append(place)
        elif pairs[place.callee, place.word] == 1 and place.callee.lower() != place.word.lower():
            kept.append(replace(place, word=f"{place.callee}_{place.word}"))
    return kept


def _proposal(place: Place, source: Source, direction: Direction | None, one_dataset: bool) -> Proposal | None:
    word = place.word.removeprefix(f"{place.callee}_") if place.origin == "argument" else place.word
    if is_seed(word) or left_alone(word) or identifier(word) in ("out_dir", "outdir", "output"):
        return None
    said = meaning(word)
    if place.origin == "argument" and not place.local_callee and not means_so_everywhere(word):
        return None
    if said is None and place.origin not in ("option", "constant"):
        return None
    if said is None and place.origin == "constant" and (place.site.file != MAIN or not place.word.isupper()):
        return None
    said = said or Meaning("procedure", "scale", 0, 1, "A constant that was set once by hand may or may not matter")
    fields = _typed(place, said, source, one_dataset)
    if fields is None:
        return None
    name = identifier(place.word, "knob")
    title = phrase(place.word)
    if fields["type"] == "bool" and (bare := _without_no(place.word)):
        # "no scaling on" says it backwards: the thing itself is on or off.
        title, fields["labels"], fields["levels"] = phrase(bare), {"true": "off", "false": "on"}, (True, False)
    knob = Knob.model_validate(
        {
            "name": name,
            "title": title if len(title) > 1 else f"setting {title}",
            "role": said.role,
            "effect": _effect(said.more, direction),
            "why": _why(place, said),
            "topics": said.topics,
            "site": place.site,
            **fields,
        }
    )
    return Proposal(knob, place, said.weight)


def _without_no(word: str) -> str:
    """'scaling' of 'no_scaling' and 'disable_scaling'; empty for other names."""
    first, *rest = parts(word)
    return "_".join(rest) if rest and first in ("no", "not", "without", "disable", "skip") else ""


def _effect(more: int, direction: Direction | None) -> str:
    if not more or direction is None:
        return "unknown"
    return "raises" if (more > 0) == (direction == "maximize") else "lowers"


def _typed(place: Place, said: Meaning, source: Source, one_dataset: bool) -> dict[str, object] | None:
    """Type, default and range of a knob; None when the value is nothing that can be varied sensibly."""
    value, kind = place.value, place.type
    if isinstance(value, bool):
        if place.origin == "option" and place.action == "store":
            return None  # argparse's type=bool takes every text for true
        if (place.action == "store_true" and value) or (place.action == "store_false" and not value):
            return None  # an option that changes nothing
        if said.kind != "bool" and not (place.origin == "option" and kind == "bool"):
            return None
        return {"type": "bool", "default": value, "levels": (False, True)}
    if isinstance(value, str):
        return _choice(place, said, source, one_dataset)
    if kind and kind not in ("int", "float"):
        return None  # argparse would hand the script a text
    if place.choices or (said.kind in ("choice", "bool") and place.origin != "option"):
        return None
    whole = kind == "int" if kind else isinstance(value, int) and said.kind in ("count", "cost", "scale")
    if whole and float(value) != int(value):
        return None
    # A whole number that stands for a real one, such as clip = 1, may take any value.
    whole = whole and not (not kind and said.kind == "scale" and said.weight > 1)
    found = range_of(said.kind if said.kind not in ("choice", "bool") else "scale", float(value), whole)
    if found is None:
        return None
    levels: tuple[KnobValue, ...] = tuple(int(v) if whole else float(v) for v in found.levels)
    return {
        "type": "int" if whole else "float",
        "default": int(value) if whole else float(value),
        "low": found.low,
        "high": found.high,
        "log": found.log,
        "levels": levels,
    }


def _choice(place: Place, said: Meaning, source: Source, one_dataset: bool) -> dict[str, object] | None:
    """A text of a closed set: argparse's choices, or the texts that the source compares it with."""
    value = str(place.value)
    if said.role == "dataset" and not (one_dataset and place.choices):
        return None  # its metrics would carry other names
    if not place.choices and (place.word.lower() in _TEXT_SKIP or (place.origin == "option" and place.type != "str")):
        return None
    known = place.choices or source.compared.get(place.word, ())
    if value not in known or not 2 <= len(known) <= 8 or not all(option.isprintable() for option in known):
        return None
    if any(not option or len(option) > 40 for option in known):
        return None
    labels = {option: phrase(option) or option for option in known if has_digits(option) or "_" in option}
    return {"type": "choice", "default": value, "choices": known, "labels": labels}


_FOUND = {
    "option": "It is an option of the script",
    "constant": "The script holds it as a constant",
    "local": "The script sets it in the body of a function",
    "entry": "The script sets it in its configuration",
    "argument": "The script passes it as a fixed argument",
    "default": "The script leaves it at the default of a function",
    "field": "The script leaves it at the default of its configuration",
}


def _why(place: Place, said: Meaning) -> str:
    told = sentences_without_digits(f"{place.help.rstrip('.')}.", 120) if place.help else ""
    described = f", described as: {told[:1].lower()}{told[1:].rstrip('.')}" if told else ""
    return f"{said.why}. {_FOUND[place.origin]}{described}."
