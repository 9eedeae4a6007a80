"""Citations: every planted fault is named, nothing correct is accused, and an outage is never a finding."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from index_server import WHERE, as_sent, index

from scientist.literature import (
    LibrarySource,
    Reference,
    SkippedSource,
    Verification,
    packaged_library,
    read_list,
    verify,
)
from scientist.literature._lookups import ShelfLookUp, look_ups
from scientist.literature._sources import Source

LIBRARY = packaged_library()
WORKS = [as_sent(work) for work in LIBRARY.references]
RETRACTED = "10.1007/s10462-004-0751-8"  # zhu2004, here only: nobody retracted it
FAULTY = r"""
@article{good, author={Angluin, Dana and Laird, Philip}, title={Learning From Noisy Examples}, journal={Mach. Learn.}, year=1988, doi={10.1007/BF00116829}}
@article{invented, author={Doe, Jane and Roe, Richard}, title={Spectral Coherence Collapse in Overparameterised Forests}, journal={JMLR}, year=2019}
@article{inventeddoi, author={Doe, Jane}, title={A Theory of Hesitant Nearest Neighbours}, journal={JMLR}, year=2017, doi={10.9999/nowhere.1}}
@article{authors, author={Goodfellow, Ian and Bengio, Yoshua}, title={Classification in the Presence of Label Noise: A Survey}, journal={IEEE TNNLS}, year=2014}
@article{year, author={Breiman, Leo}, title={Random Forests}, journal={Machine Learning}, year=2011}
@article{doi, author={Cortes, Corinna and Vapnik, Vladimir}, title={Support-Vector Networks}, journal={Machine Learning}, year=1995, doi={10.1007/BF00116829}}
@article{retracted, author={Zhu, X. and Wu, X.}, title={Class Noise vs. Attribute Noise: A Quantitative Study}, journal={Artif. Intell. Rev.}, year=2004}
@inproceedings{twice, author={A. Niculescu-Mizil and R. Caruana}, title={Predicting good probabilities with supervised learning}, booktitle={ICML}, year=2005}
@article{twice, author={Cover, T. and Hart, P.}, title={Nearest neighbor pattern classification}, journal={IEEE Trans. Inf. Theory}, year=1967}
@article{again, author={Cover, Thomas M. and Hart, Peter E.}, title={Nearest Neighbour Pattern Classification}, year=1967, journal={IEEE T. Inform. Theory}}
@misc{None, author={Rolnick, D. and others}, title={Deep Learning is Robust to Massive Label Noise}, eprint={1705.10694}, archiveprefix={arXiv}, year=2018}
@article{amp, author={Hunter, J. D.}, title={Matplotlib: A {2D} Graphics Environment}, journal={Computing in Science & Engineering}, year=2007}
@article{percent, author={Cawley, G. C. and Talbot, N.}, title={On over-fitting in model selection and subsequent selection bias in performance evaluation}, journal={JMLR}, year=2010, note={Cited by 100% of us}}
"""


def verified(text: str, tmp_path: Path, sources: list[Source], **more: float) -> Verification:
    (tmp_path / "r.bib").write_text(text)
    return verify(read_list(tmp_path / "r.bib"), sources, **more)


def test_each_planted_fault_is_named_and_what_is_right_is_left_alone(tmp_path: Path) -> None:
    with index(WORKS, retracted=(RETRACTED,)) as server:
        found = verified(FAULTY, tmp_path, [LibrarySource(LIBRARY), *server.sources()])
    by_key = {(e.key, e.line): e for e in found.entries}
    entry = {key: e for (key, _), e in by_key.items()}
    assert [e.key for e in found.entries if e.verdict == "not found"] == ["invented", "inventeddoi"]
    wrong = {e.key: [(w.field, w.right) for w in e.wrong] for e in found.entries if e.verdict == "wrong metadata"}
    assert wrong == {
        "authors": [("authors", "Benoît Frénay; Michel Verleysen")],
        "year": [("year", "2001")],
        "doi": [("doi", "10.1007/BF00994018")],
    }
    assert "Learning From Noisy Examples" in entry["doi"].wrong[0].printed
    assert entry["authors"].wrong[0].printed == "Ian Goodfellow; Yoshua Bengio"
    assert {e.key: e.retracted for e in found.entries if e.retracted}.keys() == {"retracted"}
    assert {said.split(":")[0] for said in entry["retracted"].retracted} == {"crossref", "openalex"}
    faults = {(e.key, f.code): f.message for e in found.entries for f in e.faults}
    assert set(faults) == {("None", "bad-key"), ("amp", "unescaped"), ("percent", "unescaped")}
    assert "&" in faults["amp", "unescaped"] and "%" in faults["percent", "unescaped"]
    assert [f.code for f in found.faults] == ["duplicate-key", "duplicate-work"]
    assert "'twice' and 'again'" in found.faults[1].message
    fine = {"good", "retracted", "twice", "again", "None", "amp", "percent"}
    assert {e.key for e in found.entries if e.verdict == "verified"} == fine
    assert found.wrong == 5 + 1 + 3 + 2


def test_offline_nothing_is_verified_and_nothing_is_missing(tmp_path: Path) -> None:
    off: list[Source] = [SkippedSource(name, "open", "online = false in the settings") for name in WHERE]
    found = verified(FAULTY, tmp_path, [LibrarySource(LIBRARY), *off])
    assert {e.verdict for e in found.entries} == {"unverifiable now", "wrong metadata"}
    assert found.out == dict.fromkeys(WHERE, "online = false in the settings")
    # What the library holds against an entry stands, with its name; what it holds for it proves nothing.
    assert {e.key for e in found.entries if e.verdict == "wrong metadata"} == {"authors", "year", "doi"}
    good = next(e for e in found.entries if e.key == "good")
    assert good.verdict == "unverifiable now" and "alone verifies nothing" in good.notes[0]


@pytest.mark.parametrize("down", [WHERE, ("crossref",), ("openalex", "semanticscholar"), ("arxiv",)])
def test_an_outage_is_never_not_found(tmp_path: Path, down: tuple[str, ...]) -> None:
    text = FAULTY.split("@article{authors")[0]
    with index(WORKS, down=down) as server:
        found = verified(text, tmp_path, server.sources(), deadline_s=20)
    invented = [e for e in found.entries if e.key.startswith("invented")]
    assert {e.verdict for e in invented} == {"unverifiable now"}
    assert all({name for name, _ in e.out} == set(down) for e in invented)
    assert {e.key for e in found.entries if e.verdict == "not found"} == set()
    if len(down) == 4:
        assert {e.verdict for e in found.entries} == {"unverifiable now"}
    else:
        assert next(e for e in found.entries if e.key == "good").verdict == "verified"
        assert any("answered and has no such work" in note for e in invented for note in e.notes)


def test_nothing_correct_is_accused_when_one_source_after_the_other_is_out(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "scientist" / "literature" / "library.bib").read_text()
    with index(WORKS, down=("openalex", "crossref")) as server:
        found = verified(text, tmp_path, server.sources(), deadline_s=20)
    assert len(found.entries) == len(LIBRARY) and found.faults == () and found.wrong == 0


class Slow:
    """A source that never answers in time."""

    name, breadth = "slow", "open"

    def search(self, query: str, limit: int, deadline: float):
        time.sleep(60)


class Broken:
    name, breadth = "broken", "open"

    def search(self, query: str, limit: int, deadline: float):
        raise RuntimeError("no")


def test_the_deadline_holds_and_no_fault_of_a_source_comes_through(tmp_path: Path) -> None:
    start = time.monotonic()
    found = verified(FAULTY, tmp_path, [Slow(), Broken()], deadline_s=3.0)
    assert time.monotonic() - start < 20  # of the sixty that one of them takes
    assert {e.verdict for e in found.entries} == {"unverifiable now"}
    assert dict(found.entries[0].out) == {"slow": "no answer in time", "broken": "failed (RuntimeError)"}
    assert found.out["broken"].startswith("left alone after")


def test_a_lab_does_not_vouch_for_itself(tmp_path: Path) -> None:
    made_up = Reference(
        key="doe2019", title="Spectral Coherence Collapse in Overparameterised Forests", source="library"
    )
    own = ShelfLookUp([made_up.model_copy(update={"authors": ("Jane Doe", "Richard Roe"), "year": 2019})])
    with index(WORKS) as server:
        found = verified(FAULTY, tmp_path, [own, *server.sources()])
    entry = next(e for e in found.entries if e.key == "invented")
    assert entry.verdict == "unverifiable now" and "which alone verifies nothing" in entry.notes[0]


def test_a_local_record_carries_a_retraction_too(tmp_path: Path) -> None:
    marked = [
        LIBRARY.references[0].model_copy(update={"retracted": "retracted 2020"}),
        LIBRARY.references[1].model_copy(update={"title": f"RETRACTED: {LIBRARY.references[1].title}"}),
    ]
    text = (
        FAULTY.split("@article{invented,")[0]
        + r"""
