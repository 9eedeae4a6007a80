"""The list that biber makes for biblatex: read field by field, verified like any other, and never slow."""

from __future__ import annotations

from pathlib import Path

import pytest
from index_server import as_sent, index

from scientist.literature import packaged_library, read_list, verify
from scientist.literature._biber import is_biber, read_biber

HEAD = r"""% $ biblatex auxiliary file $
% $ biblatex bbl format version 3.2 $
\begingroup
\makeatletter
\@ifundefined{ver@biblatex.sty}{\@latex@error{Missing 'biblatex' package}{}}{}
\endgroup

\refsection{0}
  \datalist[entry]{nyt/global//global/global}
"""
ANGLUIN = r"""    \entry{angluin1988}{article}{}
      \name{author}{2}{}{%
        {{un=0,uniquepart=base,hash=aa}{%
           family={Angluin},
           familyi={A\bibinitperiod},
           given={Dana},
           giveni={D\bibinitperiod},
           givenun=0}}%
        {{un=0,uniquepart=base,hash=bb}{%
           family={Laird},
           familyi={L\bibinitperiod},
           given={Philip\bibnamedelima J.},
           giveni={P\bibinitperiod\bibinitdelim J\bibinitperiod}}}%
      }
      \strng{namehash}{aa}
      \field{sortinit}{A}
      \field{labelnamesource}{author}
      \field{journaltitle}{Mach. Learn.}
      \field{title}{Learning From Noisy Examples}
      \field{volume}{2}
      \field{year}{1988}
      \field{pages}{343\bibrangedash 370}
      \range{pages}{28}
      \verb{doi}
      \verb 10.1007/BF00116829
      \endverb
      \keyw{a,b}
    \endentry
"""
TOOL = r"""    \entry{tool}{online}{}
      \name{author}{1}{}{%
        {{hash=cc}{%
           family={{The Tool Team}},
           familyi={T\bibinitperiod}}}%
      }
      \true{moreauthor}
      \field{title}{The {T}ool \& its manual}
      \list{publisher}{1}{%
        {ACM}%
      }
      \verb{urlraw}
      \verb https://tool.example.org/a_b%20c
      \endverb
      \verb{url}
      \verb https://tool.example.org/a_b%20c
      \endverb
    \endentry
"""
BERG = r"""    \entry{berg}{inproceedings}{}
      \name{author}{1}{ul=2}{%
        {{hash=dd}{%
           family={Berg},
           given={Jan},
           prefix={van\bibnamedelima der},
           suffix={Jr.}}}%
      }
      \field{booktitle}{Proc.}
      \field{title}{A title}
      \field{eprinttype}{arXiv}
      \verb{eprint}
      \verb 1705.10694
      \endverb
    \endentry
"""
OLD = r"""  \sortlist{entry}{nty}
    \entry{old}{article}{}
      \name{author}{2}{}{%
        {{hash=ee}{Cover}{C\bibinitperiod}{Thomas\bibnamedelima M.}{T\bibinitperiod}{}{}{}{}}%
        {{hash=ff}{Hart}{H\bibinitperiod}{Peter}{P\bibinitperiod}{}{}{}{}}%
      }
      \field{title}{Nearest neighbor pattern classification}
      \field{year}{1967}
    \endentry
  \endsortlist
"""


def test_every_part_of_an_entry_is_read(tmp_path: Path) -> None:
    (tmp_path / "main.bbl").write_text(f"{HEAD}{ANGLUIN}{TOOL}{BERG}  \\enddatalist\n\\endrefsection\n\\endinput\n")
    found = read_list(tmp_path / "main.bbl")
    angluin, tool, berg = found.entries
    assert (angluin.key, angluin.line, angluin.kind, angluin.title) == (
        "angluin1988", 10, "article", "Learning From Noisy Examples"
    )  # fmt: skip
    assert angluin.authors == ("Dana Angluin", "Philip J. Laird")
    assert (angluin.year, angluin.venue, angluin.volume, angluin.pages) == (1988, "Mach. Learn.", "2", "343--370")
    assert (angluin.doi, angluin.faults) == ("10.1007/BF00116829", ())
    assert (tool.title, tool.authors) == ("The Tool & its manual", ("The Tool Team", "others"))
    assert (tool.url, tool.venue) == ("https://tool.example.org/a_b%20c", "ACM")
    assert (berg.authors, berg.arxiv) == (("Jan van der Berg Jr.",), "1705.10694")


