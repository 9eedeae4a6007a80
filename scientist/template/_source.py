"""Reading a stranger's source without executing it: options, literals that set something, and what is imported.

Everything is found with `ast`. Nothing here imports, evaluates or runs a line of what it reads.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scientist.errors import TemplateError
from scientist.template._template import Site
from scientist.template._words import clean

MAIN = "experiment.py"
LONGEST = 1_000_000
"""Bytes of one source file that are read."""

Value = bool | int | float | str
Origin = Literal["option", "constant", "local", "entry", "argument", "default", "field"]
Action = Literal["store", "store_true", "store_false", "boolean"]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A value that the source sets, and where. `word` is what the source calls it, `callee` whose argument it is."""

    origin: Origin
    site: Site
    word: str
    value: Value
    end: int = 0
    help: str = ""
    choices: tuple[str, ...] = ()
    type: str = ""
    action: Action = "store"
    callee: str = ""
    local_callee: bool = False


@dataclass
class Module:
    """One source file: its bytes without a byte-order mark, split into lines as `ast` counts them."""

    name: str
    lines: list[bytes]
    tree: ast.Module
    mark: bytes = b""

    @property
    def data(self) -> bytes:
        return self.mark + b"".join(self.lines)


@dataclass
class Source:
    """The script and every module of its directory that it imports.

    `used` are the names and attributes that are read or called anywhere, `read` those that are read.
    """

    modules: dict[str, Module]
    required: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    compared: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def main(self) -> Module:
        return self.modules[MAIN]


def parse_module(name: str, data: bytes, where: str) -> Module:
    """Parse one file. Raises :class:`TemplateError` with file and line: not UTF-8, not Python of this version."""
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    body = data[len(mark) :]
    if len(body) > LONGEST:
        raise TemplateError(f"{where}: too long to be read", "split it, or write a template.toml")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{where}: not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise TemplateError(
            f"{where}:{line}: not Python {version}: {str(getattr(error, 'msg', error))[:120]}", "mend that line"
        ) from error
    return Module(name, body.splitlines(keepends=True), tree, mark)


