"""The prior: what is stripped, what idle edits cannot raise, and that nothing that searches ever reads it."""

from __future__ import annotations

import ast
import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.errors import RecordError
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration import prior_of, read_text, strip
from scientist.reviews.calibration._features import FEATURES, features
from scientist.reviews.calibration._fit import out_of_fold, tabulate
from scientist.reviews.calibration._prior import shipped
from scientist.reviews.document._expected import text_of
from scientist.reviews.reading import read_text as read_document
from scientist.reviews.selftest import IDLE

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "reviews" / "iclr2022.jsonl.gz"
SENTENCES = (
    "We train a network with 3 layers on CIFAR-10 and reach an accuracy of 93.2 % after 40 epochs.",
    "Smith et al. (2019) report a bound of order n that holds for every step size below 0.1 (Jones et al., 2018; Lee et al., 2017).",
    "The variance of the estimator grows with the horizon T because rewards are summed.",
    "However, none of the earlier methods explains why the loss decreases so slowly in this regime.",
    "Table 2 shows that the gap between SGD and our method shrinks when more data are available.",
    "Let x be a point of the domain and assume that f is smooth in a ball around it.",
    "As in Lee et al. (2017), rewards are clipped, which changes the optimum only when the horizon is short.",
)


def paper(seed: int = 0, tail: str = "") -> str:
    draws = np.random.default_rng(seed)

    def prose(count: int) -> str:
        return "\n\n".join(
            " ".join(f"{SENTENCES[i][:-1]} in case {draws.integers(1000)}." for i in draws.permutation(len(SENTENCES)))
            for _ in range(count)
        )

    return (
        "# SLOW LOSSES EXPLAINED\n\n**Anonymous authors**\nPaper under double-blind review\n\nABSTRACT\n\n"
        "We study why losses fall slowly and show that the horizon is the reason for it in nine of ten tasks.\n\n"
        f"1 INTRODUCTION\n\n{prose(4)}\n\n2 METHOD\n\n{prose(5)}\n\n3 EXPERIMENTS\n\n{prose(5)}\n\n4 CONCLUSION\n\n{prose(1)}\n\n"
        f"{tail}REFERENCES\n\nA. Smith. A bound. ICML, 2019.\n"
    )


def score(text: str) -> float:
    return prior_of(read_text(text)).score


LEAKS = {
    "header": lambda t: "Published as a conference paper at ICLR 2022\n" + t,
    "names": lambda t: t.replace("**Anonymous authors**\nPaper under double-blind review", "**Ann Lee**\nSome University, lee@some.edu"),
    "thanks": lambda t: t.replace("REFERENCES", "ACKNOWLEDGMENTS\n\nWe thank many people for the help they gave us with this work.\n\nREFERENCES"),
    "ethics": lambda t: t.replace("REFERENCES", "ETHICS STATEMENT\n\nThis work has no consequences that we know of at all.\n\nREFERENCES"),
    "reproducibility": lambda t: t.replace("REFERENCES", "REPRODUCIBILITY STATEMENT\n\nAll of the code is given to those who ask for it.\n\nREFERENCES"),
    "code link": lambda t: t.replace("2 METHOD", "Our code is available at https://github.com/lee/slow for all to see.\n\n2 METHOD"),
    "newest year": lambda t: t.replace("2019", "2023"),
    "appendix": lambda t: t + "\n\nA PROOFS\n\n" + " ".join(SENTENCES) * 30,
    "page numbers": lambda t: t.replace("3 EXPERIMENTS", "7\n\nUnder review as a conference paper at ICLR 2022\n\n3 EXPERIMENTS"),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_what_tells_the_decision_changes_nothing(leak: str) -> None:
    text = paper()
    leaking = LEAKS[leak](text)
    assert leaking != text
    assert strip(read_text(leaking)) == strip(read_text(text))
    assert score(leaking) == score(text)


def test_a_paper_is_read_by_sections_whatever_marks_the_headings() -> None:
    marked = paper().replace("2 METHOD", "## 2 Method").replace("3 EXPERIMENTS", "3\nEXPERIMENTS")
    found = strip(read_text(marked))
    assert [section.heading for section in found.sections] == ["introduction", "method", "experiments", "conclusion"]
    assert found.title == "slow losses explained"
    assert found.abstract.startswith("We study why losses fall slowly")
    assert "2019" not in found.text and "Smith" in found.text


def test_line_numbers_and_broken_words_are_taken_out() -> None:
    lines = paper().replace("network", "net-\nwork").split("\n")
    numbered = "\n".join(f"{number:03d} {line}" for number, line in enumerate(lines, 1))
    assert strip(read_text(numbered)).text == strip(read_text(paper())).text


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["padded", "fake references", "pasted appendix"]))
def test_repetition_invented_works_and_a_copied_appendix_raise_nothing(seed: int, edit: str) -> None:
    document = read_document(paper(seed), "paper.txt")
    changed = IDLE[edit](document, seed)
    assert changed != document
    assert prior_of(text_of(changed)).score <= prior_of(text_of(document)).score + 0.1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_filler_and_polish_stay_within_a_second_reading(seed: int) -> None:
    document = read_document(paper(seed), "paper.txt")
    for edit in ("filler", "polished"):
        assert prior_of(text_of(IDLE[edit](document, seed))).score <= prior_of(text_of(document)).score + 0.4


