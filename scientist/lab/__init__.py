"""The folder: paths, settings, records, atomic files, lock and journal."""

from scientist.lab._files import clear_temporaries, inside, remove_tree, write_atomic
from scientist.lab._journal import Journal
from scientist.lab._lab import SETTINGS_FILE, Lab, create_lab, find_lab
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
