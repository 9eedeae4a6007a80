"""From what a person names to what it is: the lab, a template, a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scientist.errors import ScientistError, TemplateError, UsageError

if TYPE_CHECKING:
    from scientist.lab import Lab
    from scientist.template import Template


class State:
    """What the global options said, and the command that runs; read by every command."""

    lab: Path | None = None
    command: str = ""


def lab_root() -> Path:
    """The lab to work in: --lab, then SCIENTIST_LAB, then the nearest folder with a scientist.toml."""
    from scientist.lab import find_lab

    return State.lab if State.lab is not None else find_lab(Path.cwd())


def open_lab(**flags: Any) -> Lab:
    """The lab with settings from flags, environment and file."""
    from scientist.lab import Lab

    return Lab(lab_root(), flags)


def here_or_none() -> Lab | None:
    """The lab, or None outside of one (for commands that also work on a bare folder)."""
    from scientist.lab import SETTINGS_FILE

    return open_lab() if (lab_root() / SETTINGS_FILE).is_file() else None


def short(path: Path) -> str:
    """A path as a person would type it here."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def template_folders(lab: Lab | None) -> list[Path]:
    """Every template within reach: templates/ here, templates/ of the lab, and what the lab's campaigns worked on."""
    from scientist.lab import read_json
    from scientist.loop import Campaign
    from scientist.template import find_templates, is_template

    found = find_templates(Path("templates"), *([lab.root / "templates"] if lab else []))
    for path in sorted(lab.campaigns.glob("*/campaign.json")) if lab else []:
        folder = (lab.root / read_json(Campaign, path).template).resolve() if lab else path
        if is_template(folder) and folder not in found:
            found.append(folder)
    return found


def template_at(name: str | Path, lab: Lab | None) -> Template:
    """A template by its folder, or by the name of a folder within reach (see :func:`template_folders`)."""
    from scientist.lab import nearest
    from scientist.template import is_template, load_template

    for folder in (Path(name), *([lab.root / name] if lab else [])):
        if is_template(folder):
            return load_template(folder)
    known = template_folders(lab)
    for folder in known:
        if folder.name == str(name):
            return load_template(folder)
    names = sorted({folder.name for folder in known})
    reachable = f"; known here: {', '.join(names)}" if names else ", the one that holds template.toml or experiment.py"
    raise TemplateError(
        f"no template at '{name}'{nearest(str(name), names)}",
        f"pass its folder{reachable}",
    )


def paper_folder(name: str, unmade: bool = False) -> tuple[Path, Lab | None]:
    """(the paper's folder, the lab it belongs to or None). Raises :class:`UsageError`: unknown, or, unless `unmade` will do,
    without a paper."""
    from scientist.lab import SETTINGS_FILE, Lab, nearest

    given = Path(name)
    marks = ("study.json", "manuscript.json", *(("idea.md", "failure.json") if unmade else ()))
    if any((given / mark).is_file() for mark in marks):
        folder = given.resolve()
        root = folder.parent.parent
        return folder, Lab(root) if (root / SETTINGS_FILE).is_file() else None
    lab = open_lab()
    slugs = sorted(path.name for path in lab.papers.glob("*") if path.is_dir())
    matches = [name] if name in slugs else [slug for slug in slugs if name and slug.startswith(name)]
    if len(matches) > 1:
        some = ", ".join(matches[:4]) + (", ..." if len(matches) > 4 else "")
        raise UsageError(f"'{name}' could be {some}", "give more of the slug")
    if not matches:
        raise UsageError(
            f"no paper '{name}'{nearest(name, slugs)}", f"papers are in {short(lab.papers)}; see `scientist status`"
        )
    folder = lab.paper(matches[0])
    if not unmade:
        _refuse_unmade(folder)
    return folder, lab


def _refuse_unmade(folder: Path) -> None:
    """A folder whose study failed, or was not declared yet, holds nothing to look at."""
    from scientist.lab import read_json
    from scientist.loop import Failure

    if (folder / "failure.json").exists():
        reason = read_json(Failure, folder / "failure.json").reason
        raise UsageError(
            f"'{folder.name}' has no paper, its study failed: {reason}",
            f"`scientist diagnose` says more; to try again, mend the cause, delete {short(folder)} and run the campaign once more",
        )
    if not (folder / "study.json").exists() and not (folder / "manuscript.json").exists():
        raise UsageError(f"'{folder.name}' is not begun", "continue it with `scientist resume`")


def template_of(folder: Path, lab: Lab | None) -> Template:
    """The template of a paper. Raises :class:`ScientistError` when its study or its template is not to be found."""
    from scientist.experiments import Study
    from scientist.lab import read_json

    return template_at(read_json(Study, folder / "study.json").template, lab)


def template_or_gap(folder: Path, lab: Lab | None) -> tuple[Template | None, str]:
    """(template, "") or (None, why it is not at hand)."""
    try:
        return template_of(folder, lab), ""
    except ScientistError as error:
        return None, str(error)
