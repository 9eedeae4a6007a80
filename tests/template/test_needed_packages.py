"""A template whose workers import what is not installed says what to install, before anything is started."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from template_runs import DIAL, ROOT

from scientist.errors import TemplateError
from scientist.experiments import Bench, choose_sandbox
from scientist.template import load_template, require_packages


def test_char_lm_without_torch_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    really = importlib.util.find_spec

    def blind(name: str, package: str | None = None) -> Any:
        return None if name.split(".")[0] == "torch" else really(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", blind)
    with pytest.raises(TemplateError) as refused:
        Bench.local(load_template(ROOT / "templates" / "char_lm"), choose_sandbox("process"), tmp_path / "bench", 1)
    assert str(refused.value.message) == "template 'char_lm' needs torch, which is not installed"
    assert refused.value.remedy == "pip install 'scientist[torch]'"
    assert not (tmp_path / "bench").exists()


def test_what_is_no_extra_is_called_by_its_distribution() -> None:
    dial = load_template(DIAL)
    require_packages(dial)
    lacking = dial.model_copy(update={"warm": ("numpy", "no_such_package_here.part", "os.path")})
    with pytest.raises(TemplateError, match="needs no_such_package_here, which is not installed"):
        require_packages(lacking)


def test_every_template_that_is_shipped_declares_what_a_clock_decides() -> None:
    char_lm = load_template(ROOT / "templates" / "char_lm")
    assert not char_lm.by_the_clock(char_lm.defaults)
    assert char_lm.by_the_clock({**char_lm.defaults, "budget": "time"})