@article{frenay, author={Fr{\'e}nay, Beno\^{i}t and Verleysen, M.}, title={Classification in the presence of label noise: a survey}, year=2014}
@article{self, author={Frenay, B.}, title={RETRACTED ARTICLE: Nothing}, year=2014, note={Retracted}}"""
    )
    with index(WORKS) as server:
        found = verified(text, tmp_path, [ShelfLookUp(marked), *server.sources()])
    assert [bool(e.retracted) for e in found.entries] == [True, True, True]
    assert [e.verdict for e in found.entries] == ["verified", "verified", "not found"]


def test_a_notice_of_retraction_names_the_work(tmp_path: Path) -> None:
    work = as_sent(LIBRARY.references[0])
    notice = work | {
        "title": f"Retraction Note: {work['title']}",
        "doi": "10.1/notice",
        "update-to": [{"DOI": work["doi"], "type": "retraction"}],
    }
    entry = FAULTY.split("@article{invented,")[0].replace(", doi={10.1007/BF00116829}", "")
    with index([notice, work]) as server:
        found = verified(entry, tmp_path, server.sources())
    assert found.entries[0].verdict == "verified"
    assert found.entries[0].retracted == ("crossref: a notice of retraction names it",)


@pytest.mark.parametrize(
    ("entry", "verdict", "fields"),
    [
        # A preprint a year before its proceedings; a work known under both; a year that nobody has.
        ("author={Rolnick, David and others}, title={Deep learning is robust to massive label noise}, year=2018", "verified", []),
        ("author={Rolnick, David and others}, title={Deep learning is robust to massive label noise}, year=2021", "wrong metadata", ["year"]),
        # Initials, order, accents, et al., subtitle, British English: nothing of it is wrong.
        ("author={Verleysen, M. and Fr\\'enay, B.}, title={Classification in the presence of label noise: a survey}, year=2014", "wrong metadata", ["authors"]),
        ("author={B. Fr{\\'e}nay and M. Verleysen}, title={Classification in the presence of label noise}, year=2014", "verified", []),
        ("author={B. Frenay et al.}, title={Classification in the Presence of Label Noise -- A Survey}, year=2014", "verified", []),
        ("author={Fr{\\'e}nay, B.}, title={Classification in the Presence of Label Noise: A Survey}, year=2014", "wrong metadata", ["authors"]),
        ("author={Frénay, Bob and Verleysen, Michel}, title={Classification in the Presence of Label Noise: A Survey}, year=2014", "verified", []),
        ("author={Frénay, Zoe and Verleysen, Michel}, title={Classification in the Presence of Label Noise: A Survey}, year=2014", "wrong metadata", ["authors"]),
        # A page is in no index, an article is.
        ("author={UCI}, title={A repository of some data sets}, url={https://archive.example.org/data}", "not found", []),
        # Titles: a slip is a note, another word is another title, another work of a short title is none.
        ("author={Angluin, D. and Laird, P.}, title={Learning from noisy example}, year=1988", "verified", []),
        ("author={Angluin, D. and Laird, P.}, title={Learning from many noisy examples}, year=1988", "wrong metadata", ["title"]),
        ("author={Angluin, D. and Laird, P.}, title={Something else altogether}, year=1988, doi={10.1007/bf00116829}", "wrong metadata", ["title"]),
        ("author={Doe, J.}, title={Something else altogether}, year=1999, doi={10.1007/bf00116829}", "not found", ["doi"]),
        ("author={Rolnick, David and Veit, Andreas and Belongie, Serge and Shavit, Nir}, title={Deep learning is robust to massive label noise}, year=2017, eprint={1611.03530}", "wrong metadata", ["arxiv"]),
    ],
)  # fmt: skip
def test_tolerant_where_it_should_be_strict_where_it_matters(
    tmp_path: Path, entry: str, verdict: str, fields: list[str]
) -> None:
    with index(WORKS) as server:
        found = verified(f"@article{{x, {entry}}}", tmp_path, server.sources())
    assert (found.entries[0].verdict, [w.field for w in found.entries[0].wrong]) == (verdict, fields), found.entries[0]


def test_what_is_verified_is_not_asked_about_further(tmp_path: Path) -> None:
    with index(WORKS) as server:
        verified(FAULTY.split("@article{invented,")[0], tmp_path, server.sources())
        assert sorted(server.asked) == [("crossref", "doi"), ("openalex", "doi")]
    assert [one.name for one in look_ups(server.sources())] == ["crossref", "openalex", "semanticscholar", "arxiv"]


def test_a_page_that_no_index_lists_is_not_missing(tmp_path: Path) -> None:
    entry = "@misc{x, author={{The Team}}, title={The tool and its manual}, howpublished={\\url{https://tool.example.org/a}}}"
    with index(WORKS) as server:
        found = verified(entry, tmp_path, server.sources()).entries[0]
    assert found.verdict == "unverifiable now" and "https://tool.example.org/a" in found.notes[0]
