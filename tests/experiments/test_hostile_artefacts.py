"""What a run leaves to be scored, one lie per test: in every form of the sandbox, since only the judge stops these.

What the evaluator itself may return (no bool, no NaN, no subclass of float) is in test_judging_scores.py; every other
shape of artefact is in test_artefacts_whitelist.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_bench import attack

from scientist.experiments import Bench

HONEST = "from pathlib import Path\nPath('outputs/value.json').write_text('{\"value\": 1.0}')\n"


def test_honest_artefacts_pass(bench: Bench) -> None:
    assert attack(bench, HONEST) == ("ok", "")


def test_a_printed_metric_is_no_score(bench: Bench) -> None:
    code = (
        "from pathlib import Path\nprint('{\"score\": 999}')\n"
        "Path('metrics.jsonl').write_text('{\"step\": 1, \"score\": 999}\\n')\n"
        "Path('outputs/value.json').write_text('{\"value\": 1.0}')\n"
    )
    with bench.run(bench.template.defaults, 3, ("keep",), {"train.py": code.encode()}) as outcome:
        assert outcome.status == "ok" and abs(outcome.metrics["keep"]["score"] - 1.0) < 1.0


def test_a_pickle_is_refused_and_never_opened(bench: Bench) -> None:
    mark = bench._scratch / "unpickled"  # where the judge could write
    pickled = (
        f"import os, pickle\nclass Bomb:\n    def __reduce__(self):\n        return os.mkdir, ({str(mark)!r},)\n"
        "raw = pickle.dumps({'value': 1.0, 'bomb': Bomb()})\n"
    )
    for code, status in (
        ("open('outputs/value.json', 'wb').write(raw)", "invalid"),
        (HONEST + "open('outputs/model.pkl', 'wb').write(raw)", "invalid"),
    ):
        found = attack(bench, pickled + code)
        assert found[0] == status and found[1], found
    assert not mark.exists()


WAYS = {
    "a link to a file elsewhere": ("os.symlink(elsewhere, 'outputs/value.json')", "is a link"),
    "a link to a file of its own": ("write('mine'); os.symlink('../mine', 'outputs/value.json')", "is a link"),
    "a second name of a file": ("write('mine'); os.link('mine', 'outputs/value.json')", "second name"),
    "a folder elsewhere as outputs": ("os.rmdir('outputs'); os.symlink(folder, 'outputs')", "outputs/ was replaced"),
    "the run's own folder as outputs": (
        "write('value.json'); os.rmdir('outputs'); os.symlink('.', 'outputs')",
        "outputs/ was replaced",
    ),
    "a path with ..": ("write('outputs/../value.json')", "no artefact was written"),
    "a name with .. in it": ("write('outputs/..\\\\value.json')", "name"),
    "a folder of that name": ("os.mkdir('outputs/value.json')", "no artefact was written"),
    "a pipe that would block the judge": ("os.mkfifo('outputs/value.json')", "not a plain file"),
}


@pytest.mark.parametrize("way", WAYS)
def test_links_and_ways_out_of_the_folder(bench: Bench, way: str, tmp_path: Path) -> None:
    (tmp_path / "value.json").write_text('{"value": 5.0}')
    how, why = WAYS[way]
    code = (
        f"import os\nelsewhere, folder = {str(tmp_path / 'value.json')!r}, {str(tmp_path)!r}\n"
        f"def write(name):\n    open(name, 'w').write('{{\"value\": 5.0}}')\n{how}\n"
    )
    status, reason = attack(bench, code)
    assert (status, why in reason) == ("output", True), reason


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "1" + "0" * 400,
        "true",
        "null",
        '"5"',
        "[5.0]",
        '{"value": 5.0}',
        "1e300",
    ],
)
def test_a_score_must_be_one_finite_number(bench: Bench, value: str) -> None:
    status, reason = attack(bench, f"open('outputs/value.json', 'w').write('{{\"value\": {value}}}')")
    assert status == "invalid" and reason


def test_a_value_given_twice_or_followed_by_more(bench: Bench) -> None:
    for text in ('{"value": 1.0, "value": 5.0}', '{"value": 1.0} {"value": 5.0}', ""):
        status, reason = attack(bench, f"open('outputs/value.json', 'w').write({text!r})")
        assert status == "invalid" and reason, text
