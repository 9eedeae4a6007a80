"""Every prompt has its variables filled, and says no more than it has to."""

from __future__ import annotations

import pytest

from scientist.llm import prompt_names, render, variables


@pytest.mark.parametrize("name", prompt_names())
def test_every_prompt_takes_exactly_its_variables(name: str) -> None:
    values = {variable: f"value of {variable} {{{{ not again }}}}" for variable in variables(name)}
    text = render(name, **values)
    for value in values.values():
        assert value in text  # what is filled in is not read as a template
    assert "{%" not in text.replace("{{ not again }}", "")
    assert len(text) < 6000
    for missing in values:
        with pytest.raises(ValueError, match=missing):
            render(name, **{key: value for key, value in values.items() if key != missing})
    with pytest.raises(ValueError, match="no variable surplus"):
        render(name, **values, surplus="x")


def test_a_prompt_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no prompt"):
        render("../secrets")
