"""Search by meaning, the library as a source, and the benchmark of retrieval. The model's own tests skip without it."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import RecordError, UsageError
from scientist.lab import create_lab
from scientist.literature import LIBRARY_FILE, Source, Store, StoreSource, find, load_cases, make_work, measure, wilson
from scientist.literature import _find as find_module
from scientist.literature import _meaning as meaning_module
from scientist.literature._embed import MODEL, SIZE, missing, text_of
from scientist.literature._retrieval import Case, phrasings, retrieve
from scientist.literature._works import Work

needs_model = pytest.mark.skipif(bool(missing()), reason="the extra 'semantic' is not installed")

WORKS = [
    ("Random forests for tabular data", "Ensembles of trees vote and are hard to beat on tables."),
    ("Continual learning with a memory of past examples", "Forgetting earlier tasks is avoided by constraints from stored examples."),
    ("Automatic translation between languages without parallel text", "Two monolingual corpora suffice to translate."),
    ("Sparse coding of natural images", "Receptive fields emerge from a sparseness penalty."),
]  # fmt: skip


class Letters:
    """Stands in for the model: a text's vector is how often each letter is in it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def vectors(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        found = np.full((len(texts), SIZE), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for letter in text.lower():
                found[row, ord(letter) % SIZE] += letter.isalpha()
        return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / LIBRARY_FILE, write=True) as opened:
        put(opened, WORKS)
        yield opened


def put(store: Store, works: list[tuple[str, str]]) -> list[int]:
    made = [make_work("test", "list", {"title": t, "abstract": a, "ident": f"w{n}"}) for n, (t, a) in enumerate(works)]
    with store.transaction():
        return [store.add(one).work for one in made if one]


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    model = Letters()
    monkeypatch.setattr(find_module, "embedder", lambda: model)
    monkeypatch.setattr(meaning_module, "embedder", lambda: model)
    return model


# --- vectors in the library ---


def test_vectors_come_back_nearly_as_they_went_in(store: Store) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with store.transaction():
        store.keep_vectors([1, 2, 3, 4], vectors)
    ((ids, back),) = store.vectors()
    assert ids == [1, 2, 3, 4] and store.count_vectors() == 4 and store.without_vector(0, 9) == []
    assert np.abs(back @ vectors.T - vectors @ vectors.T).max() < 0.01
    ((ids, some),) = store.vectors([3, 99])
    assert ids == [3] and np.array_equal(some[0], back[2])


def test_a_vector_goes_when_its_text_changes_and_with_another_model(store: Store, letters: Letters) -> None:
    list(meaning_module.embed_missing(store))
    assert store.count_vectors() == 4
    before = store.vector_stamp()
    title = make_work("more", "list", {"title": "Untitled until now", "ident": "w9", "doi": "10.1234/x"})
    with store.transaction():
        number = store.add(title).work  # type: ignore[arg-type]
    assert store.without_vector(0, 9) == [number]
    list(meaning_module.embed_missing(store))
    more = make_work(
        "more", "list", {"title": "Untitled until now", "ident": "w9", "abstract": "It has an abstract now."}
    )
    with store.transaction():
        assert store.add(more).work == number  # type: ignore[arg-type]
    assert store.without_vector(0, 9) == [number] and store.count_vectors() == 4 and store.vector_stamp() != before
    store.execute("UPDATE notes SET value = 'another model' WHERE name = 'model'")
    assert store.count_vectors() == 0 and list(store.vectors()) == [] and len(store.without_vector(0, 9)) == 5
    list(meaning_module.embed_missing(store, batch=2))
    assert store.count_vectors() == 5 and store.rows("SELECT value FROM notes WHERE name = 'model'") == [(MODEL,)]


def test_all_works_are_compared_once_they_have_vectors(store: Store, letters: Letters) -> None:
    list(meaning_module.embed_missing(store))
    found = find(store, "zzz forests", 10, "semantic")
    assert found.how == "semantic" and found.note == "" and len(found.hits) == 4
    both = find(store, "sparse", 10, "both")
    assert both.hits[0].work.title == WORKS[3][0] and both.hits[0].lexical == 1
    assert [hit.cosine for hit in both.hits] != [None] * 4


