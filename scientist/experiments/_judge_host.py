"""The process that holds the sealed evaluator. It never imports candidate code; every score is computed in a fresh fork.

Started with one JSON argument: {"evaluator": path, "root", "sealed": {path below root: sha256}, "rules": whitelist of
outputs/ (see _artefacts.py), "metrics": [names], "reported": the code under test computes its own metrics}.

Protocol: one JSON request per line on stdin, one JSON answer per line on stdout.

{"do": "describe", "knobs"}                                 -> {"value": {...}}
{"do": "prepare", "inputs", "knobs", "seed"}                -> {"value": {}}
{"do": "score", "splits", "batch": [{"outputs", "knobs", "seed"}]} -> {"value": [{"value": {split: {metric: number}}}]}

An unacceptable artefact answers {"invalid": "one line"} in its place, knobs that cannot be prepared
{"impossible": "one line"}, a fault of the evaluator itself {"error": "one line"}.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import pathlib
import resource
import select
import signal
import sys
import sysconfig
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

Answer = dict[str, Any]

PR_SET_PDEATHSIG = 1
WALL_S = 60.0  # for a batch
MEMBER_S = 10.0  # and so much more for each of its members: on a busy machine a second of work takes many
LARGEST_INT = 1 << 53  # whole numbers up to here are floats too


class Fault(Exception):
    """The evaluator broke its contract. No ValueError: that would count as an unacceptable artefact."""


def die_with_parent() -> None:
    """A judge, or the fork that scores, must not outlive whom it works for. Not inherited by forks."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


# -- what may be imported ----------------------------------------------------------------------------------------------


class SealedLoader(SourceFileLoader):
    """Loads a file only if it is the one that was sealed, and from its source: a planted .pyc is never read."""

    def __init__(self, name: str, path: str, digest: str) -> None:
        super().__init__(name, path)
        self.digest = digest

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        if hashlib.sha256(source).hexdigest() != self.digest:
            raise ImportError(f"{self.path} is not what was sealed")
        code: CodeType = self.source_to_code(source, self.path)
        return code


class SealedFinder:
    """Modules beside the evaluator, if they are sealed. The template's folder is never on `sys.path`: it holds code
    that candidates replace, and a folder can be written to."""

    def __init__(self, root: str, sealed: dict[str, str]) -> None:
        self.root, self.sealed = root, sealed

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        below = name.replace(".", "/")
        for file in (f"{below}.py", f"{below}/__init__.py"):
            if file in self.sealed:
                whole = f"{self.root}/{file}"
                loader = SealedLoader(name, whole, self.sealed[file])
                # Sub-modules are looked for here as well, never in the folder.
                inner: list[str] | None = [] if file.endswith("__init__.py") else None
                return importlib.util.spec_from_file_location(
                    name, whole, loader=loader, submodule_search_locations=inner
                )
        return None