def test_contributions_add_up_to_the_score() -> None:
    model = shipped()
    found = prior_of(read_text(paper()), most=10_000)
    assert len(found.moved) == len(model.features) + len(model.terms)
    raw = model.base + sum(one.points for one in found.moved)
    assert found.score == pytest.approx(min(max(raw, 1.0), 10.0))
    assert found.interval[0] <= found.score <= found.interval[1]
    assert 0 < found.acceptance < 1
    assert not found.known
    assert [abs(one.points) for one in found.moved] == sorted((abs(one.points) for one in found.moved), reverse=True)


def test_too_little_text_is_said() -> None:
    with pytest.raises(RecordError, match="too little"):
        prior_of(read_text("A note.\n\nABSTRACT\n\nNothing much is to be read in this note.\n"))


@given(st.text(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read(text: str) -> None:
    found = features(read_text(text))
    assert list(found) and set(found) == set(FEATURES)
    assert all(np.isfinite(value) for value in found.values())


def test_every_feature_is_in_the_model_and_explained() -> None:
    assert list(shipped().features) == list(FEATURES)
    page = (ROOT / "docs" / "prior.md").read_text()
    for name in FEATURES:
        assert f"| {name} |" in page, name


def test_nothing_that_chooses_reads_the_prior() -> None:
    """Search, ideas, experiments and the loop must not import it: a prior is never an objective."""
    readers = []
    for path in (ROOT / "scientist").rglob("*.py"):
        inside = path.relative_to(ROOT / "scientist").as_posix()
        if inside.startswith(("reviews/", "cli/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any("calibration" in name for name in names):
                readers.append(inside)
    assert readers == []


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
def test_each_leak_of_real_papers_is_at_chance_once_stripped() -> None:
    spec = importlib.util.spec_from_file_location("leaks", ROOT / "benchmarks" / "leaks.py")
    assert spec and spec.loader
    leaks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(leaks)
    found = leaks.table(DATA)
    assert sum(before[1] > 0.5 for before, _ in found.values()) >= 5  # as it is, most of them tell the decision
    for name, (_, (value, low, high)) in found.items():
        assert low <= 0.5 <= high or value < 0.5, (name, value, low, high)


def test_out_of_fold_finds_a_planted_signal_and_none_where_there_is_none() -> None:
    draws = np.random.default_rng(0)
    found = [{name: float(draws.normal()) for name in FEATURES} for _ in range(120)]
    counts = [Counter({"": 1000, "alpha": int(draws.integers(5))}) for _ in range(120)]
    table = tabulate(found, counts)
    signal = np.array([one["hedges"] - one["numbers"] for one in found])
    noise = draws.normal(size=120)
    labels = signal > 0
    assert metrics.spearman(out_of_fold(table, signal, labels), signal) > 0.4
    assert abs(metrics.spearman(out_of_fold(table, noise, noise > 0), noise)) < 0.3
