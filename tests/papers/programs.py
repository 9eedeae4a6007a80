"""Marks for tests that need programs which may not be installed."""

from __future__ import annotations

import shutil

import pytest

from scientist.papers._latex import find_engine

needs_latex = pytest.mark.skipif(find_engine() != "pdflatex", reason="no pdflatex")
needs_poppler = pytest.mark.skipif(not (shutil.which("pdftotext") and shutil.which("pdfinfo")), reason="no poppler")
