"""Arithmetic over facts: the same as Python's, and nothing but arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.papers._expressions import ExpressionError, evaluate, names, show

VALUES = {"v.a.keep.mean": 0.9304, "v.b.keep.mean": 0.8876, "study.n_seeds": 12, "c.ab.keep.mean": -0.0428}


def trees() -> st.SearchStrategy[tuple[str, float]]:
    """Pairs of an expression over VALUES and its value by Python's own arithmetic."""
    leaves = st.sampled_from([(name, float(value)) for name, value in VALUES.items()] + [("2", 2.0), ("100", 100.0)])

    def grow(inner: st.SearchStrategy[tuple[str, float]]) -> st.SearchStrategy[tuple[str, float]]:
        def binary(left: tuple[str, float], operator: str, right: tuple[str, float]) -> tuple[str, float]:
            a, b = left[1], right[1]
            value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else math.nan}[operator]
            return f"({left[0]} {operator} {right[0]})", value

        def unary(function: str, part: tuple[str, float]) -> tuple[str, float]:
            value = {"abs": abs(part[1]), "-": -part[1], "round": float(round(part[1], 2))}[function]
            return (
                f"-{part[0]}" if function == "-" else f"{function}({part[0]}{', 2' * (function == 'round')})"
            ), value

        return st.one_of(
            st.builds(binary, inner, st.sampled_from("+-*/"), inner),
            st.builds(unary, st.sampled_from(["abs", "-", "round"]), inner),
        )

    return st.recursive(leaves, grow, max_leaves=8)


@given(trees())
def test_the_value_is_that_of_python(tree: tuple[str, float]) -> None:
    expression, expected = tree
    try:
        value = evaluate(expression, VALUES)
    except ExpressionError as error:
        constant = "number somebody typed" in str(error)
        assert constant or not math.isfinite(expected) or len(expression) > 400
    else:
        assert value == expected


@given(st.text(alphabet="abcfrx.s_0129()+-*/, \t", max_size=40))
def test_any_text_gives_a_value_or_a_typed_error(text: str) -> None:
    try:
        assert math.isfinite(evaluate(text, VALUES))
    except ExpressionError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').system('id')",
        "().__class__.__bases__",
        "'a'.join",
        "[x for x in y]",
        "lambda: study.n_seeds",
        "study.n_seeds if study.n_seeds else 0",
        "study.n_seeds and v.a.keep.mean",
        "study.n_seeds < 2",
        "study.n_seeds // 2",
        "study.n_seeds % 2",
        "study.n_seeds.real()",
        "study.n_seeds()",
        "abs(*study.n_seeds)",
        "round(study.n_seeds, ndigits=2)",
        "pow(study.n_seeds, 2)",
        "study.n_seeds ** 100",
        "2 ** 2 ** 2 ** 100 * study.n_seeds",
        "2 ** (100 * study.n_seeds)",
        "c.ab.keep.mean ** v.a.keep.mean",
        "ｓtudy.n_seeds",
        "study.n_seeds + ２",
        "study\u200b.n_seeds",
        "study.n_seeds\n+ 2",
        "study.n_seeds; 2",
        "(x := study.n_seeds)",
        "f'{study.n_seeds}'",
        "1j * study.n_seeds",
        "-" * 399 + "1",
        "abs(" * 60 + "study.n_seeds" + ")" * 60,
        "+".join(["study.n_seeds"] * 40),
        "study.n_seeds / (1 - 1)",
        "sqrt(c.ab.keep.mean)",
        "round(study.n_seeds, 9)",
        "round(study.n_seeds, -1)",
        "round(study.n_seeds, study.n_seeds)",
        "",
    ],
)
def test_what_is_not_arithmetic_over_facts_is_refused(hostile: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(hostile, VALUES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("typed", ["93.4", "3 * study.n_seeds", "1e5 * study.n_seeds", "study.n_seeds + 0x2", "7"])
def test_typed_numbers_are_refused(typed: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(typed, VALUES)


@pytest.mark.parametrize("disguised", ["100 - 2 * 2", "study.n_seeds * 0 + 100 - 2", "study.n_seeds / study.n_seeds"])
def test_a_result_that_no_fact_matters_for_is_refused(disguised: str) -> None:
    with pytest.raises(ExpressionError, match="typed"):
        evaluate(disguised, VALUES)


def test_unknown_facts_and_words_are_named() -> None:
    with pytest.raises(ExpressionError, match=r"no fact 'v\.z\.mean'"):
        evaluate("v.z.mean * 2", VALUES)
    with pytest.raises(ExpressionError, match="is no number"):
        evaluate("c.ab.verdict * 2", {"c.ab.verdict": "supported"})  # type: ignore[dict-item]


def test_names_are_listed_once_in_order_and_may_be_keywords() -> None:
    assert names("set.lambda.in / abs(c.ab.keep.mean) - set.lambda.in") == ("set.lambda.in", "c.ab.keep.mean")
    assert evaluate("set.lambda.in * 2", {"set.lambda.in": 0.5}) == 1


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("round(100 * (v.a.keep.mean - v.b.keep.mean), 1)", "4.3"),
        ("round(100 * c.ab.keep.mean, 1)", "-4.3"),
        ("round(c.ab.keep.mean / 100, 1)", "0.0"),
        ("study.n_seeds / 2", "6"),
        ("v.a.keep.mean / 100", "0.00930"),
        ("v.a.keep.mean * 100 * 100", "9304"),
        ("round(v.a.keep.mean)", "1"),
    ],
)
def test_what_is_printed(expression: str, text: str) -> None:
    assert show(expression, VALUES) == text


def test_a_ratio_of_exactly_one_half_still_depends_on_its_facts() -> None:
    halves = {"study.n_seeds": 0.033, "v.a.keep.mean": 0.066}
    assert evaluate("round(study.n_seeds/v.a.keep.mean, 2)", halves) == 0.5
    assert evaluate("round(v.a.keep.mean/study.n_seeds, 2)", halves) == 2.0
