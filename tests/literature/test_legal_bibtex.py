"""Nasty but legal: what BibTeX allows accuses nobody and loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from index_server import as_sent, index

from scientist.literature import packaged_library, read_list, verify
from scientist.literature._encoding import decoded
from scientist.literature._people import compare_authors
from scientist.literature._plain import plain
from scientist.literature._printed import Printed, read_bib
from scientist.literature._verify import duplicates

WORKS = [as_sent(work) for work in packaged_library().references]
LIST = r"""
@string{ml = "Machine " # {Learning}}
@STRING(jmlr = {J. Mach. Learn. Res.})
@preamble{"\newcommand{\noop}[1]{}"}
@IEEEtranBSTCTL{IEEEexample:BSTcontrol, CTLuse_article_number = "yes"}
@CONTROL{REVTEX41Control}
@Control{acs-control, ctrl-use-title="yes"}
@xdata{house, publisher={Springer}}
@set{both, entryset={a,b}}
@comment{this is @article{ghost, title={Ghost}} inside}
an address between entries: me@example.org
@article{a, author={{Breiman}, {L}eo}, title={{{{{R}andom} {F}orests}}}, year={{2001}}, journal=ml, month=apr}
@ARTICLE(b, AUTHOR = "Quinlan, J. R.", TITLE = "Induction " # "of Decision Trees", YEAR = 1986, MONTH = 5 # "~" # may)
@article{c, author={Geman, S. and Bienenstock, E. and Doursat, R.}, title={Neural networks and the bias\slash variance dilemma}, year=1992}
@article{d, author={Belkin, M. and Hsu, D. and Ma, S. and Mandal, S.}, title={Reconciling modern machine\nobreakdash-learning practice and the classical bias\textendash{}variance trade\mbox{-}off}, year=2019}
@article{e, author={Arpit, D. and Jastrz\k{e}bski, S. and others}, title={A closer look at memorization in deep networks\footnote{Preprint}}, year=2017}
@article{f, author={Fern\'andez-Delgado, M. and Cernadas, E. and Barro, S. and Amorim, D.}, title={Do we need hundreds of classifiers to solve real world classification problems\textup{?}}, year=2014, journal=jmlr}
@article{g, author={Geurts, P. and Ernst, D. and Wehenkel, L.}, title={Extremely randomi\-zed trees}, year=2006}
@article{schlüssel_日本, author={Breiman, Leo}, title={Bagging\ \texorpdfstring{\uppercase{p}redictors}{predictors}}, year={c. 1996}}
@inproceedings{i, author={Chiyuan Zhang and Samy Bengio and others}, title={Understanding Deep Learning Requires Rethinking Generalization}, crossref={iclr}}
@proceedings{iclr, title={International Conference on Learning Representations}, year={2017}, editor={Bengio, Y. and LeCun, Y.}}
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_nothing_that_is_legal_is_accused_or_lost(tmp_path: Path, ends: str) -> None:
    (tmp_path / "r.bib").write_bytes(LIST.replace("\n", ends).encode())
    with index(WORKS) as server:
        found = verify(read_list(tmp_path / "r.bib"), server.sources())
    verdicts = {entry.key: entry.verdict for entry in found.entries}
    assert list(verdicts) == ["a", "b", "c", "d", "e", "f", "g", "schlüssel_日本", "i", "iclr"]
    assert verdicts.pop("iclr") == "unverifiable now"  # a volume, which is no work of anybody
    assert set(verdicts.values()) == {"verified"}, [e for e in found.entries if e.verdict != "verified"]
    assert found.wrong == 0


def test_a_brace_that_is_missing_in_the_middle_costs_one_entry_which_is_named(tmp_path: Path) -> None:
    good = "@article{%s, author={Breiman, Leo}, title={Random Forests}, year=2001}\n\n"
    bad = "@article{bad, author={Quinlan, J. R.}, title={{Induction of Decision Trees}, year=1986}\n\n"
    (tmp_path / "r.bib").write_text(good % "one" + bad + good % "two" + "@article{end, title={Cut short")
    found = read_list(tmp_path / "r.bib")
    assert [entry.key for entry in found.entries] == ["one", "two"]
    assert [(fault.code, fault.line) for fault in found.faults] == [("broken-entry", 3), ("broken-entry", 7)]
    assert "@article{bad" in found.faults[0].message and "@article{end" in found.faults[1].message


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"bias\slash variance", "bias/variance"),
        (r"bias{\slash}variance", "bias/variance"),
        (r"problems\textup{?}", "problems?"),
        (r"A\textendash{}B\textemdash C", "A–B—C"),
        (r"randomi\-zed", "randomized"),
        (r"On \texorpdfstring{$L_1$}{L1} norms", "On L1 norms"),
        (r"\texorpdfstring{{L}STM}{LSTM} cells", "LSTM cells"),
        (r"Networks\footnote{A preprint.}\thanks{To all}", "Networks"),
        (r"\noopsort{1973b}The end", "The end"),
        (r"{\relax The} \MakeUppercase{e}nd", "The end"),
    ],
)
def test_what_latex_prints_is_what_is_compared(latex: str, text: str) -> None:
    assert plain(latex, 200) == text


@pytest.mark.parametrize(
    ("printed", "right", "wrong"),
    [
        (("The ATLAS Collaboration",), ("G. Aad", "B. Abbott"), False),
        (("ATLAS Collaboration",), ("ATLAS Collaboration", "G. Aad", "B. Abbott"), False),
        (("Aad, G.", "others"), ("ATLAS Collaboration", "G. Aad", "B. Abbott"), False),
        (("G. Aad", "B. Abbott", "ATLAS Collaboration"), ("G. Aad", "B. Abbott"), False),
        (("G. Aad", "B. Abbott"), ("The ATLAS Collaboration",), False),
        (("ATLAS Collaboration", "X. Bad"), ("G. Aad", "B. Abbott"), True),
        (("G. Aad", "X. Bad"), ("ATLAS Collaboration", "G. Aad", "B. Abbott"), True),
        (("Vaswani", "Shazeer"), ("Leo Breiman",), True),
    ],
)
def test_a_consortium_stands_for_its_members(printed: tuple[str, ...], right: tuple[str, ...], wrong: bool) -> None:
    assert bool(compare_authors(printed, right).wrong) == wrong


def test_three_thousand_authors_are_compared_and_a_stranger_among_them_is_seen() -> None:
    names = [f"Author{i}, {'ABCDEFG'[i % 7]}." for i in range(3000)]
    text = f"@article{{a, author={{{' and '.join(names)}}}, title={{A title}}}}"
    ((entry,), faults) = read_bib(text)
    assert len(entry.authors) == 3000 and faults == ()
    assert not compare_authors(entry.authors, entry.authors).wrong
    assert not compare_authors(entry.authors, [*entry.authors[:40], "others"]).wrong
    assert "Stranger" in compare_authors(["Z. Stranger", *entry.authors[1:]], entry.authors).wrong


def test_every_line_has_its_own_encoding() -> None:
    text = "@article{é, title={Über}}\n@article{ü, title={Räume}}"
    utf, latin = text.encode(), text.encode("latin-1")
    assert decoded(utf) == decoded(latin) == decoded(text.encode("utf-16")) == decoded(b"\xef\xbb\xbf" + utf) == text
    first, second = text.split("\n")
    assert decoded(first.encode() + b"\n" + second.encode("latin-1")) == text


def test_a_long_list_is_searched_for_duplicates_and_each_is_told_once() -> None:
    many = [Printed(key=f"k{i}", title=f"Title number {i} of many", doi=f"10.1/{i}") for i in range(20_000)]
    same = [Printed(key=f"s{i}", title="Random Forests", authors=("Leo Breiman",), year=2001) for i in range(12)]
    found = duplicates(
        [*many, *same, *(Printed(key=f"o{i}", title="Editorial", doi=f"10.2/{i}") for i in range(5_000))]
    )
    assert [fault.message for fault in found] == [
        f"'s0' and 's{i}' are the same work: Random Forests" for i in range(1, 12)
    ]
