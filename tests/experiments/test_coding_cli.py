"""A coding program edits a copy in its box, reaches one endpoint, and whatever else it does is refused by name."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from test_code_changes import DIAL, LINE, TRAIN, idea

from scientist.errors import MachineryError, RecordError, Stopped, StudyError, UsageError
from scientist.experiments import (
    Bench,
    Change,
    CliExperimenter,
    ModelExperimenter,
    bubblewrap_works,
    choose_sandbox,
    coding_program,
    make_change,
)
from scientist.experiments import _coding_box as box
from scientist.experiments._relay import Relay
from scientist.experiments._working_copy import read_back
from scientist.lab import RoleSettings, create_lab, load_settings, read_json
from scientist.llm import ModelUnavailable

SECRET = "sk-very-secret-0123456789"
EDIT = f"""
import pathlib, sys, os, time, json
task = sys.stdin.read()
train = pathlib.Path("train.py")
def edit(new):
    train.write_text(train.read_text().replace({LINE!r}, {LINE!r} + new))
"""
ASK = """
import http.client, os, urllib.parse, urllib.request
def ask(path="/chat", host=None, **headers):
    at = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
    c = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    key = "Bearer " + os.environ["OPENAI_API_KEY"]
    c.request("POST", at.path + path, b"{}", {"Authorization": key, **({"Host": host} if host else {}), **headers})
    answer = c.getresponse()
    return answer.status, answer.read().decode()
"""

walls = pytest.mark.skipif(not bubblewrap_works()[0], reason="bubblewrap does not work here")


@dataclass
class Endpoint:
    """A server on loopback, and what it was asked: (path, host, authorization)."""

    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append((self.path, self.headers["Host"], self.headers.get("Authorization", "")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"add " + body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        server.shutdown()


@dataclass
class Trial:
    """What was tried out, and the answers to that: ok when there is none."""

    answers: list[tuple[str, str, str]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def __call__(self, files: Mapping[str, bytes]) -> tuple[str, str, str]:
        self.tried.append(files["train.py"].decode())
        return self.answers.pop(0) if self.answers else ("ok", "", "")


def player(
    tmp_path: Path, script: str, *, sandbox: str = "bubblewrap", url: str = "", minutes: float = 0.5, **more: object
) -> CliExperimenter:
    """An experimenter that is a Python script."""
    file = tmp_path / "coder.py"
    file.write_text(EDIT + script)
    env = ("OPENAI_BASE_URL", "OPENAI_API_KEY") if url else ()
    role = RoleSettings(command=(sys.executable, str(file)), base_url=url, env=env, show=(str(file),), minutes=minutes)
    program = coding_program(role, {"OPENAI_API_KEY": SECRET})
    return CliExperimenter(program, sandbox, tmp_path / "scratch", tmp_path / "variants", **more)  # type: ignore[arg-type]


def said(tmp_path: Path, number: int = 1) -> str:
    return (tmp_path / "variants" / "changed" / "tries" / str(number) / "transcript.txt").read_text()


def refusal(tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch, **more: object) -> str:
    """Why what one try of a script left is refused; the code of this template is untouched."""
    monkeypatch.setattr("scientist.experiments._coding_cli.TRIES", 1)
    trial = Trial()
    with pytest.raises(StudyError) as caught:
        player(tmp_path, script, **more).implement(idea(), DIAL, trial)  # type: ignore[arg-type]
    assert not trial.tried and (DIAL.root / "train.py").read_text() == TRAIN
    assert not (tmp_path / "scratch").exists()
    return caught.value.message


@walls
def test_the_task_comes_on_stdin_and_as_a_file_and_the_edit_is_taken(tmp_path: Path) -> None:
    made = player(
        tmp_path,
        """
