"""Shared by all tests: no deadlines on a shared machine, one thread per numeric library."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("house", deadline=None, max_examples=60)
settings.load_profile("house")
