"""What comes in goes out: BibTeX, CSL-JSON, arXiv's dump, paper lists, PDFs; and what is no record is named by line."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.errors import UsageError
from scientist.literature import LIBRARY_FILE, Store, _importing, export_library, import_file
from scientist.literature._bibfile import Entry, Remark, from_body, macros, plain, read_entries
from scientist.literature._formats import SNIFF, guess, read
from scientist.literature._importing import Tally
from scientist.literature._library import parse_bibtex
from scientist.literature._works import Work


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / LIBRARY_FILE, write=True) as opened:
        yield opened


def bring(store: Store, path: Path, data: str | bytes, **options: object):
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return import_file(store, path, **options)  # type: ignore[arg-type]


def exported(store: Store, shape: str, **options: bool) -> str:
    return "".join(export_library(store, shape, **options))  # type: ignore[arg-type]


def entries(text: str) -> dict[str, Entry]:
    found = list(read_entries(text))
    assert not [one for one in found if isinstance(one, Remark) and one.what == "broken"]
    return {one.key: one for one in found if isinstance(one, Entry)}


def told(entry: Entry) -> dict[str, str]:
    return {name: plain(value, entry.strings) for name, value in entry.fields}


BIB = r"""
This text between entries is a comment.
@string{tit = "IEEE Transactions on " # {Information Theory}}
@string(acm = {{ACM} Press})
@preamble{"\newcommand{\noop}[1]{}"}
@comment{jabref-meta: databaseType:bibtex;}

@Article{Cover:1967/x,
  author    = {Cover, T. and Hart, P. and {The {NN} Group and Friends}},
  TITLE     = "Nearest {N}eighbor {{\'e}}t {P}attern {\"{u}}ber {$k$}--{NN} classification",
  journal   = tit # { (old)},
  year      = 1967,
  month     = jan # "~13",
  pages     = {21--27},
  doi       = {10.1109/TIT.1967.1053964},
  file      = {:home/me/a\_b.pdf:PDF},
  x-odd.name+1 = {kept, {with} = signs and # @ things},
  note      = {100\% of {A\&B}, naïve 机器},
  note      = {a second note},
}
@InProceedings(second,
  title = {Paren delimited (yes)},
  booktitle = acm,
  author = "Doe, Jane",
  year = {2001}
)
@misc{nofields, title={Only {a} title of a thing}}
"""


def test_bibtex_comes_back_with_every_field_as_it_was_written(store: Store, tmp_path: Path) -> None:
    tally = bring(store, tmp_path / "mine.bib", BIB)
    assert (tally.read, tally.new, tally.broken, tally.remarks) == (3, 3, 0, 5)
    assert [line.split(":")[0] for line in tally.remarked] == ["line 3", "line 3", "line 4", "line 5", "line 6"]
    assert [line.split(": ")[1] for line in tally.remarked] == ["comment", "string", "string", "preamble", "comment"]
    before, after = entries(BIB), entries(exported(store, "bibtex"))
    assert list(after) == ["Cover:1967/x", "second", "nofields"]
    for key, entry in before.items():
        assert after[key].fields == entry.fields and after[key].kind == entry.kind
        assert told(after[key]) == told(entry)
    assert told(after["Cover:1967/x"])["journal"] == "IEEE Transactions on Information Theory (old)"
    first = next(work for _, work in store.everything())
    assert first.title == "Nearest Neighbor ét Pattern über $k$–NN classification"
    assert first.authors == ("T. Cover", "P. Hart", "The NN Group and Friends")
    assert (first.year, first.doi, first.venue) == (
        1967,
        "10.1109/TIT.1967.1053964",
        "IEEE Transactions on Information Theory (old)",
    )


def test_a_round_trip_is_a_fixed_point(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path / "mine.bib", BIB)
    once = exported(store, "bibtex")
    with Store(tmp_path / "second.sqlite", write=True) as second:
        bring(second, tmp_path / "again.bib", once)
        assert exported(second, "bibtex") == once


def test_two_files_with_one_name_for_two_strings(store: Store, tmp_path: Path) -> None:
    entry = "@article{%s, title={Title of the %s one}, journal=j # { B}, author={A %s}}"
    bring(store, tmp_path / "a.bib", "@string{j={First}}" + entry % ("a", "first", "A"))
    bring(store, tmp_path / "b.bib", "@string{J={Second}}" + entry % ("b", "second", "B"))
    after = entries(exported(store, "bibtex"))
    assert (told(after["a"])["journal"], told(after["b"])["journal"]) == ("First B", "Second B")


def test_entries_of_one_work_are_one_entry_with_all_fields(store: Store, tmp_path: Path) -> None:
    bring(
        store,
        tmp_path / "a.bib",
        "@article{x1, title={One work of somebody}, author={A B}, doi={10.1234/x}, year={2001}}"
        "@inproceedings{y2, title={{One Work} of Somebody}, author={B, A}, doi={10.1234/X}, series={S}, year={2002}}",
    )
    # Every key that somebody may cite comes out again, with its fields; merged they are one entry.
    first, second = entries(exported(store, "bibtex")).values()
    assert (first.key, first.kind, second.key, second.kind) == ("x1", "article", "y2", "inproceedings")
    assert told(second)["series"] == "S" and told(second)["title"] == "{One Work} of Somebody"
    (entry,) = entries(exported(store, "bibtex", merged=True)).values()
    assert entry.key == "x1" and entry.kind == "article"
    assert told(entry) == {
        "title": "One work of somebody", "author": "A B", "doi": "10.1234/x", "year": "2001", "series": "S", "ids": "y2",
    }  # fmt: skip
    (number, _) = next(store.everything())
    assert len(store) == 1 and told(from_body(store.records(number)[0].body))["title"] == "{One Work} of Somebody"


def test_one_key_for_two_works_becomes_two_keys(store: Store, tmp_path: Path) -> None:
    entry = "@misc{same, title={Title number %s of it}, author={A}}"
    assert bring(store, tmp_path / "a.bib", entry % "one" + entry % "two").new == 2
    assert list(entries(exported(store, "bibtex"))) == ["same", "sameb"]


BROKEN = r"""@article{good1, title={The first good one}, author={A}}
@article{open, title={never closed, author={B}
@article{good2, title={The second good one}, author={C}}
@article{, nothing}
@article{nocomma title={x}}
@article{novalue, title=, author={D}}
@article{notitle, author={E}}
@book{good3, title = "Quote { with " brace } inside", author={F}}
@article{last, title={cut off
"""


def test_broken_entries_are_named_and_the_rest_is_in(store: Store, tmp_path: Path) -> None:
    tally = bring(store, tmp_path / "broken.bib", BROKEN)
    assert [line.split(":")[0] for line in tally.problems] == [f"line {n}" for n in (2, 4, 5, 6, 9)]
    assert (tally.read, tally.new, tally.broken) == (9, 4, 5)
    assert {work.key for _, work in store.everything()} == {"good1", "good2", "good3", "notitle"}
    assert tally.remarked == ("line 7: no title: @article{notitle is kept under its key",)
    assert "open" in tally.problems[0] and "novalue" in tally.problems[3]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters='{}"\\\x00', exclude_categories=["Cc", "Cs"]), max_size=30
)
GROUP = st.recursive(
    TEXT,
    lambda inner: st.builds("{0}{{{1}}}{0}".format, TEXT, inner) | st.builds("{}{}".format, inner, inner),
    max_leaves=6,
)
VALUE = (
    st.builds("{{{}}}".format, GROUP)
    | st.builds('"{}"'.format, GROUP)
    | st.integers(0, 9999).map(str)
    | st.sampled_from(["jan", "acm", "jan # { x }"])
)
NAME = st.from_regex(r"[a-z][a-z0-9_:.+-]{0,9}", fullmatch=True)
KEY = st.from_regex(r"[A-Za-z][A-Za-z0-9:_/.+-]{0,9}", fullmatch=True)


@given(
    st.lists(
        st.tuples(KEY, st.lists(st.tuples(NAME, VALUE), max_size=5)), max_size=4, unique_by=lambda pair: pair[0].lower()
    )
)
@settings(max_examples=60, deadline=None)
def test_any_well_formed_file_comes_back(made: list[tuple[str, list[tuple[str, str]]]]) -> None:
    import tempfile

    text = "@string{acm = {A{C}M}}\n"
    for number, (key, fields) in enumerate(made):
        inside = "".join(
            f",\n {name} = {value}"
            for name, value in [("title", f"{{Title {number % 2} {'x' * 9}}}"), ("author", "{A B}"), *fields]
        )
        text += f"@misc{{{key}{inside}\n}}\n"
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "l", write=True) as library:
        tally = bring(library, Path(folder) / "a.bib", text)
        assert (tally.new + tally.joined, tally.broken) == (len(made), 0)
        before, after = entries(text), entries(exported(library, "bibtex"))
        assert list(before) == list(after) or {key.lower() for key in before} == {key.lower() for key in after}
        for key in set(before) & set(after):
            assert after[key].fields[: len(before[key].fields)] == before[key].fields


@given(st.text(alphabet='@{}",=#()abc \n\\%', max_size=80))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    for one in read_entries(text):
        assert isinstance(one, Entry | Remark) and one.line <= text.count("\n") + 1
        if isinstance(one, Entry):
            assert all(isinstance(macros(value), list) for _, value in one.fields)


def test_deep_braces_and_long_files_end_in_time() -> None:
    assert [one.what for one in read_entries("@a{k, t=" + "{" * 20_000)] == ["broken"]  # type: ignore[union-attr]
    assert len(list(read_entries("@a{k,\n" * 3_000))) == 3_000
    assert len(list(read_entries("@misc{k, title={x}}\n" * 20_000))) == 20_000


def test_latin_1_is_read_too(store: Store, tmp_path: Path) -> None:
    bring(
        store, tmp_path / "old.bib", "@misc{a, title={Übergröße einer Sache}, author={Müller, Jörg}}".encode("latin-1")
    )
    assert next(work for _, work in store.everything()).authors == ("Jörg Müller",)


# --- CSL-JSON ---

CSL = [
    {
        "id": "doe2020",
        "type": "article-journal",
        "title": "A <i>fine</i> title",
        "author": [{"family": "Doe", "given": "Jane", "non-dropping-particle": "van"}, {"literal": "The Group"}],
        "issued": {"date-parts": [["2020", 5]]},
        "container-title": "Journal of Things",
        "DOI": "10.1234/abc",
        "custom": {"kept": ["as", 1, "is", None]},
    },
    {"id": 7, "type": "paper-conference", "title": ["Crossref's way"], "issued": {"raw": "May 1999"}, "abstract": "<jats:p>Text</jats:p>"},
]  # fmt: skip


def test_csl_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    assert bring(store, tmp_path / "items.json", json.dumps(CSL)).format == "csl"
    assert json.loads(exported(store, "csl")) == CSL
    first, second = (work for _, work in store.everything())
    assert (first.title, first.authors, first.year) == ("A fine title", ("Jane van Doe", "The Group"), 2020)
    assert (first.venue, first.doi, first.key, first.kind) == ("Journal of Things", "10.1234/abc", "doe2020", "article")
    assert (second.title, second.year, second.abstract, second.kind) == (
        "Crossref's way",
        1999,
        "Text",
        "inproceedings",
    )


def test_csl_and_bibtex_of_one_work_lose_nothing(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path / "items.json", json.dumps(CSL[:1]))
    tally = bring(
        store, tmp_path / "a.bib", "@article{other, title={A fine title}, doi={10.1234/ABC}, pages={1--2}, year={2020}}"
    )
    assert tally.joined == 1
    (item,) = json.loads(exported(store, "csl"))
    assert item == CSL[0]
    entry = entries(exported(store, "bibtex"))["other"]
    assert told(entry)["pages"] == "1--2" and told(entry)["author"] == "Jane van Doe and The Group"


def test_a_work_of_any_format_goes_out_in_every_format(store: Store, tmp_path: Path) -> None:
    paper = {
        "title": "50% of #1 & {all} $x_1$ \\ done",
        "authors": ["Ada Example"],
        "year": 2020,
        "abstract": "We {do} 3% \\input{x}",
    }
    bring(store, tmp_path / "list.jsonl", json.dumps(paper))
    text = exported(store, "bibtex")
    (work,) = parse_bibtex(text.replace("keywords", "x-keywords"), "out.bib")
    assert (work.title, work.authors, work.year) == (paper["title"], ("Ada Example",), 2020)
    (item,) = json.loads(exported(store, "csl"))
    assert item["title"] == paper["title"] and item["author"] == [{"family": "Example", "given": "Ada"}]
    with Store(tmp_path / "second.sqlite", write=True) as second:
        bring(second, tmp_path / "out.jsonl", exported(store, "jsonl"))
        assert [work.abstract for _, work in second.everything()] == [paper["abstract"]]


def test_an_empty_library_is_a_valid_file_of_each_kind(store: Store) -> None:
    assert exported(store, "bibtex") == exported(store, "jsonl") == ""
    assert json.loads(exported(store, "csl")) == []


# --- arXiv's dump and paper lists ---

ARXIV = {
    "id": "0704.0001",
    "submitter": "Pavel Nadolsky",
    "authors": "C. Bal\\'azs, E. L. Berger",
    "title": "Calculation of prompt diphoton\n  production",
    "comments": "37 pages",
    "journal-ref": "Phys.Rev.D76:013009,2007",
    "doi": "10.1103/PhysRevD.76.013009",
    "report-no": None,
    "categories": "hep-ph cs.LG",
    "abstract": "  A fully differential\ncalculation.\n",
    "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
    "update_date": "2008-11-26",
    "authors_parsed": [["Balázs", "C.", ""], ["Berger", "E. L.", "Jr"]],
}


def test_arxivs_dump_is_recognised_and_read(store: Store, tmp_path: Path) -> None:
    old = {**ARXIV, "id": "hep-th/9901001", "doi": None, "journal-ref": None, "title": "Another", "versions": []}
    tally = bring(store, tmp_path / "snapshot.json", f"{json.dumps(ARXIV)}\n{json.dumps(old)}\nnot json\n")
    assert (tally.format, tally.new, tally.problems) == ("arxiv", 2, ("line 3: not valid JSON",))
    first, second = (work for _, work in store.everything())
    assert (first.title, first.abstract) == (
        "Calculation of prompt diphoton production",
        "A fully differential calculation.",
    )
    assert first.authors == ("C. Balázs", "E. L. Berger Jr")
    assert (first.year, first.arxiv, first.doi, first.source) == (
        2007,
        "0704.0001",
        "10.1103/PhysRevD.76.013009",
        "arxiv",
    )
    assert first.keywords == ("hep-ph", "cs.LG") and json.loads(first.body)["comments"] == "37 pages"
    assert (second.year, second.arxiv) == (1999, "hep-th/9901001")


@pytest.mark.parametrize("packing", ["plain", "gz", "bz2", "zip", "list", "object", "a line", "a long line"])
def test_a_paper_list_in_any_packing(store: Store, tmp_path: Path, packing: str) -> None:
    papers = [
        {
            "title": f"Paper number {n} on lists",
            "authors": "Ada One; Bo Two",
            "year": "2020",
            "venue": "V",
            "rating": [n],
        }
        for n in range(3)
    ]
    data = "\n".join(map(json.dumps, papers)).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("inside.jsonl", data)
    name, packed = {
        "plain": ("a.jsonl", data),
        "gz": ("a.jsonl.gz", gzip.compress(data)),
        "bz2": ("a.jsonl.bz2", bz2.compress(data)),
        "zip": ("a.zip", buffer.getvalue()),
        "list": ("a.json", json.dumps(papers, indent=1).encode()),
        "object": ("a.json", json.dumps({"papers": papers}, indent=1).encode()),
        "a line": ("a.json", json.dumps({"version": 1, "papers": papers}).encode()),
        "a long line": ("a.json", json.dumps({"total": 3, "next": None, "data": papers, "x": "x" * SNIFF}).encode()),
    }[packing]
    tally = bring(store, tmp_path / name, packed)
    assert (tally.format, tally.new, tally.broken) == ("list", 3, 0)
    kept = [work for _, work in store.everything()]
    assert [work.title for work in kept] == [paper["title"] for paper in papers]
    assert all((work.authors, work.year, work.venue) == (("Ada One", "Bo Two"), 2020, "V") for work in kept)
    assert json.loads(kept[2].body) == {"rating": [2]}


def test_a_paper_that_lists_its_references_is_one_record(store: Store, tmp_path: Path) -> None:
    papers = [{"title": "A paper of its own", "references": [{"title": "Another one"}]}, {"title": "Next", "data": [1]}]
    assert bring(store, tmp_path / "a.jsonl", "\n".join(map(json.dumps, papers))).new == 2
    long = {"id": "x", "title": "A paper of length", "references": [{"title": "y" * SNIFF}]}
    assert bring(store, tmp_path / "b.jsonl", json.dumps(long) + "\n" + json.dumps({"title": "After it"})).new == 2


def test_what_takes_long_is_kept_every_few_seconds(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_importing, "BATCH_S", 0.0)  # as if each had taken that long
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"title": f"Paper number {n}"}) + "\n" for n in range(7)))
    seen: list[Tally] = []
    import_file(store, tmp_path / "a.jsonl", progress=seen.append)
    assert [tally.read for tally in seen][:7] == [1, 2, 3, 4, 5, 6, 7]
    assert all(0 < tally.position <= tally.size for tally in seen)
    (tmp_path / "b.json").write_text(json.dumps([{"title": "Of a document"}]))
    assert import_file(store, tmp_path / "b.json").size == 0  # its positions are no bytes


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"authors": [{"name": "A B"}, {"given": "C", "family": "D"}]}, {"authors": ("A B", "C D")}),
        ({"author": "A B and C D"}, {"authors": ("A B", "C D")}),
        ({"authors": "A B, C D"}, {"authors": ("A B", "C D")}),
        ({"externalIds": {"DOI": "10.1234/x", "ArXiv": "2101.00001"}}, {"doi": "10.1234/x", "arxiv": "2101.00001"}),
        ({"url": "https://arxiv.org/abs/2101.00001v3"}, {"arxiv": "2101.00001"}),
        ({"url": "https://doi.org/10.1234/x"}, {"doi": "10.1234/x"}),
        ({"url": "javascript:alert(1)"}, {"url": ""}),
        ({"published": "2021-05-06T00:00:00Z"}, {"year": 2021}),
        ({"year": 2021.0}, {"year": 2021}),
        ({"year": True}, {"year": None}),
        ({"journal": {"name": "J"}}, {"venue": "J"}),
        ({"keywords": "a;b, c"}, {"keywords": ("a", "b, c")}),
        ({"paperId": "abc"}, {"ident": "abc"}),
    ],
)  # fmt: skip
def test_lists_spell_their_fields_in_many_ways(
    tmp_path: Path, record: dict[str, object], expected: dict[str, object]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"title": "A title", **record}))
    (row,) = read(path, "list")
    assert isinstance(row.work, Work)
    assert {name: getattr(row.work, name) for name in expected} == expected


# --- PDFs ---


def pdf(title: str = "", lines: tuple[str, ...] = (), about: str = "") -> bytes:
    """A PDF of one page: a large title, then lines."""
    shown = [f"BT /F1 20 Tf 50 750 Td ({title}) Tj ET"] if title else []
    shown += [f"BT /F1 10 Tf 50 {700 - 14 * n} Td ({line}) Tj ET" for n, line in enumerate(lines)]
    stream = "\n".join(shown).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< " + about.encode() + b" >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 7\n0000000000 65535 f \n%strailer << /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (table, len(out))
    )


def test_pdfs_are_guessed_from_their_first_page_and_hostile_ones_are_named(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    folder = tmp_path / "papers"
    (folder / "deep").mkdir(parents=True)
    body = (
        "arXiv:2101.00001v2 [cs.LG]",
        "Ada Example, Bo Other",
        "Abstract",
        "We study lattices at some length and find that they",
        "hold, which nobody had expected before this was done.",
        "1 Introduction",
        "Text.",
    )
    (folder / "a.pdf").write_bytes(
        pdf("Lattices of Large Things", body, "/Title (paper.dvi) /CreationDate (D:20200101)")
    )
    (folder / "deep" / "b.PDF").write_bytes(
        pdf("", ("doi: 10.1234/abc.5",), "/Title (A proper title in the metadata) /Author (Ada One; Bo Two)")
    )
    (folder / "c.pdf").write_bytes(b"%PDF-1.4 and then nothing" + b"\xff" * 5000)
    (folder / "d.pdf").write_bytes(pdf())
    bomb = pdf("x" * 100).replace(b"/Kids [3 0 R]", b"/Kids [2 0 R]")
    (folder / "e.pdf").write_bytes(bomb)
    (folder / "f.pdf").symlink_to("/etc/passwd")
    (folder / "g.pdf").symlink_to("nowhere")
    tally = import_file(store, folder)
    assert (tally.format, tally.read, tally.new, tally.broken) == ("pdf", 7, 2, 5)
    assert {line.split(": ")[1] for line in tally.problems} == {"c.pdf", "d.pdf", "e.pdf", "f.pdf", "g.pdf"}
    first, second = (work for _, work in store.everything())
    assert first.title == "Lattices of Large Things" and first.arxiv == "2101.00001" and first.year == 2021
    assert first.abstract.startswith("We study lattices") and first.abstract.endswith("was done.")
    assert (second.title, second.doi, second.authors) == (
        "A proper title in the metadata",
        "10.1234/abc.5",
        ("Ada One", "Bo Two"),
    )
    assert json.loads(first.body)["guessed"] and first.format == "pdf"


def test_an_empty_folder_and_a_strange_file_are_usage(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no PDF"):
        import_file(store, tmp_path)
    with pytest.raises(UsageError):
        (tmp_path / "script.py").write_text("import this")
        guess(tmp_path / "script.py")


def test_the_shared_library_of_papers_is_read_whole(store: Store) -> None:
    path = Path(__file__).parents[2].parent / "shared" / "data" / "literature" / "novelty" / "library.jsonl.gz"
    if not path.exists():
        pytest.skip("the data is not here")
    rows = [row for _, row in zip(range(400), read(path, "list"), strict=False)]
    assert all(row.work and row.work.abstract and row.work.year and row.work.ident for row in rows)
