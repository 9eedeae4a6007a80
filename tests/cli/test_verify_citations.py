"""`verify-citations` as a real process: any paper, exit codes, JSON, and what an outage does to them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cli_calls import SLUG, answer, call, complaint, environment

from scientist.literature import packaged_library, to_bibtex

sys.path.insert(0, str(Path(__file__).parent.parent / "literature"))
from index_server import WHERE, Index, as_sent, index

LIBRARY = packaged_library()
GOOD = [work for work in LIBRARY.references if work.doi and work.authors][:4]
INVENTED = "@article{invented, author={Doe, Jane and Roe, Richard}, title={Spectral Coherence Collapse in Overparameterised Forests}, year=2019}\n"


def asking(server: Index) -> dict[str, str]:
    names = ("ARXIV", "SEMANTIC_SCHOLAR", "OPENALEX", "CROSSREF")
    return environment(SCIENTIST_ONLINE="true", **{f"SCIENTIST_{name}_URL": server.url for name in names})


def test_a_strangers_list_is_verified_and_an_invented_work_is_named(tmp_path: Path) -> None:
    (tmp_path / "r.bib").write_text(to_bibtex(GOOD))
    (tmp_path / "bad.bib").write_text(to_bibtex(GOOD[:1]) + INVENTED)
    with index([as_sent(work) for work in LIBRARY.references]) as server:
        fine = call(None, "verify-citations", str(tmp_path / "r.bib"), "--json", cwd=tmp_path, env=asking(server))
        bad = call(None, "verify-citations", str(tmp_path / "bad.bib"), cwd=tmp_path, env=asking(server))
    told = answer(fine)
    assert told["counts"] == {"verified": 4, "wrong metadata": 0, "not found": 0, "unverifiable now": 0}
    assert (told["wrong"], told["out"], told["faults"]) == (0, {}, [])
    assert bad.returncode == 1
    lines = [" ".join(line.split()) for line in bad.stdout.splitlines()]
    assert any(line.startswith(f"verified {GOOD[0].key} ") for line in lines)
    assert any(line.startswith("not found invented Spectral") for line in lines)
    assert lines[-1].endswith("1 verified, 1 not found; 1 wrong")


def test_an_outage_is_named_and_is_nobodys_fault(tmp_path: Path) -> None:
    (tmp_path / "r.bib").write_text(to_bibtex(GOOD[:1]) + INVENTED)
    with index([]) as server:
        pass  # it is closed again: nobody listens there
    done = call(None, "verify-citations", "r.bib", "--deadline", "8", cwd=tmp_path, env=asking(server))
    assert done.returncode == 0 and "2 unverifiable now; nothing is wrong" in done.stdout
    for name in WHERE:
        assert f"out               {name}: " in done.stdout
    off = answer(call(None, "verify-citations", "r.bib", "--json", cwd=tmp_path))
    assert off["counts"]["unverifiable now"] == 2
    assert set(off["out"].values()) == {"online = false in the settings"}


def test_a_paper_of_the_lab_is_checked_against_its_records_and_its_text(finished: Path, tmp_path: Path) -> None:
    told = answer(call(finished, "verify-citations", SLUG, "--json"))
    assert told["counts"]["verified"] == 0 and told["counts"]["unverifiable now"] == len(told["entries"]) > 5
    assert {fault["code"] for fault in told["faults"]} <= {"never-cited"}
    # Somebody changes an entry: what the record of the source says stands against it, offline too.
    paper = tmp_path / "papers" / SLUG
    paper.mkdir(parents=True)
    for name in ("references.bib", "paper.tex", "novelty.json", "study.json", "manuscript.json"):
        (paper / name).write_bytes((finished / "papers" / SLUG / name).read_bytes())
    records = json.loads((paper / "novelty.json").read_text())["references"]
    text = (paper / "references.bib").read_text()
    year = next(str(r["year"]) for r in records if f"year = {{{r['year']}}}" in text)
    (paper / "references.bib").write_text(text.replace(f"year = {{{year}}}", "year = {1911}", 1))
    done = call(None, "verify-citations", str(paper), "--json", cwd=tmp_path)
    changed = [
        (e["verdict"], e["wrong"][0]["field"], e["wrong"][0]["right"]) for e in answer(done, 1)["entries"] if e["wrong"]
    ]
    assert changed == [("wrong metadata", "year", year)]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.bib", None, "there is no file"),
        ("nothing-here", None, "is not a lab"),
        ("empty.bib", "% nothing", "holds no references"),
        ("list.txt", "x", "is no list of references"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    done = call(None, "verify-citations", name, cwd=tmp_path)
    assert said in complaint(done, done.returncode) and done.returncode in (2, 3, 4)


def test_the_list_that_a_pdf_prints_is_verified_too(tmp_path: Path) -> None:
    sample = sorted((Path(__file__).parents[2] / "papers").glob("*/paper.pdf"))[0]
    (tmp_path / "paper.pdf").write_bytes(sample.read_bytes())
    (tmp_path / "none.pdf").write_bytes(b"%PDF-1.5\nnot a paper")
    with index([as_sent(work) for work in LIBRARY.references]) as server:
        told = answer(call(None, "verify-citations", "paper.pdf", "--json", cwd=tmp_path, env=asking(server)))
        broken = call(None, "verify-citations", "none.pdf", cwd=tmp_path, env=asking(server))
    assert told["wrong"] == 0 and told["counts"]["verified"] == len(told["entries"]) > 15
    assert "none.pdf" in complaint(broken, 4)
