"""Benches of every form of the sandbox, for the hostile tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from hostile_bench import WALLED, started

from scientist.experiments import Bench


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(started(kind, tmp_path_factory.mktemp(kind))) for kind in ("process", *WALLED)}


@pytest.fixture(params=["process", *WALLED])
def bench(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    return benches[request.param]


@pytest.fixture(params=WALLED)
def walled(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    return benches[request.param]


@pytest.fixture
def bubblewrap(benches: dict[str, Bench]) -> Bench:
    if "bubblewrap" not in benches:
        pytest.skip("bubblewrap does not work here")
    return benches["bubblewrap"]
