"""What a run left in outputs/: which files are kept, and the copy of a run whose score raised the alarm."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scientist.errors import AlarmError
from scientist.experiments._artefacts import MIB, listing, read_plain, reports
from scientist.lab import canonical_json, remove_tree, write_atomic
from scientist.lab._files import disk_error
from scientist.template import Template

KEPT_REPORT = MIB
"""Bytes up to which another JSON file of a run that reports its own metrics is kept."""


def collect(outputs: Path, template: Template) -> tuple[dict[str, str], str]:
    """(path below outputs/ -> SHA-256 of every file that is kept, "") or ({}, why the whole is refused).

    Links, second names of other files, pipes, devices and odd names are refused from the outside, before any content is
    read; what the files hold is for the judge. Where the code reports its own metrics, `final_info.json` and other plain
    JSON files of at most 1 MB at the top are kept, and everything else is neither read nor refused.
    """
    most = template.budget.output_mb * MIB
    found: dict[str, str] = {}
    try:
        if template.judging == "self-reported":
            name, listed = reports(outputs)
            files = {path: what for path, what in listed.items() if path == name or what.st_size <= KEPT_REPORT}
        else:
            files = listing(outputs)
        if sum(what.st_size for what in files.values()) > most:
            return {}, f"artefacts are larger than {template.budget.output_mb} MB"
        for name in files:
            found[name] = hashlib.sha256(read_plain(outputs, name, most)).hexdigest()
    except ValueError as error:
        return {}, str(error)
    return (found, "") if found else ({}, "no artefact was written")


def keep_alarm(
    target: Path, folder: Path, template: Template, code: Mapping[str, bytes], error: AlarmError
) -> AlarmError:
    """Copy what a run left to `target`, with the code that was meant to run; returns the error that names the place.

    Links are copied as links. `alarm.json` says which score passed which bound.
    """
    staging = target.with_name(f".{target.name}.tmp")
    about: dict[str, Any] = {**error.details, "template": template.name, "fingerprint": template.fingerprint()}
    try:
        remove_tree(staging)
        staging.mkdir(parents=True)
        for name in ("log.txt", "knobs.json"):
            if (folder / name).is_file() and not (folder / name).is_symlink():
                shutil.copyfile(folder / name, staging / name)
        shutil.copytree(folder / "outputs", staging / "outputs", symlinks=True)
        for name in template.editable:
            place = staging / "code" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(code[name] if name in code else (template.root / name).read_bytes())
        write_atomic(staging / "alarm.json", canonical_json(about) + b"\n")
        remove_tree(target)
        os.replace(staging, target)  # noqa: PTH105 - the atomic rename is the point
    except OSError as fault:
        raise disk_error(fault, target) from fault
    return AlarmError(
        error.message,
        f"look at {target}, mend evaluate.py; nothing of that run counts",
        {**error.details, "kept": str(target)},
    )
