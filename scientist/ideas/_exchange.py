"""Import and export of ideas: our own JSON list, and the ideas of AI-Scientist, versions 1, 2 and 3.

The shapes of others have no design. What leaves in one of them carries our record beside its own fields, so that it
comes back as it was; what came in one of them keeps the entry it was, so that it leaves as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scientist.errors import RecordError
from scientist.ideas._backlog import Backlog, load_backlog
from scientist.ideas._entries import OURS, Shape, read_entries, record_of, remembered, to_entry
from scientist.ideas._guess import guess
from scientist.ideas._idea import Idea, write_idea
from scientist.ideas._propose_compose import LONGEST_SLUG, LONGEST_TITLE, free_slug, plan, shortened, slugged
from scientist.ideas._propose_text import Words, reason, tell
from scientist.lab import canonical_json, explain, read_text, write_atomic
from scientist.template import Template

UNMATCHED = "unmatched-imports.json"
"""Beside the ideas: entries that could not become one, whole, with the reason. Nothing that is imported is lost."""

# What a person or a paper of another lab decided does not hold here: such ideas start as proposals.
RESTART = ("approved", "done")


@dataclass(frozen=True)
class Imported:
    """What an import did: the ideas written, those that were here already, and one line per entry kept aside."""

    ideas: tuple[Idea, ...] = ()
    already: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()


def export_ideas(backlog: Backlog, shape: Shape = "lab") -> bytes:
    """The valid ideas as JSON by slug, prose included; :func:`import_ideas` reads every shape back.

    'lab' is our own list; 'v1', 'v2' and 'v3' are AI-Scientist's, with our record under the key `Scientist`. An idea
    that was imported in that very shape keeps the fields it came with. A single idea in shape 'v3' is one object, as
    that version keeps one idea per file.
    """
    if shape == "lab":
        return canonical_json([record_of(idea) for idea in backlog])
    entries = [to_entry(idea, shape) for idea in backlog]
    return canonical_json(entries[0] if shape == "v3" and len(entries) == 1 else entries)


def import_ideas(path: Path, folder: Path, template: Template) -> Imported:
    """Read ideas from a JSON file into `folder`, each written atomically.

    Entries with a `design` are ours and are validated as such. AI-Scientist's entries (`Name` or `Title`, and any
    other text) have none: the design is guessed by matching their words with the template's knobs, the idea
    says so in its note and its own text stays in its prose. An entry that cannot become an idea, or needs a design
    that nothing in it suggests, is kept in `unmatched-imports.json`. See :func:`read_entries` for the files that are
    understood. Raises :class:`RecordError` when the file is none of them.
    """
    backlog = load_backlog(folder)
    taken = set(backlog.taken)
    known = {idea.slug: idea for idea in backlog}
    ideas: list[Idea] = []
    already: list[str] = []
    aside: list[tuple[str, dict[str, Any]]] = []
    for number, entry in enumerate(read_entries(path), start=1):
        found = _one(entry, f"{path}: entry {number}", template)
        if isinstance(found, str):
            aside.append((found, entry))
            continue
        if _same(found, known.get(found.slug)):
            already.append(found.slug)
            continue
        idea = found.model_copy(update={"slug": free_slug(found.slug, taken)})
        write_idea(folder, idea)
        taken.add(idea.slug)
        known[idea.slug] = idea
        ideas.append(idea)
    if aside:
        _keep(folder / UNMATCHED, path.name, aside)
    return Imported(tuple(ideas), tuple(already), tuple(why for why, _ in aside))


def _one(entry: Mapping[str, Any], where: str, template: Template) -> Idea | str:
    """The idea of one entry, or one line that says why there is none."""
    ours = entry.get(OURS)
    if isinstance(ours, dict) and "design" in ours:
        entry = ours
    if "design" in entry:
        try:
            idea = Idea.model_validate(dict(entry))
        except ValidationError as error:
            return explain(error, Idea, where)
        return idea.model_copy(update={"status": "proposed"}) if idea.status in RESTART else idea
    title = _text(entry, "Title") or _text(entry, "Name")
    if not title:
        return f"{where}: neither ours (no 'design') nor AI-Scientist's (no 'Name' or 'Title')"
    sketch = guess(" \n".join(_strings(dict(entry))), template)
    if sketch is None:
        return f"{where}: needs a design: '{title[:60]}' names no knob of template '{template.name}'"
    words = Words(template, sketch.settings, template.objective.smallest_effect)
    own_title, question, hypothesis = tell(sketch.design, sketch.expect, words)
    slug = shortened(slugged(_text(entry, "Name") or title), LONGEST_SLUG - 4)
    try:
        return Idea(
            slug=slug if len(slug) > 2 else shortened(slugged(own_title), LONGEST_SLUG - 4),
            title=title if 8 <= len(title) <= LONGEST_TITLE else own_title[:LONGEST_TITLE],
            template=template.name,
            origin="import",
            question=question,
            hypothesis=hypothesis,
            expect=sketch.expect,
            smallest_effect=template.objective.smallest_effect,
            why=reason(sketch.design, words),
            design=sketch.design,
            settings=sketch.settings,
            note="imported; the design is guessed from its words: check it before you approve it",
            notes=f"{plan(sketch, template, words)}\n\n{_prose(entry)}\n\n{remembered(entry)}",
        )
    except ValidationError as error:
        return explain(error, Idea, where)


def _text(entry: Mapping[str, Any], key: str) -> str:
    """The text under a key, however it is capitalised, as one printable line."""
    value = next((value for name, value in entry.items() if name.lower() == key.lower()), "")
    text = value if isinstance(value, str) else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _strings(value: Any) -> list[str]:
    """Every string in a JSON value, in order."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _strings(part)]


def _prose(entry: Mapping[str, Any]) -> str:
    """The entry as it came, field by field: what the guess was made from."""
    lines = ["## As imported"]
    for key, value in entry.items():
        shown = value if isinstance(value, str) else "\n".join(_strings(value)) or json.dumps(value)
        lines.append(f"**{key}**: {shown.strip()}".replace("\r\n", "\n").replace("\r", "\n"))
    return "\n\n".join(lines)


def _same(idea: Idea, other: Idea | None) -> bool:
    """Whether the backlog holds this very idea; what was decided about it since does not make it another."""
    update = {"status": "proposed", "note": "", "priority": 0.0}
    return other is not None and idea.model_copy(update=update) == other.model_copy(update=update)


def _keep(path: Path, source: str, aside: list[tuple[str, dict[str, Any]]]) -> None:
    """Add entries to the list of those kept aside; one that is there already is not added twice."""
    kept: list[Any] = []
    if path.exists():
        try:
            kept = json.loads(read_text(path))
        except json.JSONDecodeError as error:
            raise RecordError(f"{path}:{error.lineno}: not JSON: {error.msg}", "mend or move the file") from error
        if not isinstance(kept, list):
            raise RecordError(f"{path}: not a list", "mend or move the file")
    for why, entry in aside:
        if not any(isinstance(old, dict) and old.get("entry") == entry for old in kept):
            kept.append({"source": source, "why": why, "entry": entry})
    write_atomic(path, canonical_json(kept))
