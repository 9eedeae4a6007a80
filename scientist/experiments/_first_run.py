"""The first run of a stranger's script that came without results: what does it report?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scientist.errors import TemplateError
from scientist.experiments._bench import Bench
from scientist.experiments._sandbox import choose_sandbox
from scientist.template import derive, load_final_info

_UNKNOWN = {"unknown": 0.5}
"""Stands for the metrics until the script has named them."""


def first_run(root: Path, sandbox: str, scratch: Path) -> Any:
    """Run `experiment.py` once, as it is, in a sandbox, and return the final_info that it wrote.

    `sandbox` is what the setting of that name may be. Raises :class:`TemplateError` in one line when the script does
    not end well or writes no final_info.json; the directory itself is not written to.
    """
    template = derive(root, _UNKNOWN).template
    with (
        Bench.local(template, choose_sandbox(sandbox, template.hide), scratch / "bench", 1) as bench,
        bench.run(template.defaults, 1, ("keep",)) as outcome,
    ):
        # The judge refuses the run, since nobody knows its metrics yet; what matters is what it left.
        if outcome.status not in ("ok", "invalid"):
            raise TemplateError(f"{root}: its first run ended badly ({outcome.reason})", "mend the script, or its data")
        try:
            return load_final_info(outcome.folder / "outputs" / "final_info.json")
        except ValueError as error:
            raise TemplateError(
                f"{root}: its first run left no results ({error})", "see that it writes them"
            ) from error