assert pathlib.Path(sys.argv[1]).read_text() == task and os.getcwd() == sys.argv[2]
assert sorted(os.listdir()) == [".git", "train.py"]
assert sorted(os.environ) == ["HOME", "LANG", "LC_CTYPE", "PATH"] or sorted(os.environ) == ["HOME", "LANG", "PATH"]
assert os.listdir(os.environ["HOME"]) == []
pathlib.Path(".aider.notes").write_text("mine")
(pathlib.Path("__pycache__")).mkdir()
print(task)
edit(" + 1.0")
""",
    )
    words = (*made.program.command, "{task_file}", "{folder}")
    object.__setattr__(made.program, "command", words)
    trial = Trial()
    files, tries = made.implement(idea(), DIAL, trial)
    assert files["train.py"].decode() == TRAIN.replace(LINE, LINE + " + 1.0") == trial.tried[0]
    assert [one.status for one in tries] == ["ok"] and "+ 1.0" in tries[0].diff
    assert "Add one to the value before it is written." in said(tmp_path)
    assert "ended well" in said(tmp_path) and "no network" in said(tmp_path)


@walls
def test_what_does_not_run_is_handed_back_with_its_log(tmp_path: Path) -> None:
    script = """
if "NameError: one" in task:
    assert "+ one" in train.read_text()
    train.write_text(train.read_text().replace("+ one", "+ 1.0"))
else:
    edit(" + one")
"""
    trial = Trial([("failed", "it crashed", "NameError: one")])
    files, tries = player(tmp_path, script).implement(idea(), DIAL, trial)
    assert b"+ 1.0" in files["train.py"] and [one.status for one in tries] == ["failed", "ok"]


@walls
def test_a_real_study_takes_the_change_and_numbers_agree(tmp_path: Path) -> None:
    script = """
if "nothing is changed" in task:
    edit(" + 1.0")
"""
    made = player(tmp_path, script)
    with Bench.local(DIAL, choose_sandbox("process", ()), tmp_path / "runs", 1) as bench:
        change = make_change(made, bench, idea(), tmp_path)
    assert [(one.number, one.status) for one in change.tries] == [(1, "refused"), (2, "ok")]
    tries = tmp_path / "variants" / "changed" / "tries"
    assert (tries / "1" / "refused.txt").read_text() == "nothing is changed\n"
    assert "+ 1.0" in (tries / "2" / "patch.diff").read_text() and not (tries / "1" / "patch.diff").exists()
    assert change == read_json(Change, tries.parent / "change.json") and change.by == Path(sys.executable).name


@walls
def test_it_reaches_its_endpoint_and_its_key_stays_outside(tmp_path: Path, endpoint: Endpoint) -> None:
    script = f"""
{ASK}
print(ask(), ask("/chat", host="elsewhere.example"))
print(ask("/../admin"), ask("/%2e%2e/admin"))
print(dict(os.environ))
edit(" + 1.0")
"""
    player(tmp_path, script, url=endpoint.url).implement(idea(), DIAL, Trial())
    host = endpoint.url.split("/")[2]
    assert endpoint.asked == [("/v1/chat", host, f"Bearer {SECRET}")] * 2
    assert "(200, 'add {}')" in said(tmp_path) and said(tmp_path).count("(403,") == 2
    assert "sk-kept-outside-openai-api-key" in said(tmp_path) and "2 requests sent on, 2 refused" in said(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@walls
def test_it_reaches_nothing_else(tmp_path: Path, endpoint: Endpoint) -> None:
    with ThreadingHTTPServer(("0.0.0.0", 0), BaseHTTPRequestHandler) as other:
        script = f"""
import socket, urllib.request
for where in (("127.0.0.1", {other.server_port}), ("192.0.2.1", 80), ("10.0.2.2", {other.server_port})):
    try:
        socket.create_connection(where, timeout=3)
        print("REACHED", where)
    except OSError as error:
        print("refused", error)
try:
    print("REACHED", socket.getaddrinfo("example.org", 80))
except OSError as error:
    print("refused", error)
