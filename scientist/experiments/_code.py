"""Changes of code: reading edits, applying them whole or not at all, and refusing those that change nothing that counts.

Edits come as search/replace blocks or as whole files, after a line that names the file:

    FILE: train.py
    <<<<<<< SEARCH
    lr = 0.1
    =======
    lr = schedule(step)
    >>>>>>> REPLACE
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import StudyError
from scientist.experiments._study import Variant
from scientist.lab import inside, sha256
from scientist.template import Template, check_changed

LARGEST_FILE = 200_000
"""Bytes of one changed file."""

_FILE = re.compile(r"^\W*FILE:\s*`?([^`\n]+?)`?\s*$", re.MULTILINE)
_BLOCK = re.compile(
    r"^<{5,9} SEARCH[ \t]*\n(?P<old>.*?)^={5,9}[ \t]*\n(?P<new>.*?)^>{5,9} REPLACE[ \t]*$", re.MULTILINE | re.DOTALL
)
_WHOLE = re.compile(r"^```[\w+-]*[ \t]*\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_SEEDS = re.compile(r"(^|_)(seeds?|random_state|rng|clock|sleep)($|_)|^(time|perf_counter|monotonic)$", re.IGNORECASE)


@dataclass(frozen=True)
class Edit:
    """A piece of a file and what stands in its place; `old` None: the whole file."""

    file: str
    old: str | None
    new: str


def parse_edits(text: str) -> list[Edit]:
    """The edits in an answer, in order. Raises :class:`ValueError` when there is none, or one cannot be read."""
    places = list(_FILE.finditer(text))
    if not places:
        raise ValueError("no edit was found: begin each with a line 'FILE: name'")
    edits: list[Edit] = []
    for here, after in zip(places, [*places[1:], None], strict=True):
        name, body = here.group(1).strip(), text[here.end() : after.start() if after else len(text)]
        blocks = [Edit(name, block["old"], block["new"]) for block in _BLOCK.finditer(body)]
        if not blocks and (whole := _WHOLE.search(body)):
            blocks = [Edit(name, None, whole["text"])]
        if not blocks or (body.count(" SEARCH\n") > len(blocks) and blocks[0].old is not None):
            raise ValueError(
                f"an edit of '{name}' is not complete: it needs SEARCH, =======, REPLACE, or one fenced file"
            )
        edits += blocks
    return edits


def apply_edits(template: Template, edits: Sequence[Edit]) -> dict[str, bytes]:
    """file -> new content of every file that changes. All edits apply, or :class:`ValueError` names the first that does not."""
    texts: dict[str, str] = {}
    for edit in edits:
        if edit.file not in template.editable:
            may = ", ".join(template.editable)
            raise ValueError(f"'{edit.file[:80]}' must not be changed; only {may} may")
        if edit.file not in texts:
            texts[edit.file] = inside(template.root, edit.file).read_text(encoding="utf-8")
        if edit.old is None:
            texts[edit.file] = edit.new
            continue
        found = texts[edit.file].count(edit.old) if edit.old else 0
        if found != 1:
            raise ValueError(f"in {edit.file} the text to be replaced {_misplaced(edit.old, texts[edit.file], found)}")
        texts[edit.file] = texts[edit.file].replace(edit.old, edit.new)
    return check_code(template, {name: text.encode() for name, text in texts.items()})


def _misplaced(old: str, text: str, found: int) -> str:
    """Why a text cannot be replaced, in words that a model can mend it by: whole lines are looked for, so the first wrong one is named."""
    lines = [line for line in old.splitlines() if line.strip()] or ["(nothing)"]
    begins = f"it begins with '{lines[0].strip()[:80]}'"
    if found > 1:
        return f"occurs {found} times: {begins}; copy more lines, so that it occurs once"
    there = {line.rstrip() for line in text.splitlines()}
    wrong = next((line for line in lines if line.rstrip() not in there), None)
    if wrong is None:
        return f"does not occur: {begins}; its lines do not follow each other in the file"
    return f"does not occur: {begins}, and no line of the file reads '{wrong.rstrip()[:80]}'; copy whole lines exactly"


def check_code(template: Template, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that really change. Raises :class:`ValueError` when one cannot be Python, nothing that counts
    changes, or a knob or the seed of a stranger's template would lose its place."""
    changed: dict[str, bytes] = {}
    counts = False
    for name, data in sorted(files.items()):
        if name not in template.editable:
            raise ValueError(f"'{name[:80]}' must not be changed; only {', '.join(template.editable)} may")
        before = inside(template.root, name).read_bytes()
        if data == before:
            continue
        if len(data) > LARGEST_FILE:
            raise ValueError(f"{name} would have more than {LARGEST_FILE} bytes")
        changed[name] = data
        counts |= _says(name, data) != _says(name, before) if name.endswith(".py") else True
    if not changed:
        raise ValueError("nothing is changed")
    if counts and template.layout == "ai-scientist":
        check_changed(template, changed)
    if not counts:
        raise ValueError("only seeds, timing, comments or layout are changed: that is no change of the method")
    return changed


