"""Joining a Ray cluster, or starting one on this machine; and how many runs fit on it."""

from __future__ import annotations

import importlib
import logging
import math
import os
import secrets
import signal
import socket
import threading
from collections.abc import Mapping
from typing import Any

from scientist.errors import MachineryError, UsageError
from scientist.experiments._den import Den
from scientist.template import Budget

STORE_MB = 256
"""Object store of a Ray that we start; what does not fit spills to disk."""

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Nothing is sent to Ray's makers, and there is no warning of what will change in some later Ray."""

REACH_S = 5.0

SETTINGS = b"\x04"
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
"""How HTTP/2, which Ray speaks, begins (RFC 9113, section 3.4): a preface, and a frame of settings from either side."""

DOCS = "see docs/clusters.md"


class Cluster:
    """A connection to Ray. With an empty `address` a Ray of our own is started here and ended by :meth:`close`.

    Raises :class:`UsageError` when Ray is not installed and :class:`MachineryError` when there is no such cluster.
    """

    def __init__(self, address: str, workers: int, budget: Budget) -> None:
        if address.startswith("ray://"):
            raise UsageError(
                "Ray's client protocol is not supported", "work on a machine of the cluster, --address auto"
            )
        if not address:
            _guard()
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        try:
            self.ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise UsageError("the executor 'ray' needs Ray", "pip install 'scientist[ray]'") from error
        self._den: Den | None = None
        self._ours = not self.ray.is_initialized()  # whoever embeds us may have brought a cluster, and ends it
        if self._ours:
            ensure_reachable(address)
            self._connect(address, workers, budget)

    def _connect(self, address: str, workers: int, budget: Budget) -> None:
        options: dict[str, Any] = {"address": address}
        if not address:
            self._den = Den()
            options = {
                "address": "local",
                "num_cpus": max(1, math.ceil(workers * budget.cpus)) if workers else None,
                "include_dashboard": False,
                "object_store_memory": STORE_MB << 20,
                "_temp_dir": str(self._den.path),
            }
        # Ray prints on standard output what it sees of its nodes; that output is ours, and may be one JSON document.
        self.ray._private.worker.print_to_stdstream = lambda *_, **__: None
        main = threading.current_thread() is threading.main_thread()
        handler = signal.getsignal(signal.SIGTERM)
        try:
            self.ray.init(
                **options,
                namespace="scientist",
                log_to_driver=False,
                configure_logging=False,
                logging_level=logging.ERROR,
            )
        except (self.ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
            self.close()
            what = f"join the Ray cluster at '{address}'" if address else "start Ray on this machine"
            raise MachineryError(f"cannot {what}: {first_line(error)}", DOCS) from error
        except BaseException:
            self.close()
            raise
        finally:
            if main and handler is not None:
                signal.signal(signal.SIGTERM, handler)  # Ray puts its own in the place of ours

    def room(self, budget: Budget) -> int:
        """How many runs fit on the nodes that live, were nothing else on them."""
        return sum(room_on(node["Resources"], budget) for node in self.ray.nodes() if node["Alive"])

    def address_of(self, node: str) -> str:
        """The address of the node with this id."""
        return next((str(n["NodeManagerAddress"]) for n in self.ray.nodes() if n["NodeID"] == node), "")

    def close(self) -> None:
        """Leave the cluster, or end the one that we started. May be called twice."""
        if self._ours:
            self.ray.shutdown()
        if self._den is not None:
            self._den.remove()


def _guard() -> None:
    """A Ray that listens on all interfaces must not obey strangers; nothing is written to the user's home for that."""
    if os.environ.setdefault("RAY_AUTH_MODE", "token") == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def ensure_reachable(address: str) -> None:
    """Ray itself would try for ever. Raises :class:`UsageError` and :class:`MachineryError`."""
    if address in ("", "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "://" in address or int(port) > 65535:
        raise UsageError(f"'{address}' is no address of a Ray cluster", "write host:port or auto; " + DOCS)
    remedy = "`ray start --head` prints where it listens; " + DOCS
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S) as wire:
            wire.sendall(HELLO)
            said = wire.recv(9)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MachineryError(f"no Ray cluster answers at {address} ({reason})", remedy) from error
    if said[3:4] != SETTINGS:
        raise MachineryError(f"what listens at {address} is no Ray cluster", remedy)


def room_on(resources: Mapping[str, float], budget: Budget) -> int:
    """How many runs of this budget fit on a node with these resources ('CPU', 'GPU', 'memory' in bytes)."""
    wanted = {"CPU": budget.cpus, "GPU": budget.gpus, "memory": budget.memory_mb * float(1 << 20)}
    return min(math.floor(resources.get(name, 0.0) / need + 1e-9) for name, need in wanted.items() if need > 0)


def needs(budget: Budget) -> str:
    """What one run asks of a node, in words."""
    gpus = f", {budget.gpus:g} GPUs" if budget.gpus else ""
    return f"{budget.cpus:g} CPUs{gpus}, {budget.memory_mb} MB of memory"


def first_line(error: BaseException) -> str:
    """What an error of Ray's says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def last_line(error: BaseException) -> str:
    """The last line of an error of Ray's that carries a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
