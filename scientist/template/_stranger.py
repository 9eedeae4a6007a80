"""Templates in the AI-Scientist layout, as strangers wrote them: `experiment.py --out_dir run_i`, unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scientist.errors import TemplateError
from scientist.lab import KnobValue
from scientist.template._template import Template


def assemble_stranger(
    template: Template, folder: Path, knobs: Mapping[str, KnobValue], seed: int | None, code: Mapping[str, bytes]
) -> list[str]:
    """Copy the template's tree into a run's folder with the knobs' literals replaced; returns the command.

    With `seed` None the seed's place is left as it is, for hashing what does not depend on it.
    """
    raise TemplateError(f"{template.root}: this layout cannot be run", "use a template with a template.toml")
