"""A model that sees is shown the figures; what it is asked has one address on every machine, and whoever is blind is asked all the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from designs import World, world
from written import make_material

from scientist.llm import Ask, Budget, HttpWire, Ledger, Model, ScriptedWire, endpoint
from scientist.papers import Material, ModelWriter, picture_figures
from scientist.papers import _figures_pictures as pictures

sys.path.append(str(Path(__file__).parents[1] / "llm"))
from llm_server import Handler, completion, fails, served

LABEL = "scripted/eyes"


@pytest.fixture(scope="module")
def dose(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A dose-response study, with figures that can be looked at."""
    lab, w = tmp_path_factory.mktemp("dose"), world()
    return replace(make_material(lab, w), look=partial(pictured, lab, w))


def pictured(lab: Path, w: World) -> dict[str, pictures.Picture]:
    return picture_figures(lab / "papers" / w.study.slug, w.template, w.idea, w.study, w.analysis, w.final, w.results)


def draft(text: str) -> str:
    """The draft of a question, with a sentence of the model's own."""
    return text.rpartition(" draft>\n")[2].partition("\n</data")[0]


def answer(ask: Ask) -> str:
    if ask.task == "look_at_figures":
        return json.dumps({"defects": [{"figure": "fig:main", "problem": "overlap", "what": "the \x07 dots\nat zero"}]})
    text = draft(ask.messages[1].text)
    own = (
        " It is told in full below."
        if "## The section: Abstract" in ask.messages[1].text
        else "\n\nThis can be checked."
    )
    return f"<section>\n{text}{own}\n</section>"


def writer(folder: Path, wire: Any, said: Callable[[str], None] = lambda _: None, sees: bool = True) -> ModelWriter:
    model = Model(LABEL, wire, Budget(Ledger(folder / "calls.jsonl")), folder / "said")
    return ModelWriter(model, "toy", said, sees=sees)


def test_results_are_written_with_the_figures_in_sight(tmp_path: Path, dose: Material) -> None:
    wire = ScriptedWire(answer, LABEL)
    writer(tmp_path, wire).write(dose)
    seen = {ask.messages[1].text.partition("## The section: ")[2].split("\n")[0]: ask.images for ask in wire.asked}
    assert len(seen["Results"]) == 2 and sum(bool(images) for images in seen.values()) <= 2
    main, contrasts = seen["Results"]
    assert "`fig:main`" in main.about and "`fig:contrasts`" in contrasts.about and r"\val" not in main.about
    assert "Accuracy against label noise" in main.about and main.shows != contrasts.shows
    assert all("fig" not in ask.messages[0].text for ask in wire.asked)


def test_pictures_are_small_and_what_they_draw_has_one_hash(dose: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dose.look()
    for picture in first.values():
        assert picture.png.startswith(b"\x89PNG") and len(picture.png) < 200_000
        sides = [int.from_bytes(picture.png[at : at + 4], "big") for at in (16, 20)]
        assert 900 < max(sides) <= 1000
    monkeypatch.setattr(
        "scientist.papers._figures_draw.STYLE", {**_style(), "font.size": 12.0, "font.family": "monospace"}
    )
    other = dose.look()
    for name, picture in first.items():
        assert other[name].png != picture.png and other[name].shows == picture.shows
    lab_world = world(effect=-0.031)
    assert pictured(Path("nowhere"), lab_world)["main"].shows != first["main"].shows


def _style() -> dict[str, Any]:
    from scientist.papers._figures_draw import STYLE

    return STYLE


def test_a_value_that_another_machine_rounds_otherwise_changes_no_hash() -> None:
    from scientist.papers import _figures_draw as draw

    def shows(value: float, label: str = "a") -> str:
        with draw.canvas(4.0, 3.0) as figure:
            axes = figure.add_subplot()
            axes.set_xlim(0, 1)
            axes.plot([0.1, 0.7], [0.123456789, value])
            axes.set_ylim(0, 1)
            draw.rows_axis(axes, [label])
            return pictures.picture_of(figure).shows

    assert shows(0.5) == shows(0.5 + 1e-15) != shows(0.503)
    assert shows(0.5) != shows(0.5, "b")


def test_a_recording_answers_where_figures_are_drawn_otherwise(
    tmp_path: Path, dose: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = writer(tmp_path, ScriptedWire(answer, LABEL))
    manuscript, looked = first.write(dose), first.look(dose)
    monkeypatch.setattr("scientist.papers._figures_draw.STYLE", {**_style(), "font.size": 12.0})
    again = writer(tmp_path, None)
    assert again.write(dose).canonical() == manuscript.canonical()
    found = again.look(dose)
    assert looked is not None and found is not None and found.canonical() == looked.canonical()


def test_a_recording_without_pictures_still_answers(tmp_path: Path, dose: Material) -> None:
    wire = ScriptedWire(answer, LABEL)
    blind = writer(tmp_path, wire, sees=False)
    manuscript = blind.write(dose)
    assert not any(ask.images for ask in wire.asked) and blind.look(dose) is None
    again = writer(tmp_path, None)
    assert again.write(dose).canonical() == manuscript.canonical() and again.look(dose) is None


def test_what_is_said_of_figures_is_a_record_that_names_known_ones(tmp_path: Path, dose: Material) -> None:
    wire = ScriptedWire(answer, LABEL)
    looked = writer(tmp_path, wire).look(dose)
    assert looked is not None and (looked.by, looked.figures) == (LABEL, ("main", "contrasts"))
    assert [(one.figure, one.what) for one in looked.defects] == [("main", "the dots at zero")]
    assert len(wire.asked) == 1 and wire.asked[0].sight and len(wire.asked[0].images) == 2
    unknown = '{"defects": [{"figure": "secret", "problem": "other", "what": "x"}]}'
    assert writer(tmp_path / "b", ScriptedWire(lambda _: unknown, LABEL)).look(dose) is None


def test_who_takes_no_pictures_writes_the_paper_all_the_same(tmp_path: Path, dose: Material) -> None:
    """The server says so once: pictures are left out from then on, and nobody is asked to look."""
    seen: list[bool] = []

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        content = body["messages"][1]["content"]
        seen.append(isinstance(content, list))
        if seen[-1]:
            fails(500, "image input is not supported - hint: you may need to provide the mmproj")(handler, body)
        else:
            ask = Ask.model_validate(
                {
                    "role": "w",
                    "task": "t",
                    "messages": [{"role": m["role"], "text": m["content"]} for m in body["messages"]],
                }
            )
            handler.send(200, completion(answer(ask)))

    notes: list[str] = []
    learnt: list[set[str]] = []
    with served(behave) as desk:
        wire = HttpWire(endpoint(LABEL, base_url=desk.url), notes.append, learnt=learnt.append)
        one = writer(tmp_path, wire)
        manuscript = one.write(dose)
        assert one.look(dose) is None
    assert seen.count(True) == 1 and learnt == [{"images"}] and len(notes) == 1
    assert manuscript.roles["writer"] == LABEL
    replayed = writer(tmp_path, None)
    assert replayed.write(dose).canonical() == manuscript.canonical() and replayed.look(dose) is None
