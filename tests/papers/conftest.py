"""A complete sample paper, built once and copied for the tests that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sample import make_paper


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample paper with one failed run; not to be changed."""
    folder = tmp_path_factory.mktemp("sample") / "paper"
    make_paper(folder, failed=True)
    return folder


@pytest.fixture
def paper_folder(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy of the sample paper to change."""
    return shutil.copytree(sample_folder, tmp_path / "paper")