def test_the_format_before_it_is_read_too() -> None:
    ((line, kind, key, told),) = read_biber(OLD)
    assert (line, kind, key, told["year"]) == (2, "article", "old", "1967")
    assert told["author"] == "{Cover}, {Thomas M.} and {Hart}, {Peter}"


def test_a_project_that_ships_only_what_biber_made_is_verified(tmp_path: Path) -> None:
    invented = ANGLUIN.replace("angluin1988", "invented").replace("10.1007/BF00116829", "10.9999/nowhere")
    invented = invented.replace(
        "Learning From Noisy Examples", "Spectral Coherence Collapse in Overparameterised Forests"
    )
    wrong = ANGLUIN.replace("angluin1988", "wrong").replace("{1988}", "{1978}").replace("10.1007/BF00116829", "")
    # A second section of the text has the same entry again.
    (tmp_path / "main.bbl").write_text(f"{HEAD}{ANGLUIN}{invented}{wrong}{TOOL}{OLD}{ANGLUIN}")
    (tmp_path / "main.tex").write_text(
        "\\usepackage{biblatex}\\addbibresource{refs.bib}\\cite{angluin1988,invented,wrong}\\autocite{tool,old,gone}"
    )
    with index([as_sent(work) for work in packaged_library().references]) as server:
        found = verify(read_list(tmp_path), server.sources())
    assert {entry.key: entry.verdict for entry in found.entries} == {
        "angluin1988": "verified",
        "invented": "not found",
        "wrong": "wrong metadata",
        "tool": "unverifiable now",
        "old": "verified",
    }
    assert [(w.field, w.right) for e in found.entries for w in e.wrong] == [("year", "1988")]
    assert [(f.code, f.message) for f in found.faults if f.code != "duplicate-work"] == [
        ("not-listed", "'gone' is cited, and no entry has that key")
    ]


@pytest.mark.parametrize(
    "text",
    [
        ANGLUIN[: ANGLUIN.index("family={Laird}")],
        ANGLUIN.replace("}", ""),
        ANGLUIN.replace("\\endentry", "") + BERG,
        "\\entry{a}{b}{}\\name{author}{1}{}{" * 3,
        "\\entry{a}{b}{}\\verb{doi}\n\\verb 10.1/x",
        "\\entry{}{}{}",
    ],
)
def test_what_is_cut_short_is_read_as_far_as_it_goes(text: str) -> None:
    found = list(read_biber(HEAD + text))
    assert is_biber(text) == bool(found)
    assert [key for _, _, key, _ in found][-1:] != ["angluin1988"] or found[-1][3].get("title", "") in (
        "", "Learning From Noisy Examples"
    )  # fmt: skip
    if "berg" in text:
        assert [key for _, _, key, _ in found] == ["angluin1988", "berg"] and found[1][3]["title"] == "A title"


def test_a_list_of_bibtex_is_not_taken_for_one_of_biber(tmp_path: Path) -> None:
    (tmp_path / "a.bbl").write_text(
        "\\begin{thebibliography}{1}\n\\bibitem{a}\nA.~One.\n\\newblock A title.\n\\newblock {\\em J.}, 2001.\n\\end{thebibliography}"
    )
    (entry,) = read_list(tmp_path / "a.bbl").entries
    assert (entry.key, entry.title, entry.year) == ("a", "A title", 2001)


@pytest.mark.parametrize(
    "evil",
    [
        "\\entry{a}{b}{}" * 20_000,
        "\\entry{a}{b}{}" + "\\name{author}{1}{}{" * 10_000,
        "\\entry{a}{b}{}\\field{t}{" + "{" * 200_000,
        "\\entry" + " " * 200_000,
        "\\entry{a}{b}{}\\verb{doi}" + "\n" * 200_000,
        "\\entry{a}{b}{}\\field{t}{" + "\\bib" * 50_000 + "}",
        "\\entry{a}{b}{}\\field{t}" + " " * 200_000,
        "\\entry{a}{b}{}" + "\\verb{d}\\verb \n" * 20_000,
    ],
    ids=range(8),
)
def test_nothing_hostile_takes_long(evil: str) -> None:
    assert len(list(read_biber(evil))) <= 1  # one that is not linear would not come back
