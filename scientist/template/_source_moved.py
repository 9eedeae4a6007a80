"""A place of a stranger's source in a changed version of its file: found by what it is, not by line and column.

A literal is known by its way up the syntax tree: which argument of which call, what it is assigned to, whose default it is,
and in which function that stands. Lines may be added above it and its function may move. Where the same way leads to
more places than before, or to none, or to another value, nobody could say that the place still means the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scientist.template._source import FunctionNode, Module

Same = Literal["kind", "value", "whole"]
_SCOPES = (*FunctionNode.__args__, ast.ClassDef)


@dataclass(frozen=True)
class Known:
    """A node, the function that it stands in, its way up to its statement, and the whole expression that it is part of."""

    node: ast.expr
    scope: tuple[str, ...]
    way: tuple[str, ...]
    around: ast.expr

    @property
    def text(self) -> str:
        return ast.unparse(self.node)

    @property
    def whole(self) -> str:
        return ast.unparse(self.around)


def known_places(module: Module) -> list[Known]:
    """Every literal, name and attribute of a file, in the order of the source. Raises :class:`ValueError`: too deep."""
    try:
        return list(_below(module.tree, (), (), None))
    except RecursionError:
        raise ValueError("is in a file that is nested too deeply to be read") from None


def moved_to(old: list[Known], new: list[Known], line: int, column: int, same: Same) -> ast.expr:
    """The node of the `new` file that is what the node at this place of the `old` one was.

    What has to be the `same`: its 'kind' (a literal for a literal), its 'value' too, or the 'whole' expression around it,
    `1337 + offset`. Raises :class:`ValueError` that says in a few words why there is none.
    """
    known = next((one for one in old if (one.node.lineno, one.node.col_offset) == (line, column)), None)
    if known is None:
        raise ValueError("was not there before")
    found = _same(known, [o for o in old if o.scope == known.scope], [n for n in new if n.scope == known.scope])
    found = found or _same(known, old, new)
    if found is None:
        raise ValueError("is gone")
    if type(found.node) is not type(known.node) or (same != "kind" and found.text != known.text):
        raise ValueError(f"was {known.text[:40]} and would be {found.text[:40]}")
    if same == "whole" and found.whole != known.whole:
        raise ValueError(f"was {known.whole[:60]} and would be {found.whole[:60]}")
    return found.node


def _same(known: Known, old: list[Known], new: list[Known]) -> Known | None:
    """The one that took the place of `known`; None where there is nothing like it. Raises :class:`ValueError` for several."""
    befores, afters = ([one for one in some if one.way == known.way] for some in (old, new))
    if not afters:
        return None
    if len(befores) != len(afters):
        raise ValueError(f"stood there {_times(len(befores))} and would {_times(len(afters))}")
    return afters[befores.index(known)]


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _below(node: ast.AST, scope: tuple[str, ...], way: tuple[str, ...], whole: ast.expr | None) -> Iterator[Known]:
    if isinstance(node, ast.Constant | ast.Name | ast.Attribute):
        yield Known(node, scope, way, whole or node)
    for step, child in _children(node):
        if isinstance(child, _SCOPES):
            yield from _below(child, (*scope, child.name), (), None)
        elif isinstance(child, ast.stmt):
            yield from _below(child, scope, (), None)
        elif isinstance(child, ast.expr):
            # An argument, an assigned value, an entry: a whole of its own. What is within an operation is part of it.
            own = not isinstance(node, ast.expr) or isinstance(node, ast.Call | ast.Dict)
            yield from _below(child, scope, (*way, step), child if own else whole)
        else:
            yield from _below(child, scope, (*way, step), whole)


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(what a child is to its parent, child): in words that no line and no sibling's value changes."""
    if isinstance(node, ast.arguments):
        plain = [*node.posonlyargs, *node.args]
        pairs = list(zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True))
        pairs += [
            (arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value is not None
        ]
        yield from ((f"default of {arg.arg}", value) for arg, value in pairs)
        return
    for name, value in ast.iter_fields(node):
        for place, child in enumerate(value) if isinstance(value, list) else [(0, value)]:
            if isinstance(child, ast.AST):
                yield _step(node, name, place, child), child


def _step(node: ast.AST, name: str, place: int, child: ast.AST) -> str:
    if isinstance(node, ast.Call):
        what = f"={child.arg}" if isinstance(child, ast.keyword) else f"{name} {place}"
        return f"{ast.unparse(node.func)} {what}"
    if isinstance(node, ast.Dict):
        key = node.keys[place]
        return f"{name} of {ast.unparse(key) if key is not None else '**'}"
    if isinstance(node, ast.Assign):
        return f"{name} {', '.join(ast.unparse(target) for target in node.targets)}"
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return f"{type(node).__name__} {name} {ast.unparse(node.target)}"
    if isinstance(node, ast.IfExp):
        return f"{name} if {ast.unparse(node.test)}" if name != "test" else name
    return f"{type(node).__name__} {name} {place}"
