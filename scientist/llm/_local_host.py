"""The child process that serves a model file: standard library and `xllamacpp` only, started by path, not imported.

Standard input brings one line of JSON, {"path", "context", "answer", "threads"}, and then stays open: when it ends, so does this
process, and the kernel kills it when its parent is killed. Standard output says the address in one line, or what failed.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> int:
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return 1  # it went before the kernel could be told
    wanted = json.loads(sys.stdin.readline())
    # Native code writes its complaints wherever it likes: what the parent reads is kept apart.
    said = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import xllamacpp

    p = xllamacpp.CommonParams()
    p.model.path = wanted["path"]
    p.hostnames, p.port = ["127.0.0.1"], 0
    p.n_ctx, p.n_predict, p.n_parallel = wanted["context"], wanted["answer"], 1
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = wanted["threads"]
    p.cpuparams.poll = p.cpuparams_batch.poll = 0  # threads that wait do not spin: the machine has other work
    p.n_gpu_layers, p.offline, p.verbosity = 0, True, 1
    p.cache_ram_mib = 0  # one question at a time: the slot's own cache is enough
    p.sampling.seed = 0
    # Whoever else is on this machine can ask it, and cannot see what was asked.
    p.endpoint_slots = p.endpoint_props = p.endpoint_metrics = p.ui = False
    p.cors_origins = ""
    try:
        server = xllamacpp.Server(p)
    except (RuntimeError, ValueError) as error:
        said.write(json.dumps({"failed": " ".join(str(error).split())[:300]}) + "\n")
        said.flush()
        return 1
    said.write(json.dumps({"address": server.listening_address}) + "\n")
    said.flush()
    while os.read(0, 4096):
        pass
    os._exit(0)  # there is nothing to save, and tearing threads down in order takes time


if __name__ == "__main__":
    sys.exit(main())
