"""`scientist library ...` as real processes: what it says, its exit codes, and that it works without a lab."""

from __future__ import annotations

import json
from pathlib import Path

from cli_calls import call, complaint

WORDS = ("forests", "kernels", "lattices")
PAPERS = [
    {
        "id": f"p{n}",
        "title": f"Paper {n} on {word}",
        "authors": ["Ada One"],
        "year": 2000 + n,
        "abstract": f"[bold] {word}",
    }
    for n, word in enumerate(WORDS)
]


def listed(folder: Path, more: str = "") -> str:
    path = folder / "list.jsonl"
    path.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS) + more)
    return str(path)


def test_in_search_and_out_again(tmp_path: Path) -> None:
    library = ["--library", str(tmp_path / "l.sqlite")]
    done = call(None, "library", "import", listed(tmp_path, "{broken\n"), *library)
    assert done.returncode == 1
    assert "4 records read as list: 3 new, 0 of works that were here, 1 broken" in done.stdout
    assert "line 4: not valid JSON" in done.stdout

    words = ("Paper 1 on kernels", "--author", "Ada One", "--doi", "10.1234/k", *library, "--json")
    added = json.loads(call(None, "library", "add", *words).stdout)
    assert not added["new"] and added["work"]["doi"] == "10.1234/k" and added["work"]["year"] == 2001

    found = call(None, "library", "search", "kernel", "--lexical", *library)
    assert found.returncode == 0 and "Paper 1 on kernels" in found.stdout and "doi:10.1234/k" in found.stdout
    assert "exclude each" in complaint(call(None, "library", "search", "x", "--lexical", "--both", *library), 2)

    told = json.loads(call(None, "library", "stats", "--json", *library).stdout)
    assert told["works"] == 3 and told["sources"] == {"list.jsonl": 3}
    assert told["years"] == {"2000": 1, "2001": 1, "2002": 1}

    out = tmp_path / "out.bib"
    assert call(None, "library", "export", str(out), *library).returncode == 0
    assert out.read_text().count("@misc{") == 3 and not (tmp_path / "out.bib.part").exists()


def test_a_benchmark_brings_its_own_library(tmp_path: Path) -> None:
    ideas = tmp_path / "ideas.jsonl"
    ideas.write_text('{"id": "a", "title": "Something on lattices", "kind": "known_paraphrase", "source_id": "p2"}\n')
    words = ("library", "benchmark", str(ideas), "--library", listed(tmp_path))
    told = json.loads(call(None, *words, "--json").stdout)
    lexical = next(row for row in told["recall"] if row["how"] == "lexical")
    assert lexical["recall@1"]["hits"] == 1 and told["works"] == 3 and told["not_in_library"] == []
    novelty = told["novelty"]
    twin = novelty["ways"]["lexical"]["twin"]["all"]
    assert twin["n"] == 1 and 0 <= twin["interval"][0] <= twin["auc"] <= twin["interval"][1] <= 1
    assert set(novelty["ways"]["lexical"]["verdicts"]["all"]) == {"table", "precision", "recall"}
    assert novelty["no_library"]["n"] == 0
    printed = call(None, *words).stdout
    assert "twin test" in printed and "without their works" in printed and "known or close" in printed
    ideas.write_text('{"id": "a", "title": "Nobody has done it", "source_id": null}\n')
    assert "no idea has a source_id" in complaint(call(None, *words), 4)


def test_no_library_is_one_line(tmp_path: Path) -> None:
    done = call(None, "library", "search", "x", "--library", str(tmp_path / "gone.sqlite"))
    assert "library import" in complaint(done, 3)
    done = call(None, "library", "import", str(tmp_path / "gone.bib"), "--library", str(tmp_path / "l.sqlite"))
    assert "does not exist" in complaint(done, 4)
