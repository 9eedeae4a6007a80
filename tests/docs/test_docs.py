"""What the documentation shows exists: links, commands with their options, settings with their defaults, counts."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from annotated_types import Ge, Gt, Le, Lt
from typer.testing import CliRunner

from scientist import __version__
from scientist.cli._app import app
from scientist.experiments._power import MIN_SEEDS
from scientist.experiments._sandbox import CHILD_ENV
from scientist.lab import Record, Settings
from scientist.template import load_template

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
CLI: Any = typer.main.get_command(app)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`((?:scientist|make) [^`]+)`")
SHELL = re.compile(r"^(?:\$ )?(?:\w+=\S+ |setsid )*(?:\.venv/bin/)?(?=(?:scientist|make) )")

page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def parts(text: str) -> Iterator[tuple[str, str]]:
    """(language of the fence or 'prose', line) of every line; fences themselves are left out."""
    fence = ""
    for line in text.splitlines():
        if line.strip().startswith("```"):
            fence = "" if fence else line.strip().removeprefix("```") or "plain"
        else:
            yield fence or "prose", line


def commands(text: str) -> Iterator[str]:
    """Shell commands that a page shows: typed lines of code blocks, and code in running text."""
    for kind, line in parts(text):
        if kind == "prose":
            yield from INLINE.findall(line)
        elif kind in ("plain", "console", "sh") and (found := SHELL.match(line)):
            if kind == "console" and not line.startswith("$ "):
                continue  # output
            yield line[found.end() :]


def wrong(command: str) -> str:
    """What is wrong with a `scientist ...` command, or an empty string."""
    words = shlex.split(command, comments=True)[1:]
    words = words[
        : next((i for i, word in enumerate(words) if word in ("&", "&&", "|", "|...", "...", ">")), len(words))
    ]
    here, taken = CLI, 0
    while words:
        word = words.pop(0)
        options = {name: p for p in here.params for name in (*p.opts, *p.secondary_opts) if name.startswith("-")}
        if word.startswith("-") and word not in ("-", "-h", "--help"):
            name = word.split("=")[0]
            if name not in options:
                return f"no option {name}"
            if not options[name].is_flag and "=" not in word and not words:
                return f"{name} lacks its value"
            if not options[name].is_flag and "=" not in word:
                words.pop(0)
        elif hasattr(here, "commands"):
            # `ideas list|show` names several at once
            if any(name not in here.commands for name in word.split("|")):
                return f"no command {word}"
            here = here.commands[word.split("|")[0]]
        elif not word.startswith("-"):
            taken += 1
    arguments = [p for p in getattr(here, "params", []) if p.param_type_name == "argument"]
    many = any(p.nargs == -1 for p in arguments)
    return f"{taken} arguments, of {len(arguments)}" if taken > len(arguments) and not many else ""


@page
def test_links_lead_somewhere(page: Path) -> None:
    prose = "\n".join(line for kind, line in parts(page.read_text()) if kind == "prose")
    for target in LINK.findall(prose):
        if not target.startswith("http"):
            assert (page.parent / target.split("#")[0]).exists(), target


def test_commands_are_found_in_the_docs_at_all() -> None:
    assert sum(1 for page in PAGES for _ in commands(page.read_text())) > 80


@page
def test_commands_exist_with_their_options(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in commands(page.read_text()):
        if command.startswith("make "):
            assert shlex.split(command, comments=True)[1] in targets, command
        else:
            assert wrong(command) == "", command


@pytest.mark.parametrize(
    "command",
    [
        "scientist rum templates/digits",
        "scientist run templates/digits --round 2",
        "scientist ideas accept x",
        "scientist --labs demo status",
        "scientist trace paper 1 2",
        "scientist init --ideas",
    ],
)
def test_a_wrong_command_would_be_noticed(command: str) -> None:
    assert wrong(command)


def test_the_program_tells_nobody_to_run_what_does_not_exist() -> None:
    told = [
        (path.name, command)
        for path in (ROOT / "scientist").rglob("*.py")
        for command in re.findall(r"`(scientist [a-z][^`{]*)`", path.read_text())
    ]
    assert len(told) > 10
    assert [(name, command) for name, command in told if wrong(command)] == []


def test_help_lists_what_the_readme_names_and_the_docs_name_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output
    named = {c.split()[1] for c in commands((ROOT / "README.md").read_text()) if c.startswith("scientist ")}
    assert named
    for name in named:
        assert re.search(rf"^\W*{name}\s", shown, re.MULTILINE), name
    everything = "\n".join(path.read_text() for path in PAGES)
    for name, command in CLI.commands.items():
        for full in [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]:
            assert f"scientist {full}" in everything, full


def settings_rows() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {row[0].strip("`"): row for row in rows}


def test_every_setting_is_documented() -> None:
    assert list(settings_rows()) == list(Settings.model_fields)


@pytest.mark.parametrize("key", list(Settings.model_fields))
def test_a_setting_is_documented_as_it_is(key: str) -> None:
    _, default, limits, flag, environment, meaning = settings_rows()[key]
    field = Settings.model_fields[key]
    found = field.get_default(call_default_factory=True)
    if isinstance(found, Record):
        found = found.model_dump(exclude_none=True)
    assert tomllib.loads(f"x = {default.strip('`')}")["x"] == found
    assert environment == f"`SCIENTIST_{key.upper()}`"
    assert meaning
    words = {Ge: "", Le: "to ", Gt: "above ", Lt: "below "}
    for bound in field.metadata:
        if type(bound) in words:
            value = (
                next(iter(vars(bound).values())) if hasattr(bound, "__dict__") else getattr(bound, bound.__slots__[0])
            )
            assert f"{words[type(bound)]}{value:g}".replace("4.29497e+09", "4294967295") in limits, (key, bound)
    options = {name for p in CLI.commands["run"].params for name in (*p.opts, *p.secondary_opts)}
    flags = re.findall(r"`(--[a-z-]+)`", flag)
    assert set(flags) <= options
    assert bool(flags) == (f"--{key.replace('_', '-')}" in options)


def test_the_table_of_contents_has_every_page() -> None:
    contents = LINK.findall((ROOT / "docs" / "README.md").read_text())
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"} <= set(contents)


def test_counts_in_the_text_are_those_of_the_code() -> None:
    digits = load_template(ROOT / "templates" / "digits")
    attacks = len(list((digits.root / "cheats").glob("*.py")))
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert f"{len(digits.knobs)} knobs, {attacks} attacks" in changes
    assert f"[{__version__}]" in changes
    assert f"At least {MIN_SEEDS} seeds" in (ROOT / "docs" / "statistics.md").read_text()
    assert len(CHILD_ENV) == 8 and "eight variables" in (ROOT / "docs" / "sandbox.md").read_text()


@page
def test_pages_are_whole_and_name_no_machine(page: Path) -> None:
    text = page.read_text()
    assert "@@" not in text
    assert not re.search(r"/work/|/home/|/root/|/tmp/\w", text)
    assert text.count("\n```") % 2 == 0
