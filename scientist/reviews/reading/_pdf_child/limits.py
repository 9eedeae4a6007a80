"""What a process that looks at a file may use, and what it answers."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

ANSWER = 96 << 20  # bytes


def limit(memory: int, seconds: int) -> None:
    """At most `memory` bytes of address space and `seconds` of processor time; no file may be written."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(look: Callable[[], dict[str, Any]]) -> None:
    """One JSON object on standard output, whatever the file does; being killed is the only other end."""
    told: dict[str, Any]
    try:
        told = look()
    except MemoryError:
        told = {"problem": "it needs too much memory"}
    except Exception as error:  # noqa: BLE001 - a broken file makes the reader raise anything; the parent tells it
        told = {"problem": "it is encrypted" if "password" in str(error).lower() else "it is broken, or no PDF"}
    said = json.dumps(told, separators=(",", ":"))
    if len(said) > ANSWER:
        said = json.dumps({"problem": "it holds too much text"})
    sys.stdout.write(said)
