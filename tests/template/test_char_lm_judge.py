"""The sealed evaluator of `char_lm`: its text, its metrics, what it refuses, and that attacks earn nothing. No torch needed."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_runs import ROOT, arrange, evaluator, execute

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.lab import KnobValue
from scientist.template import SPLITS, load_template

CHAR_LM = ROOT / "templates" / "char_lm"
TEMPLATE = load_template(CHAR_LM)
JUDGE = evaluator(CHAR_LM)
CHEATS = sorted((CHAR_LM / "cheats").glob("*.py"))
EXPECTED = {path.name: re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE) for path in CHEATS}
SMALL = {"family": "transformer", "layers": 1, "width": 16, "heads": 2, "context": 8, "activation": "relu"}
GRU = {"family": "gru", "layers": 2, "width": 16, "heads": 1, "context": 8, "activation": "none"}


def weights(told: dict[str, Any] = SMALL, seed: int = 0, scale: float = 0.3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: (scale * rng.standard_normal(shape)).astype("f4") for name, shape in JUDGE._shapes(told).items()}


def write(outputs: Path, told: dict[str, Any] = SMALL, arrays: dict[str, Any] | None = None) -> None:
    outputs.mkdir(parents=True, exist_ok=True)
    np.savez(outputs / f"{told['family']}.npz", **(weights(told) if arrays is None else arrays))
    (outputs / "model.json").write_text(json.dumps(told), encoding="utf-8")


def judged(outputs: Path, split: str = "keep") -> dict[str, float]:
    return dict(JUDGE.score(outputs, split, TEMPLATE.defaults, 0))


# What is declared


def test_words_hold_no_numbers_and_the_readme_lists_every_knob() -> None:
    texts = [TEMPLATE.background, TEMPLATE.summary, *(knob.why for knob in TEMPLATE.knobs)]
    assert not [text for text in texts if re.search(r"\d", text)]
    readme = (CHAR_LM / "README.md").read_text(encoding="utf-8")
    for knob in TEMPLATE.knobs:
        shown = str(knob.default).lower() if isinstance(knob.default, bool) else f"{knob.default}".removesuffix(".0")
        row = rf"^\| `{knob.name}` \|.*\| {re.escape(shown)} \| {knob.applies} \|$"
        assert re.search(row, readme, re.MULTILINE), knob.name


def test_declared_artefacts_are_what_the_evaluator_reads() -> None:
    declared = {artefact.name: artefact for artefact in TEMPLATE.artefacts}
    assert set(declared) == {"model.json", "transformer.npz", "gru.npz"}
    for told in (SMALL, GRU):
        artefact, shapes = declared[f"{told['family']}.npz"], JUDGE._shapes(told)
        assert set(artefact.arrays) == set(shapes)
        assert artefact.max_mb * (1 << 20) == JUDGE.LARGEST_FILE
        for name, spec in artefact.arrays.items():
            assert len(spec.shape) == len(shapes[name])
            assert spec.high == JUDGE.LARGEST_WEIGHT
    # The largest model that the description allows fits into the file in single precision.
    largest = {**SMALL, "layers": 4, "width": 160, "heads": 10, "context": 256}
    assert sum(math.prod(shape) for shape in JUDGE._shapes(largest).values()) <= JUDGE.MOST_WEIGHTS
    assert JUDGE.MOST_WEIGHTS * 4 < JUDGE.LARGEST_FILE


def test_the_judge_needs_no_torch_and_imports_nothing_of_the_candidate() -> None:
    code = (CHAR_LM / "evaluate.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from)\s+(train|torch|pickle|subprocess|scientist)\b", code, re.MULTILINE)


# The text


def test_facts_agree_with_the_text() -> None:
    facts, text = JUDGE.describe(TEMPLATE.defaults), JUDGE._text()
    assert facts["examples"] == facts["train"] + sum(facts[split] for split in SPLITS)
    parts = [text.pool, *(text.tests[split] for split in SPLITS)]
    assert all(part.shape[1] == JUDGE.PIECE for part in parts)
    pieces = [piece.tobytes() for part in parts for piece in part]
    assert len(set(pieces)) == len(pieces), "no piece is in two places"
    words = b"".join(pieces).decode(errors="replace")
    for topic in ('"with" statement', "Comparisons", "lambda"):
        assert topic in words
    assert 4 < facts["unigram_bits"] < 5.5
    assert re.fullmatch("[0-9a-f]{8}", str(facts["fingerprint"]))


def test_every_module_of_the_code_is_there_as_a_single_file() -> None:
    for name in JUDGE.CODE:
        assert len(JUDGE._source(name)) > 1000, name
    assert b"def " in JUDGE._text().code.tobytes()


def test_hidden_text_is_not_in_the_pool_but_for_stock_phrases() -> None:
    text = JUDGE._text()
    pool, code = text.pool.tobytes(), text.code.tobytes()
    for stream, most in ((pool, 0.03), (code, 0.005)):
        known = {stream[start : start + 64] for start in range(len(stream) - 64)}
        hidden = [piece.tobytes()[i : i + 64] for piece in text.tests["keep"] for i in range(JUDGE.PIECE - 64)]
        assert np.mean([run in known for run in hidden]) < most


def prepared(folder: Path, seed: int = 0, **partial: KnobValue) -> np.ndarray:
    JUDGE.prepare(folder, TEMPLATE.complete(partial), seed)
    assert [path.name for path in folder.iterdir()] == ["train.npz"]
    with np.load(folder / "train.npz") as file:
        assert file.files == ["text"]
        return np.array(file["text"])


def whole_pieces(stream: np.ndarray) -> set[bytes]:
    return {piece.tobytes() for piece in stream[: len(stream) // 1024 * 1024].reshape(-1, 1024)}


def test_the_training_text_is_a_mixture_of_the_declared_size(tmp_path: Path) -> None:
    text = JUDGE._text()
    prose, code = ({piece.tobytes() for piece in part} for part in (text.pool, text.code))
    for number, share in enumerate((0.0, 0.25, 0.75)):
        stream = prepared(tmp_path / str(number), code_share=share)
        assert stream.dtype == np.uint8
        assert len(stream) == 200_000
        found = whole_pieces(stream)
        assert found <= prose | code
        assert abs(len(found & code) / len(found) - share) < 0.02
    hidden = {piece.tobytes() for split in SPLITS for piece in text.tests[split]}
    assert not hidden & (prose | code)


def test_draws_follow_from_the_seed_and_are_nested_along_a_dose(tmp_path: Path) -> None:
    few, many, other = (
        whole_pieces(prepared(tmp_path / name, seed, train_bytes=size))
        for name, seed, size in (("few", 1, 51_200), ("many", 1, 102_400), ("other", 2, 51_200))
    )
    assert few < many
    assert len(few & other) < len(few) / 2
    clean, low, high = (prepared(tmp_path / f"c{p}", 3, corruption=p) for p in (0.0, 0.05, 0.4))
    wrong = [stream != clean for stream in (low, high)]
    assert (wrong[0] <= wrong[1]).all()
    # A byte is now and then replaced by itself: one of the 95 that can be printed.
    assert [w.mean() for w in wrong] == pytest.approx([0.05, 0.4], rel=0.06)
    assert np.array_equal(clean, prepared(tmp_path / "again", 3))


def test_more_text_than_there_is_cannot_be_asked_for(tmp_path: Path) -> None:
    full = TEMPLATE.complete({"train_bytes": 300_000, "code_share": 0.9})
    JUDGE.describe(full)
    small = JUDGE._text()._replace(code=JUDGE._text().code[:10])
    with pytest.raises(ValueError, match="270000 bytes of code are more than the 10240 that there are"):
        JUDGE._sizes(full, small)
    for knob in TEMPLATE.knobs:
        for level in knob.levels:
            JUDGE.describe(TEMPLATE.complete({knob.name: level}))


# The metrics


def naive(told: dict[str, Any], arrays: dict[str, np.ndarray], piece: np.ndarray) -> tuple[list[float], list[bool]]:
    """Bits of every byte but the first, one byte at a time, by the definition of the windows."""
    context, last = told["context"], len(piece) - 1
    starts = [*range(0, last - context, context // 2), last - context]
    forward = JUDGE._transformer if told["family"] == "transformer" else JUDGE._gru
    bits, right = [], []
    for place in range(1, len(piece)):
        start = next(start for start in starts if start < place <= start + context)
        logits = forward(told, arrays, piece[None, start:place].astype(int))[0, -1].astype(float)
        p = np.exp(logits - logits.max())
        bits.append(-math.log2(p[piece[place]] / p.sum()))
        right.append(bool(logits.argmax() == piece[place]))
    return bits, right


@pytest.mark.parametrize("told", [SMALL, GRU], ids=lambda told: told["family"])
def test_bits_agree_with_a_pass_byte_by_byte(told: dict[str, Any]) -> None:
    arrays, pieces = weights(told), JUDGE._text().tests["keep"][:2]
    bits, right = JUDGE._predict(told, arrays, pieces)
    expected = [naive(told, arrays, piece) for piece in pieces]
    assert bits == pytest.approx([*expected[0][0], *expected[1][0]], abs=1e-4)
    assert (right == [*expected[0][1], *expected[1][1]]).mean() > 0.999
    assert len(bits) == 2 * (JUDGE.PIECE - 1)


def test_knowing_nothing_earns_eight_bits_and_frequencies_what_is_described(tmp_path: Path) -> None:
    nothing = {name: np.zeros_like(array) for name, array in weights().items()}
    write(tmp_path / "nothing", SMALL, nothing)
    assert judged(tmp_path / "nothing")["bits_per_byte"] == pytest.approx(8.0)
    share = (np.bincount(JUDGE._text().pool.ravel(), minlength=256) + 1) / (JUDGE._text().pool.size + 256)
    # A constant after the last norm: one unit is one, and the head reads the logarithms from it.
    constant = {**nothing, "embed": np.zeros((256, 16), dtype="f4"), "norm": np.ones(16, dtype="f4")}
    constant["embed"][:, 0] = 1
    value = JUDGE._norm(constant["embed"][:1], constant["norm"])[0, 0]
    constant["head"][:, 0] = np.log(share) / value
    write(tmp_path / "frequencies", SMALL, constant)
    facts = JUDGE.describe(TEMPLATE.defaults)
    assert judged(tmp_path / "frequencies")["bits_per_byte"] == pytest.approx(facts["unigram_bits"], abs=2e-4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.01, 1.0, 30.0, 9000.0]), st.sampled_from([0, 1]))
def test_no_weights_earn_less_than_nothing_or_break_the_judge(seed: int, scale: float, which: int) -> None:
    told = [SMALL, GRU][which]
    arrays = {name: np.clip(array, -1e4, 1e4) for name, array in weights(told, seed, scale).items()}
    try:
        bits, right = JUDGE._predict(told, arrays, JUDGE._text().tests["search"][:1])
    except ValueError as error:
        assert str(error) == "the model's forward pass is not finite"
    else:
        assert (bits >= 0).all()
        assert (bits <= JUDGE.MOST_BITS).all()
        assert 0 <= right.mean() <= 1


def test_a_byte_is_never_predicted_with_the_help_of_a_later_one() -> None:
    piece = JUDGE._text().tests["keep"][:1].copy()
    for told in (SMALL, GRU):
        before, _ = JUDGE._predict(told, weights(told), piece)
        changed = piece.copy()
        changed[0, 600] ^= 1
        after, _ = JUDGE._predict(told, weights(told), changed)
        assert np.array_equal(before[:599], after[:599])
        assert not np.array_equal(before[599:], after[599:])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "fortran", "compressed"])
def test_honest_forms_of_weights_are_taken(dtype: str, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {name: array.astype("f2") for name, array in weights().items()}
    write(tmp_path / "plain", SMALL, arrays)
    if dtype == "compressed":
        write(tmp_path / "other")
        np.savez_compressed(tmp_path / "other/transformer.npz", **arrays)
    else:
        change = np.asfortranarray if dtype == "fortran" else lambda array: array.astype(dtype)
        write(tmp_path / "other", SMALL, {name: change(array) for name, array in arrays.items()})
    assert judged(tmp_path / "plain") == judged(tmp_path / "other")


# What is refused


def told(**new: Any) -> Callable[[Path], None]:
    return lambda outputs: write(outputs, SMALL | new, weights())


def arrays(**new: Any) -> Callable[[Path], None]:
    def act(outputs: Path) -> None:
        found = weights() | {k: v(weights()[k]) if callable(v) else v for k, v in new.items()}
        write(outputs, SMALL, {name: array for name, array in found.items() if array is not None})

    return act


def raw(name: str, data: bytes) -> Callable[[Path], None]:
    def act(outputs: Path) -> None:
        write(outputs)
        (outputs / name).write_bytes(data)

    return act


def unlinked(name: str, then: Callable[[Path], Any] = lambda path: None) -> Callable[[Path], None]:
    def act(outputs: Path) -> None:
        write(outputs)
        (outputs / name).rename(outputs.parent / name)
        then(outputs / name)

    return act


def rezipped(method: int = zipfile.ZIP_DEFLATED, alter: Callable[[bytes], bytes] = bytes) -> Callable[[Path], None]:
    def act(outputs: Path) -> None:
        write(outputs)
        (outputs / "transformer.npz").rename(outputs.parent / "honest.npz")
        with (
            zipfile.ZipFile(outputs.parent / "honest.npz") as source,
            zipfile.ZipFile(outputs / "transformer.npz", "w", method) as target,
        ):
            for name in source.namelist():
                target.writestr(name, alter(source.read(name)))

    return act


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no description": (unlinked("model.json"), "model.json cannot be opened"),
    "no weights": (unlinked("transformer.npz"), "transformer.npz cannot be opened"),
    "a pipe": (unlinked("model.json", os.mkfifo), "not a plain file"),
    "a folder": (unlinked("transformer.npz", Path.mkdir), "not a plain file"),
    "a link": (unlinked("model.json", lambda p: p.symlink_to(p.parent.parent / "model.json")), "cannot be opened"),
    "a long description": (raw("model.json", b" " * 5000), "more than 4096 bytes"),
    "half a description": (raw("model.json", b'{"family": '), "not JSON"),
    "a description in Latin": (raw("model.json", b'{"family": "\xe9"}'), "not UTF-8"),
    "a deep description": (raw("model.json", b"[" * 4000), "nested too deeply"),
    "a list": (raw("model.json", b"[]"), "exactly family"),
    "a key too many": (told(mask="none"), "exactly family"),
    "a giant context": (told(context=10**9), "context is a whole number from 8 to 256"),
    "a context of truth": (told(context=True), "context is a whole number"),
    "a context of text": (told(context="8"), "context is a whole number"),
    "half a layer": (told(layers=1.0), "layers is a whole number"),
    "no layer": (told(layers=0), "layers is a whole number"),
    "a strange family": (told(family="oracle"), "family is one of"),
    "a family that is a list": (told(family=["transformer"]), "family is one of"),
    "a strange activation": (told(activation="exp"), "no such activation"),
    "an activation for a GRU": (lambda outputs: write(outputs, GRU | {"activation": "gelu"}), "no such activation"),
    "heads that do not divide": (told(heads=3), "heads must divide"),
    "other sizes than told": (told(context=9), "shape|larger"),
    "no archive": (raw("transformer.npz", b"weights"), "archive"),
    "too large": (raw("transformer.npz", bytes((6 << 20) + 1)), "more than"),
    "NaN": (arrays(head=lambda a: a * np.nan), "not finite"),
    "one infinity": (arrays(norm=lambda a: np.where(np.arange(16) == 3, np.inf, a)), "not finite"),
    "huge weights": (arrays(up=lambda a: a * 0 + 1e30), "beyond 10000"),
    "overflow": (arrays(head=lambda a: a.astype("f8") * 0 + 1e300), "beyond 10000"),
    "whole numbers": (arrays(head=lambda a: a.astype(int)), "floating-point"),
    "complex": (arrays(head=lambda a: a.astype("c8")), "floating-point"),
    "objects": (arrays(head=lambda a: a.astype(object)), "floating-point|larger"),
    "one row": (arrays(head=lambda a: a[:1]), "shape"),
    "a dimension more": (arrays(norm=lambda a: a[None]), "shape"),
    "no dimension": (arrays(norm=np.float32(1.0)), "shape|floating"),
    "an array missing": (arrays(head=None), "exactly the arrays"),
    "an array too many": (arrays(bias=np.zeros(3)), "exactly the arrays"),
    "bzip2": (rezipped(zipfile.ZIP_BZIP2), "unusual"),
    "inflates too far": (rezipped(alter=lambda raw: raw + bytes(1 << 20)), "larger than"),
    "padded": (rezipped(alter=lambda raw: raw + bytes(8)), "cut short or padded"),
    "cut short": (rezipped(alter=lambda raw: raw[:-8]), "cut short or padded"),
    "not an array": (rezipped(alter=lambda raw: b"GIF89a" + raw[6:]), "not a NumPy array file"),
}


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_artefact_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    act, words = BAD[case]
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    act(outputs)
    with pytest.raises(ValueError, match=words) as caught:
        judged(outputs)
    assert "\n" not in str(caught.value)


def test_numbers_with_thousands_of_digits_are_no_description(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "model.json").write_text('{"layers": ' + "9" * 4050 + "}")
    with pytest.raises(ValueError):
        judged(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_artefacts_are_refused_or_read_never_worse(tmp_path_factory: Any, data: st.DataObject) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    write(outputs)
    name = data.draw(st.sampled_from(["model.json", "transformer.npz"]))
    damaged = bytearray((outputs / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    (outputs / name).write_bytes(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
    try:
        told = JUDGE._read_description(outputs)
        JUDGE._read_weights(outputs, told)
    except ValueError as error:
        assert "\n" not in str(error)


# The attacks


def attack(name: str, place: Path) -> float:
    """The bits per byte that one attack earns without any sandbox."""
    full = arrange(TEMPLATE, JUDGE, place, {})
    execute(CHAR_LM / "cheats" / name, place)
    return float(JUDGE.score(place / "outputs", "keep", full, 0)["bits_per_byte"])


def test_every_attack_says_how_it_must_end_and_is_listed() -> None:
    assert len(CHEATS) >= 5
    listed = (CHAR_LM / "cheats" / "README.md").read_text(encoding="utf-8")
    for path in CHEATS:
        (end,) = EXPECTED[path.name]
        assert end in ("invalid", "failed")
        assert path.read_text(encoding="utf-8").startswith('"""Attack: ')
        assert re.search(rf"^\| `{path.name}` \|.*\| {end} \|$", listed, re.MULTILINE)
    assert len(re.findall(r"^\| `", listed, re.MULTILINE)) == len(CHEATS)