def test_without_vectors_only_the_best_by_words_are_compared_and_kept(store: Store, letters: Letters) -> None:
    found = find(store, "sparse images and forests", 10, "both")
    assert {hit.id for hit in found.hits} == {1, 4} and "for all 4" in found.note
    assert store.count_vectors() == 2
    asked = len(letters.asked)
    find(store, "sparse images and forests", 10, "both")
    assert len(letters.asked) == asked + 1  # the question alone


def test_no_time_for_vectors_means_words_alone(store: Store, letters: Letters) -> None:
    found = find(store, "sparse images", 10, "both", seconds=-1)
    assert found.how == "lexical" and "by words alone" in found.note and [hit.id for hit in found.hits] == [4]


def test_without_the_packages_it_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_module, "embedder", lambda: None)
    monkeypatch.setattr(find_module, "missing", lambda: "not installed: onnxruntime")
    monkeypatch.setattr(meaning_module, "embedder", lambda: None)
    found = find(store, "sparse images", 10)
    assert (found.how, found.note) == ("lexical", "by words alone: not installed: onnxruntime") and found.hits
    with pytest.raises(UsageError, match="no embedding model"):
        next(meaning_module.embed_missing(store))


def test_a_library_that_somebody_is_writing_is_searched_all_the_same(store: Store, letters: Letters) -> None:
    with Store(store.path) as reader, store.transaction():
        found = find(reader, "sparse images", 10, "both")
    assert found.how == "both" and found.hits and store.count_vectors() == 0


@needs_model
def test_meaning_finds_what_shares_no_word(store: Store) -> None:
    list(meaning_module.embed_missing(store))
    question = "Neural networks that do not lose old skills when they are taught further"
    assert find(store, question, 1, "semantic").hits[0].work.title == WORKS[1][0]
    assert find(store, question, 1, "lexical").hits == ()
    near = find(store, "unsupervised machine translation", 4, "both").hits
    assert near[0].work.title == WORKS[2][0] and near[0].cosine is not None and 0.4 < near[0].cosine <= 1