def keep_to_installed() -> None:
    """Take from `sys.path` all that is not part of the Python installation."""
    prefixes = [*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/usr/lib"]
    kept = [pathlib.Path(prefix).resolve() for prefix in prefixes]
    sys.path[:] = [
        entry for entry in sys.path if entry and any(pathlib.Path(entry).resolve().is_relative_to(k) for k in kept)
    ]
    sys.dont_write_bytecode = True


def load(name: str, path: pathlib.Path, digest: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path, loader=SealedLoader(name, str(path), digest))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


# -- what the evaluator may answer -------------------------------------------------------------------------------------


def plain_scores(found: object, metrics: list[str], reported: bool) -> dict[str, float]:
    """Scores as exact, finite floats, one for every metric. Raises Fault, or ValueError where the run reports them.

    Types are compared, not asked: a subclass may answer anything about itself.
    """
    refusal: type[Exception] = ValueError if reported else Fault
    if type(found) is not dict or any(type(key) is not str for key in found):
        raise Fault("score returned no dictionary of metrics")
    if (extra := sorted(set(found) - set(metrics))) and not reported:
        raise Fault(f"score returned '{extra[0][:80]}', which template.toml does not declare")
    scores = {}
    for metric in metrics:
        if metric not in found:
            raise refusal(f"no '{metric}' among the scores")
        value = found[metric]
        if type(value) is int and abs(value) <= LARGEST_INT:
            value = float(value)
        if type(value) is not float:
            raise refusal(f"'{metric}' is of the type {type(value).__name__}, not a float")
        if value - value != 0.0:
            raise refusal(f"'{metric}' is not finite")
        scores[metric] = value
    return scores


def plain_facts(found: object) -> dict[str, float | int | str]:
    """What describe returned, if it holds nothing but names, text and finite numbers."""
    if type(found) is not dict:
        raise Fault("describe returned no dictionary")
    for key, value in found.items():
        if type(key) is not str or not key.isidentifier():
            raise Fault(f"describe returned the key {ascii(key)[:80]}, which is no name")
        if type(value) not in (int, float, str) or (type(value) is float and value - value != 0.0):
            raise Fault(f"describe returned for '{key}' neither text nor a finite number")
    return found


# -- requests ----------------------------------------------------------------------------------------------------------


class Desk:
    """The evaluator, the whitelist and the names of the metrics."""

    def __init__(self, told: Answer) -> None:
        keep_to_installed()
        here = pathlib.Path(__file__)
        source = here.with_name("_artefacts.py")
        self.artefacts = load("_artefacts", source, hashlib.sha256(source.read_bytes()).hexdigest())
        self.rules, self.metrics, self.reported = told["rules"], told["metrics"], told["reported"]
        if any(rule["arrays"] for rule in self.rules["files"]):
            import numpy  # once here rather than in every fork
        evaluator, root = pathlib.Path(told["evaluator"]), told["root"]
        digest = told["sealed"].get(evaluator.name) if evaluator.parent == pathlib.Path(root) else None
        sys.meta_path.insert(0, SealedFinder(root, told["sealed"]))
        self.evaluate = load("evaluate", evaluator, digest or hashlib.sha256(evaluator.read_bytes()).hexdigest())
        if "numpy" in sys.modules:
            # What numpy imports only when it is first used: once here rather than in every fork.
            import numpy.fft
            import numpy.linalg
            import numpy.random  # noqa: F401

    def judge(self, splits: list[str], one: Answer) -> Answer:
        """One artefact folder on every split; what is unacceptable about it is an answer, not a fault."""
        try:
            outputs = pathlib.Path(one["outputs"])
            self.artefacts.check(outputs, self.rules)
            scores = {}
            for split in splits:
                found = self.evaluate.score(outputs, split, dict(one["knobs"]), one["seed"])
                scores[split] = plain_scores(found, self.metrics, self.reported)
            return {"value": scores}
        except ValueError as error:
            return {"invalid": one_line(error).removeprefix("ValueError: ")}

    def score(self, request: Answer) -> Answer:
        """Score a batch in a fork with limits of its own: artefacts are hostile."""
        wall = WALL_S + MEMBER_S * len(request["batch"])
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                die_with_parent()
                limit(wall)
                found: Answer = {"value": [self.judge(request["splits"], one) for one in request["batch"]]}
            except Fault as error:
                found = {"error": str(error)}
            except BaseException as error:  # noqa: BLE001 - whatever the evaluator raises is told to the parent
                found = {"error": one_line(error)}
            with contextlib.suppress(BaseException), os.fdopen(write, "wb") as pipe:
                pipe.write(json.dumps(found, allow_nan=False).encode())
            os._exit(0)
        os.close(write)
        data, deadline = b"", time.monotonic() + wall
        while True:
            ready, _, _ = select.select([read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(read, 65536) if ready else b""
            if not chunk:
                break
            data += chunk
        os.close(read)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with contextlib.suppress(json.JSONDecodeError):
            return dict(json.loads(data))
        died = {"invalid": "judging the artefacts took too long or too much memory"}
        return (
            {"value": [died]} if len(request["batch"]) == 1 else {"error": "the evaluator died while scoring a batch"}
        )

    def answer(self, request: Answer) -> Answer:
        try:
            if request["do"] == "score":
                return self.score(request)
            if request["do"] == "describe":
                return {"value": plain_facts(self.evaluate.describe(request["knobs"]))}
            self.evaluate.prepare(pathlib.Path(request["inputs"]), request["knobs"], request["seed"])
            return {"value": {}}
        except ValueError as error:
            return {"impossible": one_line(error).removeprefix("ValueError: ")}
        except Fault as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - whatever the evaluator raises is told to the parent
            return {"error": one_line(error)}


def limit(wall: float) -> None:
    """Limits of one scoring fork. Scoring writes nothing worth speaking of."""
    for what, most in (
        (resource.RLIMIT_AS, 4 << 30),
        (resource.RLIMIT_CPU, int(wall)),
        (resource.RLIMIT_FSIZE, 64 << 20),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))


def main() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    desk = Desk(json.loads(sys.argv[1]))
    answers.write(b'{"ready": true}\n')
    # Nobody reads what the evaluator prints from here on, and a full pipe would stop it.
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for line in iter(requests.readline, b""):
        answers.write(json.dumps(desk.answer(json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()