def read_source(root: Path, replaced: dict[str, bytes] | None = None) -> Source:
    """Read `experiment.py` and, transitively, the modules of the directory that it imports.

    `replaced` are files that a variant changes. Raises :class:`TemplateError` naming file and line.
    """
    modules: dict[str, Module] = {}
    required: dict[str, bool] = {}
    waiting = [MAIN]
    while waiting:
        name = waiting.pop(0)
        if name in modules:
            continue
        path = root / name
        data = (replaced or {}).get(name)
        modules[name] = parse_module(name, path.read_bytes() if data is None else data, str(path))
        for imported, must in _imports(modules[name].tree):
            own = [part for part in _files(imported) if _is_own(root, part)]
            waiting += own
            if not own and imported.split(".")[0] not in sys.stdlib_module_names:
                required[imported] = required.get(imported, False) or must
    source = Source(
        modules,
        required=tuple(sorted({name.split(".")[0] for name, must in required.items() if must})),
        imported=tuple(sorted(required)),
    )
    called_only = {
        id(node.func)
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    source.used = frozenset(name for name, _ in _used(source))
    # `np.random.seed(0)` does not read the option --seed.
    source.read = frozenset(name for name, node in _used(source) if id(node) not in called_only)
    source.compared = _compared(source)
    return source


def _is_own(root: Path, name: str) -> bool:
    path = root / name
    return path.is_file() and path.resolve().is_relative_to(root.resolve())


def _files(imported: str) -> list[str]:
    """The files of the directory that an import may mean: 'a.b' -> a.py, a/__init__.py, a/b.py, a/b/__init__.py."""
    parts = imported.split(".")
    found = []
    for length in range(1, len(parts) + 1):
        stem = "/".join(parts[:length])
        found += [f"{stem}.py", f"{stem}/__init__.py"]
    return found


def _imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """(module, whether the script cannot start without it): imports in `try` or in functions may never be needed."""

    def visit(node: ast.AST, must: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, must) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
                yield child.module, must
                yield from ((f"{child.module}.{alias.name}", False) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.level:
                yield from ((f"{child.module or alias.name}", False) for alias in child.names)
            else:
                optional = isinstance(child, ast.Try | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.If)
                yield from visit(child, must and not optional)

    yield from visit(tree, True)


def _used(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every name and attribute that is read anywhere, and every string that is a name (`vars(args)["lr"]`)."""
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node.id, node
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                yield node.attr, node
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                if isinstance(node.slice.value, str):
                    yield node.slice.value, node
            elif isinstance(node, ast.ImportFrom):
                yield from ((alias.name, node) for alias in node.names)
            elif isinstance(node, ast.Call) and called(node) in ("getattr", "get") and node.args:
                for arg in node.args:
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str):
                        yield arg.value, arg


def _compared(source: Source) -> dict[str, tuple[str, ...]]:
    """What each name is compared with as text: `if schedule == "linear"` says which values the source knows."""
    found: dict[str, list[str]] = {}
    for module in source.modules.values():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Compare) or len(node.ops) != 1:
                continue
            name = last_name(node.left)
            other = node.comparators[0]
            options = other.elts if isinstance(other, ast.Tuple | ast.List | ast.Set) else [other]
            if name and isinstance(node.ops[0], ast.Eq | ast.In):
                for option in options:
                    if isinstance(option, ast.Constant) and isinstance(option.value, str):
                        found.setdefault(name, []).append(option.value)
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items()}


def last_name(node: ast.AST) -> str:
    """'c' of `c`, `a.c` and `a["c"]`; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return ""


def called(node: ast.Call) -> str:
    """The last name of what is called: 'AdamW' of `torch.optim.AdamW(...)`."""
    return last_name(node.func)


def root_name(node: ast.AST) -> str:
    """The first name of a dotted expression: 'torch' of `torch.optim.AdamW`."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def literal(node: ast.AST | None) -> Value | None:
    """The value of a literal number, text, true or false; None for anything else, negative numbers included."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        return node.value
    return None


# -- options ---------------------------------------------------------------------------------------------------------


def options(source: Source) -> list[Place]:
    """Every option of the script's command line that has a default, as argparse or click declare them."""
    constants = {
        name.id: value.value
        for name, value in module_assignments(source.main.tree)
        if isinstance(name, ast.Name) and literal(value) is not None and isinstance(value, ast.Constant)
    }
    found: list[Place] = []
    for node in ast.walk(source.main.tree):
        if isinstance(node, ast.Call) and called(node) in ("add_argument", "option"):
            place = _option(node, constants)
            if place is not None and not any(other.site.name == place.site.name for other in found):
                found.append(place)
    return sorted(found, key=lambda place: (place.site.line, place.site.column))


def _option(node: ast.Call, constants: Mapping[str, object]) -> Place | None:
    flags = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    flags = [flag for name in flags for flag in name.split("/")[:1]] if called(node) == "option" else flags
    if not flags:
        return None
    flag = max(flags, key=lambda name: (name.startswith("--"), name.startswith("-")))
    dest = literal(given.get("dest"))
    word = str(dest) if isinstance(dest, str) else flag.lstrip("-").replace("-", "_")
    if not word.replace("_", "").isalnum() or not word.isascii():
        return None
    node_default = given.get("default")
    default: Value | None = literal(node_default)
    if isinstance(node_default, ast.Name) and node_default.id in constants:
        known = constants[node_default.id]
        default = known if isinstance(known, bool | int | float | str) else None
    kind = last_name(given["type"]) if "type" in given else ""
    action: Action = "store"
    wanted = literal(given.get("action")) or (last_name(given["action"]) if "action" in given else "")
    if wanted == "store_true" or literal(given.get("is_flag")) is True:
        action, default, kind = "store_true", bool(default), "bool"
    elif wanted == "store_false":
        action, default, kind = "store_false", True if default is None else bool(default), "bool"
    elif wanted == "BooleanOptionalAction" and isinstance(default, bool):
        action, kind = "boolean", "bool"
    elif wanted:
        return None
    if not kind and called(node) == "option" and default is not None:
        kind = type(default).__name__  # click takes the type from the default, argparse does not
    listed = given.get("choices")
    if isinstance(listed, ast.Name) or listed is None:
        choices: tuple[str, ...] = ()
    else:
        elements = listed.elts if isinstance(listed, ast.List | ast.Tuple | ast.Set) else []
        choices = tuple(v for e in elements if isinstance(v := literal(e), str))
    said = literal(given.get("help"))
    return Place(
        "option",
        Site(kind="option", file=MAIN, name=flag, line=node.lineno, column=node.col_offset),
        word,
        "" if default is None else default,
        help=clean(said, 160) if isinstance(said, str) else "",
        choices=choices,
        type="" if default is None else kind or "str",
        action=action,
    )


def module_assignments(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) of plain assignments, in the order of the source; not those in loops, functions and classes."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Assign) and len(child.targets) == 1:
            yield child.targets[0], child.value
        elif isinstance(child, ast.AnnAssign) and child.value is not None:
            yield child.target, child.value
        elif isinstance(child, ast.If | ast.With | ast.Try):
            yield from module_assignments(child)
