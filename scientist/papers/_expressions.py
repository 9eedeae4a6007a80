"""`\\calc`: arithmetic over facts, read through a whitelist of syntax and never through `eval`."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping

from scientist.errors import RecordError

MAX_LENGTH = 400
MAX_DEPTH = 24
MAX_EXPONENT = 16.0
LITERALS = (0, 1, 2, 100)
"""Literals an expression may contain. Anything else is a number somebody typed, and has to be a fact."""

MAX_DIGITS = 8

_ALPHABET = re.compile(r"[a-z0-9_.+\-*/(), \t]*", re.ASCII)
_ODD_NUMBER = re.compile(r"(?<![a-z0-9_])\d+[a-z_]", re.ASCII)
_NAME = re.compile(r"(?<![a-z0-9_.])[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*(?![a-z0-9_.])", re.ASCII)

_FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {
    "abs": (abs, 1, 1),
    "min": (min, 2, 8),
    "max": (max, 2, 8),
    "sqrt": (math.sqrt, 1, 1),
    "round": (round, 1, 2),
}


class ExpressionError(RecordError):
    """An expression of `\\calc` is not allowed, or has no finite value."""

    def __init__(
        self, expression: str, problem: str, remedy: str = "use facts, + - * / **, abs min max round sqrt"
    ) -> None:
        shown = expression.encode("ascii", "backslashreplace").decode().replace("\n", " ")
        super().__init__(f"\\calc{{{shown if len(shown) <= 60 else shown[:57] + '...'}}}: {problem}", remedy)
        self.expression = expression


class _Parsed:
    """An expression whose fact ids were replaced by `f_0`, `f_1`, ... before Python's parser saw it.

    So a part of an id may be a Python keyword, and no attribute access ever reaches the tree.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        if len(expression) > MAX_LENGTH:
            raise ExpressionError(expression, f"longer than {MAX_LENGTH} characters", "split it, or make it a fact")
        if not _ALPHABET.fullmatch(expression):
            raise ExpressionError(expression, "contains a character that is not allowed")
        self.ids: dict[str, str] = {}
        source = _NAME.sub(self._placeholder, expression).strip()
        if _ODD_NUMBER.search(source):
            raise self.error("contains a number that is not plainly written")
        try:
            tree = ast.parse(source, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise ExpressionError(expression, "is not arithmetic") from error
        self.body = tree.body
        self.names: list[str] = []
        self._check(self.body, 0)
        if not self.names:
            raise ExpressionError(expression, "names no fact: a number somebody typed", "calculate with facts")

    def _placeholder(self, match: re.Match[str]) -> str:
        name = match.group()
        if name in _FUNCTIONS and self.expression[match.end() :].lstrip().startswith("("):
            return name
        key = f"f_{len(self.ids)}"
        self.ids[key] = name
        return key

    def error(self, problem: str) -> ExpressionError:
        return ExpressionError(self.expression, problem)

    def _check(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error("is nested too deeply")
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), right=right):
                self._check(left, depth + 1)
                self._check(right, depth + 1)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self._check(operand, depth + 1)
            case ast.Constant(value=value) if type(value) is int:
                if value not in LITERALS:
                    raise self.error(
                        f"the literal {value} is no fact (only {', '.join(map(str, LITERALS))} are allowed)"
                    )
            case ast.Constant():
                raise self.error("contains a decimal, which must be a fact")
            case ast.Name(id=name) if name in self.ids:
                if self.ids[name] not in self.names:
                    self.names.append(self.ids[name])
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
                _, least, most = _FUNCTIONS[name]
                if not least <= len(args) <= most:
                    raise self.error(f"{name} takes {least} to {most} arguments")
                for position, argument in enumerate(args):
                    if name == "round" and position == 1:
                        self._digits(argument)
                    else:
                        self._check(argument, depth + 1)
            case _:
                raise self.error("contains something that is not arithmetic over facts")

    def _digits(self, node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int and 0 <= node.value <= MAX_DIGITS:
            return node.value
        raise self.error(f"the digits of round are a whole number from 0 to {MAX_DIGITS}")

    def value(self, values: Mapping[str, float]) -> float:
        """The value. Raises :class:`ExpressionError` where arithmetic has no finite, real answer."""
        try:
            result = self._value(self.body, values)
        except ZeroDivisionError as error:
            raise self.error("divides by zero") from error
        except (OverflowError, ValueError) as error:
            raise self.error("has no finite value") from error
        if not math.isfinite(result):
            raise self.error("has no finite value")
        if not self._depends(result, values):
            raise self.error("does not depend on its facts, so it is a number somebody typed")
        return result

    def _depends(self, result: float, values: Mapping[str, float]) -> bool:
        """Would other facts give another result? `x * 0 + 100 - 2` is a typed number in disguise."""
        for scale, shift, power in ((1.37, 0.11, 1.0), (0.41, -0.23, 1.5), (-3.1, 1.7, 2.0), (1e4, 17.0, 0.5)):
            try:
                # Each fact moves by its own amount: a difference of equal facts would survive a common shift, and the
                # ratio of one to two a shift in steps of equal size.
                moved = {
                    name: values[name] * scale + shift * (place + 1) ** power for place, name in enumerate(self.names)
                }
                if self._value(self.body, moved) != result:
                    return True
            except (ArithmeticError, ValueError, ExpressionError):
                return True
        return False

    def _value(self, node: ast.expr, values: Mapping[str, float]) -> float:
        if isinstance(node, ast.Constant):
            return float(node.value)  # type: ignore[arg-type]  # _check let only integers through
        if isinstance(node, ast.Name):
            name = self.ids[node.id]
            if name not in values:
                raise ExpressionError(self.expression, f"there is no fact '{name}'", "use an id of facts.json")
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self.error(f"the fact '{name}' is no number")
            return float(value)
        if isinstance(node, ast.UnaryOp):
            operand = self._value(node.operand, values)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            function = _FUNCTIONS[node.func.id][0]
            if node.func.id == "round" and len(node.args) == 2:
                return float(round(self._value(node.args[0], values), self._digits(node.args[1])))
            return float(function(*(self._value(argument, values) for argument in node.args)))
        assert isinstance(node, ast.BinOp)
        left, right = self._value(node.left, values), self._value(node.right, values)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
        if abs(right) > MAX_EXPONENT:
            raise self.error(f"an exponent lies outside ±{MAX_EXPONENT:g}")
        power = left**right
        if isinstance(power, complex):
            raise self.error("has no real value")
        return float(power)


def names(expression: str) -> tuple[str, ...]:
    """The fact ids of an expression, each once, in order of appearance. Raises :class:`ExpressionError`."""
    return tuple(_Parsed(expression).names)


def evaluate(expression: str, values: Mapping[str, float]) -> float:
    """The value of an expression over the raw values of facts (id -> number).

    Raises :class:`ExpressionError`, in one line, for syntax outside the whitelist, an unknown fact, a fact that
    is no number, a literal other than 0, 1, 2 and 100, a result that is not a finite real number, and one that
    the facts do not matter for.
    """
    return _Parsed(expression).value(values)


def show(expression: str, values: Mapping[str, float]) -> str:
    """What `\\calc` prints: with the digits of an outer `round`, else as a whole number or with three digits.

    Plain characters, a minus as "-". Raises :class:`ExpressionError`.
    """
    parsed = _Parsed(expression)
    result = parsed.value(values)
    body = parsed.body
    if isinstance(body, ast.Call) and isinstance(body.func, ast.Name) and body.func.id == "round":
        digits = parsed._digits(body.args[1]) if len(body.args) == 2 else 0
    elif result == int(result):
        digits = 0
    else:
        digits = max(0, 2 - math.floor(math.log10(abs(result))))
    text = f"{result:.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.") else text
