"""When two lists of authors are one: initials, particles, order of names, accents, 'et al.'. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from scientist.literature._plain import plain
from scientist.literature._titles import letters

OTHERS = frozenset({"others", "et al", "et al.", "and others", "etal"})
_PARTICLES = frozenset(
    "van von der den de del della di da do dos das du la le les el al bin ibn ter ten zu zum zur af av".split()  # noqa: SIM905
)
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "dr", "prof"})
_NICKNAMES = (
    {"bob", "rob", "robert", "bobby", "bert"}, {"bill", "will", "william", "billy"}, {"dick", "rick", "richard"},
    {"ted", "ed", "edward", "eddie"}, {"tony", "anthony", "antonio"}, {"peggy", "margaret", "meg"}, {"hal", "harry", "henry"},
    {"jack", "john"}, {"chuck", "charles"}, {"betty", "liz", "elizabeth"}, {"kate", "catherine", "katherine"},
    {"larry", "lawrence", "laurence"}, {"gene", "eugene"}, {"sasha", "alexander", "alexandra"}, {"misha", "mikhail", "michael"},
    {"fritz", "friedrich"}, {"hans", "johannes", "johann"}, {"jim", "james", "jimmy"}, {"yury", "iurii", "juri", "yuri"},
    {"geoff", "jeff", "geoffrey", "jeffrey"}, {"steve", "stephen", "steven"}, {"gregory", "grigory"},
)  # fmt: skip
_GROUPS = frozenset(
    """
    collaboration collaborations collaborators consortium team teams group groups project initiative committee organization
    organisation foundation association society developers contributors community investigators network inc ltd
    """.split()  # noqa: SIM905
)
"""Words at the end of a name that is no person's."""
LONG = 300
"""Of two lists whose lengths multiply to more than the square of this, only the first names printed are compared."""
FIRST = 100
_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


@dataclass(frozen=True)
class Person:
    """A name in lower-case words without accents: `last` as far as it is known to be the surname, `first` the rest.

    `sure`: a comma said which is which. `group`: no person at all, such as a consortium. `turned`: read with the surname
    first. `whole`: the surname with its particles, in one word ('lecun' for 'Le Cun').
    """

    first: tuple[str, ...]
    last: tuple[str, ...]
    sure: bool = False
    group: bool = False
    turned: bool = False
    whole: str = ""


@lru_cache(maxsize=8192)
def read_person(name: str) -> Person:
    """A name as 'Ada B. Lovelace', 'Lovelace, A. B.', 'van der Maaten, L.', 'Lovelace AB', or a group."""
    text = plain(name, 200)
    sure = "," in text
    if sure:
        parts = [_words(part) for part in text.split(",")]
        parts = [part for part in parts if part and not set(part) <= _SUFFIXES]
        last, first = (parts[0], [w for part in parts[1:] for w in part]) if parts else ([], [])
    else:
        words = [word for word in _words(text) if word not in _SUFFIXES] or _words(text)
        # 'Lovelace AB': capitals at the end that no surname is.
        tail = re.search(r"(?<=\w)\s+([A-Z]{1,3})$", text)
        if tail and len(words) > 1 and len(tail[1]) == len(words[-1]) and len(words[0]) > 1:
            last, first = words[:-1], list(words[-1])
        elif len(words) > 1 and len(words[-1]) == 1 and len(words[0]) > 1:
            # 'Lovelace A. B.': so few letters are nobody's surname.
            cut = next(i for i, word in enumerate(words) if len(word) == 1)
            last, first = words[:cut], words[cut:]
        else:
            begin = len(words) - 1
            while begin > 1 and words[begin - 1] in _PARTICLES:
                begin -= 1
            last, first = words[begin:], words[:begin]
    whole = "".join(last)
    last = [word for word in last if word not in _PARTICLES] or last
    first = first[:1] + [word for word in first[1:] if word not in _PARTICLES]  # 'De-Chuan' is a name
    if sure and len(first) == 1 and re.search(r",\s*[A-Z]{2,3}\.?$", text):
        first = list(first[0])  # 'Lovelace, AB'
    return Person(tuple(first), tuple(last), sure, group=not sure and len(last) + len(first) == 1, whole=whole)


def _words(text: str) -> list[str]:
    # Initials may stand without a space ('J.R.'), and a hyphen joins what others write apart.
    text = re.sub(r"(?<=\w)\.(?=\w)", ". ", text)
    flat = unicodedata.normalize("NFKD", text.replace("'", "").replace("’", "").replace("`", ""))
    return _letters(flat).split()


