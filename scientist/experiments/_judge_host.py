"""The process that holds the sealed evaluator. It never imports candidate code; every score is computed in a fresh fork.

Protocol: one JSON request per line on stdin, one JSON answer per line on stdout.

{"do": "describe", "knobs"}                                 -> {"value": {...}}
{"do": "prepare", "inputs", "knobs", "seed"}                -> {"value": {}}
{"do": "score", "splits", "batch": [{"outputs", "knobs", "seed"}]} -> {"value": [{"value": {split: {metric: number}}}]}
An unacceptable artefact answers {"invalid": "one line"} in its place, knobs that cannot be prepared {"impossible": "one line"}, a fault of the evaluator itself {"error": "one line"}.
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import pathlib
import resource
import select
import signal
import sys
import time
from types import ModuleType
from typing import Any

Answer = dict[str, Any]

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """A judge, or the fork that scores, must not outlive whom it works for. Not inherited by forks."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def load(path: pathlib.Path) -> ModuleType:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("evaluate", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def judge(evaluate: ModuleType, splits: list[str], one: Answer) -> Answer:
    """One artefact folder on every split; what is unacceptable about it is an answer, not a fault."""
    try:
        outputs = pathlib.Path(one["outputs"])
        return {"value": {split: evaluate.score(outputs, split, one["knobs"], one["seed"]) for split in splits}}
    except ValueError as error:
        return {"invalid": one_line(error).removeprefix("ValueError: ")}


def score(evaluate: ModuleType, request: Answer) -> Answer:
    """Score a batch in a fork with a time and memory limit of its own: artefacts are hostile."""
    wall = 60 + len(request["batch"])
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent()
            resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (wall, wall + 1))
            found: Answer = {"value": [judge(evaluate, request["splits"], one) for one in request["batch"]]}
        except BaseException as error:  # noqa: BLE001 - whatever the evaluator raises is told to the parent
            found = {"error": one_line(error)}
        with contextlib.suppress(BaseException), os.fdopen(write, "wb") as pipe:
            pipe.write(json.dumps(found).encode())
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
    return {"value": [died]} if len(request["batch"]) == 1 else {"error": "the evaluator died while scoring a batch"}


def answer(evaluate: ModuleType, request: Answer) -> Answer:
    try:
        if request["do"] == "score":
            return score(evaluate, request)
        if request["do"] == "describe":
            return {"value": evaluate.describe(request["knobs"])}
        evaluate.prepare(pathlib.Path(request["inputs"]), request["knobs"], request["seed"])
        return {"value": {}}
    except ValueError as error:
        return {"impossible": one_line(error).removeprefix("ValueError: ")}
    except Exception as error:  # noqa: BLE001 - whatever the evaluator raises is told to the parent
        return {"error": one_line(error)}


def main() -> None:
    die_with_parent()
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    evaluate = load(pathlib.Path(sys.argv[1]))
    answers.write(b'{"ready": true}\n')
    for line in iter(requests.readline, b""):
        answers.write(json.dumps(answer(evaluate, json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()
