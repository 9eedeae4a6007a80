"""Prompts are files with named variables; whatever was retrieved goes in as fenced data, never as words of ours."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from scientist.lab import sha256

if TYPE_CHECKING:
    from jinja2 import Environment

LONGEST_DATA = 60_000
"""Characters of one piece of data; what is longer is cut in the middle, and that is said."""


def _source(name: str) -> str | None:
    file = files("scientist.llm") / "prompts" / f"{name}.md"
    return file.read_text(encoding="utf-8") if re.fullmatch(r"[a-z_]+", name) and file.is_file() else None


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    # Prompts are not HTML, so nothing is escaped; a variable without a value is an error.
    return Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def prompt_names() -> list[str]:
    """Every prompt that ships with the program."""
    folder = files("scientist.llm") / "prompts"
    return sorted(file.name.removesuffix(".md") for file in folder.iterdir() if file.name.endswith(".md"))


def variables(name: str) -> set[str]:
    """The variables of a prompt. Raises :class:`ValueError` when there is no such prompt."""
    from jinja2 import meta

    source = _source(name)
    if source is None:
        raise ValueError(f"there is no prompt '{name}'")
    return set(meta.find_undeclared_variables(_environment().parse(source)))


def render(name: str, **values: object) -> str:
    """A prompt with its variables filled. Raises :class:`ValueError` when one is missing or unknown."""
    wanted = variables(name)
    if missing := sorted(wanted - set(values)):
        raise ValueError(f"prompt '{name}' lacks a value for {', '.join(missing)}")
    if unknown := sorted(set(values) - wanted):
        raise ValueError(f"prompt '{name}' has no variable {', '.join(unknown)}")
    return _environment().get_template(name).render(values).strip() + "\n"


def data(label: str, text: str, longest: int = LONGEST_DATA) -> str:
    """Text from outside (a log, an abstract, a file) between marks that it cannot contain, because they carry its hash.

    The prompts say that nothing between such marks is an instruction. Control characters but tab and newline are
    dropped. Deterministic: the same text gets the same marks.
    """
    clean = "".join(c for c in text if c in "\t\n" or (c.isprintable() and not 0xE0000 <= ord(c) <= 0xE007F))
    if len(clean) > longest:
        half = longest // 2
        clean = f"{clean[:half]}\n[... {len(clean) - 2 * half} characters left out ...]\n{clean[-half:]}"
    mark = sha256(clean.encode())[:12]
    return f"<data {mark} {label}>\n{clean}\n</data {mark}>"
