"""What the sources' answers say about one printed entry. Pure: the same answers give the same verdict.

A field is right when any record of the work agrees with it, and wrong when records have it and none agrees. Nothing is
wrong, and nothing is missing, because somebody did not answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.literature._lookups import Held, Told
from scientist.literature._pages import is_unlisted, registrar
from scientist.literature._people import Compared, authors_in, compare_authors
from scientist.literature._printed import FormFault, Printed
from scientist.literature._reference import Reference
from scientist.literature._titles import compare_titles, is_distinct, meant, read_title

Verdict = Literal["verified", "wrong metadata", "not found", "unverifiable now"]
FieldName = Literal["title", "authors", "year", "doi", "arxiv"]

APART = 1
"""Years between the printed and the recorded year that are a note: a preprint and its proceedings."""
_BOOKS = frozenset({"book", "inbook", "booklet", "manual"})


class Difference(Record):
    """One field that is wrong: as printed, as it should be, and which source says so."""

    field: FieldName
    printed: str
    right: str
    source: str


class Checked(Record):
    """One entry and what was found. `held_by`: (source, identifier or title) of the records that it was compared with."""

    key: str
    line: int = 0
    title: str
    verdict: Verdict
    wrong: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[FormFault, ...] = ()
    retracted: tuple[str, ...] = Field(default=(), description="who says that the work was retracted, and how")
    held_by: tuple[tuple[str, str], ...] = ()
    out: tuple[tuple[str, str], ...] = Field(default=(), description="(source, why) of those that did not answer")


@dataclass(frozen=True)
class _Seen:
    """A record beside the entry: how the titles compare, and how the authors do."""

    held: Held
    title: str
    people: Compared
    by_id: bool

    @property
    def work(self) -> Reference:
        return self.held.work


def judge(entry: Printed, told: Sequence[Told]) -> Checked:
    """The verdict on one entry from the answers to every question that was asked about it."""
    seen = [_see(entry, held) for one in told for held in one.held]
    exact = [s for s in seen if s.title in ("same", "spelt") or (s.by_id and s.title == "part")]
    fit = [s for s in exact if not s.people.wrong]
    if not fit:  # a title without its subtitle, or one that was misremembered, means a work only with its authors
        fit = [
            s for s in seen if s.title in ("part", "near") and not s.people.wrong and _years_apart(entry, s.work) <= 3
        ]
    others = [s for s in seen if s.by_id and s.title == "other"]
    out = _out(told)
    unlisted = is_unlisted(entry.kind, entry.url, entry.doi, entry.arxiv)
    notes: list[str] = []
    wrong: list[Difference] = []
    verdict: Verdict
    if fit:
        wrong += _wrong_fields(entry, fit, others, told, notes)
        verdict = "wrong metadata" if wrong else _verified(entry, fit, told, out, notes)
        about = fit
    elif exact and _is_the_work(entry, exact, out) and (not unlisted or any(s.by_id for s in exact)):
        about = sorted(exact, key=lambda s: (not s.by_id, _years_apart(entry, s.work)))[:1]
        best = about[0]
        wrong.append(Difference(field="authors", printed=_people(entry), right=_listed(best.work), source=_name(best)))
        notes.append(best.people.wrong)
        wrong += _wrong_fields(entry, about, others, told, notes)
        verdict = "wrong metadata"
    elif others:
        about = []
        wrong += _another_work(entry, others, notes)
        nowhere = not out and _asked_openly(told) and wrong[0].field != "title"
        verdict = "not found" if nowhere else "wrong metadata"
        if nowhere:
            notes.append("no source has a work of this title by these authors")
    else:
        about = []
        verdict = "not found" if _asked_openly(told) and not out and not unlisted else "unverifiable now"
        if unlisted:
            notes.append(_unlisted_note(entry))
        notes += _missing_notes(entry, exact, seen, told, out)
    retracted = [
        f"{_name(s)}: {s.held.retracted}" for s in seen if s.held.retracted and (s in about or s in fit or s.by_id)
    ]
    if entry.retracted:
        retracted.append("the entry itself says so")
    return Checked(
        key=entry.key,
        line=entry.line,
        title=entry.title or entry.text[:160],
        verdict=verdict,
        wrong=tuple(wrong),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        faults=entry.faults,
        retracted=tuple(dict.fromkeys(retracted)),
        held_by=tuple(dict.fromkeys((_name(s), _called(s.work)) for s in about)),
        out=tuple(out.items()),
    )


def is_settled(checked: Checked) -> bool:
    """Whether asking further sources could change nothing: everything that is printed was confirmed."""
    return checked.verdict == "verified"


# --- what is compared ---


def _see(entry: Printed, held: Held) -> _Seen:
    work = held.work
    by_id = bool((entry.doi and entry.doi.lower() == work.doi.lower()) or (entry.arxiv and _same_arxiv(entry, work)))
    if entry.title:
        title: str = compare_titles(entry.title, work.title)
    else:
        title = "other"
    if title not in ("same", "spelt") and (entry.guessed or not entry.title) and meant(work.title, entry.text):
        title = "same"
    authors = work.authors
    if entry.authors:
        people = compare_authors(entry.authors, authors)
    else:
        people = authors_in(entry.author_text or ("" if entry.title else entry.text), authors)
    return _Seen(held, title, people, by_id)


def _same_arxiv(entry: Printed, work: Reference) -> bool:
    return re.sub(r"v\d+$", "", work.arxiv.lower()) == entry.arxiv.lower()


def _years_apart(entry: Printed, work: Reference) -> int:
    return abs(entry.year - work.year) if entry.year and work.year else 0


def _wrong_fields(
    entry: Printed, fit: Sequence[_Seen], others: Sequence[_Seen], told: Sequence[Told], notes: list[str]
) -> list[Difference]:
    found = [_title(entry, fit, notes), _year(entry, fit, notes)]
    found += [_doi(entry, fit, others, told, notes), _arxiv(entry, fit, others, notes)]
    notes += [note for s in fit[:1] for note in s.people.notes]
    _small(entry, fit, notes)
    return [one for one in found if one]


def _title(entry: Printed, fit: Sequence[_Seen], notes: list[str]) -> Difference | None:
    ways = {s.title for s in fit}
    best = fit[0]
    if "same" in ways:
        return None
    if "spelt" in ways:
        notes.append(f"the title is spelt otherwise: {best.work.title}")
    elif "part" in ways:
        notes.append(f"the whole title: {best.work.title}")
    elif "near" in ways:
        return Difference(field="title", printed=entry.title, right=best.work.title, source=_name(best))
    return None


def _year(entry: Printed, fit: Sequence[_Seen], notes: list[str]) -> Difference | None:
    dated = [s for s in fit if s.work.year]
    if entry.year is None:
        if entry.year_text:
            notes.append(f"the year cannot be read: {entry.year_text}")
        return None
    if not dated or any(s.work.year == entry.year for s in dated):
        return None
    best = min(dated, key=lambda s: _years_apart(entry, s.work))
    apart = _years_apart(entry, best.work)
    if apart <= APART:
        notes.append(f"{_name(best)} has the year {best.work.year}")
        return None
    if entry.kind in _BOOKS:
        notes.append(f"{_name(best)} has the year {best.work.year}, perhaps of another edition")
        return None
    if not entry.doi and is_unlisted(entry.kind, entry.url, "", entry.arxiv):
        notes.append(f"{_name(best)} has the year {best.work.year}, perhaps of another version")
        return None
    if (
        apart == APART + 1
        and all(_is_preprint(s.work) for s in dated)
        and entry.year > (best.work.year or 0)
        and _published(entry)
    ):
        notes.append(f"the preprint is of {best.work.year}")
        return None
    return Difference(field="year", printed=str(entry.year), right=str(best.work.year), source=_name(best))


def _is_preprint(work: Reference) -> bool:
    return bool(work.arxiv) and not work.doi and (not work.venue or "arxiv" in work.venue.lower())


def _published(entry: Printed) -> bool:
    return bool(entry.venue) and not re.search(r"arxiv|corr\b|preprint", entry.venue, re.IGNORECASE)


def _doi(
    entry: Printed, fit: Sequence[_Seen], others: Sequence[_Seen], told: Sequence[Told], notes: list[str]
) -> Difference | None:
    if not entry.doi or any(s.work.doi.lower() == entry.doi.lower() for s in fit):
        return None
    holder = next((s for s in others if s.work.doi.lower() == entry.doi.lower()), None)
    known = [s for s in fit if s.work.doi]
    right = known[0].work.doi if known else ""
    if holder is not None:
        printed = f"{entry.doi}, which is “{holder.work.title}”"
        return Difference(field="doi", printed=printed, right=right, source=_name(known[0] if known else holder))
    asked = [one for one in told if one.by == "doi" and one.breadth == "open"]
    if known and (not asked or all(one.answered for one in asked)):
        return Difference(field="doi", printed=entry.doi, right=right, source=_name(known[0]))
    notes.append(
        f"no source that answered knows the DOI {entry.doi}" + (f"; the one they have is {right}" if right else "")
    )
    return None


def _arxiv(entry: Printed, fit: Sequence[_Seen], others: Sequence[_Seen], notes: list[str]) -> Difference | None:
    if not entry.arxiv or any(_same_arxiv(entry, s.work) for s in fit):
        return None
    holder = next((s for s in others if _same_arxiv(entry, s.work)), None)
    known = [s for s in fit if s.work.arxiv]
    right = known[0].work.arxiv if known else ""
    if holder is not None or known:
        printed = f"{entry.arxiv}, which is “{holder.work.title}”" if holder else entry.arxiv
        best = known[0] if known else holder
        return Difference(field="arxiv", printed=printed, right=right, source=_name(best) if best else "")
    notes.append(f"no source that answered knows the arXiv id {entry.arxiv}")
    return None


def _small(entry: Printed, fit: Sequence[_Seen], notes: list[str]) -> None:
    """What is worth a look and is no error: volumes and pages that no record has."""
    for name, printed in (("volume", entry.volume), ("pages", entry.pages)):
        theirs = [(s, getattr(s.work, name)) for s in fit if getattr(s.work, name)]
        if printed and theirs and not any(_numbers(printed)[:1] == _numbers(value)[:1] for _, value in theirs):
            notes.append(f"{_name(theirs[0][0])} has {name} {theirs[0][1]}")


def _numbers(text: str) -> list[str]:
    return [number.lstrip("0") or "0" for number in re.findall(r"\d+", text)]


# --- what follows ---


def _verified(
    entry: Printed, fit: Sequence[_Seen], told: Sequence[Told], out: dict[str, str], notes: list[str]
) -> Verdict:
    """Verified by a record that vouches, when an open source answered; by nothing else."""
    doi_unknown = entry.doi and not any(s.work.doi.lower() == entry.doi.lower() for s in fit)
    if doi_unknown and any(s.work.doi for s in fit):
        return "unverifiable now"  # who could say whether it is a second DOI of the work did not answer
    if any(s.held.vouches and _is_open(s, told) for s in fit):
        return "verified"
    online = any(one.breadth == "open" and one.answered for one in told)
    if online and not out and any(s.held.vouches for s in fit):
        notes.append("no open source that was asked has it; the record is that of the packaged library")
        return "verified"
    notes.append(f"it agrees with the record of {_name(fit[0])}, which alone verifies nothing")
    return "unverifiable now"


def _is_open(seen: _Seen, told: Sequence[Told]) -> bool:
    return any(one.breadth == "open" and seen.held in one.held for one in told)


def _is_the_work(entry: Printed, exact: Sequence[_Seen], out: dict[str, str]) -> bool:
    """Whether a record of that title must be meant though the authors are others: an identifier, or a title that is long
    enough. A short title may belong to a second work, which a source that is out may have."""
    return any(s.by_id for s in exact) or is_distinct(entry.title or entry.text) or not out


def _another_work(entry: Printed, others: Sequence[_Seen], notes: list[str]) -> list[Difference]:
    """The identifier leads to a work of another title. With its authors and year the title is wrong, else the identifier."""
    near = [s for s in others if not s.people.wrong and s.work.authors and _years_apart(entry, s.work) <= APART]
    if near:
        return [Difference(field="title", printed=entry.title, right=near[0].work.title, source=_name(near[0]))]
    found = []
    for name, value in (("doi", entry.doi), ("arxiv", entry.arxiv)):
        holder = next((s for s in others if value and getattr(s.work, name).lower() == value.lower()), None)
        if holder is not None:
            printed = f"{value}, which is “{holder.work.title}”"
            field: FieldName = "doi" if name == "doi" else "arxiv"
            found.append(Difference(field=field, printed=printed, right="", source=_name(holder)))
    return found


def _unlisted_note(entry: Printed) -> str:
    """Why nobody could be asked about it, and what is left to a reader."""
    if entry.doi:
        return f"{registrar(entry.doi)} gave the DOI {entry.doi}, and no index that is asked has those; see https://doi.org/{entry.doi}"
    return "no index lists pages, programs, data and the like; " + (
        f"see {entry.url}, which was not followed" if entry.url else "no address is given"
    )


def _missing_notes(
    entry: Printed, exact: Sequence[_Seen], seen: Sequence[_Seen], told: Sequence[Told], out: dict[str, str]
) -> list[str]:
    notes = []
    answered = list(dict.fromkeys(one.asked.source for one in told if one.breadth == "open" and one.answered))
    if out and answered:
        notes.append(f"{', '.join(n for n in answered if n not in out) or 'nobody else'} answered and has no such work")
    for s in exact[:1]:
        notes.append(f"a work of that title is by {_listed(s.work)}")
    near = [s for s in seen if s.title in ("near", "part") and s not in exact]
    if near and not exact:
        notes.append(f"nearest: {near[0].work.title} ({_listed(near[0].work)}, {near[0].work.year or 'no year'})")
    return notes


def _asked_openly(told: Sequence[Told]) -> bool:
    """Whether an open source was searched for the work and answered."""
    return any(one.breadth == "open" and one.answered and one.by == "title" for one in told)


def _out(told: Iterable[Told]) -> dict[str, str]:
    """Source -> why, of the open sources that did not answer what decides: the search for the title."""
    found: dict[str, str] = {}
    for one in told:
        if one.breadth == "open" and not one.answered and (one.by == "title" or one.asked.source not in found):
            found[one.asked.source] = one.asked.note or one.asked.answer
    answered = {one.asked.source for one in told if one.answered and one.by == "title"}
    return {name: why for name, why in found.items() if name not in answered}


def _name(seen: _Seen) -> str:
    return seen.work.source


def _called(work: Reference) -> str:
    return work.doi or (f"arXiv:{work.arxiv}" if work.arxiv else "") or work.title[:80]


def _people(entry: Printed) -> str:
    return (
        "; ".join(entry.authors[:6]) + ("; ..." if len(entry.authors) > 6 else "")
        if entry.authors
        else entry.author_text[:200]
    )


def _listed(work: Reference) -> str:
    return "; ".join(work.authors[:6]) + ("; ..." if len(work.authors) > 6 else "") or "nobody named"


def same_printed(a: Printed, b: Printed) -> bool:
    """Whether two entries print one work: titles alike and one identifier; or one title and first author, no two DOIs."""
    if a.title and b.title and compare_titles(a.title, b.title) == "other":
        return False  # one identifier under two titles is an identifier that is wrong
    if a.doi and b.doi:
        return a.doi.lower() == b.doi.lower()
    if a.arxiv and b.arxiv:
        return a.arxiv.lower() == b.arxiv.lower()
    if not a.title or not read_title(a.title).key or read_title(a.title).key != read_title(b.title).key:
        return False
    if a.year and b.year and abs(a.year - b.year) > APART + 1:
        return False
    if a.authors and b.authors:
        return not compare_authors((a.authors[0], "others"), b.authors).wrong
    return not a.author_text or not b.author_text or a.author_text.split()[0] == b.author_text.split()[0]
