"""The folder: paths, settings, records, atomic files, lock and journal.

The lab itself and its settings are imported when they are asked for: records and files need neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scientist._lazy import lazy
from scientist.lab._files import clear_temporaries, inside, remove_tree, write_atomic
from scientist.lab._journal import Journal
from scientist.lab._records import (
    KnobValue,
    Record,
    canonical_json,
    explain,
    nearest,
    read_json,
    read_text,
    read_toml,
    sha256,
    sha256_file,
)

if TYPE_CHECKING:
    from scientist.lab._lab import SETTINGS_FILE, Lab, create_lab, find_lab
    from scientist.lab._settings import ROLE_NAMES, Caps, RoleSettings, Settings, load_settings

__all__ = [
    "ROLE_NAMES",
    "SETTINGS_FILE",
    "Caps",
    "Journal",
    "KnobValue",
    "Lab",
    "Record",
    "RoleSettings",
    "Settings",
    "canonical_json",
    "clear_temporaries",
    "create_lab",
    "explain",
    "find_lab",
    "inside",
    "load_settings",
    "nearest",
    "read_json",
    "read_text",
    "read_toml",
    "remove_tree",
    "sha256",
    "sha256_file",
    "write_atomic",
]

if not TYPE_CHECKING:  # a name that does not exist is still found by the type checker
    __getattr__ = lazy(
        __name__,
        {
            "SETTINGS_FILE": "_lab",
            "Lab": "_lab",
            "create_lab": "_lab",
            "find_lab": "_lab",
            "ROLE_NAMES": "_settings",
            "Caps": "_settings",
            "RoleSettings": "_settings",
            "Settings": "_settings",
            "load_settings": "_settings",
        },
    )
