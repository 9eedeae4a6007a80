"""Names of a package that are imported when they are asked for, where importing them at once would cost a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` (PEP 562) of a package: `homes` says for each name in which of its modules it lives,
    and after a colon how it is called there if that is another name."""

    def get(name: str) -> Any:
        if name in homes:
            home, _, called = homes[name].partition(":")
            return getattr(import_module(f"{package}.{home}"), called or name)
        raise AttributeError(f"module '{package}' has no attribute '{name}'")

    return get
