"""The sample papers in the repository hold up: audited clean, every number answers, every link lands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scientist._stages import rebuild_with
from scientist.lab import Journal, read_json
from scientist.papers import Facts, Manuscript, audit, plain, trace
from scientist.template import load_template

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted(path.parent for path in (ROOT / "papers").glob("*/manuscript.json"))
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*[A-Za-z])")


def gated(paper: Path) -> Iterator[str]:
    """What readers see of abstract, results, tables and captions, with the values put in."""
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    facts = read_json(Facts, paper / "facts.json")
    fragments = [manuscript.finding, manuscript.abstract]
    fragments += [
        p for s in manuscript.sections if s.id == "results" for p in s.paragraphs if not p.startswith(r"\place")
    ]
    fragments += [t.caption for t in manuscript.tables] + [f.caption for f in manuscript.figures]
    fragments += [cell for t in manuscript.tables for row in (t.header, *t.rows) for cell in row]
    for fragment in fragments:
        yield plain(fragment, facts)


@pytest.mark.parametrize("paper", SAMPLES, ids=lambda p: p.name)
def test_the_audit_of_a_sample_finds_no_error(paper: Path) -> None:
    template = load_template(ROOT / "templates" / "digits")
    found = audit(paper, rebuild=rebuild_with(template), lab=ROOT)
    assert [finding for finding in found.findings if finding.severity == "error"] == []


@pytest.mark.slow
@pytest.mark.parametrize("paper", SAMPLES, ids=lambda p: p.name)
def test_every_number_a_reader_sees_answers_to_trace(paper: Path) -> None:
    numbers = {number for text in gated(paper) for number in NUMBER.findall(text.replace("−", "-"))}
    assert len(numbers) > 40
    for number in sorted(numbers):
        hits = trace(paper, number)  # raises when nothing stands behind it
        assert hits and all(hit.agrees and hit.intact for hit in hits), number


def test_there_are_two_samples_with_reviews_and_a_whole_journal() -> None:
    assert len(SAMPLES) >= 2
    for paper in SAMPLES:
        assert (paper / "paper.pdf").read_bytes().startswith(b"%PDF")
        assert (ROOT / "reviews" / paper.name / "heuristic.json").exists()
    assert Journal(ROOT / "journal.jsonl").verify() == []
