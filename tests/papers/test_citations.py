"""Every citation keeps the passage that it rests on: in its file, in the appendix, in the review; and only from records."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample import REFERENCES, make_paper

from scientist.lab import read_json, write_atomic
from scientist.literature import Reference
from scientist.papers import CITATIONS, Facts, Manuscript, audit, build_tex, find_citations, load_context
from scientist.papers._citations import citations_table, passage_for


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    make_paper(tmp_path / "paper")
    return tmp_path / "paper"


def found_in(paper: Path):
    facts = read_json(Facts, paper / "facts.json")
    return find_citations(read_json(Manuscript, paper / "manuscript.json"), REFERENCES, facts)


def test_every_citation_has_its_sentence_and_its_passage(paper: Path) -> None:
    found = found_in(paper)
    assert {c.key for c in found.citations} == {"student1908", "holm1979"}
    first = found.citations[0]
    assert (
        first.sentence
        == "Intervals for small samples go back to [student1908], who derived the distribution behind them."
    )
    assert (first.passage, first.passage_of, first.source) == (REFERENCES[0].gist, "gist", "library")
    both = [c for c in found.citations if "valid without assumptions" in c.sentence]
    assert [c.key for c in both] == ["holm1979", "student1908"]
    assert found_in(paper).canonical() == found.canonical()


def test_the_appendix_prints_them_and_only_where_something_is_cited(paper: Path) -> None:
    tex = build_tex(load_context(paper))
    table = tex.split(r"\label{app:citations}")[1]
    assert r"\citet{student1908} & " in table and REFERENCES[0].gist in table
    context = load_context(paper)
    bare = context.manuscript.model_copy(
        update={
            "sections": tuple(
                s.model_copy(update={"paragraphs": tuple(p for p in s.paragraphs if "cite" not in p)})
                for s in context.manuscript.sections
            )
        }
    )
    from dataclasses import replace

    assert "app:citations" not in build_tex(replace(context, manuscript=bare))


@pytest.mark.parametrize(
    ("fields", "passage", "kind"),
    [
        ({"gist": "showed a thing", "abstract": "Other."}, "showed a thing", "gist"),
        (
            {"abstract": "We look at moons. Label noise hurts trees. We thank nobody."},
            "Label noise hurts trees.",
            "abstract",
        ),
        ({"abstract": "Label noise.", "source": "library"}, "Label noise.", "annotation"),
        ({"raw": "X, Y (1999)."}, "X, Y (1999).", "reference"),
        ({}, "A title", "title"),
    ],
)
def test_the_passage_is_the_records_own(fields: dict[str, str], passage: str, kind: str) -> None:
    work = Reference(**{"key": "x", "title": "A title", "source": "arxiv"} | fields)
    assert passage_for(work, "Trees suffer from label noise [x].") == (passage, kind)


def test_what_strangers_wrote_stays_text(paper: Path) -> None:
    hostile = REFERENCES[0].model_copy(
        update={"gist": "", "abstract": r"100% \input{/etc/passwd} & $x_1$ } \end{longtable}"}
    )
    facts = read_json(Facts, paper / "facts.json")
    made = find_citations(read_json(Manuscript, paper / "manuscript.json"), (hostile, REFERENCES[1]), facts)
    table = citations_table(made)
    assert r"\input" not in table.replace(r"\textbackslash{}input", "")
    assert r"100\% \textbackslash{}input\{/etc/passwd\} \& \$x\_1\$" in table
    assert table.count(r"\end{longtable}") == 1


def test_a_passage_that_somebody_changed_is_an_error_of_the_audit(paper: Path) -> None:
    def codes() -> list[str]:
        return [f.code for f in audit(paper).findings if f.code == "citations-changed"]

    found = found_in(paper)
    write_atomic(paper / CITATIONS, found.canonical())
    assert codes() == []
    better = found.citations[0].model_copy(update={"passage": "proved everything that we say"})
    write_atomic(paper / CITATIONS, found.model_copy(update={"citations": (better, *found.citations[1:])}).canonical())
    assert codes() == ["citations-changed"]
