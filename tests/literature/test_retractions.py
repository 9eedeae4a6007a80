"""That a work was retracted reaches its record, from wherever it is said, and nothing else is taken for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scientist.literature import Reference, Store, Work, import_file, to_reference
from scientist.literature._indexes import from_openalex
from scientist.literature._retractions import bare_title, flagged, retraction_of, said_by_body


def work(title: str, retracted: str = "") -> Reference:
    return Reference(key="a2020", title=title, source="library", retracted=retracted)


@pytest.mark.parametrize("title", ["RETRACTED: Forests and noise", "Retracted Article: Forests", "[WITHDRAWN] Forests"])
def test_the_mark_before_a_title_is_seen_and_taken_off(title: str) -> None:
    assert retraction_of(work(title)) and flagged(work(title)).retracted and bare_title(title).startswith("Forests")


@pytest.mark.parametrize("title", ["Retracted priors in Bayesian nets", "On retraction: a study", "Forests"])
def test_a_title_about_it_is_no_mark(title: str) -> None:
    assert retraction_of(work(title)) == "" and flagged(work(title)) == work(title) and bare_title(title) == title


def test_what_a_record_says_stands() -> None:
    assert flagged(work("Forests", "its publisher")).retracted == "its publisher"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"retracted": True}, "retracted"),
        ({"is_retracted": True}, "is_retracted"),
        ({"retracted": "by the editors"}, "by the editors"),
        ({"fields": [["title", "{A}"], ["Retracted", "{by the editors}"]]}, "by the editors"),
        ({"retracted": False}, ""),
        ({"retracted": "no"}, ""),
        ({"note": "retracted claims are listed"}, ""),
        ({"fields": [["retracted"], 3, "retracted"]}, ""),
        (["retracted"], ""),
    ],
)
def test_what_the_library_keeps_of_a_record(body: object, says: str) -> None:
    assert said_by_body(json.dumps(body)) == says
    assert to_reference(Work(title="A", body=json.dumps(body))).retracted == says


def test_a_broken_body_says_nothing() -> None:
    assert said_by_body("retracted, said {") == ""


def test_openalex_says_it_with_every_search() -> None:
    told = {"display_name": "Forests and noise", "publication_year": 2020}
    gone, stands = from_openalex(told | {"is_retracted": True}), from_openalex(told | {"is_retracted": False})
    assert gone is not None and stands is not None and gone.retracted == "is_retracted" and not stands.retracted


def test_a_bibliography_s_word_comes_through_the_library(tmp_path: Path) -> None:
    bib = "@article{a2020, title = {Forests and noise}, author = {Ada Example}, year = 2020, retracted = {by its journal}}\n"
    (tmp_path / "refs.bib").write_text(bib)
    with Store(tmp_path / "library.sqlite", write=True) as store:
        import_file(store, tmp_path / "refs.bib")
        (kept,) = store.get([1]).values()
    assert to_reference(kept).retracted == "by its journal"
