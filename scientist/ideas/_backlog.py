"""The backlog: `ideas/*.md`. A broken file is reported and skipped, never lost and never overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import RecordError, UsageError
from scientist.ideas._idea import Idea, Status, read_idea, write_idea
from scientist.lab import nearest


@dataclass(frozen=True)
class Backlog:
    """What a folder of ideas holds: the valid ones by slug, and the broken files with one line each."""

    folder: Path
    ideas: tuple[Idea, ...] = ()
    broken: tuple[tuple[Path, str], ...] = ()

    def __iter__(self) -> Iterator[Idea]:
        return iter(self.ideas)

    def __len__(self) -> int:
        return len(self.ideas)

    @property
    def taken(self) -> frozenset[str]:
        """Slugs that a new idea may not have; a broken file keeps its name."""
        return frozenset({idea.slug for idea in self.ideas} | {path.stem for path, _ in self.broken})

    def with_status(self, *statuses: Status) -> tuple[Idea, ...]:
        """The ideas in one of the given states, by slug."""
        return tuple(idea for idea in self.ideas if idea.status in statuses)

    def find(self, name: str) -> Idea:
        """The idea with this slug, or the only one whose slug begins with it.

        Raises :class:`UsageError`: unknown (naming the nearest slug) or ambiguous (naming the candidates); and
        :class:`RecordError` for a broken file, with the line that says what is wrong with it.
        """
        name = name.removesuffix(".md")
        exact = [idea for idea in self.ideas if idea.slug == name]
        if exact:
            return exact[0]
        for path, message in self.broken:
            if path.stem == name:
                raise RecordError(message)
        matches = [idea for idea in self.ideas if name and idea.slug.startswith(name)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            some = ", ".join(idea.slug for idea in matches[:4]) + (", ..." if len(matches) > 4 else "")
            raise UsageError(f"'{name}' could be {some}", "give more of the slug")
        raise UsageError(
            f"no idea '{name}'{nearest(name, [idea.slug for idea in self.ideas])}",
            "see `scientist ideas list`",
        )


def load_backlog(folder: Path) -> Backlog:
    """Read every `*.md` below `folder` (not its subfolders). A folder that does not exist is an empty backlog."""
    ideas: list[Idea] = []
    broken: list[tuple[Path, str]] = []
    for path in sorted(folder.glob("*.md")):
        if path.stem.upper() == path.stem:  # README.md and the like are prose about the folder
            continue
        try:
            ideas.append(read_idea(path))
        except RecordError as error:
            broken.append((path, str(error)))
    return Backlog(folder=folder, ideas=tuple(sorted(ideas, key=lambda i: i.slug)), broken=tuple(broken))


def find_idea(folder: Path, name: str) -> Idea:
    """The idea of that slug or unique prefix in a folder. Raises :class:`UsageError`, see :meth:`Backlog.find`."""
    return load_backlog(folder).find(name)


def add_idea(folder: Path, idea: Idea) -> Path:
    """Write a new idea; raises :class:`UsageError` when the slug is taken, be it by a broken file."""
    path = folder / f"{idea.slug}.md"
    if path.exists():
        raise UsageError(f"{path} exists already", "choose another slug, or edit that file")
    return write_idea(folder, idea)


def set_status(folder: Path, name: str, status: Status, note: str = "") -> Idea:
    """Change the status of one idea, keeping its prose; `note` says why (an empty one leaves the old note).

    The file is replaced atomically. Raises :class:`UsageError` when there is no such idea, or it is broken.
    """
    idea = find_idea(folder, name)
    changed = idea.model_copy(update={"status": status, "note": note or idea.note})
    write_idea(folder, changed)
    return changed
