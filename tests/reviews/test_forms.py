"""Forms: built in, one's own as TOML, exported as OpenReview notes, imported from others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import RecordError, UsageError
from scientist.reviews import Review
from scientist.reviews.forms import (
    ICLR,
    NEURIPS,
    Answer,
    FilledReview,
    Point,
    Quotation,
    Scale,
    form_of,
    load_form,
    openreview_note,
    read_review_txt,
)

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "ai_written_papers"

OWN = """\
name = "lab-seminar"
title = "Our seminar"
accept_at = 3

[[criteria]]
name = "rigour"
title = "Rigour"
question = "Would you bet on it?"
low = 0
high = 5
anchors = { 0 = "no", 5 = "my house" }

[overall]
low = 1
high = 5

[confidence]
low = 1
high = 3

[[texts]]
name = "advice"
title = "Advice"
question = "What should be done next?"
"""


def test_a_form_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    form = form_of(str(tmp_path / "own.toml"))
    assert [c.name for c in form.scored] == ["rigour", "overall"]
    assert form.criteria[0].told() == "0 to 5 (0: no; 5: my house)"
    assert [text.name for text in form.own_texts] == ["advice"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('question = "Would you bet on it?"\n', "", "criteria.0.question: is missing"),
        ("high = 5\nanchors", "heigh = 5\nanchors", "criteria.0.high: is missing"),
        ("accept_at = 3", "accept_at = 3\nacept_at = 3", "unknown key (did you mean 'accept_at'?)"),
        ("accept_at = 3", "accept_at = 9", "'accept_at' lies above 1 and is at most 5"),
        ("accept_at = 3", "accept_at = nan", "accept_at"),
        ("5 = ", "7 = ", "the anchor 7 is not on the scale"),
        ("low = 0", "low = 5", "'high' (5) has to be more than 'low' (5)"),
        ("low = 0", "low = 0\nsteps = [0, 4, 2, 5]", "'steps' rise from 'low'"),
        ('name = "rigour"', 'name = "overall"', "'overall' has a table of its own"),
        ('name = "rigour"', 'name = "../../etc"', "criteria.0.name"),
        ('name = "advice"', 'name = "rigour"', "'rigour' is a criterion and a text"),
        ("[overall]", "[overall", "not valid TOML"),
    ],
)
def test_a_broken_form_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace(old, new, 1))
    with pytest.raises(RecordError) as error:
        load_form(tmp_path / "own.toml")
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "own.toml" in str(error.value)


def test_a_form_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'neurips'"):
        form_of("neurip")
    with pytest.raises(RecordError, match="does not exist"):
        form_of(str(tmp_path / "none.toml"))


def test_the_neurips_form_has_the_scales_of_our_own_reviews() -> None:
    for criterion in NEURIPS.scored:
        low, high = (
            getattr(m, k) for m, k in zip(Review.model_fields[criterion.name].metadata, ("ge", "le"), strict=True)
        )
        assert (criterion.low, criterion.high) == (low, high)
    assert NEURIPS.accept_at == 6


@given(st.floats(0, 1), st.integers(-5, 5), st.integers(1, 9))
def test_shares_and_places_agree(share: float, low: int, width: int) -> None:
    scale = Scale(low=low, high=low + width)
    assert scale.share(scale.at(share)) == pytest.approx(share, abs=1e-9)


def filled() -> FilledReview:
    return FilledReview(
        paper="p",
        reviewer="r",
        form="iclr",
        summary="It does a thing.",
        weaknesses=(
            Point(text="One seed.", kind="evidence", quote=Quotation(text="we ran it once", section="4 Results")),
        ),
        answers=(
            Answer(criterion="soundness", score=3, supported=True),
            Answer(criterion="presentation", score=4, supported=False),
            Answer(criterion="contribution", score=2, supported=True),
            Answer(criterion="overall", score=6, supported=True),
        ),
        confidence=4,
    )


def test_a_note_of_openreview() -> None:
    note = openreview_note(filled(), ICLR)
    content = json.loads(json.dumps(note))["content"]
    assert content["rating"] == {"value": 6}
    assert content["soundness"] == {"value": 3}
    assert "presentation" not in content  # nothing in the paper stands behind that score
    assert content["weaknesses"]["value"] == "- (evidence) One seed. [4 Results: “we ran it once”]"
    assert content["flag_for_ethics_review"]["value"] == ["No ethics review needed."]
    assert all(set(field) == {"value"} for field in content.values())


REVIEW = {
    "Summary": "A paper.",
    "Strengths": ["Short."],
    "Weaknesses": ["- One seed."],
    "Originality": 3,
    "Overall": "5/10",
    "Confidence": 4,
    "Ethical Concerns": False,
    "Decision": "Reject",
}


@pytest.mark.parametrize("around", ["{}", "THOUGHT: {{a}} first.\n```json\n{}\n```\nDone.", '{{"x": 1}} {}'])
def test_a_review_is_found_in_its_text(tmp_path: Path, around: str) -> None:
    path = tmp_path / "review.txt"
    path.write_text(around.replace("{}", json.dumps(REVIEW)).replace("{{", "{").replace("}}", "}"))
    review = read_review_txt(path)
    assert review.score("overall") == 5
    assert review.weaknesses[0].text == "One seed."
    assert review.answer("overall").supported is None  # type: ignore[union-attr]
    assert review.answer("quality") is None
    assert review.ethical_concerns == ""


@pytest.mark.parametrize(
    "text", ["", "no review", "{", '{"Summary": "x"}', json.dumps({**REVIEW, "Overall": 11}), "{" * 5000, "[" * 100_000]
)
def test_what_is_no_review_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "review.txt"
    path.write_text(text)
    with pytest.raises(RecordError) as error:
        read_review_txt(path)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the papers are not here")
def test_five_real_reviews() -> None:
    found = {path.parent.name: read_review_txt(path) for path in sorted(SHARED.glob("*/review.txt"))}
    assert {name: review.score("overall") for name, review in found.items()} == {
        "data_augmentation_grokking": 5,
        "gan_diffusion": 3,
        "grid_based_noise_adaptation": 5,
        "rl_lr_adaptation": 4,
        "weight_initialization_grokking": 6,
    }
    assert all(len(review.answers) == 8 and review.weaknesses and review.questions for review in found.values())
