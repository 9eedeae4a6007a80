"""Every literal of a stranger's source that sets something by a name, each with its exact place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from scientist.template._source import (
    FunctionNode,
    Module,
    Origin,
    Place,
    Source,
    called,
    last_name,
    literal,
    module_assignments,
    root_name,
)
from scientist.template._template import Site
from scientist.template._words import identifier, vocabulary


def _times_bound(scope: ast.AST) -> dict[str, int]:
    """How often each plain name is bound anywhere below a scope."""
    counts: dict[str, int] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            counts[node.id] = counts.get(node.id, 0) + 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                counts[name] = counts.get(name, 0) + 2
    return counts


class Literals:
    """Every literal of a source that sets something by a name, each with its exact place.

    `prefer` is the data set whose branch is taken in `64 if dataset == "a" else 32`; with None both branches are given.
    """

    def __init__(self, source: Source, prefer: str | None = "") -> None:
        self.source = source
        self.prefer = prefer
        self.functions: dict[str, list[FunctionNode]] = {}
        self.fields: dict[str, list[ast.AnnAssign]] = {}
        self.calls: dict[str, list[ast.Call]] = {}
        self._index()

    def _index(self) -> None:
        for module in self.source.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, FunctionNode):
                    self.functions.setdefault(node.name, []).append(node)
                elif isinstance(node, ast.ClassDef):
                    made = [f for f in node.body if isinstance(f, FunctionNode) and f.name == "__init__"]
                    self.functions.setdefault(node.name, []).extend(made)
                    decorators = {last_name(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
                    if "dataclass" in decorators:
                        self.fields[node.name] = [s for s in node.body if isinstance(s, ast.AnnAssign)]
                elif isinstance(node, ast.Call):
                    self.calls.setdefault(called(node), []).append(node)

    def all(self) -> list[Place]:
        """All of them, in the order of the files and of their lines."""
        found: list[Place] = []
        for module in self.source.modules.values():
            places = [
                *self._constants(module),
                *self._locals(module),
                *self._arguments(module),
                *self._defaults(module),
            ]
            found += sorted(places, key=lambda place: (place.site.line, place.site.column))
        return list({(p.site.file, p.site.line, p.site.column): p for p in reversed(found)}.values())[::-1]

    def _place(
        self,
        origin: Origin,
        module: Module,
        scope: str,
        word: str,
        node: ast.AST | None,
        callee: str = "",
        local_callee: bool = False,
    ) -> Iterator[Place]:
        if isinstance(node, ast.IfExp) and self.prefer is None:
            yield from self._place(origin, module, scope, word, node.body, callee, local_callee)
            yield from self._place(origin, module, scope, word, node.orelse, callee, local_callee)
            return
        chosen = self._branch(node) if isinstance(node, ast.IfExp) else node
        value = literal(chosen)
        if value is None or not isinstance(chosen, ast.Constant) or chosen.end_lineno != chosen.lineno:
            return
        name = ".".join(part for part in (scope, callee, word) if part)
        yield Place(
            origin,
            Site(kind="literal", file=module.name, name=name, line=chosen.lineno, column=chosen.col_offset),
            word,
            value,
            end=chosen.end_col_offset or 0,
            callee=callee,
            local_callee=local_callee,
        )

    def _branch(self, node: ast.IfExp) -> ast.expr:
        """The branch that holds for the preferred data set; the first one where that cannot be told."""
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq) and self.prefer:
            said = literal(test.comparators[0])
            if isinstance(said, str) and "data" in last_name(test.left).lower():
                return node.body if identifier(said) == identifier(self.prefer) else node.orelse
        return node.body

    def _assigned(self, origin: Origin, module: Module, scope: str, within: ast.AST) -> Iterator[Place]:
        bound = _times_bound(within)
        for target, value in module_assignments(within):
            if isinstance(target, ast.Name) and bound.get(target.id) == 1 and target.id in self.source.used:
                yield from self._place(origin, module, scope, target.id, value)
                if isinstance(value, ast.Dict):
                    yield from self._entries(module, ".".join(p for p in (scope, target.id) if p), value)
            elif isinstance(target, ast.Attribute) and root_name(target) == "self" and target.attr in self.source.used:
                yield from self._place(origin, module, scope, target.attr, value)

    def _constants(self, module: Module) -> Iterator[Place]:
        yield from self._assigned("constant", module, "", module.tree)

    def _entries(self, module: Module, scope: str, node: ast.Dict, depth: int = 0) -> Iterator[Place]:
        for key, value in zip(node.keys, node.values, strict=True):
            said = literal(key)
            if not isinstance(said, str) or not said.isidentifier():
                continue
            if isinstance(value, ast.Dict) and depth < 2:
                yield from self._entries(module, f"{scope}.{said}", value, depth + 1)
            elif said in self.source.used or _unpacked(self.source, scope.split(".")[-1]):
                yield from self._place("entry", module, scope, said, value)

    def _locals(self, module: Module) -> Iterator[Place]:
        for node in ast.walk(module.tree):
            if isinstance(node, FunctionNode) and self._reached(node):
                yield from self._assigned("local", module, node.name, node)

    def _reached(self, node: FunctionNode) -> bool:
        """Whether anything may call it: its name is read somewhere, or Python or a library calls it by custom."""
        return node.name in self.source.used or node.name.startswith("__") or node.name in ("forward", "main")

    def _arguments(self, module: Module) -> Iterator[Place]:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            name, root = called(node), root_name(node.func)
            if not name or name in _NOT_SETTINGS or root in _DRAWING:
                continue
            own = name in self.functions or name in self.fields
            for keyword in node.keywords:
                if keyword.arg:
                    yield from self._place("argument", module, "", keyword.arg, keyword.value, name, own)
            if name == "Dropout" and node.args:
                yield from self._place("argument", module, "", "dropout", node.args[0], name, False)
            if own and len(self.functions.get(name, ())) == 1:
                words = [arg.arg for arg in self.functions[name][0].args.args if arg.arg not in ("self", "cls")]
                for word, value in zip(words, node.args, strict=False):
                    yield from self._place("argument", module, "", word, value, name, True)

    def _defaults(self, module: Module) -> Iterator[Place]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for made in self.functions.get(node.name, ()):
                    if made in node.body:
                        yield from self._signature(module, node.name, made)
                for place in self.fields.get(node.name, ()) if node.name in self.fields else ():
                    if (
                        place in node.body
                        and isinstance(place.target, ast.Name)
                        and place.target.id in self.source.used
                    ):
                        order = [f.target.id for f in self.fields[node.name] if isinstance(f.target, ast.Name)]
                        if self._stands(node.name, order, place.target.id):
                            yield from self._place("field", module, node.name, place.target.id, place.value)
            elif isinstance(node, FunctionNode) and node.name != "__init__":
                yield from self._signature(module, node.name, node)

    def _signature(self, module: Module, name: str, node: FunctionNode) -> Iterator[Place]:
        arguments = [arg.arg for arg in [*node.args.posonlyargs, *node.args.args]]
        defaults = node.args.defaults
        pairs = list(zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True))
        pairs += [(a.arg, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None]
        order = [word for word in arguments if word not in ("self", "cls")]
        for word, default in pairs:
            if self._stands(name, order, word):
                yield from self._place("default", module, name, word, default)

    def _stands(self, name: str, order: list[str], word: str) -> bool:
        """Whether a default acts: the function is called, and never with that argument."""
        calls = self.calls.get(name, [])
        place = order.index(word) if word in order else len(order) + 99
        return bool(calls) and not any(
            len(call.args) > place
            or any(isinstance(arg, ast.Starred) for arg in call.args)
            or any(keyword.arg in (None, word) for keyword in call.keywords)
            for call in calls
        )


def _unpacked(source: Source, name: str) -> bool:
    """Whether `**name` is passed somewhere: its entries act although nobody reads them by name."""
    return any(
        isinstance(node, ast.keyword) and node.arg is None and last_name(node.value) == name
        for module in source.modules.values()
        for node in ast.walk(module.tree)
    )


_NOT_SETTINGS = vocabulary(
    "add_argument option ArgumentParser print open dump dumps savefig subplots figure range join print_exc log "
    "info debug warning makedirs mkdir round format set_description set_postfix manual_seed seed default_rng "
    "RandomState"
)
_DRAWING = frozenset(["plt", "ax", "axes", "axs", "fig", "sns", "matplotlib", "pyplot"])