@lru_cache(maxsize=8192)
def _letters(text: str) -> str:
    # Names are not English: the spelling of words is left as it is.
    from scientist.literature._titles import _NO_ACCENT

    flat = "".join(c for c in text if not unicodedata.combining(c)).lower().translate(_NO_ACCENT)
    return "".join(c if c.isalnum() else " " for c in flat)


def same_person(a: str, b: str) -> bool | None:
    """True: nothing tells the names apart. None: the surname is one, the given names are not. False: two people."""
    p, q = read_person(a), read_person(b)
    if not (p.first or p.last) or not (q.first or q.last):
        return False
    if _is_latin(p) != _is_latin(q):
        return True  # 'Wei Zhang' in characters: nothing can be compared
    if _joined(p) == _joined(q) or sorted(p.first + p.last) == sorted(q.first + q.last):
        return True
    if _only_initials(p, q) or _only_initials(q, p):
        return True
    for x in _readings(p):
        for y in _readings(q):
            # Turned round both ways, given names would be compared as surnames.
            if not (x.turned and y.turned) and _same_surname(x, y) and _given_agree(x.first, y.first):
                return True
    return None if _same_surname(p, q) else False


def _readings(person: Person) -> list[Person]:
    """The ways to read a name: 'Zhu Xingquan' and 'Xingquan Zhu', 'Gabriel García Márquez' with one surname or two."""
    found = [person]
    whole = person.first + person.last
    if (
        not person.sure
        and len(person.first) > 1
        and all(len(word) == 1 for word in person.first)
        and len(whole[-1]) > 1
    ):
        found.append(Person(person.last, ("".join(person.first),)))  # 'Tie XU' is no Tie, X. U.
    if not person.sure and len(whole) > 1:
        found.append(Person(whole[1:], whole[:1], turned=True))  # surname first
        if len(person.first) > 1 and len(person.first[-1]) > 1:
            found.append(Person(whole[:-2], whole[-2:]))  # a surname of two words
            found.append(Person((*whole[:-2], whole[-1]), whole[-2:-1]))  # of which the second may be left out
    elif len(person.last) > 1:
        found.append(Person(person.first + person.last[:-1], person.last[-1:]))
        found.append(Person(person.first + person.last[1:], person.last[:1]))
    return found


def _same_surname(a: Person, b: Person) -> bool:
    """With or without particles, with umlauts as one letter or two."""
    ours = {_without_umlauts(name) for name in ("".join(a.last), a.whole) if len(name) > 1}
    theirs = {_without_umlauts(name) for name in ("".join(b.last), b.whole) if len(name) > 1}
    return bool(ours & theirs)


def _without_umlauts(name: str) -> str:
    for pair, letter in _UMLAUTS:
        name = name.replace(pair, letter)
    return name


def _given_agree(a: Sequence[str], b: Sequence[str]) -> bool:
    """Given names agree unless both are there and no first of one begins as any of the other."""
    if not a or not b:
        return True
    x, y = a[0], b[0]
    if _alike(x, y) or "".join(a) == "".join(b):
        return True
    # Some go by their second name: 'J. Ross Quinlan' is Ross, and 'Ross Quinlan' is J. R.
    return any(_alike(x, other) for other in b[1:]) or any(_alike(y, other) for other in a[1:])


def _alike(x: str, y: str) -> bool:
    if len(x) == 1 or len(y) == 1:
        return x[0] == y[0] or any(
            len(n) > 1 and {w[0] for w in names} >= {x[0], y[0]} and n in names for names in _NICKNAMES for n in (x, y)
        )
    if x.startswith(y) or y.startswith(x) or any({x, y} <= names for names in _NICKNAMES):
        return True
    return SequenceMatcher(None, x, y, autojunk=False).ratio() >= 0.6


def _is_latin(person: Person) -> bool:
    return any(char.isascii() for word in person.first + person.last for char in word)


def _only_initials(a: Person, b: Person) -> bool:
    """Whether `a` is nothing but initials, and all of them are of `b`: 'G. K' is Gururaj K."""
    words = a.first + a.last
    theirs = [word[0] for word in b.first + b.last]
    return len(words) > 1 and all(len(word) == 1 for word in words) and words[0] in theirs and set(words) <= set(theirs)


def _joined(person: Person) -> str:
    return "".join(person.first + person.last)


@dataclass(frozen=True)
class Compared:
    """What a comparison of two lists of authors found. `wrong` is empty when they are one; `notes` are no errors."""

    wrong: str = ""
    notes: tuple[str, ...] = ()