def _says(name: str, data: bytes) -> str:
    """What a Python file does, seeds, clocks, comments, docstrings and layout left out."""
    try:
        return ast.dump(_Bare().visit(ast.parse(data.decode("utf-8"))))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        said = error.msg if isinstance(error, SyntaxError) else "it is not UTF-8 text, or nested too deeply"
        raise ValueError(f"{name} is no valid Python{line}: {said}") from None


class _Bare(ast.NodeTransformer):
    """Takes out what must not count as a change."""

    def _without_docstring(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", [])
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            del body[0]
        return node

    visit_Module = visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _without_docstring

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if all(_SEEDS.search(_name(target)) for target in node.targets):
            node.value = ast.Constant(0)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        if node.arg and _SEEDS.search(node.arg):
            node.value = ast.Constant(0)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = _name(node.func)
        if _SEEDS.search(name) or name == "default_rng":
            node.args = [ast.Constant(0) if isinstance(argument, ast.Constant) else argument for argument in node.args]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        self.generic_visit(node)
        call = node.value
        return None if isinstance(call, ast.Call) and _name(call.func) in ("sleep", "print") else node


def _name(node: ast.AST) -> str:
    """The last part of a name: 'sleep' of `time.sleep`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def diff_of(template: Template, files: Mapping[str, bytes]) -> str:
    """The change as a unified diff."""
    lines: list[str] = []
    for name, data in sorted(files.items()):
        before = inside(template.root, name).read_text(encoding="utf-8", errors="replace").splitlines()
        after = data.decode("utf-8", errors="replace").splitlines()
        lines += difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="")
    return "\n".join(lines) + "\n"


_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def apply_diff(template: Template, diff: str) -> dict[str, bytes]:
    """file -> content: a diff as :func:`diff_of` writes it, applied to the template's files again.

    Raises :class:`ValueError` when it does not fit them line by line.
    """
    lines = diff.split("\n")
    found: dict[str, bytes] = {}
    place = 0
    while place < len(lines) and lines[place].startswith("--- a/"):
        name = lines[place].removeprefix("--- a/")
        if name not in template.editable:
            raise ValueError(f"the diff changes '{name[:80]}', which is not editable")
        before = inside(template.root, name).read_text(encoding="utf-8", errors="replace").splitlines()
        after: list[str] = []
        taken, place = 0, place + 2
        while place < len(lines) and (hunk := _HUNK.fullmatch(lines[place])):
            old, new = (int(hunk[group] or 1) for group in (2, 3))
            start = int(hunk[1]) - (1 if old else 0)
            after += before[taken:start]
            taken, place = start, place + 1
            while (old or new) and place < len(lines):
                kind, text = lines[place][:1], lines[place][1:]
                if kind in (" ", "-"):
                    if taken >= len(before) or before[taken] != text:
                        raise ValueError(f"the diff does not fit {name} any more, in line {taken + 1}")
                    taken, old = taken + 1, old - 1
                if kind in (" ", "+"):
                    after.append(text)
                    new -= 1
                if kind not in (" ", "-", "+"):
                    raise ValueError(f"the diff of {name} is broken")
                place += 1
        found[name] = "".join(f"{line}\n" for line in [*after, *before[taken:]]).encode()
    if not found:
        raise ValueError("the diff changes nothing")
    return found


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """file -> SHA-256."""
    return {name: sha256(data) for name, data in sorted(files.items())}


def code_folder(paper: Path, variant: str) -> Path:
    """Where the files of a changed variant are kept."""
    return paper / "variants" / variant / "files"


def load_code(paper: Path, variant: Variant) -> dict[str, bytes]:
    """The files that stand in the place of the template's own. Raises :class:`StudyError` when they are not those declared."""
    found: dict[str, bytes] = {}
    for name, digest in sorted(variant.code.items()):
        path = inside(code_folder(paper, variant.name), name)
        try:
            found[name] = path.read_bytes()
        except OSError:
            found[name] = b""
        if sha256(found[name]) != digest:
            raise StudyError(
                f"{path} is not the code that '{variant.title}' was declared with",
                "restore it, or delete study.json and runs/ to declare and run a new study",
            )
    return found
