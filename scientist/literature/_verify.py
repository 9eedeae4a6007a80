"""Verifying a list of references: every entry against every source that can be asked, in bounded time.

An outage is never a finding: what nobody could be asked about is `unverifiable now`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from scientist.lab import Record
from scientist.literature._judging import Checked, Verdict, is_settled, judge, same_printed
from scientist.literature._lookups import By, LookUp, Told, look_ups
from scientist.literature._printed import FormFault, Listed, Printed
from scientist.literature._reference import Searched
from scientist.literature._sources import Source
from scientist.literature._titles import read_title

AT_ONCE = 6
"""Entries that are looked up at a time; a source's own rate holds for all of them together."""
QUESTION_S = 15.0
"""The longest that one question to one source may take."""
SHARE = 0.4
"""Of the time that is left, so that one source that hangs leaves some to the others."""

ALIKE = 50
"""Different works of one title with which a further one is compared."""

NOTES = frozenset({"never-cited", "authors-separated", "field-twice"})
"""Codes of what is worth knowing and is not wrong."""


class Verification(Record):
    """What became of a list of references. `faults` are of the list: keys, duplicates, what the text cites."""

    where: str
    entries: tuple[Checked, ...]
    faults: tuple[FormFault, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """How many entries have a verdict."""
        return sum(entry.verdict == verdict for entry in self.entries)

    @property
    def out(self) -> dict[str, str]:
        """Source -> why, of those that did not answer about some entry."""
        return {name: why for entry in self.entries for name, why in entry.out}

    @property
    def wrong(self) -> int:
        """How many entries and faults are wrong: what the exit code of the command says."""
        bad = sum(
            entry.verdict in ("wrong metadata", "not found")
            or bool(entry.retracted)
            or any(fault.code not in NOTES for fault in entry.faults)
            for entry in self.entries
        )
        return bad + sum(fault.code not in NOTES for fault in self.faults)


def default_deadline(entries: int) -> float:
    """Seconds for a list of that many entries when nobody says otherwise."""
    return 60.0 + 2.0 * entries


def verify(
    listed: Listed,
    sources: Sequence[Source | LookUp],
    deadline_s: float | None = None,
    done: Callable[[str], None] = lambda key: None,
) -> Verification:
    """Verify every entry of a list. `done` is told each key when its entry is through, from any thread.

    Sources are asked in turn, those that know of retractions always, the rest until an entry is verified. Never
    raises because of a source, and ends at most a second after the deadline.
    """
    asked = look_ups(sources)
    until = time.monotonic() + (default_deadline(len(listed.entries)) if deadline_s is None else deadline_s)

    def one(entry: Printed) -> Checked:
        checked = _check(entry, asked, until)
        done(entry.key)
        return checked

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="verify") as pool:
        entries = tuple(pool.map(one, listed.entries))
    faults = (*listed.faults, *duplicates(listed.entries), *_of_the_text(listed))
    return Verification(where=listed.where, entries=entries, faults=faults)


def _check(entry: Printed, sources: Sequence[LookUp], until: float) -> Checked:
    told: list[Told] = []
    for source in sources:
        if told and not source.always and is_settled(judge(entry, told)):
            continue
        told += _ask(entry, source, until)
    return judge(entry, told)


def _ask(entry: Printed, source: LookUp, until: float) -> list[Told]:
    """By every identifier that is printed, and by the title unless a record of an identifier has it."""
    questions: list[tuple[By, str]] = [("doi", entry.doi), ("arxiv", entry.arxiv)]
    told: list[Told] = []
    for by, value in questions:
        if value and by in source.by:
            told.append(_question(source, by, value, until))
    text = entry.title or entry.text
    if text and not is_settled(judge(entry, told)):
        told.append(_question(source, "title", text, until))
        if entry.guessed and told[-1].answered and not told[-1].held:
            told.append(_question(source, "title", entry.text, until))
    return told


def _question(source: LookUp, by: By, value: str, until: float) -> Told:
    left = until - time.monotonic()
    if left <= 0 and source.breadth == "open":
        out = Searched(source=source.name, query=value[:200], answer="out", note="no time was left to ask")
        return Told(by, (), out, source.breadth)
    return source.look_up(by, value, max(0.05, min(SHARE * left, QUESTION_S)))


# --- the list as a whole ---


def duplicates(entries: Sequence[Printed]) -> list[FormFault]:
    """Keys that stand twice, and works that stand under two keys."""
    faults = []
    first: dict[str, Printed] = {}
    for entry in entries:
        earlier = first.setdefault(entry.key.lower(), entry)
        if earlier is not entry and entry.key:
            message = f"the key '{entry.key}' stands twice (lines {earlier.line} and {entry.line})"
            faults.append(FormFault(code="duplicate-key", line=entry.line, message=message))
    # Only what shares an identifier or a title can be one work: a list may have a hundred thousand entries.
    alike: dict[tuple[str, str], list[Printed]] = {}
    for entry in entries:
        shared = [("doi", entry.doi.lower()), ("arxiv", entry.arxiv.lower()), ("title", read_title(entry.title).key)]
        keys = [key for key in shared if key[1]]
        twin = next((one for key in keys for one in alike.get(key, ()) if _two_keys(one, entry)), None)
        if twin is not None:
            message = f"'{twin.key}' and '{entry.key}' are the same work: {twin.title or twin.text[:80]}"
            faults.append(FormFault(code="duplicate-work", line=entry.line, message=message))
            continue
        for key in keys:
            known = alike.setdefault(key, [])
            if len(known) < ALIKE:
                known.append(entry)
    return faults


def _two_keys(a: Printed, b: Printed) -> bool:
    """Whether two entries are one work under two keys."""
    return a.key.lower() != b.key.lower() and same_printed(a, b)


def _of_the_text(listed: Listed) -> Iterable[FormFault]:
    """Keys that are cited and stand nowhere, and entries that nobody cites."""
    if listed.cited is None:
        return
    keys = {entry.key for entry in listed.entries}
    for key in listed.cited:
        if key not in keys:
            said = f"'{key}' is cited" if key else "an empty key is cited"
            yield FormFault(code="not-listed", message=f"{said}, and no entry has that key")
    for key in [] if listed.everything else [e.key for e in listed.entries if e.key not in listed.cited]:
        yield FormFault(code="never-cited", message=f"'{key}' is listed and never cited")
