"""Templates in the AI-Scientist layout, as strangers wrote them: `experiment.py --out_dir run_i`, unchanged.

A run gets a copy of the whole directory, with the literals of its knobs and seeds replaced at their exact places, and
the options of its knobs on the command line. The directory itself is never written to.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from scientist.errors import TemplateError
from scientist.lab import KnobValue, canonical_json
from scientist.template._packages import missing
from scientist.template._source import (
    MAIN,
    Module,
    Place,
    Source,
    called,
    literal,
    options,
    read_source,
)
from scientist.template._source_literals import Literals
from scientist.template._source_moved import Known, Same, known_places, moved_to
from scientist.template._source_seeds import SeedPlace, calls_that_seed, seed_places
from scientist.template._stranger_files import tree_of
from scientist.template._template import Site, Template

OUTPUTS = "outputs"
P = TypeVar("P", Place, SeedPlace)
AGAIN = "run `scientist templates show` on it again and save what it prints as its template.toml"


@dataclass(frozen=True)
class _Edit:
    line: int
    start: int
    end: int
    text: str


def assemble_stranger(
    template: Template, folder: Path, knobs: Mapping[str, KnobValue], seed: int | None, code: Mapping[str, bytes]
) -> list[str]:
    """Copy the template's tree into a run's folder with the knobs' literals replaced; returns the command.

    With `seed` None the seed's places are left as they are, for hashing what does not depend on it. May be called again
    for the same folder. Raises :class:`TemplateError`: a package is missing, or a literal is not where it was found.
    """
    root = template.root
    source = read_source(root, dict(code))
    if lacking := missing(source.required):
        raise TemplateError(f"{root / MAIN} needs {', '.join(lacking)}", f"pip install {' '.join(lacking)}")
    sites = _Sites(template, source, frozenset(code))
    edits: dict[str, list[_Edit]] = {}
    command = list(template.command)
    for knob in template.knobs:
        if knob.site is None or knob.name not in knobs:
            continue
        value = knobs[knob.name]
        if knob.site.kind == "option":
            command += _option_words(sites.option(knob.site), value)
        else:
            place = sites.literal(knob.site)
            if place.value != value:
                edits.setdefault(place.site.file, []).append(
                    _Edit(place.site.line, place.site.column, place.end, repr(value))
                )
    if seed is not None:
        for site in template.seed_sites:
            if site.kind == "option":
                command += [sites.option(site).site.name, str(seed)]
            else:
                found = sites.seed(site)
                edits.setdefault(site.file, []).append(_seed_edit(found, seed, source))
    if OUTPUTS not in " ".join(template.command[1:]):
        for place in out_dir_literals(source):
            edits.setdefault(MAIN, []).append(_Edit(place.site.line, place.site.column, place.end, repr(OUTPUTS)))
    _copy(template, folder, code, {name: edited(source.modules[name], these) for name, these in edits.items()})
    if seed is not None and not (folder / "knobs.json").exists():
        (folder / "knobs.json").write_bytes(canonical_json({"seed": seed, "knobs": dict(knobs)}))
    outputs = folder / OUTPUTS
    if makes_its_folder(source) and outputs.is_dir() and not any(outputs.iterdir()):
        outputs.rmdir()  # in this layout it is the script that makes its folder, and some insist on it
    return command


def check_sites(template: Template) -> None:
    """Whether every knob and seed of a template is still where its declaration says.

    Raises :class:`TemplateError` with file and line. Nothing is executed.
    """
    source = read_source(template.root)
    sites = _Sites(template, source, frozenset())
    for knob in template.knobs:
        if knob.site is None:
            raise TemplateError(
                f"{template.root / 'template.toml'}: knob '{knob.name}' has no 'site'",
                'say where its value goes: site = { kind = "option", file = "experiment.py", name = "--lr", line = 1 }',
            )
        _ = sites.option(knob.site) if knob.site.kind == "option" else sites.literal(knob.site)
    for site in template.seed_sites:
        _ = sites.option(site) if site.kind == "option" else sites.seed(site)


def check_changed(template: Template, code: Mapping[str, bytes]) -> None:
    """Whether the knobs and seeds of a stranger's template still have their places when `code` stands for its files.

    Raises :class:`ValueError` with one line that says what a change must leave as it is, for whoever wrote the change.
    """
    try:
        source = read_source(template.root, dict(code))
        sites = _Sites(template, source, frozenset(code), strict=True)
        for knob in template.knobs:
            if knob.site is not None:
                _ = sites.option(knob.site) if knob.site.kind == "option" else sites.literal(knob.site)
        for site in template.seed_sites:
            _ = sites.option(site) if site.kind == "option" else sites.seed(site)
    except TemplateError as error:
        raise ValueError(error.message.removeprefix(f"{template.root}/")) from None
    if not template.seed_sites:
        return
    for name in sorted(set(code) & set(source.modules) & set(sites.before.modules)):
        (calls, fixed), (now, fixed_now) = (calls_that_seed(s.modules[name]) for s in (sites.before, source))
        if gone := sorted(calls - now):
            raise ValueError(
                f"{name}: the seed no longer reaches what it did, as '{gone[0][:80]}' is gone: leave it there"
            )
        if more := sorted(fixed_now - fixed):
            raise ValueError(f"{name}: '{more[0][:80]}' would undo the seed of a run: leave seeding as it is")


class _Sites:
    """Finds what a site means in the source as it is now, some of whose files a variant may have `changed`.

    Where it is `strict`, what stands there must not have changed either.
    """

    def __init__(self, template: Template, source: Source, changed: frozenset[str], strict: bool = False) -> None:
        self.root, self.source = template.root, source
        self.changed, self.strict = changed, strict
        self.before = read_source(template.root) if changed else source
        self.options = {place.site.name: place for place in options(source)}
        self.literals = Literals(self.before, None).all()
        self.seeds = seed_places(self.before)
        self.places: dict[str, tuple[list[Known], list[Known]]] = {}

    def _gone(self, site: Site) -> TemplateError:
        what = "option" if site.kind == "option" else "literal"
        return TemplateError(f"{self.root / site.file}:{site.line}: no {what} '{site.name}' there", AGAIN)

    def option(self, site: Site) -> Place:
        if site.name not in self.options:
            raise self._gone(site)
        return self.options[site.name]

    def literal(self, site: Site) -> Place:
        place, node = self._at(site, self.literals, "value")
        now = literal(node)
        return place if now is None else replace(place, value=now)

    def seed(self, site: Site) -> SeedPlace:
        return self._at(site, self.seeds, "seed")[0]

    def _known(self, name: str) -> tuple[list[Known], list[Known]]:
        """What a file held, and what it holds."""
        if name not in self.places:
            self.places[name] = (known_places(self.before.modules[name]), known_places(self.source.modules[name]))
        return self.places[name]

    def _at(self, site: Site, places: Sequence[P], what: str) -> tuple[P, ast.expr | None]:
        """The place that is declared; in a changed file the one that it became, with what stands there."""
        place = next((place for place in places if place.site == site), None)
        if place is None:
            raise self._gone(site)
        if site.file not in self.changed:
            return place, None
        same: Same = "kind" if not self.strict else "whole" if what == "seed" else "value"
        try:
            if site.file not in self.source.modules:
                raise ValueError("is in a file that nothing imports any more")
            node = moved_to(*self._known(site.file), site.line, site.column, same)
        except ValueError as error:
            raise TemplateError(
                f"{self.root / site.file}: the {what} '{site.name}' of line {site.line} {error}: leave it as it is, "
                f"the study sets it",
                "change something else",
            ) from None
        here = site.model_copy(update={"line": node.lineno, "column": node.col_offset})
        return replace(place, site=here, end=node.end_col_offset or 0), node


def _option_words(place: Place, value: KnobValue) -> list[str]:
    """How an option says a value on the command line."""
    flag = place.site.name
    if isinstance(value, bool):
        if place.action == "boolean":
            return [flag if value else f"--no-{flag.removeprefix('--')}"]
        return [flag] if value == (place.action == "store_true") else []
    text = value if isinstance(value, str) else repr(value)
    return [f"{flag}={text}"] if flag.startswith("--") else [flag, text]


def _seed_edit(place: SeedPlace, seed: int, source: Source) -> _Edit:
    site = place.site
    if not place.shift:
        return _Edit(site.line, site.column, place.end, str(seed))
    standing = source.modules[site.file].lines[site.line - 1][site.column : place.end].decode()
    return _Edit(site.line, site.column, place.end, f"({standing} + {seed})")


def edited(module: Module, edits: list[_Edit]) -> bytes:
    """The file with literals replaced; everything else keeps its bytes."""
    lines = list(module.lines)
    for edit in sorted(set((e.line, e.start, e.end, e.text) for e in edits), reverse=True):
        line, start, end, text = edit
        raw = lines[line - 1]
        lines[line - 1] = raw[:start] + text.encode() + raw[end:]
    return module.mark + b"".join(lines)


def _copy(template: Template, folder: Path, code: Mapping[str, bytes], changed: Mapping[str, bytes]) -> None:
    for name in sorted({*tree_of(template.root).files, *code}):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in changed:
            target.write_bytes(changed[name])
        elif name in code:
            target.write_bytes(code[name])
        elif not target.exists():
            shutil.copy(template.root / name, target)


# -- the folder that a script writes to ------------------------------------------------------------------------------

_OUT_WORDS = (
    "out_dir",
    "outdir",
    "output_dir",
    "output_directory",
    "out",
    "output",
    "save_dir",
    "results_dir",
    "result_dir",
)


def command_of(source: Source, where: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the command that makes the script write to outputs/, notes) as the source takes it.

    An option or positional of argparse or click, else `sys.argv` read by hand, else a literal 'run_0' that is replaced.
    Raises :class:`TemplateError` when the source says nothing of where it writes.
    """
    found = options(source)
    script = ("python", MAIN)
    notes = tuple(
        f"{MAIN}:{place.site.line} demands {place.site.name}: add it to 'command'"
        for place in found
        if _demanded(source, place)
    )
    for word in _OUT_WORDS:
        for place in found:
            if place.word == word:
                flag = place.site.name
                return (*script, *((flag, OUTPUTS) if flag.startswith("-") else (OUTPUTS,))), notes
    texts = [
        node.value
        for node in ast.walk(source.main.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    by_hand = [text for text in texts if text.startswith("--") and text.strip("-=").replace("-", "_") in _OUT_WORDS]
    if by_hand and not found:
        return (*script, *((f"{by_hand[0]}{OUTPUTS}",) if by_hand[0].endswith("=") else (by_hand[0], OUTPUTS))), notes
    if out_dir_literals(source):
        return script, notes
    if not found and any(
        isinstance(node, ast.Attribute) and node.attr == "argv" for node in ast.walk(source.main.tree)
    ):
        return (*script, OUTPUTS), notes
    raise TemplateError(
        f"{where}: takes no --out_dir and names no run_0, so its results cannot be found",
        "let it write final_info.json to the folder that --out_dir names",
    )


def _demanded(source: Source, place: Place) -> bool:
    for node in ast.walk(source.main.tree):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (place.site.line, place.site.column):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            needed = literal(given.get("required")) is True or (
                not place.site.name.startswith("-") and "default" not in given and literal(given.get("nargs")) != "?"
            )
            return needed and place.word not in _OUT_WORDS
    return False


def out_dir_literals(source: Source) -> list[Place]:
    """Literals 'run_0' that are assigned, a default or an argument: where a script without options writes."""
    return [
        place
        for place in Literals(source, None).all()
        if place.site.file == MAIN and isinstance(place.value, str) and place.value.strip("./") == "run_0"
    ]


def makes_its_folder(source: Source) -> bool:
    """Whether the script makes a folder in a way that fails when it exists already."""
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and called(node) in ("makedirs", "mkdir"):
                given = {keyword.arg: literal(keyword.value) for keyword in node.keywords}
                third = literal(node.args[2]) if called(node) == "makedirs" and len(node.args) > 2 else None
                if given.get("exist_ok") is not True and third is not True:
                    return True
    return False


def outside_paths(source: Source) -> tuple[str, ...]:
    """Texts such as '../../data' that lead out of the directory: what lies there is not in the sandbox."""
    found = []
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            value = literal(node)
            outside = isinstance(value, str) and (value == ".." or (value.startswith("../") and len(value) < 200))
            if outside and isinstance(node, ast.Constant):
                found.append(f"{module.name}:{node.lineno} names '{str(value)[:60]}', which lies outside the directory")
    return tuple(dict.fromkeys(found))