for path in ("/bench/door", "door", "../door"):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("REACHED", path)
    except OSError as error:
        print("refused", error)
for sent in (b"CONNECT 192.0.2.1:80 HTTP/1.1\\r\\n\\r\\n", b"GET http://192.0.2.1/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
             b"POST /v1/x HTTP/1.1\\r\\nContent-Length: 2\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n"):
    at = os.environ["OPENAI_BASE_URL"].split("/")[2].split(":")
    with socket.create_connection((at[0], int(at[1]))) as raw:
        raw.sendall(sent)
        print("answer", raw.recv(100).split()[1].decode())
edit(" + 1.0")
"""
        player(tmp_path, script, url=endpoint.url).implement(idea(), DIAL, Trial())
    told = said(tmp_path)
    assert "REACHED" not in told and told.count("refused ") >= 7
    assert [told.count(f"answer {status}") for status in (501, 403, 400)] == [1, 1, 1] and not endpoint.asked


@walls
def test_an_answer_streams_through_and_a_missing_endpoint_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65536)
                caller.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
                arrived.wait(20)
                caller.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
            server.close()

        arrived = threading.Event()
        threading.Thread(target=serve, daemon=True).start()
        script = f"""
{ASK}
at = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
c = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
c.request("GET", "/stream")
answer = c.getresponse()
print("first", answer.read(3).decode(), flush=True)
print("rest", answer.read().decode(), flush=True)
print(ask())
edit(" + 1.0")
"""
        made = player(tmp_path, script, url=url)
        log = tmp_path / "scratch" / "worker-0" / "run" / "log.txt"

        def seen() -> None:
            while not arrived.is_set():
                if log.is_file() and "first one" in log.read_text():
                    arrived.set()
                time.sleep(0.02)

        threading.Thread(target=seen, daemon=True).start()
        made.implement(idea(), DIAL, Trial())
    assert arrived.is_set() and "rest two" in said(tmp_path) and "(502, 'the endpoint does not answer" in said(tmp_path)


def test_to_an_endpoint_over_tls_with_its_own_name_and_only_if_its_certificate_holds(tmp_path: Path) -> None:
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {key} -out {certificate}"
    subprocess.run([openssl, *words.split()], check=True, capture_output=True)
    got: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.headers["Host"], self.headers["x-api-key"], body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"well")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        address = f"https://localhost:{server.server_port}"
        for trusted in (False, True):
            relay = Relay(address, {"word-for-it": SECRET})
            if trusted:
                relay._tls = ssl.create_default_context(cafile=str(certificate))
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            relay.serve(listener)
            inside = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            chunks = iter([b"in ", b"pieces"])
            inside.request("POST", "/x", chunks, {"x-api-key": "word-for-it"}, encode_chunked=True)
            answer = inside.getresponse()
            assert (answer.status, answer.read()[:4]) == ((200, b"well") if trusted else (502, b"the "))
            inside.close()
            relay.stop()
        server.shutdown()
    assert got == [(f"localhost:{server.server_port}", SECRET, b"in pieces")]


@walls
def test_an_outage_is_no_failure_of_the_idea(tmp_path: Path) -> None:
    script = f"{ASK}\nprint(ask()); print(ask())"
    with pytest.raises(
        ModelUnavailable, match=r"got nothing from http://127\.0\.0\.1:9/v1: the endpoint does not answer"
    ):
        player(tmp_path, script, url="http://127.0.0.1:9/v1").implement(idea(), DIAL, Trial())
    assert said(tmp_path).count("(502,") == 2 and not (tmp_path / "variants" / "changed" / "tries" / "2").exists()


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (lambda w, train: [(w / "evaluate.py").write_text("x")], "'evaluate.py' was left there; only train.py"),
        (lambda w, train: [(w / "notes").mkdir()], "'notes' was left there"),
        (lambda w, train: [(w / "notes.txt").symlink_to("/etc/passwd")], "'notes.txt' was left there"),
        (lambda w, train: [(w / "a\nb").write_text("x")], "'a?b' was left there"),
        (lambda w, train: [train.unlink(), train.symlink_to("/etc/passwd")], "'train.py' is no plain file"),
        (lambda w, train: [train.unlink(), os.mkfifo(train)], "'train.py' is no plain file"),
        (lambda w, train: [train.unlink(), train.mkdir()], "'train.py' is no plain file"),
        (lambda w, train: [os.link(train, w / ".other")], "'train.py' is no plain file"),
        (lambda w, train: [train.unlink()], "'train.py' is gone"),
        (lambda w, train: [train.write_text("#" * 300_000)], "more than 200000 bytes"),
        (lambda w, train: [w.rename(w.with_name("gone")), w.symlink_to("/etc")], "the folder was replaced"),
        (
            lambda w, train: [
                (w / ".git").mkdir(),
                (w / ".aider").write_text("x"),
                (w / "__pycache__").symlink_to("/etc"),
            ],
            "",
        ),
    ],
)
def test_what_is_left_is_believed_in_nothing(tmp_path: Path, left: Callable[[Path, Path], object], why: str) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    left(folder, folder / "train.py")
    if not why:
        assert read_back(DIAL, folder) == {"train.py": TRAIN.encode()}
        return
    with pytest.raises(ValueError) as caught:
        read_back(DIAL, folder)
    assert why in str(caught.value) and "\n" not in str(caught.value)


@walls
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("edit('  # better')", "only seeds, timing, comments"),
        ("edit(' + 1.0'); pathlib.Path('evaluate.py').write_text('x')", "'evaluate.py' was left there"),
        ("os.rename('../work', '../gone'); os.symlink('/etc', '../work')", "the folder was replaced"),
        ("edit(' + 1.0'); sys.exit('no credit left')", "ended with status 1 (no credit left)"),
        ("edit(' + 1.0'); os.kill(os.getpid(), 9)", "was ended by signal 9"),
        (f"edit(' + 1.0  # {SECRET}')", "train.py would hold a key"),
    ],
)
def test_what_does_not_end_well_is_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    monkeypatch.setenv("OTHER_API_KEY", SECRET)
    assert why in refusal(tmp_path, script, monkeypatch)


@walls
def test_what_is_sealed_and_the_lab_are_not_there(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "journal.jsonl").write_text("{}")
    paths = [DIAL.root, DIAL.root / "evaluate.py", lab, lab / "journal.jsonl", Path.home() / ".ssh", "/proc/1/environ"]
    script = f"""
