"""The folder of one run, as the candidate finds it: code, knobs, and the hash of it all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from scientist.lab import KnobValue, canonical_json, sha256
from scientist.template import Template, assemble_stranger


def assemble(
    template: Template, folder: Path, knobs: Mapping[str, KnobValue], seed: int, code: Mapping[str, bytes]
) -> tuple[list[str], str]:
    """Fill an empty run folder; returns (the command to run there, hash of the work).

    The hash covers every file and the command, but not the seed: two variants with the same hash are the same work
    under two names. `code` replaces editable files by name (a patched variant, a cheat).
    """
    for name in ("inputs", "outputs"):
        (folder / name).mkdir(parents=True)
    effective = template.effective(dict(knobs))
    if template.layout == "ai-scientist":
        unseeded = assemble_stranger(template, folder, effective, None, code)
        tree = tree_hash(folder, unseeded)
        return assemble_stranger(template, folder, effective, seed, code), tree
    for name in template.editable:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code[name] if name in code else (template.root / name).read_bytes())
    # Only what acts in this assignment: two assignments with the same effective knobs must be the same work.
    method = {k.name: effective[k.name] for k in template.knobs if k.applies == "method" and k.name in effective}
    data = {k.name: effective[k.name] for k in template.knobs if k.applies == "data" and k.name in effective}
    tree = tree_hash(folder, [*template.command, canonical_json({"method": method, "data": data}).decode()])
    (folder / "knobs.json").write_bytes(canonical_json({"seed": seed, "knobs": method}))
    return list(template.command), tree


def tree_hash(folder: Path, command: Sequence[str]) -> str:
    """SHA-256 over the command and every file below `folder`, each by path and content."""
    total = hashlib.sha256(canonical_json(list(command)))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode() + b"\0" + sha256(path.read_bytes()).encode())
    return total.hexdigest()