@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize("name", [name for name, ends in EXPECTED.items() if ends == ["invalid"]])
def test_an_attack_earns_nothing_even_without_a_sandbox(name: str, tmp_path: Path) -> None:
    limit = sys.getrecursionlimit()
    with pytest.raises(ValueError):
        attack(name, tmp_path / "above" / "scratch" / "run")
    assert sys.getrecursionlimit() == limit, "the pickle's code ran in the judge"


def test_attacks_on_the_hidden_text_would_work_without_the_sandbox(tmp_path: Path) -> None:
    facts = JUDGE.describe(TEMPLATE.defaults)
    assert attack("read_topics.py", tmp_path / "read" / "run") < facts["unigram_bits"] - 0.5
    write(tmp_path / "theirs/outputs")
    assert attack("copy_other_runs.py", tmp_path / "mine") == judged(tmp_path / "theirs/outputs")["bits_per_byte"]
    place = tmp_path / "import" / "run"
    arrange(TEMPLATE, JUDGE, place, {})
    (tmp_path / "import/evaluate.py").write_bytes((CHAR_LM / "evaluate.py").read_bytes())
    execute(CHAR_LM / "cheats/import_evaluator.py", place)
    assert json.loads((place / "outputs/found.json").read_text()) == {"bytes": facts["keep"]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Without torch: the attacks need none, and start faster."""
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    light = TEMPLATE.model_copy(update={"warm": ("numpy",)})
    sandbox = choose_sandbox("bubblewrap", TEMPLATE.hide)
    with Bench.local(light, sandbox, tmp_path_factory.mktemp("scratch") / "bench", 1) as ready:
        yield ready


def test_attacks_earn_nothing_in_the_sandbox(bench: Bench) -> None:
    before = TEMPLATE.fingerprint()
    for path in CHEATS:
        with bench.run(TEMPLATE.defaults, 0, ("keep",), {"train.py": path.read_bytes()}) as outcome:
            if EXPECTED[path.name] == ["failed"]:
                assert outcome.status == "failed", path.name
                assert re.search("within reach|out of reach|pydoc_data", outcome.reason), outcome.reason
            else:
                assert outcome.status in ("invalid", "output"), path.name
    assert TEMPLATE.fingerprint() == before