for path in {[str(path) for path in paths]!r}:
    try:
        print("SEEN", os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError as error:
        print("refused", error)
for path in ("/usr/x", "/etc/x", "/x", sys.prefix + "/x", {str(tmp_path / "coder.py")!r}):
    try:
        open(path, "w").write("x")
        print("WROTE", path)
    except OSError as error:
        print("refused", error)
import sklearn
print("LABELS", os.listdir(os.path.join(os.path.dirname(sklearn.__file__), "datasets", "data")))
print("user", os.getuid(), open("/proc/self/status").read().split("CapEff:")[1].split()[0])
edit(" + 1.0")
"""
    made = player(tmp_path, script, closed=(lab,))
    made.implement(idea(), DIAL.model_copy(update={"hide": ("sklearn:datasets/data",)}), Trial())
    told = said(tmp_path)
    assert "LABELS []" in told
    seen = [line for line in told.splitlines() if line.startswith("SEEN") and line != "SEEN []"]
    # The environment of process 1 in the box is bubblewrap's own, which was cleared.
    assert all("PYTHONHASHSEED" in line for line in seen) and "WROTE" not in told
    assert "user 65534 0000000000000000" in told


@walls
def test_limits_end_the_whole_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = time.monotonic()
    daemon = "edit(' + 1.0')\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(300)\ntime.sleep(300)"
    assert "no end within 0.02 minutes" in refusal(tmp_path, daemon, monkeypatch, minutes=0.02)
    flood = "edit(' + 1.0')\nwhile True: print('x' * 100_000)"
    assert "printed more than 8 MB" in refusal(tmp_path, flood, monkeypatch)
    assert len(said(tmp_path)) < 70_000
    fill = "open('.big', 'wb').truncate(10)\nn = 0\nwhile True:\n    n += 1; open(f'.big{n}', 'wb').write(b'x' * (8 << 20))"
    assert "wrote more than" in refusal(tmp_path, fill, monkeypatch)
    assert time.monotonic() - begun < 25


@walls
def test_a_daemon_does_not_outlive_its_program(tmp_path: Path) -> None:
    script = """
edit(" + 1.0")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.05)
            train.write_text("late")
    os._exit(0)