def compare_authors(printed: Sequence[str], right: Sequence[str]) -> Compared:
    """The authors as printed against those of a record; either list may end in 'others'.

    Wrong: somebody who is not an author, an author who is missing though nothing says that there are others, or
    another first author. A list without names says nothing.
    """
    ours, cut = _without_others(printed)
    theirs, theirs_cut = _without_others(right)
    if not ours or not theirs:
        return Compared()
    people = [name for name in ours if not is_group(name)]
    if not people:  # a consortium stands for its members
        return Compared(notes=() if ours == theirs else (f"printed as the work of {plain(ours[0], 80)}",))
    ours, theirs = people, [name for name in theirs if not is_group(name)] or theirs
    notes: list[str] = []
    if len(ours) * len(theirs) > LONG * LONG and len(ours) > FIRST:
        notes.append(f"of {len(ours)} authors the first {FIRST} were compared")
        ours, cut = ours[:FIRST], True
    free = dict.fromkeys(range(len(theirs)))
    places: list[int | None] = []
    for place, name in enumerate(ours):
        here = same_person(name, theirs[place]) if place in free else False
        hit = place if here else next((i for i in free if i != place and same_person(name, theirs[i])), None)
        if hit is None and here is None:
            hit = place
            notes.append(f"given names differ: {plain(name, 80)} and {theirs[place]}")
            if not _near_given(name, theirs[place]):
                return Compared(f"{plain(name, 80)} is not {theirs[place]}")
        places.append(hit)
        if hit is not None:
            del free[hit]
    strangers = [name for name, place in zip(ours, places, strict=True) if place is None]
    if strangers and len(ours) == 1 and read_person(ours[0]).group:
        return Compared(notes=(f"printed as the work of {plain(ours[0], 80)}",))
    if strangers and all(read_person(name).group or is_group(name) for name in theirs):
        return Compared(notes=(f"recorded as the work of {theirs[0]}",))
    if strangers and not (theirs_cut and all(p is not None for p in places[: len(theirs)])):
        return Compared(
            f"{', '.join(plain(n, 80) for n in strangers[:3])} {'is' if len(strangers) == 1 else 'are'} no author"
        )
    missing = [theirs[i] for i in free]
    if missing and not cut and not (theirs_cut and len(ours) >= len(theirs)):
        return Compared(f"{', '.join(missing[:3])} {'is' if len(missing) == 1 else 'are'} missing")
    known = [place for place in places if place is not None]
    if known and known[0] != 0:
        return Compared(f"the first author is {theirs[0]}")
    if known != sorted(known):
        notes.append("the order of the authors differs")
    return Compared(notes=tuple(notes))


def is_group(name: str) -> bool:
    """Whether a name says that it is a consortium's or the like."""
    words = _words(plain(name, 200))
    return len(words) > 1 and (words[-1] in _GROUPS or words[0] == "the")


def _near_given(a: str, b: str) -> bool:
    """Whether given names that differ begin with the same letter: one person under two names, perhaps."""
    p, q = read_person(a), read_person(b)
    return bool({name[0] for name in p.first} & {name[0] for name in q.first})


def _without_others(names: Sequence[str]) -> tuple[list[str], bool]:
    kept = [name for name in names if " ".join(name.lower().split()).strip("{}. ") not in OTHERS]
    shorn = [re.sub(r"[,\s]+(?:et\s+al\.?|and\s+others)\s*$", "", name, flags=re.IGNORECASE) for name in kept]
    return shorn, len(kept) < len(names) or shorn != kept


def authors_in(text: str, right: Sequence[str]) -> Compared:
    """Authors as running text ('Angluin, D., Laird, P., and others') against those of a record: every surname is there."""
    theirs, theirs_cut = _without_others(right)
    if not theirs or not letters(text):
        return Compared()
    printed = f" {' '.join(_words(plain(text, 4000)))} "
    whole = f" {_without_umlauts(printed)} "
    cut = bool(re.search(r"\bet\.?\s+al\b|\bothers\b|\.\.\.|…", text))
    there = [
        any(f" {name} " in printed or f" {_without_umlauts(name)} " in whole for name in _surnames(one))
        for one in theirs
    ]
    if not any(there):
        return Compared(f"none of {', '.join(theirs[:3])} is among the authors")
    if cut or theirs_cut:
        return Compared() if there[0] else Compared(f"{theirs[0]} is missing")
    missing = [name for name, found in zip(theirs, there, strict=True) if not found]
    return (
        Compared(f"{', '.join(missing[:3])} {'is' if len(missing) == 1 else 'are'} missing") if missing else Compared()
    )


def _surnames(name: str) -> set[str]:
    return {" ".join(reading.last) for reading in _readings(read_person(name))[:2]}
