"""A paper says what kept its runs to themselves *where they were executed*, and exactly what that does not cover."""

from __future__ import annotations

from pathlib import Path

from sample_loop import campaign, new_lab

from scientist.experiments import Usage, choose_sandbox
from scientist.lab import Lab, read_json
from scientist.papers import Manifest, escape, isolation_of


def test_every_gap_is_printed_and_in_the_manifest(tmp_path: Path) -> None:
    gaps = choose_sandbox("process").gaps
    (paper,) = campaign(new_lab(tmp_path / "lab", sandbox="process"))
    folder = tmp_path / "lab" / "papers" / paper.slug
    assert len(gaps) >= 5

    def told() -> tuple[str, str, tuple[str, ...]]:
        tex = " ".join((folder / "paper.tex").read_text().split())
        manifest = read_json(Manifest, folder / "manifest.json")
        return tex, manifest.sandbox, manifest.sandbox_gaps

    first = told()
    listed = "; ".join(escape(gap) for gap in gaps)
    assert f"What that does not cover: {listed}." in first[0] and f"Runs were not fully isolated: {listed}." in first[0]
    assert first[1:] == ("process", gaps)

    # Written again by somebody who has walls: the runs had none all the same.
    (folder / "manuscript.json").unlink()
    campaign(Lab(tmp_path / "lab", {"online": False, "seeds": 12, "workers": 2, "ideas": 1, "sandbox": "auto"}))
    assert told() == first


def usage(sandbox: str, *gaps: str) -> Usage:
    return Usage(wall_s=1, cpu_s=1, max_rss_mb=1, sandbox=sandbox, gaps=gaps)


def test_the_weakest_sandbox_speaks_for_all() -> None:
    mixed = [
        usage("bubblewrap", "a"),
        usage("process", "b", "c"),
        usage("landlock", "a", "d"),
        usage("process", "c", "e"),
    ]
    assert isolation_of(mixed) == ("process", ("b", "c", "e", "a", "d"))
    assert isolation_of(mixed[:1]) == ("bubblewrap", ("a",))
    assert isolation_of([usage("bubblewrap"), usage("process")]) == ("", ())
    assert isolation_of([]) == ("", ())