"""
    files, _ = player(tmp_path, script).implement(idea(), DIAL, Trial())
    assert b"+ 1.0" in files["train.py"]


@walls
def test_a_printed_key_is_blotted_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_API_KEY", SECRET)
    script = f"print({SECRET!r}); print('y' * 70_000 + {SECRET!r} + 'z' * 65_520); edit(' + 1.0')"
    player(tmp_path, script).implement(idea(), DIAL, Trial())
    told = said(tmp_path)
    assert "zzz" in told and not any(SECRET[-n:] + "z" in told for n in range(8, len(SECRET) + 1))


@walls
def test_a_stop_ends_the_program(tmp_path: Path) -> None:
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 1:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        player(tmp_path, "time.sleep(300)", check=check).implement(idea(), DIAL, Trial())
    assert time.monotonic() - began < 15 and not (tmp_path / "scratch").exists()


@pytest.mark.parametrize("works", [False, True])
def test_without_bubblewrap_only_who_asks_for_plain_processes_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint, works: bool
) -> None:
    if not works:
        monkeypatch.setattr(box, "bubblewrap_works", lambda: ("", "bubblewrap is not installed"))
        for sandbox in ("auto", "landlock", "bubblewrap"):
            with pytest.raises(MachineryError, match="needs bubblewrap, and bubblewrap is not installed"):
                player(tmp_path, "", sandbox=sandbox).ready()
    script = f"{ASK}\nprint(ask(), sorted(os.environ)); edit(' + 1.0')"
    made = player(tmp_path, script, sandbox="process", url=endpoint.url)
    files, _ = made.implement(idea(), DIAL, Trial())
    assert b"+ 1.0" in files["train.py"] and endpoint.asked[0][2] == f"Bearer {SECRET}"
    assert SECRET not in said(tmp_path)


@pytest.mark.parametrize(
    ("role", "held", "why"),
    [
        ({"env": ("OPENAI_API_KEY",)}, {"OPENAI_API_KEY": "k"}, "which endpoint may 'coder' reach"),
        ({"env": ("OPENAI_BASE_URL",)}, {}, "which endpoint"),
        ({"env": ("A_BASE_URL", "B_BASE_URL")}, {"A_BASE_URL": "http://a", "B_BASE_URL": "http://b"}, "different"),
        ({"base_url": "ftp://x"}, {}, "no address"),
        ({"base_url": "https://me:secret@host/v1"}, {}, "a key does not belong"),
        ({"base_url": "https://host/v1", "env": ("OPENAI_API_KEY",)}, {}, "OPENAI_API_KEY is not set"),
    ],
)
def test_settings_that_cannot_be_meant(role: dict[str, object], held: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        coding_program(RoleSettings.model_validate({"command": ("coder",), **role}), held)


def test_what_a_program_is_given() -> None:
    role = RoleSettings(
        command=("/opt/coder", "-p"),
        model="some/model",
        env=("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "TERM", "UNSET"),
    )
    held = {
        "ANTHROPIC_BASE_URL": "https://api.example/x",
        "ANTHROPIC_AUTH_TOKEN": SECRET,
        "TERM": "dumb",
        "HOME": "/me",
    }
    made = coding_program(role, held)
    assert made.address == "https://api.example/x" and made.label == "coder with some/model"
    word = "sk-kept-outside-anthropic-auth-token"
    base = "http://127.0.0.1:9/x"
    assert made.environment(base) == {"TERM": "dumb", "ANTHROPIC_AUTH_TOKEN": word, "ANTHROPIC_BASE_URL": base}
    assert made.words() == {word: SECRET} and SECRET in made.secrets()


def test_the_lab_says_who_experiments(tmp_path: Path) -> None:
    from scientist._cast import Cast
    from scientist.progress import Silent

    def cast(text: str) -> Cast:
        lab = create_lab(tmp_path / "lab") if not (tmp_path / "lab").exists() else None
        root = tmp_path / "lab"
        (root / "scientist.toml").write_text(text)
        from scientist.lab import Lab

        del lab
        return Cast(Lab(root), Silent())

    command = f'sandbox = "process"\n[roles.experimenter]\ncommand = ["{sys.executable}", "-V"]\nmodel = "m"\n'
    one = cast(f'model = "ollama/other"\n{command}')
    assert (
        one.labels()["experimenter"] == f"{Path(sys.executable).name} with m"
        and one.labels()["writer"] == "ollama/other"
    )
    assert isinstance(one.experimenter("slug"), CliExperimenter) and one.model("experimenter") is None
    one.ready()
    assert isinstance(cast('model = "ollama/other"').experimenter("slug"), ModelExperimenter)
    with pytest.raises(UsageError, match="no program 'no-such-coder'"):
        cast('[roles.experimenter]\ncommand = ["no-such-coder"]').ready()
    with pytest.raises(UsageError, match="cannot be replayed"):
        cast(f'replay = "conversations"\n{command}').experimenter("slug")
    (tmp_path / "bad.toml").write_text('[roles.writer]\ncommand = ["coder"]')
    with pytest.raises(RecordError, match="writer cannot be played by a command"):
        load_settings(tmp_path / "bad.toml")


def test_a_program_is_shown_with_what_it_comes_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = tmp_path / "node_modules"
    (modules / "pack" / "node_modules" / "inner").mkdir(parents=True)
    (modules / ".bin").mkdir()
    script = modules / "pack" / "coder.js"
    script.write_text("#!/usr/bin/env tool\n")
    script.chmod(0o755)
    (modules / ".bin" / "coder").symlink_to(script)
    tool = tmp_path / "tools" / "tool"
    tool.parent.mkdir()
    tool.write_bytes(b"\x7fELF")
    tool.chmod(0o755)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "coder").symlink_to(modules / ".bin" / "coder")
    monkeypatch.setenv("PATH", f"{bin_folder}:{tool.parent}:/usr/bin:/bin")
    found = box.find_program("coder", (), [])
    assert found.path == str(bin_folder / "coder") and set(found.shown) == {modules, tool}
    assert found.links == {bin_folder / "coder": script} and str(tool.parent) in found.search
    # Never what holds the lab: then the file alone.
    assert set(box.find_program("coder", (), [modules / "lab"]).shown) == {script, tool}
    with pytest.raises(UsageError, match="holds the lab"):
        box.find_program("coder", (str(tmp_path),), [tmp_path / "lab"])
    with pytest.raises(UsageError, match="is not there"):
        box.find_program("coder", (str(tmp_path / "nothing"),), [])


def test_the_job_never_travels_as_an_argument(tmp_path: Path) -> None:
    """Arguments of processes can be read by everybody on a machine."""
    made = player(tmp_path, "", url="http://127.0.0.1:1/v1")
    assert SECRET not in json.dumps(made.program.environment("x")) and SECRET not in " ".join(made.program.command)