@needs_model
def test_the_model_is_deterministic_whatever_the_batch(store: Store) -> None:
    from scientist.literature._embed import embedder

    model = embedder()
    assert model is not None
    texts = [text_of(*pair) for pair in WORKS] + ["", "x" * 100_000, "机器学习 \x00"]
    together = model.vectors(texts)
    assert together.shape == (7, SIZE) and np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    assert np.array_equal(together, model.vectors(texts))
    alone = np.concatenate([model.vectors([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.97  # int8 scales depend on the batch a little


# --- as a source ---


def test_the_library_is_a_source(store: Store, letters: Letters) -> None:
    source = StoreSource(store.path)
    assert isinstance(source, Source) and (source.name, source.breadth) == ("library", "curated")
    works, searched = source.search('sparse "images" OR', 5, 5.0)
    assert [work.title for work in works] == [WORKS[3][0]] and works[0].source == "library"
    assert (searched.answer, searched.found, searched.query) == ("answered", 1, "sparse images")
    assert searched.note == "by words and meaning"
    assert source.search("xyzzy", 5, 5.0)[1].answer == "empty"
    assert source.search("the of", 5, 5.0)[1].answer == "skipped"


def test_a_library_that_is_gone_or_slow_is_out(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    source = StoreSource(store.path)
    (tmp_path / "text").write_text("no library" * 100)
    for path in (tmp_path / "gone", tmp_path / "text"):
        works, searched = StoreSource(path).search("sparse", 5, 1.0)
        assert works == [] and searched.answer == "out" and searched.note

    def slow(store: Store, *_: object, **__: object) -> object:
        return store.rows("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")

    monkeypatch.setattr("scientist.literature._store_source.find", slow)
    works, searched = source.search("sparse", 5, 0.2)
    assert (works, searched.answer, searched.note) == ([], "out", "no answer in time")


def test_threads_may_ask_at_the_same_time(store: Store, letters: Letters) -> None:
    source = StoreSource(store.path)
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(source.search("sparse images", 5, 5.0)[1].answer))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["answered"] * 8


def test_a_lab_asks_its_library_first(tmp_path: Path) -> None:
    from scientist._literature import lab_sources

    lab = create_lab(tmp_path / "lab")
    before = [source.name for source in lab_sources(lab)]
    with Store(lab.root / LIBRARY_FILE, write=True) as store:
        put(store, WORKS)
    sources = lab_sources(lab)
    assert [source.name for source in sources] == ["library", *before]
    assert isinstance(sources[0], StoreSource)


# --- the benchmark ---

IDEAS = [
    {"id": "a", "title": "Forests on tables", "hypothesis": "trees vote", "kind": "known_paraphrase", "label": "known", "source_id": "w0"},
    {"id": "b", "title": "Stored examples against forgetting", "kind": "known_paraphrase", "label": "known", "source_id": "w1"},
    {"id": "c", "title": "Sparse images", "kind": "known_narrowed", "label": "close", "source_id": "w3"},
    {"id": "d", "title": "Nothing of the kind", "kind": "unseen_real", "label": "novel", "source_id": None},
    {"id": "e", "title": "A work that is not here", "kind": "known_paraphrase", "label": "known", "source_id": "gone"},
]  # fmt: skip


def write_ideas(path: Path) -> Path:
    path.write_text("\n".join(json.dumps(idea) for idea in IDEAS) + "\n\n")
    return path


def test_recall_counts_what_is_found_and_names_what_is_not_there(
    store: Store, letters: Letters, tmp_path: Path
) -> None:
    cases = load_cases(write_ideas(tmp_path / "ideas.jsonl"))
    report = list(measure(store, cases))[-1]
    lexical = next(one for one in report.recalls if one.group == "known_paraphrase" and one.how == "lexical")
    assert (lexical.total, dict(lexical.hits)) == (2, {1: 2, 5: 2, 20: 2})
    assert report.missing == ("gone",) and set(report.ranks) == {"a", "b", "c"}
    assert {one.how for one in report.recalls} == {"lexical", "semantic", "both"}
    without = retrieve(store, cases[0], "lexical", without={1})
    assert 1 not in [hit.id for hit in without.hits]


def test_without_a_model_only_words_are_reported(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_module, "embedder", lambda: None)
    monkeypatch.setattr(find_module, "missing", lambda: "not installed")
    report = list(measure(store, load_cases(write_ideas(tmp_path / "ideas.jsonl"))))[-1]
    assert {one.how for one in report.recalls} == {"lexical"} and "not installed" in report.note


def test_an_idea_is_read_without_its_answer() -> None:
    asked = " ".join(
        one.text for one in phrasings("title words", "hypothesis words", "method words", "experiment words")
    )
    assert all(f"{part} words" in asked for part in ("title", "hypothesis", "method", "experiment"))
    assert [one.text for one in phrasings("only a title")] == ["only a title"]


@pytest.mark.parametrize(
    ("text", "said"), [("{", "line 1: not valid JSON"), ("{}", "line 1: an idea needs a title"), ("\n", "no idea")]
)
def test_a_broken_benchmark_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ideas.jsonl"
    path.write_text(text)
    with pytest.raises(RecordError, match=said):
        load_cases(path)


@given(st.text(max_size=9))
def test_a_half_is_a_matter_of_the_id_alone(name: str) -> None:
    one = Case(id=name, title="a", hypothesis="", method="", experiment="", label="novel")
    assert one.half == Case(id=name, title="b", hypothesis="c", method="", experiment="").half
    assert one.half in ("tune", "report")


def test_both_halves_have_ideas() -> None:
    found = [Case(id=f"i{n}", title="t", hypothesis="", method="", experiment="").half for n in range(200)]
    assert 70 < found.count("tune") < 130


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_the_proportion(pair: tuple[int, int]) -> None:
    hits, total = pair
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total + 1e-12 and hits / total <= high + 1e-12 <= 1 + 1e-9
    assert math.isclose(wilson(total - hits, total)[0], 1 - high, abs_tol=1e-9)


def test_wilson_agrees_with_a_printed_example() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I
    assert wilson(0, 0) == (0.0, 1.0)


def test_work_is_a_plain_value() -> None:
    assert Work("a") == Work("a") and hash(Work("a")) == hash(Work("a"))
