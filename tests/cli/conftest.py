"""One finished paper for all tests that only look."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_calls import DIAL, answer, call, new_lab
from filelock import FileLock


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with one finished paper (without PDF). Tests that change anything work on a copy."""
    # The processes of a parallel test run share it: whoever comes first makes it.
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if shared else base) / f"finished-{shared or 'here'}"
    with FileLock(f"{place}.lock"):
        if not (place / "done").exists():
            lab = new_lab(place / "lab")
            told = answer(call(lab, "run", str(DIAL), "--ideas", "1", "--no-pdf", "--json", "--quiet"))
            assert [paper["errors"] for paper in told["papers"]] == [0]
            (place / "done").touch()
    return place / "lab"
