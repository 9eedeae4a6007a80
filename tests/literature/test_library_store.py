"""The library's file: what is one work, what is kept of every record, kill -9, readers beside a writer, hostile input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.errors import LabError, RecordError, UsageError
from scientist.literature import LIBRARY_FILE, Store, find, import_file, library_stats, make_work
from scientist.literature._find import FUSION, choose_terms, fuse, lexical, terms
from scientist.literature._works import Work, may_be_same, names_of, tidy

WORDS = [
    "kernel",
    "forest",
    "gradient",
    "margin",
    "label",
    "noise",
    "entropy",
    "lattice",
    "quantum",
    "protein",
    "sensor",
    "bandit",
    "reward",
    "policy",
]


def papers(count: int, first: int = 0) -> list[dict[str, object]]:
    """Records of a paper list, every one another."""
    return [
        {
            "id": f"p{n}",
            "title": f"On {WORDS[n % 14]} and {WORDS[n // 14 % 14]} number {n} in practice",
            "abstract": f"We study {WORDS[n % 7]} with {WORDS[n % 11]} in setting {n}.",
            "authors": [f"Ada Author{n}", "Bo Other"],
            "venue": "Venue",
            "year": 2000 + n % 20,
            "url": f"https://example.org/{n}",
        }
        for n in range(first, first + count)
    ]


def lines(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def work(**values: object) -> Work:
    made = make_work("test", "list", {"title": "A study of something rather particular", **values})
    assert made is not None
    return made


def put(store: Store, *works: Work) -> list[int]:
    with store.transaction():
        return [store.add(one).work for one in works]


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / LIBRARY_FILE, write=True) as opened:
        yield opened


# --- one work or two ---


def test_a_work_comes_back_as_it_went_in(store: Store) -> None:
    first = work(
        authors=["Ada Example", "Émile Öster"], year=2021, doi="10.1234/AB", keywords=["a; b", "c"], abstract="Ünï"
    )
    (number,) = put(store, first)
    assert store.get([number]) == {number: first}
    assert store.get([number, 77]) == {number: first}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"doi": "10.1234/X.1"}, {"doi": "https://doi.org/10.1234/x.1", "title": "Another title altogether"}),
        ({"arxiv": "2101.00001v2"}, {"arxiv": "http://arxiv.org/abs/2101.00001", "title": "Another title"}),
        ({"doi": "10.48550/arXiv.2101.00001"}, {"arxiv": "2101.00001", "title": "Another title"}),
        (
            {"authors": ["Ada Example"]},
            {"authors": ["Example, Ada"], "title": "A Study of Something rather--particular"},
        ),
        ({"authors": ["Ada Example"], "year": 2020}, {"authors": ["A. Example"], "year": 2022, "doi": "10.1234/z"}),
        ({"ident": "iclr-7"}, {"ident": "iclr-7", "title": "Renamed since"}),
    ],
)
def test_two_records_of_one_work_are_joined(store: Store, a: dict[str, object], b: dict[str, object]) -> None:
    one, two = put(store, work(**a), work(**b, abstract="Only the second has one"))
    assert one == two and len(store) == 1
    joined = store.get([one])[one]
    assert joined.title == work().title and joined.abstract == "Only the second has one"
    # What the second said otherwise is not lost.
    assert (
        any(record.abstract == "Only the second has one" or record.title for record in store.records(one))
        or "title" not in b
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"doi": "10.1234/conference", "authors": ["A B"]}, {"doi": "10.1234/journal", "authors": ["A B"]}),
        ({"arxiv": "2101.00001", "authors": ["A B"]}, {"arxiv": "2101.00002", "authors": ["A B"]}),
        ({"authors": ["Ada One"]}, {"authors": ["Ada Two"]}),
        ({"authors": ["Ada One"], "year": 2001}, {"authors": ["Ada One"], "year": 2009}),
        ({"title": "Introduction"}, {"title": "Introduction"}),
    ],
)
def test_two_works_stay_two(store: Store, a: dict[str, object], b: dict[str, object]) -> None:
    one, two = put(store, work(**a), work(**b))
    assert one != two and len(store) == 2


def test_a_record_with_an_identifier_of_each_unites_two_works(store: Store) -> None:
    a, b = put(
        store,
        work(doi="10.1234/x", title="The printed title of it"),
        work(arxiv="2101.00001", title="The preprint title of it"),
    )
    assert a != b
    (c,) = put(store, work(doi="10.1234/x", arxiv="2101.00001", title="The printed title of it"))
    assert c == a and len(store) == 1
    assert store.named("2101.00001") == store.named("10.1234/x") == a
    assert [record.title for record in store.records(a)] == ["The preprint title of it"]
    assert lexical(store, "preprint", 5) == [] and lexical(store, "printed", 5) == [a]


def test_importing_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = lines(tmp_path / "list.jsonl", papers(50))
    assert import_file(store, path).new == 50
    before = list(store.everything())
    again = import_file(store, path)
    assert again.already and again.read == 50
    forced = import_file(store, path, again=True)
    assert (forced.new, forced.joined) == (0, 50) and list(store.everything()) == before
    assert store.rows("SELECT count(*) FROM records") == [(0,)]


@given(
    st.lists(
        st.builds(
            Work,
            title=st.sampled_from(["Same title here", "Other title here"]),
            doi=st.sampled_from(["", "10.1234/a", "10.1234/b"]),
            arxiv=st.sampled_from(["", "2101.00001"]),
            authors=st.just(("A B",)),
            year=st.sampled_from([None, 2001, 2010]),
        ),
        max_size=7,
    )
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_order_every_record_is_found_and_no_two_works_share_an_identifier(records: list[Work]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "l", write=True) as library:
        for record in records:
            number = put(library, record)[0]
            assert number in library.get([number])
        kept = [one for _, one in library.everything()]
        dois = [one.doi for one in kept if one.doi]
        assert len(dois) == len(set(dois)) and len(kept) == len(library) <= len(records)
        told = {record.doi for record in records if record.doi}
        assert told == set(dois) | {r.doi for n, _ in library.everything() for r in library.records(n) if r.doi}
        assert len(library.rows("SELECT rowid FROM words WHERE words MATCH 'title'")) == len(kept)


def test_names_and_sameness_are_symmetric_where_they_have_to_be() -> None:
    a, b = work(doi="10.1234/x"), work(year=2001)
    assert may_be_same(a, b) == may_be_same(b, a)
    assert set(names_of(a)) > set(names_of(replace(a, doi="")))


# --- kill -9, readers, damage ---

KILLED = """
import sys, time
from pathlib import Path
from scientist.literature import Store, import_file
from scientist.literature import _importing
_importing.BATCH = 100
with Store(Path(sys.argv[1]), write=True) as store:
    import_file(store, Path(sys.argv[2]), progress=lambda tally: (print(tally.read, flush=True), time.sleep(0.02)))
