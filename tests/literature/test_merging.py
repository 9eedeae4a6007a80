"""One work has one record, whoever returned it, and the record says who gave what. Titles lose their markup."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.literature import Reference, merge, same_work
from scientist.literature._keys import surnames
from scientist.literature._plain import plain
from scientist.literature._strangers import record

NOISE = Reference(key="a2019", title="On Noise", authors=("Ada Example",), year=2019, source="arxiv")


def other(**fields: object) -> Reference:
    return NOISE.model_copy(update={"source": "crossref", **fields})


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({}, True),
        ({"title": "ON NOISE."}, True),
        ({"authors": ("A. Example", "B. Sample")}, True),
        ({"authors": ("Example, Ada",)}, True),
        ({"authors": ()}, True),
        ({"authors": ("Zoe Different",)}, False),
        ({"year": 2021}, True),
        ({"year": 2022}, False),
        ({"year": None}, True),
        ({"title": "On Noises"}, False),
    ],
)
def test_titles_meet_when_author_and_year_do(fields: dict[str, object], same: bool) -> None:
    assert same_work(NOISE, other(**fields)) is same_work(other(**fields), NOISE) is same


def test_identifiers_decide_whatever_the_title_is() -> None:
    a = other(doi="10.1/X", title="One")
    assert same_work(a, other(doi="10.1/x", title="Two", authors=("Zoe Different",)))
    assert same_work(other(arxiv="2001.00001", title="One"), other(arxiv="2001.00001", title="Two"))
    assert surnames(("Ada Müller", "others", "Sample, B.", "")) == {"muller", "sample"}


def test_the_first_record_stands_and_what_it_lacks_is_filled_with_its_source_named() -> None:
    first = other(source="semanticscholar", doi="10.1/x")
    second = other(
        source="openalex", doi="10.1/x", venue="Annals", volume="7", pages="1-9", title="Other words", year=2020
    )
    third = other(source="arxiv", doi="10.1/x", arxiv="2001.00001", abstract="We.", url="https://x.example")
    (one,) = merge([first, second, third])
    assert (one.title, one.year, one.venue, one.volume, one.arxiv) == ("On Noise", 2019, "Annals", "7", "2001.00001")
    assert one.also == ("openalex", "arxiv") and one.url == ""
    assert one.provenance() == {
        "title": "semanticscholar", "authors": "semanticscholar", "year": "semanticscholar", "doi": "semanticscholar",
        "venue": "openalex", "volume": "openalex", "pages": "openalex", "arxiv": "arxiv", "abstract": "arxiv",
        "entry_type": "semanticscholar",
    }  # fmt: skip
    # Merged again with a record that knows less, nothing changes; its own fields keep their sources.
    assert merge([one, first]) == [one]
    (twice,) = merge([other(source="crossref", doi="10.1/x"), one])
    assert dict(twice.filled)["venue"] == "openalex" and twice.also == ("semanticscholar", "openalex", "arxiv")


def test_pages_of_another_printing_are_not_mixed_in() -> None:
    preprint = other(venue="arXiv preprint", arxiv="2001.00001")
    (one,) = merge([preprint, other(venue="Annals", volume="7", pages="1-9", doi="10.1/x")])
    assert (one.venue, one.volume, one.pages, one.doi) == ("arXiv preprint", "", "", "10.1/x")


def test_a_record_that_joins_two_others_leaves_one() -> None:
    a, c = other(doi="10.1/x", title="One"), other(arxiv="2001.00001", title="Two", source="arxiv")
    joins = other(doi="10.1/x", arxiv="2001.00001", title="Three", source="openalex")
    (one,) = merge([a, c, joins])
    assert (one.title, one.arxiv) == ("One", "2001.00001") and set(one.also) == {"openalex", "arxiv"}


works = st.builds(
    Reference,
    key=st.sampled_from(["a", "b"]),
    title=st.sampled_from(["One", "Two", "Three"]),
    authors=st.sampled_from([(), ("A B",), ("C D",)]),
    year=st.sampled_from([None, 2000, 2001, 2010]),
    doi=st.sampled_from(["", "10.1/x", "10.1/y"]),
    arxiv=st.sampled_from(["", "2001.00001", "2001.00002"]),
    venue=st.sampled_from(["", "V", "W"]),
    source=st.sampled_from(["arxiv", "crossref", "openalex"]),
)


@given(st.lists(works, max_size=8))
def test_merging_loses_no_source_doubles_no_identifier_and_is_done_once(found: list[Reference]) -> None:
    merged = merge(found)
    assert merge(merged) == merged
    assert len({work.key for work in merged}) == len(merged)
    assert {s for w in merged for s in (w.source, *w.also)} == {w.source for w in found}
    for name in ("doi", "arxiv"):
        values = [getattr(work, name) for work in merged if getattr(work, name)]
        assert {getattr(w, name) for w in found} - {""} >= set(values)
    for work in merged:
        given = work.provenance()
        assert set(given.values()) <= {work.source, *work.also}
        assert all(any(w.source == s and getattr(w, f) == getattr(work, f) for w in found) for f, s in given.items())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (r"$\ell_1$-regularised {SVM}s: a \emph{tight} bound", "ℓ1-regularised SVMs: a tight bound"),
        (r'Schr{\"o}dinger, P\'olya, {\O}rsted, \L{}ukasz, Fran\c{c}ois', "Schrödinger, Pólya, Ørsted, Łukasz, François"),
        (r"$O(n^2)$ time for $\alpha$- and \Gamma-noise \& more", "O(n^2) time for α- and Γ-noise & more"),
        (r"\(x\) and \frobnicate{y}", "x and frobnicate y"),
        ("H<sub>2</sub>O &amp; <i>E. coli</i>, p &lt; 0.05", "H2O & E. coli, p < 0.05"),
        ("<jats:title>Abstract</jats:title><jats:p>One.</jats:p><jats:p>Two.</jats:p>", "Abstract One. Two."),
        ("<mml:math><mml:mi>x</mml:mi></mml:math>-ray", "x-ray"),
        ("&amp;lt;b&amp;gt;twice&amp;lt;/b&amp;gt;", "twice"),
        ("a<script>alert(1)</script><style>b{}</style><!-- c -->d", "a d"),
        ("costs $5 to $6, 50% of x_1 #1", "costs $5 to $6, 50% of x_1 #1"),
        ("\u202eEvil\u200b \u0007title\n with\tspace", "Evil title with space"),
        ("<<b> <\\emph{i}>", "< i>"),
        ("noise n < m and m > k", "noise n < m and m > k"),
        ("題名 — Übung", "題名 — Übung"),
    ],
)  # fmt: skip
def test_markup_becomes_plain_text(raw: str, said: str) -> None:
    assert plain(raw, 300) == said


@given(st.text(alphabet=st.sampled_from(list("<>/&;\\${}[]()ab =\"'!-_^~%\u202e\n")), max_size=200), st.integers(1, 60))
def test_plain_text_is_plain_short_and_stays_what_it_is(raw: str, limit: int) -> None:
    said = plain(raw, limit)
    assert len(said) <= limit and not set(said) & set("\\{}\u202e\n")
    assert not any(f"<{c}" in said for c in "ab/!")


def test_no_markup_takes_long() -> None:
    start = time.monotonic()
    for bad in (
        "<a ",
        "<a b=",
        "<a x='",
        "$",
        "{\\",
        "\\a",
        "<!--",
        "<script>",
        "&",
        "\\(",
        "&lt;",
        " b=c",
        "<![CDATA[",
    ):
        plain(bad * (40_000 // len(bad)), 3000)
        plain("<a" + bad * (40_000 // len(bad)) + "-->?></script>", 3000)
    assert time.monotonic() - start < 5.0


def test_a_record_needs_a_title_and_an_arxiv_doi_is_an_arxiv_id() -> None:
    def made(**fields: object) -> Reference | None:
        return record("openalex", **{"title": "T", "authors": ("A B",), "year": 2020, **fields})  # type: ignore[arg-type]

    one = made(doi="https://doi.org/10.48550/arXiv.2001.00001v3", venue="<b>V</b>", entry_type="article")
    assert one and (one.doi, one.arxiv, one.venue, one.entry_type) == ("", "2001.00001", "V", "article")
    bare = made(doi="https://doi.org/10.1234/a(b)", url="javascript:alert(1)", pages="1--9", entry_type="article")
    assert bare and (bare.doi, bare.url, bare.pages, bare.entry_type) == ("10.1234/a(b)", "", "1-9", "misc")
    assert made(title="<br/>") is None and made(title=None) is None


def test_a_retraction_that_only_one_source_knows_of_is_not_lost() -> None:
    preprint = other(source="arxiv", arxiv="2001.00001")
    (one,) = merge([preprint, other(source="crossref", retracted="Crossref: retraction")])
    assert one.retracted == "Crossref: retraction" and dict(one.filled)["retracted"] == "crossref"
