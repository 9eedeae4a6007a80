"""Reading reference lists: keys, live characters, what the text cites; nothing is refused, everything is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from scientist.errors import RecordError
from scientist.literature import SkippedSource, read_list, verify
from scientist.literature._printed import read_bib


def codes(text: str) -> list[str]:
    entries, faults = read_bib(text)
    return [fault.code for entry in entries for fault in entry.faults] + [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (r"@article{a, title={Cats \& dogs, 5\% of $x_1 & y$}, author={A B}}", []),
        (r"@article{a, title={Cats & dogs}, author={A B}}", ["unescaped"]),
        (r"@article{a, title={T}, author={A B}, publisher={Wiley & Sons}, note={100% true_story}}", ["unescaped"] * 3),
        (
            r"@article{a, title={T}, author={A B}, url={http://x.org/a_b?c&d%20}, doi={10.1/a_b}, abstract={5% & more}}",
            [],
        ),
        (
            r"@misc{a, title={T}, author={A B}, howpublished={\url{http://x.org/a_b%20}}, note={see \href{a_b&c}{here}}}",
            [],
        ),
        (r"@article{a, title={A \\& B}, author={A B}}", ["unescaped"]),
        ("@article{None, title={T}, author={A B}}", ["bad-key"]),
        ("@article{, title={T}, author={A B}}", ["bad-key"]),
        ("@article{nan, title={T}, author={A B}}", ["bad-key"]),
        ("@article{nonesuch2020, title={T}, author={A B}}", []),
        ("@article{a, author={A B}}", ["no-title"]),
        ("@article{a, title={T}, title={U}, author={A B}}", ["field-twice"]),
        ("@article{a, title={T}, author={A. One, B. Two, and C. Three}}", ["authors-separated"]),
        ("@article{a, title={T}, author={One, A. and Two, B. and Three, C.}}", []),
        ("@article{a title={T}}\n@article{b, title={U}, author={A B}}", ["broken-entry"]),
        ("@comment{x} @string{j = {J}} @article{a, title={T}, journal=j, author={A B}}", []),
    ],
)
def test_faults_of_form(entry: str, found: list[str]) -> None:
    assert codes(entry) == found


@pytest.mark.parametrize(
    ("field", "doi", "arxiv"),
    [
        ("doi={https://doi.org/10.1000/A_b}", "10.1000/A_b", ""),
        (r"doi={10.1000/a\_b}", "10.1000/a_b", ""),
        ("url={http://dx.doi.org/10.1000/x(1)y}", "10.1000/x(1)y", ""),
        ("eprint={1705.10694v2}, archiveprefix={arXiv}", "", "1705.10694"),
        ("eprint={cs/0102003}, eprinttype={arxiv}", "", "cs/0102003"),
        ("eprint={PMC123}, eprinttype={pubmed}", "", ""),
        ("journal={arXiv preprint arXiv:1705.10694}", "", "1705.10694"),
        ("journal={CoRR}, volume={abs/1705.10694}", "", "1705.10694"),
        ("doi={10.48550/arXiv.1705.10694}", "", "1705.10694"),
    ],
)
def test_identifiers_are_found_where_people_put_them(field: str, doi: str, arxiv: str) -> None:
    ((entry,), _) = read_bib(f"@misc{{a, title={{T}}, author={{A B}}, {field}}}")
    assert (entry.doi, entry.arxiv) == (doi, arxiv)


BIB = """
@article{used, title={One title of a work}, author={A B}, year=2000}
@article{unused, title={Another title of a work}, author={C D}, year=2001}
@inproceedings{child, title={A chapter of the proceedings}, author={E F}, crossref={parent}}
@proceedings{parent, title={The Proceedings}, year=2003}
"""


def test_what_the_text_cites_is_compared_with_what_is_listed(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(BIB)
    (tmp_path / "other.bib").write_text("@article{elsewhere, title={Not meant}, author={X Y}}")
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}% \\cite{commented}\n\\newcommand{\\see}[1]{\\cite{#1}}\n"
        "\\citep[see][p.~2]{used, gone} and \\textcite{child} \\parencites[1]{used}[2]{absent} \\cite{None}\n"
        "\\bibliography{refs}"
    )
    for given in (tmp_path, tmp_path / "main.tex", tmp_path / "refs.bib"):
        found = read_list(given)
        assert [e.key for e in found.entries] == ["used", "unused", "child", "parent"]
        assert set(found.cited or ()) == {"used", "gone", "child", "absent", "None"}
    assert found.entries[2].year == 2003 and found.entries[2].venue == "The Proceedings"
    told = verify(read_list(tmp_path), [SkippedSource("crossref", "open", "not now")])
    assert [(f.code, f.message.split("'")[1]) for f in told.faults] == [
        ("not-listed", "gone"), ("not-listed", "None"), ("not-listed", "absent"), ("never-cited", "unused"), ("never-cited", "parent"),
    ]  # fmt: skip
    assert told.wrong == 3  # what nobody cites is a note
    (tmp_path / "main.tex").write_text("\\nocite{*}\\bibliography{refs,missing}")
    told = verify(read_list(tmp_path), [])
    assert [f.code for f in told.faults] == ["no-file"]


def test_a_list_beside_a_text_that_does_not_use_it_is_only_a_list(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(BIB)
    (tmp_path / "main.tex").write_text("\\cite{x}\\bibliography{another}")
    assert read_list(tmp_path / "refs.bib").cited is None


def test_a_list_inside_the_text(tmp_path: Path) -> None:
    (tmp_path / "p.tex").write_text(
        "\\cite{a,b}\\begin{thebibliography}{9}\n\\bibitem{a} D. Angluin, P. Laird, Learning from noisy examples, "
        "Mach. Learn. 2 (1988) 343--370. \\url{https://doi.org/10.1007/BF00116829}\n\n"
        "\\bibitem[Breiman(2001)]{b}\nLeo Breiman.\n\\newblock Random forests.\n\\newblock \\emph{Machine Learning}, 2001.\n"
        "\\end{thebibliography}"
    )
    a, b = read_list(tmp_path).entries
    assert (a.key, a.year, a.doi, a.title) == ("a", 1988, "10.1007/BF00116829", "")
    assert (b.key, b.year, b.title, b.author_text) == ("b", 2001, "Random forests", "Leo Breiman.")


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "x.pdf"):
        with pytest.raises(RecordError):
            read_list(path)
