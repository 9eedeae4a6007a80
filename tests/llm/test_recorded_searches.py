"""A recording holds what the network answered: a replay asks nobody, and what it lacks makes no idea novel."""

from __future__ import annotations

from pathlib import Path

from scientist._literature import lab_sources
from scientist.lab import Lab, create_lab
from scientist.literature import RecordedSource, Reference, Searched


class Index:
    """An open source that counts how often it was asked."""

    name, breadth = "index", "open"

    def __init__(self) -> None:
        self.asked = 0

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        self.asked += 1
        if "down" in query:
            return [], Searched(source="index", query=query, answer="out", note="no answer in time")
        work = Reference(key="a2001", title=f"On {query}", authors=("Ann Author",), year=2001, source="index")
        return [work], Searched(source="index", query=query, answer="answered", found=1)


def test_what_was_answered_is_answered_again_without_asking(tmp_path: Path) -> None:
    index = Index()
    live = RecordedSource(index, tmp_path, replay=False)
    said = [live.search(query, 5, 1.0) for query in ("noise", "down here")]
    again = RecordedSource(index, tmp_path, replay=True)
    assert [again.search(query, 5, 1.0) for query in ("noise", "down here")] == said
    assert index.asked == 2 and said[1][1].answer == "out"
    for query, limit in (("something else", 5), ("noise", 6)):
        works, searched = again.search(query, limit, 1.0)
        assert works == [] and searched.answer == "out" and "recording" in searched.note
    assert index.asked == 2
    next(tmp_path.glob("*.json")).write_text("{")
    assert {again.search(query, 5, 1.0)[1].answer for query in ("noise", "down here")} == {"out"}


def test_a_lab_records_where_models_play_and_asks_nobody_in_a_replay(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    create_lab(root)

    def kinds(**settings: object) -> set[str]:
        return {type(source).__name__ for source in lab_sources(Lab(root, settings)) if source.breadth == "open"}

    assert "RecordedSource" not in kinds() | kinds(model="")
    assert kinds(model="desk/author") == kinds(roles={"writer": {"model": "desk/a"}}) == {"RecordedSource"}
    replayed = lab_sources(Lab(root, {"replay": str(tmp_path)}))
    assert all(
        source.search("noise", 3, 5.0)[1].note.startswith("the recording")
        for source in replayed
        if source.breadth == "open"
    )
