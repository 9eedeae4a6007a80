"""What no index lists is never missing: pages, programs, data; and an address that is none is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_server import as_sent, index

from scientist.literature import packaged_library, read_list, verify
from scientist.literature._pages import address, is_address, is_page
from scientist.literature._printed import read_bib

WORKS = [as_sent(work) for work in packaged_library().references]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("@misc{x, author={{The Team}}, title={The tool and its manual}, howpublished={\\url{https://tool.example.org/a\\_b}}}", "see https://tool.example.org/a_b, which was not followed"),
        ("@misc{x, author={Olah, C.}, title={Understanding {LSTM} networks, step by step}, year=2015, url={http://colah.example.io/posts/\\~{}a/?b=c\\&d}}", "see http://colah.example.io/posts/~a/?b=c&d"),
        ("@misc{x, author={Olah, C.}, title={A post}, note={Accessed 2020-01-01, www.example.org/post.}}", "see www.example.org/post,"),
        ("@online{x, author={A B}, title={A post without any address at all}}", "no address is given"),
        ("@software{x, author={A B}, title={The program that does it}, version={1.2}, year=2020}", "no address is given"),
        ("@misc{x, author={A B}, title={The program that does it}, doi={10.5281/zenodo.123456}}", "Zenodo gave the DOI 10.5281/zenodo.123456"),
        ("@article{x, author={A B}, title={The data behind it all}, journal={Zenodo}, url={https://doi.org/10.5281/zenodo.99}}", "Zenodo gave the DOI"),
        ("@techreport{x, author={{The Lab}}, title={The model and how it was made}, url={https://lab.example.com/model.pdf}}", "see https://lab.example.com/model.pdf"),
        # Another work of that name is by others, and the page is not that work.
        ("@misc{x, author={Blogger, Zoe}, title={Random forests}, year=2020, url={https://blog.example.org/rf}}", "a work of that title is by Leo Breiman"),
    ],
)  # fmt: skip
def test_a_page_a_program_and_data_are_never_missing(tmp_path: Path, entry: str, said: str) -> None:
    (tmp_path / "r.bib").write_text(entry)
    with index(WORKS) as server:
        found = verify(read_list(tmp_path / "r.bib"), server.sources())
    (told,) = found.entries
    assert (told.verdict, told.faults, found.wrong) == ("unverifiable now", (), 0), told
    assert any(said in note for note in told.notes), told.notes


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        # What says that it was published, or has a publication's identifier, can be missing.
        ("@article{x, author={Doe, J.}, title={Spectral coherence collapse in forests}, journal={JMLR}, url={https://jmlr.example.org/1.pdf}}", "not found"),
        ("@misc{x, author={Doe, J.}, title={Spectral coherence collapse in forests}, eprint={2101.99999}, archiveprefix={arXiv}}", "not found"),
        ("@misc{x, author={Doe, J.}, title={Spectral coherence collapse in forests}, url={https://arxiv.org/abs/2101.99999}}", "not found"),
        ("@misc{x, author={Doe, J.}, title={Spectral coherence collapse in forests}, doi={10.9999/nowhere}}", "not found"),
        ("@misc{x, author={Doe, J.}, title={Spectral coherence collapse in forests}, year=2020}", "not found"),
        # A program that has its paper in the indexes is verified by that, whatever year its version is of.
        ("@misc{x, author={Breiman, Leo}, title={Random forests}, year=2019, url={https://rf.example.org}}", "verified"),
    ],
)  # fmt: skip
def test_a_publication_can_be_missing_whatever_address_it_gives(tmp_path: Path, entry: str, verdict: str) -> None:
    (tmp_path / "r.bib").write_text(entry)
    with index(WORKS) as server:
        found = verify(read_list(tmp_path / "r.bib"), server.sources())
    assert found.entries[0].verdict == verdict, found.entries[0]


def test_a_page_in_running_text_is_told_from_an_article(tmp_path: Path) -> None:
    (tmp_path / "p.tex").write_text(
        "\\cite{page,article,report}\\begin{thebibliography}{9}\n"
        "\\bibitem{page} The Tool Team. \\newblock The tool and its manual. \\newblock \\url{https://tool.example.org}, 2020.\n"
        "\\bibitem{article} J.~Doe. \\newblock Spectral coherence collapse in forests. \\newblock \\emph{J. of Forests}, 3(1), 2019. "
        "\\newblock \\url{https://jof.example.org/3}\n"
        "\\bibitem{report} J.~Doe, ``The tool: a story,'' 2020. [Online]. Available: \\url{https://blog.example.org/tool}\n"
        "\\end{thebibliography}"
    )
    with index(WORKS) as server:
        found = verify(read_list(tmp_path), server.sources())
    verdicts = [(entry.key, entry.verdict) for entry in found.entries]
    assert verdicts == [("page", "unverifiable now"), ("article", "not found"), ("report", "unverifiable now")]


GOOD = [
    "https://example.org", "http://example.org/a_b?c=d&e#f", "www.example.org/x", "example.org/x", "https://a.b.c.example.co.uk:8080/x/",
    "https://doi.org/10.1000/x", "10.1000/x", "doi:10.1000/x", "arXiv:1705.10694", "urn:nbn:de:101:1-2", r"\url{https://example.org/a\_b}",
    r"http://example.org/\~{}me/", r"http://example.org/{\textasciitilde}me", "<https://example.org>", "https://xn--bcher-kva.example",
    "https://bücher.example/ü", "https://my_site.github.io", "http://127.0.0.1:8000/x", "http://localhost/x", "ftp://ftp.example.org/x",
    "Available at https://example.org/x", "https://example.org/a b.pdf", "https://example.org/x and https://example.org/y",
]  # fmt: skip
BAD = [
    "htp:/example",
    "http//www.example.org",
    "https://",
    "https:///x",
    "http://example",
    "N/A",
    "-",
    "https://-.org",
    "see the page",
    "http://.org",
]


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_taken_however_it_is_written(text: str) -> None:
    assert is_address(text)
    ((entry,), _) = read_bib(f"@misc{{a, title={{T}}, author={{A B}}, url={{{text}}}}}")
    assert entry.faults == ()


@pytest.mark.parametrize("text", BAD)
def test_an_address_that_is_none_is_named(text: str) -> None:
    ((entry,), _) = read_bib(f"@misc{{a, title={{T}}, author={{A B}}, url={{{text}}}}}")
    assert [fault.code for fault in entry.faults] == ["bad-address"]


@given(st.text(alphabet="htps:/w.ex-_~\\{}@?# %&$1é", max_size=400))
def test_no_text_upsets_the_readers_of_addresses(text: str) -> None:
    assert is_address(text) in (True, False)
    assert is_page(text) in (True, False)
    assert "\n" not in address(text)
