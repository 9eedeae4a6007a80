"""Vectors learnt from the library: kept in its file, renewed when it changes, and never in the way of a check."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.errors import LabError
from scientist.literature import LIBRARY_FILE, Store, StoreSource, claims_of_text, make_work
from scientist.literature import _learnt as module
from scientist.literature._judge import how_compared, likely_told
from scientist.literature._learnt import FEWEST, Basis, learn, learnt, sampled
from scientist.literature._nearness import nearness, stands_out
from scientist.literature._recorded import RecordedSource
from scientist.literature._retrieval import Case
from scientist.literature._store_source import learnt_from
from scientist.literature._twins import judge

FIELDS = (
    "glacier ice melt snow frozen arctic crevasse moraine",
    "violin string bow resonance timbre luthier varnish tuning",
    "orchid pollen petal bloom root nectar stamen seedling",
    "harbour tide vessel crane cargo quay anchor pilot",
)
"""Words that stand together: a text that has some of a field's words is about what the others name."""


def texts_of(count: int) -> list[tuple[str, str]]:
    chosen = random.Random(7)
    fields = [field.split() for field in FIELDS]
    lone = [f"odd{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
    found = []
    for n in range(count):
        own = chosen.sample(fields[n % len(fields)], 4)
        found.append((f"Work {' '.join(own[:2])} {n}", f"{' '.join(own)} {' '.join(chosen.sample(lone, 3))}."))
    return found


def put(store: Store, works: list[tuple[str, str]], start: int = 0) -> None:
    made = [
        make_work("test", "list", {"title": t, "abstract": a, "ident": f"w{n}"})
        for n, (t, a) in enumerate(works, start)
    ]
    with store.transaction():
        for one in made:
            assert one is not None
            store.add(one)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("learnt") / LIBRARY_FILE
    with Store(path, write=True) as store:
        put(store, texts_of(FEWEST))
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    """A library of its own for each test."""
    copy = tmp_path / LIBRARY_FILE
    with sqlite3.connect(filled) as old, sqlite3.connect(copy) as new:
        old.backup(new)
    return copy


@pytest.fixture(scope="module")
def basis() -> Basis:
    return learn([f"{title}. {abstract}" for title, abstract in texts_of(FEWEST)])


def of(path: Path) -> Basis:
    with Store(path) as store:
        found = learnt(store)
    assert found.basis is not None, found.why
    return found.basis


def kept(path: Path) -> list[tuple[object, ...]]:
    with Store(path) as store:
        return store.rows("SELECT * FROM learnt")


def test_words_that_stand_together_are_near_though_none_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIZE", 8)  # as few as a language of four fields has use for
    small = learn([f"{title}. {abstract}" for title, abstract in texts_of(FEWEST)])
    same, other = small.cosines("crevasse moraine", [("arctic snow", "frozen ice"), ("cargo quay", "anchor pilot")])
    assert same is not None and other is not None and same > 0.5 > 0.2 > other


def test_the_same_library_gives_the_same_bytes_and_they_are_kept(path: Path, filled: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.sqlite"
    with Store(twin, write=True) as store:
        put(store, texts_of(FEWEST))
    first = of(path)
    again = of(twin)
    assert first.terms == again.terms and first.matrix.tobytes() == again.matrix.tobytes()
    assert kept(path) == kept(twin) and kept(path)[0][2] == FEWEST
    read = of(path)
    assert read.terms == first.terms and read.matrix.tobytes() == first.matrix.tobytes()


def test_they_are_learnt_once_and_again_when_the_library_has_grown_by_half_or_shrunk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(path)
    rounds: list[int] = []
    real = module.learn
    monkeypatch.setattr(module, "learn", lambda texts: rounds.append(1) or real(texts))
    of(path)
    with Store(path, write=True) as store:
        put(store, texts_of(FEWEST + 400)[FEWEST:], FEWEST)
    of(path)
    assert not rounds
    with Store(path, write=True) as store:
        put(store, texts_of(FEWEST + 500)[FEWEST + 400 :], FEWEST + 400)
    of(path)
    assert len(rounds) == 1 and kept(path)[0][2] == FEWEST + 500
    with Store(path, write=True) as store, store.transaction():
        store.execute("UPDATE learnt SET works = 2 * works")
    of(path)
    assert len(rounds) == 2


@pytest.mark.parametrize(
    "damage", ["data = x'00'", "terms = '{'", "terms = '3'", "recipe = 'another'", "data = zeroblob(9)", "data = 7"]
)
def test_what_is_damaged_or_of_another_recipe_is_learnt_again(path: Path, damage: str) -> None:
    sound = of(path).matrix.tobytes()
    with Store(path, write=True) as store, store.transaction():
        store.execute(f"UPDATE learnt SET {damage}")
    assert of(path).matrix.tobytes() == sound


def test_a_locked_library_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    with Store(path, write=True) as other, other.transaction():
        found = StoreSource(path).learnt()
    assert found.basis is None and "in use by another process" in found.why
    assert StoreSource(path).learnt().basis is not None


def test_a_library_that_cannot_be_written_gives_words_alone_and_says_why(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReadOnly(Store):
        def __init__(self, path: Path, write: bool = False, wait_s: float = 1.0) -> None:
            super().__init__(path, write, wait_s)
            self._db.execute("PRAGMA query_only = ON")  # what a read-only file answers, for root too

    monkeypatch.setattr(module, "Store", ReadOnly)
    monkeypatch.setattr(module, "learn", lambda _: pytest.fail("learnt for nothing"))
    found = StoreSource(path).learnt()
    assert found.basis is None and "readonly" in found.why


def test_works_that_share_no_words_give_no_vectors_and_no_fault(tmp_path: Path) -> None:
    path = tmp_path / LIBRARY_FILE
    with Store(path, write=True) as store:
        put(store, [(f"標題 {n}", "только кириллица") for n in range(FEWEST)])
    found = StoreSource(path).learnt()
    assert found.basis is None and "too few words" in found.why
    with pytest.raises(LabError):
        learn([])


def test_a_small_library_or_none_is_silent(tmp_path: Path) -> None:
    path = tmp_path / LIBRARY_FILE
    with Store(path, write=True) as store:
        put(store, texts_of(20))
    assert StoreSource(path).learnt() == (None, "")
    assert learnt_from([]) == (None, "")
    assert "does not exist" in StoreSource(tmp_path / "gone.sqlite").learnt().why


def test_the_library_is_found_behind_a_recording(path: Path, tmp_path: Path) -> None:
    recorded = RecordedSource(StoreSource(path), tmp_path / "searches", True)
    assert learnt_from([recorded]).basis is not None


HOSTILE = (
    "",
    "   ",
    "\x00\x01",
    "冰川 融化",
    "лёд",
    "🧊" * 50,
    "glacier " * 20_000,
    "a" * 100_000,
    "\u202eice",
    "Ⅷ ﬁ ①",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_have_finite_cosines_or_none(basis: Basis, text: str) -> None:
    for found in (basis.cosines(text, [("glacier ice", text)]), basis.cosines("glacier ice", [(text, text)])):
        assert all(one is not None and -1.00001 <= one <= 1.00001 for one in found)
    assert np.isfinite(basis.vectors([text])).all()


SOME = st.lists(st.sampled_from([*" ".join(FIELDS).split(), "unheard", "冰"]), max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(SOME, st.lists(st.tuples(SOME, SOME), max_size=14))
def test_scores_stay_in_bounds_whatever_is_compared(basis: Basis, asked: str, works: list[tuple[str, str]]) -> None:
    claims = claims_of_text(asked, asked)
    cosines = basis.cosines(asked, works)
    near = nearness(claims, works, cosines, learnt=bool(cosines))
    assert all(0 <= one.score <= 1 and one.learnt == (one.meaning is not None) for one in near)
    assert 0 <= likely_told(near) <= 1 and -1 <= stands_out(near) <= 1
    assert how_compared(near) == ("learnt" if near and cosines else "lexical")
    # A text does not depend on those beside it.
    assert cosines == [basis.cosines(asked, [work])[0] for work in works] if cosines else True


@given(st.sets(st.integers(0, 10**7), max_size=60), st.integers(1, 40), st.integers(0, 10**7))
def test_a_sample_changes_by_one_when_the_library_does(ids: set[int], most: int, new: int) -> None:
    chosen = sampled(ids, most)
    assert chosen == sorted(set(chosen)) and set(chosen) <= ids and len(chosen) == min(most, len(ids))
    assert len(set(sampled(ids | {new}, most)) - set(chosen)) <= 1
    assert sampled(sorted(ids, reverse=True), most) == chosen


def test_an_idea_is_judged_by_them_or_by_words_where_there_are_none(path: Path, tmp_path: Path) -> None:
    case = Case(
        id="i",
        title="Crevasse and moraine of an arctic glacier",
        hypothesis="Frozen snow and ice melt near a moraine.",
        method="We watch melt.",
        experiment="Ice on an arctic crevasse.",
        source_id="",
    )
    with Store(path) as store:
        first = judge(store, case, "learnt")
        assert first.how == "learnt" and first == judge(store, case, "learnt")
    small = tmp_path / "small.sqlite"
    with Store(small, write=True) as store:
        put(store, texts_of(30))
        assert judge(store, case, "learnt").how == "lexical"
