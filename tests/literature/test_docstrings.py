"""What the documentation of the software cites is read from its sources, without importing them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from scientist.literature import Reference, docstring_references, merge, packaged_library, same_work
from scientist.literature._docstrings import _authors, _parse, docstring
from scientist.literature._keys import find_arxiv, find_doi, make_key

NAMES = (
    "sklearn.svm.SVC",
    "sklearn.ensemble.RandomForestClassifier",
    "sklearn.neural_network.MLPClassifier",
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.decomposition.PCA",
    "scipy.stats.wilcoxon",
)


def by_key(*names: str) -> dict[str, Reference]:
    return {work.key: work for work in docstring_references(names)}


def test_nothing_is_imported() -> None:
    code = (
        "import sys; from scientist.literature import docstring_references as d;"
        f"assert len(d({NAMES!r})) > 10; print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False False", done.stderr


def test_the_source_that_is_read_is_the_documentation_that_is_shown() -> None:
    import inspect

    import sklearn.ensemble
    import sklearn.svm

    for cls in (sklearn.svm.SVC, sklearn.ensemble.RandomForestClassifier):
        assert inspect.cleandoc(docstring(f"{cls.__module__.rsplit('.', 1)[0]}.{cls.__name__}")) == inspect.getdoc(cls)


@pytest.mark.parametrize(
    "name", ["os.path.join", "sklearn", "sklearn.nothing.X", "sklearn.svm.Nope", "sklearn..", "numpy.x y"]
)
def test_unknown_and_forbidden_names_have_no_references(name: str) -> None:
    assert docstring_references([name]) == [] and docstring(name) == ""


def test_known_references_are_parsed() -> None:
    works = by_key(*NAMES)
    forest = works["breiman2001"]
    assert (forest.title, forest.authors, forest.year) == ("Random Forests", ("L. Breiman",), 2001)
    assert (forest.doi, forest.source) == (
        "10.1023/A:1010933404324",
        "docstring:sklearn.ensemble.RandomForestClassifier",
    )
    assert works["platt1999"].title.startswith("Probabilistic Outputs for Support Vector Machines")
    assert works["platt1999"].authors == ("John Platt",)
    assert works["wilcoxon1945"].doi == "10.2307/3001968"
    assert works["tipping1999"].authors == ("M. E. Tipping", "C. M. Bishop")
    adam = next(work for work in works.values() if work.arxiv == "1412.6980")
    assert adam.authors == ("Diederik Kingma", "Jimmy Ba")


def test_references_are_works_with_somebody_behind_them() -> None:
    for work in docstring_references(NAMES):
        assert work.authors or (work.raw and work.year)
        assert "wikipedia" not in work.raw.lower()
        assert not re.search(r":doi:|:arxiv:|`_|<|\n|\s{2}", work.raw), work.raw
        assert bool(work.title) == bool(work.authors)


def test_no_work_appears_twice_and_the_library_record_wins() -> None:
    works = docstring_references([*NAMES, *NAMES, "sklearn.ensemble.ExtraTreesClassifier"])
    assert len(works) == len({work.key for work in works})
    assert not any(same_work(a, b) for i, a in enumerate(works) for b in works[:i])
    merged = merge([*packaged_library().references, *works])
    assert len(merged) < len(packaged_library()) + len(works)
    assert next(work for work in merged if work.key == "breiman2001").source == "library"
    assert len({work.key for work in merged}) == len(merged)


@pytest.mark.parametrize(
    ("text", "authors"),
    [
        ("L. Breiman, J. Friedman, R. Olshen, and C. Stone, ", ("L. Breiman", "J. Friedman", "R. Olshen", "C. Stone")),
        ("Shapiro, S. S. & Wilk, M.B, ", ("S. S. Shapiro", "M. B. Wilk")),
        ("Hinton, Geoffrey E. ", ("Geoffrey E Hinton",)),
        ("Glorot, Xavier, and Yoshua Bengio. ", ("Xavier Glorot", "Yoshua Bengio")),
        ("He, Kaiming, et al (2015). ", ("Kaiming He", "others")),
        ("B. Zadrozny & C. Elkan. ", ("B. Zadrozny", "C. Elkan")),
        ("Brodersen, K.H.; Ong, C.S. (2010).", ("K. H. Brodersen", "C. S. Ong")),
        ("Royston P., ", ("P. Royston",)),
        ("Student, ", ("Student",)),
        ("uses the method from: ", ()),
        ("", ()),
    ],
)
def test_authors_by_the_usual_patterns(text: str, authors: tuple[str, ...]) -> None:
    assert _authors(text) == authors


@pytest.mark.parametrize(
    ("entry", "year"),
    [
        ('A. Author, "A title of some length", Journal, 45(1), 1990-1995, 2001.', 2001),
        ('A. Author (1999). "A title of some length". Journal 2010.', 1999),
        ('A. Author, "A title of some length", vol. 61, 1974, JSTOR. Accessed 30 Mar. 2021.', 1974),
        ('A. Author, "A title about the year 2000", Journal 1987.', 1987),
    ],
)
def test_the_year_is_that_of_the_work(entry: str, year: int) -> None:
    work = _parse(entry, "docstring:x")
    assert work is not None and work.year == year


def test_what_is_no_work_is_left_out() -> None:
    for entry in (
        "https://en.wikipedia.org/wiki/T-test",
        "`Wikipedia entry <https://en.wikipedia.org/x>`_",
        "see above",
        "",
    ):
        assert _parse(entry, "docstring:x") is None


def test_identifiers() -> None:
    assert find_doi("see :doi:`10.1023/A:1010933404324`.") == "10.1023/A:1010933404324"
    assert find_arxiv("10.1109/TPAMI.2022.3220744") == ""
    assert find_arxiv("https://arxiv.org/abs/1706.04599v2") == "1706.04599"
    assert find_arxiv("arXiv:1706.04599") == "1706.04599"
    assert make_key(("Benoît Frénay",), 2014, "") == "frenay2014"
    assert make_key((), None, "The 1st thing") == "thing"
    assert make_key(("李 明",), 2020, "x") == "anonymous2020"


def test_merging_keeps_the_first_and_fills_the_gaps() -> None:
    def work(**fields) -> Reference:
        return Reference(**{"key": "k", "title": "A Title!", "source": "s"} | fields)

    (one,) = merge([work(year=2019), work(title="a title", year=2021, doi="10.1/x", abstract="text")])
    assert (one.year, one.doi, one.abstract) == (2019, "10.1/x", "text")
    assert len(merge([work(year=2001), work(year=2011)])) == 2
    assert [w.key for w in merge([work(), work(title="other"), work(title="third")])] == ["k", "kb", "kc"]
    assert len(merge([work(title="x y", doi="10.1/A"), work(title="z", doi="10.1/a")])) == 1
