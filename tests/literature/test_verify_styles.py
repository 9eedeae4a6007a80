"""Works as other people print them: nothing correct is accused, in whatever style it stands."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_server import as_sent, index

from scientist.literature import Reference, Searched, packaged_library, read_list, to_bibtex, verify
from scientist.literature._people import authors_in, compare_authors, same_person
from scientist.literature._printed import read_bib
from scientist.literature._titles import compare_titles

LIBRARY = packaged_library()
ACCENTS = {
    "é": r"\'e", "è": r"\`{e}", "ê": r"{\^e}", "ö": r'{\"o}', "ü": r"\"{u}", "á": r"\'{a}", "ó": r"\'o", "í": r"{\'\i}", "ł": r"{\l}",
    "ø": r"{\o}", "ñ": r"\~n", "ç": r"\c{c}", "š": r"\v{s}", "ń": r"\'{n}", "ę": r"\k{e}", "ä": r'\"a', "î": r"\^{\i}", "ß": r"{\ss}",
}  # fmt: skip
BRITISH = {"optimization": "optimisation", "regularization": "regularisation", "generalization": "generalisation",
           "behavior": "behaviour", "neighbor": "neighbour", "modeling": "modelling", "analyzing": "analysing"}  # fmt: skip


def latex(text: str, pick: random.Random) -> str:
    """Accents as LaTeX writes them, or as they are, or left out."""
    way = pick.choice(("unicode", "latex", "latex", "plain"))
    if way == "unicode":
        return text
    if way == "latex":
        return "".join(ACCENTS.get(c, c) for c in text)
    import unicodedata

    flat = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return flat.replace("ł", "l").replace("ø", "o").replace("ß", "ss")


def author(name: str, pick: random.Random) -> str:
    *given_names, last = name.split()
    if not given_names:
        return f"{{{name}}}"
    initials = [f"{part[0]}." for part in given_names]
    return pick.choice(
        (
            name,
            f"{last}, {' '.join(given_names)}",
            f"{last}, {' '.join(initials)}",
            f"{last}, {''.join(initials)}",
            f"{' '.join(initials)} {last}",
            f"{given_names[0]} {last}",
            f"{last}, {given_names[0]}",
            f"{last}, {initials[0]}",
        )
    )


def title_of(title: str, pick: random.Random) -> str:
    way = pick.randrange(9)
    words = title.split()
    if way == 0:
        return title.lower()
    if way == 1:
        return title.upper()
    if way == 2:
        return " ".join(f"{{{w}}}" if w[0].isupper() else w for w in words)
    if way == 3:
        return f"{{{title}}}"
    if way == 4 and ": " in title and len(title.split(": ")[0]) > 12:
        return title.split(": ")[0]
    if way == 5:
        return title.replace(": ", " -- ").replace("-", "--" if ": " not in title else "-")
    if way == 6:
        for ours, theirs in BRITISH.items():
            title = re.sub(ours, theirs, title, flags=re.IGNORECASE)
            title = re.sub(theirs, ours, title) if pick.random() < 0.5 else title
        return title
    if way == 7:
        return title.replace(" and ", r" {\&} ") + "."
    return title


def entry_of(work: Reference, pick: random.Random) -> str:
    """One right entry in some style."""
    names = [latex(author(name, pick), pick) for name in work.authors if name != "others"]
    if len(names) > 2 and pick.random() < 0.4:
        names = [*names[: pick.randrange(1, len(names))], "others"]
    title = latex(title_of(work.title, pick), pick).replace("#", r"\#")
    year = (work.year or 2000) + pick.choice((0, 0, 0, 0, 1))
    fields = [
        f"author = {{{' and '.join(names)}}}",
        f"title = {{{title}}}",
        f"year = {pick.choice((f'{{{year}}}', str(year)))}",
    ]
    fields.append(
        pick.choice(('journal = "J. Abbr. Stuff"', "journal = {Some {LNCS} \\& Others}", "booktitle = {Proc. of X}"))
    )
    if work.pages and pick.random() < 0.5:
        fields.append(f"pages = {{{work.pages.replace('-', pick.choice(('-', '--', '–')))}}}")
    if work.doi and pick.random() < 0.6:
        doi = pick.choice(
            (work.doi, work.doi.lower(), f"https://doi.org/{work.doi}", f"doi:{work.doi}", work.doi.replace("_", r"\_"))
        )
        fields.append(f"{pick.choice(('doi', 'url')) if doi.startswith('http') else 'doi'} = {{{doi}}}")
    if work.arxiv and pick.random() < 0.6:
        way = pick.choice((f"eprint = {{{work.arxiv}}}", f"eprint = {{arXiv:{work.arxiv}v3}}", f"url = {{https://arxiv.org/abs/{work.arxiv}v1}}", f"note = {{arXiv preprint arXiv:{work.arxiv}}}"))  # fmt: skip
        fields.append(way)
    pick.shuffle(fields)
    left, right = pick.choice(("{}", "()"))
    return f"@{pick.choice(('article', 'InProceedings', 'MISC'))}{left}{work.key}{pick.randrange(99)},\n  {f', {chr(10)}  '.join(fields)}\n{right}"


class Everything:
    """A source that has the library and finds it by words, as an open index would."""

    name, breadth = "everything", "open"

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        found = [work.model_copy(update={"source": "everything"}) for work in LIBRARY.search(query, limit)]
        return found, Searched(source=self.name, query=query, answer="answered" if found else "empty", found=len(found))


@given(st.integers(0, 2**32), st.sampled_from([work for work in LIBRARY.references if work.authors]))
@settings(max_examples=200)
def test_a_right_entry_is_verified_in_any_style(tmp_path_factory, seed: int, work: Reference) -> None:
    text = entry_of(work, random.Random(seed))
    path = tmp_path_factory.getbasetemp() / "style.bib"
    path.write_text(text)
    found = verify(read_list(path), [Everything()])
    assert (found.entries[0].verdict, found.wrong) == ("verified", 0), f"{text}\n{found.entries[0]}"


def test_forty_works_in_forty_styles_against_servers(tmp_path: Path) -> None:
    pick = random.Random(7)
    works = pick.sample([work for work in LIBRARY.references if work.authors], 40)
    (tmp_path / "forty.bib").write_text("\n\n".join(entry_of(work, pick) for work in works))
    with index([as_sent(work) for work in LIBRARY.references]) as server:
        found = verify(read_list(tmp_path / "forty.bib"), server.sources())
    assert [(e.key, e.verdict, e.wrong) for e in found.entries if e.verdict != "verified"] == []
    assert found.faults == () and found.wrong == 0 and len(found.entries) == 40


@given(st.integers(0, 2**32), st.lists(st.sampled_from([w for w in LIBRARY.references if len(w.authors) > 1]), min_size=2, max_size=2, unique=True))  # fmt: skip
@settings(max_examples=100)
def test_a_wrong_field_is_wrong_in_any_style(tmp_path_factory, seed: int, works: list[Reference]) -> None:
    pick = random.Random(seed)
    right, other = works
    fault = pick.choice(("authors", "year", "doi"))
    if fault == "authors" and {n.split()[-1] for n in right.authors} & {n.split()[-1] for n in other.authors}:
        return
    if fault == "doi" and not (right.doi and other.doi):
        return
    change = {
        "authors": {"authors": other.authors},
        "year": {"year": (right.year or 2000) - pick.choice((3, 4, 9))},
        "doi": {"doi": other.doi},
    }[fault]
    text = entry_of(right.model_copy(update=change), pick)
    if fault == "doi" and other.doi.lower() not in text.lower().replace("\\", ""):
        return  # this style prints none
    path = tmp_path_factory.getbasetemp() / "wrong.bib"
    path.write_text(text)
    found = verify(read_list(path), [Everything()]).entries[0]
    assert found.verdict in ("wrong metadata", "not found"), f"{text}\n{found}"
    if found.verdict == "wrong metadata":
        assert fault in [one.field for one in found.wrong], f"{text}\n{found}"


@pytest.mark.skipif(not shutil.which("bibtex"), reason="no BibTeX here")
@pytest.mark.parametrize("style", ["plainnat", "plain", "ieeetr", "acm", "apalike", "alpha", "siam", "abbrv"])
def test_what_bibtex_prints_of_right_entries_is_right(tmp_path: Path, style: str) -> None:
    works = [work for work in LIBRARY.references if work.authors][::3]
    (tmp_path / "r.bib").write_text(to_bibtex(works))
    (tmp_path / "p.aux").write_text(f"\\relax\n\\citation{{*}}\n\\bibstyle{{{style}}}\n\\bibdata{{r}}\n")
    subprocess.run(["bibtex", "p"], cwd=tmp_path, capture_output=True, timeout=30, check=False)
    found = verify(read_list(tmp_path / "p.bbl"), [Everything()])
    assert len(found.entries) == len(works)
    assert [(e.key, e.verdict, e.wrong, e.notes) for e in found.entries if e.verdict != "verified"] == []
    assert found.wrong == 0


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Xingquan Zhu", "Zhu Xingquan", True), ("X. Zhu", "Zhu, Xingquan", True), ("van der Maaten, L.", "Laurens van der Maaten", True),
        (r"K.-R. M{\"u}ller", "Klaus-Robert Mueller", True), ("Quinlan, J. R.", "Ross Quinlan", True), ("Lovelace AB", "Ada Bertha Lovelace", True),
        ("Bob Tibshirani", "Robert Tibshirani", True), ("G. García Márquez", "García Márquez, Gabriel", True), ("Jastrz\\k{e}bski, S.", "Stanisław Jastrzębski", True),
        ("O'Neil, C.", "Cathy O’Neil", True), ("Kuanghuei Lee", "Kuang-Huei Lee", True), ("Hart, P.E.", "Peter Hart", True), ("Efron, Jr., Bradley", "Bradley Efron", True),
        ("John Smith", "Mary Smith", None), ("Yoshua Bengio", "Yann LeCun", False), ("Y. Bengio", "Y. LeCun", False), ("Li", "Li, Wei", True),
        ("David F. Nettleton", "David J. Wales", False), ("David Wales", "David Walsh", False), ("Y. LeCun", "Simard, Y.", False),
    ],
)  # fmt: skip
def test_names(a: str, b: str, same: bool | None) -> None:
    assert same_person(a, b) is same and same_person(b, a) is same


@pytest.mark.parametrize(
    ("printed", "right", "wrong"),
    [
        (("A. One", "others"), ("Ann One", "Bo Two", "Cy Three"), ""),
        (("A. One and others",), ("Ann One", "Bo Two"), ""),
        (("A. One", "B. Two"), ("Ann One", "Bo Two", "others"), ""),
        (("A. One",), ("Ann One", "Bo Two"), "Bo Two is missing"),
        (("A. One", "B. Two", "D. Four"), ("Ann One", "Bo Two"), "D. Four is no author"),
        (("B. Two", "A. One"), ("Ann One", "Bo Two"), "the first author is Ann One"),
        (("{OpenAI}",), ("Josh Achiam", "Steven Adler"), ""),
        ((), ("Ann One",), ""),
    ],
)
def test_lists_of_authors(printed: tuple[str, ...], right: tuple[str, ...], wrong: str) -> None:
    assert compare_authors(printed, right).wrong == wrong


def test_authors_in_running_text() -> None:
    right = ("Dana Angluin", "Philip Laird")
    for text in (
        "Angluin, D., and Laird, P.",
        "D. Angluin & P. Laird",
        "Angluin et al.",
        "ANGLUIN, D., LAIRD, P. (1988)",
    ):
        assert authors_in(text, right).wrong == ""
    assert "none of" in authors_in("Breiman, L.", right).wrong
    assert authors_in("D. Angluin", right).wrong == "Philip Laird is missing"


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        ("Optimisation by modelling behaviour", "Optimization by Modeling Behavior", "same"), (r"$\beta$-{VAE}", "β-VAE", "same"),
        (r"Classification \& regression trees", "Classification and Regression Trees", "same"), (r"$\ell_1$ regularization", "ℓ1 regularisation", "same"),
        ("RETRACTED: A good thing", "A good thing", "same"), ("<i>In vivo</i> learning &amp; more", "In vivo learning and more", "same"),
        ("Learning from noisy example", "Learning From Noisy Examples", "spelt"), ("Deep learning", "Deep Learning: A Survey", "part"),
        ("Attention is all we need", "Attention Is All You Need", "near"), ("Support vector machines I", "Support vector machines II", "other"),
        ("CIFAR-10 data", "CIFAR-100 data", "other"), ("Random forests", "Random projections", "other"), ("", "x", "other"),
    ],
)  # fmt: skip
def test_titles(a: str, b: str, near: str) -> None:
    assert compare_titles(a, b) == near and compare_titles(b, a) == near


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_the_comparison(a: str, b: str) -> None:
    assert compare_titles(a, b) == compare_titles(b, a)
    same_person(a, b)
    compare_authors((a, b), (b, "others"))


@given(st.text(alphabet='@{}",=#% \nabcarticletitle\\&_$1', max_size=200))
@settings(max_examples=200)
def test_no_text_breaks_the_reader(text: str) -> None:
    read_bib(text)
    read_bib(f"@article{{k, title = {{{text}}}}}")
