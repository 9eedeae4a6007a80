"""The backlog: what is valid is listed, what is broken is named by file, line and key, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from idea_makers import make_idea

from scientist.errors import RecordError, UsageError
from scientist.ideas import DoseResponse, add_idea, find_idea, load_backlog, read_idea, set_status, write_idea

DESIGN = DoseResponse(knob="noise", levels=(0.0, 0.2))


def test_valid_ideas_are_sorted_and_broken_ones_named_and_kept(tmp_path: Path) -> None:
    for slug in ("zebra-idea", "apple-idea"):
        write_idea(tmp_path, make_idea(slug, DESIGN))
    typo = (tmp_path / "apple-idea.md").read_text().replace("apple-idea", "typo-idea").replace("smallest_", "smalest_")
    (tmp_path / "typo-idea.md").write_text(typo)
    key = (tmp_path / "apple-idea.md").read_text().replace("slug: apple-idea", "slug: extra-idea\nprioritty: 3")
    (tmp_path / "extra-idea.md").write_text(key)
    (tmp_path / "no-front.md").write_text("Just prose.\n")
    (tmp_path / "README.md").write_text("About this folder.\n")
    backlog = load_backlog(tmp_path)
    assert [idea.slug for idea in backlog] == ["apple-idea", "zebra-idea"]
    broken = {path.name: message for path, message in backlog.broken}
    assert set(broken) == {"typo-idea.md", "extra-idea.md", "no-front.md"}
    assert "typo-idea.md" in broken["typo-idea.md"]
    assert "smallest_effect: is missing" in broken["typo-idea.md"]
    assert "extra-idea.md:4: prioritty: unknown key (did you mean 'priority'?)" in broken["extra-idea.md"]
    assert "no-front.md:1:" in broken["no-front.md"]
    assert all("\n" not in message for message in broken.values())
    assert (tmp_path / "typo-idea.md").read_text() == typo
    assert {"typo-idea", "no-front", "apple-idea"} <= backlog.taken


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert len(load_backlog(tmp_path / "none")) == 0


def test_find_by_slug_or_unique_beginning(tmp_path: Path) -> None:
    for slug in ("dose-noise", "dose-noise-net", "tune-net"):
        write_idea(tmp_path, make_idea(slug, DESIGN))
    assert find_idea(tmp_path, "tune").slug == "tune-net"
    assert find_idea(tmp_path, "dose-noise").slug == "dose-noise", "a whole slug wins over longer ones"
    assert find_idea(tmp_path, "dose-noise-net.md").slug == "dose-noise-net"
    with pytest.raises(UsageError, match="dose-noise, dose-noise-net"):
        find_idea(tmp_path, "dose")
    with pytest.raises(UsageError, match="did you mean 'tune-net'"):
        find_idea(tmp_path, "tume-net")
    with pytest.raises(UsageError, match="no idea ''"):
        find_idea(tmp_path, "")


def test_status_changes_keep_prose_and_note(tmp_path: Path) -> None:
    write_idea(tmp_path, make_idea("dose-noise", DESIGN, notes="By hand.\n\nTwo paragraphs."))
    set_status(tmp_path, "dose", "rejected", "too dear")
    again = set_status(tmp_path, "dose-noise", "approved")
    on_disk = read_idea(tmp_path / "dose-noise.md")
    assert on_disk == again
    assert (on_disk.status, on_disk.note, on_disk.notes) == ("approved", "too dear", "By hand.\n\nTwo paragraphs.")
    assert [path.name for path in tmp_path.iterdir()] == ["dose-noise.md"], "no temporary file stays behind"


def test_a_broken_or_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dose-noise.md").write_text("half an ide")
    with pytest.raises(UsageError, match="exists already"):
        add_idea(tmp_path, make_idea("dose-noise", DESIGN))
    with pytest.raises(RecordError, match=r"dose-noise\.md:1"):
        set_status(tmp_path, "dose-noise", "approved")
    assert (tmp_path / "dose-noise.md").read_text() == "half an ide"