"""


@pytest.mark.parametrize("packed", [False, True])
def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path: Path, packed: bool) -> None:
    records = papers(3000)
    path = lines(tmp_path / "list.jsonl", records)
    with path.open("a") as file:
        file.write("broken\n")
    if packed:
        (tmp_path / "list.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = tmp_path / "list.jsonl.gz"
    library = tmp_path / LIBRARY_FILE
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(library), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 700:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    with Store(library) as reader:
        kept = len(reader)
        assert 700 <= kept < 3000 and kept % 100 == 0
        assert reader.rows("PRAGMA integrity_check") == [("ok",)]
        assert library_stats(reader)["unfinished"] == [f"{path.name} ({kept:,} records in)"]
    with Store(library, write=True) as store:
        tally = import_file(store, path)
        assert (tally.resumed, tally.done, tally.read, tally.new, tally.joined) == (True, True, 3001, 3000, 0)
        assert tally.problems == ("line 3001: not valid JSON",)
        assert len(store) == 3000 and [one.ident for _, one in store.everything()] == [r["id"] for r in records]
        assert library_stats(store)["unfinished"] == []


def test_readers_search_while_somebody_writes(tmp_path: Path) -> None:
    library = tmp_path / LIBRARY_FILE
    with Store(library, write=True) as writer:
        put(writer, work(title="The one about lattices"))
        with writer.transaction():
            writer.add(work(title="The uncommitted one about lattices"))
            with Store(library) as reader:
                assert [h.work.title for h in find(reader, "lattices", how="lexical").hits] == [
                    "The one about lattices"
                ]
        with Store(library) as reader:
            assert len(find(reader, "lattices", how="lexical").hits) == 2


def test_a_second_writer_waits_no_longer_than_it_wants(tmp_path: Path) -> None:
    library = tmp_path / LIBRARY_FILE
    with Store(library, write=True) as writer, writer.transaction(), Store(library, write=True, wait_s=0.1) as other:
        began = time.monotonic()
        with pytest.raises(LabError, match="in use by another process"), other.transaction():
            pass
        assert time.monotonic() - began < 5


def test_a_failure_inside_a_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.add(work())
        1 / 0  # noqa: B018
    assert len(store) == 0
    assert [one.source for one in store.get(put(store, work())).values()] == ["test"]


@pytest.mark.parametrize("what", ["missing", "text", "other", "newer", "cut"])
def test_what_is_no_library_is_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / LIBRARY_FILE
    if what == "text":
        path.write_text("hello, I am no database\n" * 100)
    elif what == "other":
        sqlite3.connect(path).execute("CREATE TABLE mine(x)")
    elif what in ("newer", "cut"):
        with Store(path, write=True) as store:
            put(store, *(work(title=f"Title number {n} of these") for n in range(300)))
            if what == "newer":
                store.execute("PRAGMA user_version = 99")
        if what == "cut":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(LabError) as caught, Store(path) as store:
        [*store.everything(), *store.rows("PRAGMA integrity_check(1)"), find(store, "title number", how="lexical")]
        raise LabError(f"{path}: read on")  # a cut file may only show where it is cut
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    if what == "other":
        with pytest.raises(LabError, match="not a library"):
            Store(path, write=True)


def test_a_library_that_nobody_may_write_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / LIBRARY_FILE
    with Store(path, write=True) as store:
        put(store, work(title="Lattices in general"))
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write everywhere
    with Store(path) as store:
        assert len(find(store, "lattice", how="lexical").hits) == 1


# --- searching ---

HOSTILE = [
    '"', "'; DROP TABLE works; --", 'title:"x" OR *', "NEAR(a b, 5)", "a AND", "^kernel", "kernel*", "(((", "-kernel", "{title}: x",
    "col:umn", "\x00kernel\x00", "\ud800 kernel", "%s%n", "kernel " * 5000, "é" * 9999, "机器学习", "NOT kernel", "a" * 100_000, "🙂", "",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_is_read_as_a_language(store: Store, query: str) -> None:
    put(store, work(title="Kernel methods for everything"), work(title="Forests for everything"))
    found = find(store, query, how="lexical")
    assert {hit.work.title for hit in found.hits} <= {"Kernel methods for everything"}
    assert len(store) == 2
    if "kernel" in query:
        assert found.hits


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_every_word_of_a_query_is_a_plain_word(query: str) -> None:
    for word in terms(query):
        assert word.isalnum() and word == word.lower() and 0 < len(word) <= 60


def test_stems_meet_and_rare_words_count_more(store: Store) -> None:
    a, b, c = put(
        store,
        work(title="Learning with noisy labels"),
        work(title="Learning with many learners"),
        work(title="Régularisation of learners"),
    )
    assert lexical(store, "label", 5) == [a]
    assert lexical(store, "learn noise labelling noisy", 5)[0] == a
    assert lexical(store, "regularisation", 5) == [c]
    assert set(lexical(store, "learning", 5)) == {a, b} | set(lexical(store, "learners", 5)) - {c}
    assert lexical(store, "nothing there", 5) == []


def test_works_can_be_passed_over(store: Store) -> None:
    numbers = put(store, *(work(title=f"Lattice number {n} of some", ident=str(n)) for n in range(5)))
    found = find(store, "lattice", how="lexical", without={numbers[0], numbers[3]}).hits
    assert [hit.id for hit in found] == [numbers[1], numbers[2], numbers[4]]


def test_the_commonest_words_are_left_out_of_a_large_library() -> None:
    assert choose_terms({"the": 900, "rare": 3, "some": 90, "none": 0}, 100) == ["rare", "some"]
    assert choose_terms({"only": 10**9}, 100) == ["only"]
    assert choose_terms({}, 100) == []


def test_frequent_words_are_counted_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scientist.literature._store.FREQUENT", 20)
    import_file(store, lines(tmp_path / "a.jsonl", papers(300)))
    kept = dict(store.rows("SELECT term, works FROM frequent"))
    assert kept["practic"] == store.holders("practic") == 300 and min(kept.values()) >= 20
    import_file(store, lines(tmp_path / "b.jsonl", papers(10, first=300)))
    assert store.holders("practic") == 300  # near enough
    import_file(store, lines(tmp_path / "c.jsonl", papers(200, first=400)))
    assert store.holders("practic") == 510
    assert store.holders("310") <= 1 and store.holders("nowhere") == 0


@given(st.lists(st.tuples(st.floats(0.1, 2), st.lists(st.integers(0, 30), unique=True, max_size=9)), max_size=4))
def test_fusion_orders_by_what_all_rankings_say(rankings: list[tuple[float, list[int]]]) -> None:
    fused = fuse(rankings)
    assert set(fused) == {one for _, ranking in rankings for one in ranking}
    assert list(fused.values()) == sorted(fused.values(), reverse=True)
    if len(rankings) == 1:
        assert list(fused) == rankings[0][1]
    top = sum(weight for weight, _ in rankings) / (FUSION + 1)
    assert all(0 < score <= top + 1e-9 for score in fused.values())


# --- what a field may hold ---


@given(st.text(max_size=200) | st.none() | st.integers() | st.lists(st.text()), st.integers(1, 60))
def test_tidied_text_is_one_clean_bounded_line(value: object, limit: int) -> None:
    line = tidy(value, limit)
    assert len(line) <= limit and line.isprintable() and tidy(line, limit) == line


def test_huge_and_broken_fields_are_cut_and_go_in(store: Store, tmp_path: Path) -> None:
    strange = [
        {"title": "NUL \x00 inside a title", "abstract": "a\x00b", "authors": ["N\x00ame"]},
        {"title": "Lone surrogate \ud800 in here", "abstract": "\udfff", "extra": "\ud800"},
        {"title": "Huge fields", "abstract": "word " * 1_000_000, "authors": ["A"] * 20_000, "year": 10**30},
        {"title": {"no": "text"}},
        {"title": ""},
        ["no object"],
        {
            "title": "Types all wrong",
            "abstract": 5,
            "authors": 7,
            "year": [2001],
            "venue": {},
            "url": 1,
            "doi": [],
            "keywords": 3,
        },
        {"title": "Deep", "more": [[[[]]]] * 3},
    ]
    path = tmp_path / "strange.jsonl"
    with path.open("w") as file:
        for record in strange:
            file.write(json.dumps(record) + "\n")
        file.write('{"title": "' + "x" * (10 << 20) + '"}\n')
        file.write('{"title": "Behind a line of ten megabytes"}\n\n')
        file.write("[" * 100_000 + "\n")
        file.write('{"title": "The last one, without an end of line"}')
    tally = import_file(store, path)
    assert (tally.read, tally.new, tally.broken) == (12, 7, 5)
    assert [p.split(":")[0] for p in tally.problems] == ["line 4", "line 5", "line 6", "line 9", "line 12"]
    kept = {one.title: one for _, one in store.everything()}
    assert {"NUL inside a title", "Behind a line of ten megabytes", "The last one, without an end of line"} <= set(kept)
    assert len(kept["Huge fields"].abstract) == 99_999 and len(kept["Huge fields"].authors) == 5_000
    assert json.loads(kept["Lone surrogate in here"].body) == {"extra": "\ud800"}


def test_files_that_cannot_be_imported_are_one_line(store: Store, tmp_path: Path) -> None:
    for name, data, error in (
        ("a.jsonl.gz", b"not gzip at all", RecordError),
        ("b.json", b'[{"title": "x"}', RecordError),
        ("c.json", b'"a text"', UsageError),
        ("d.txt", b"hello", UsageError),
        ("e.zip", b"PK no zip", RecordError),
        ("f.jsonl.gz", gzip.compress(b'{"title": "Cut off in the middle"}\n' * 9000)[:-40], RecordError),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(error) as caught:
            import_file(store, path)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(RecordError, match="does not exist"):
        import_file(store, tmp_path / "gone.bib")
