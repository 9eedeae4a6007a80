"""Ray nodes as a person starts them, two on one machine, in a network of their own: `ray start --block`, twice."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil

HEAD = "127.0.0.1:6399"
RUNNING = "sleep 3600"
"""In the command line of a run that hangs."""
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "5" * 64,
    "OPENAI_API_KEY": "sk-secret",  # somebody started a node from a shell that has one
    # A node that was killed refuses five calls in a row within seconds; one on a busy machine does not.
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "700",
    "RAY_health_check_timeout_ms": "6000",
    "RAY_health_check_failure_threshold": "5",
}


def own_network() -> list[str]:
    """A command that runs another in a network name space of its own; empty where that is not allowed."""
    for words in (["unshare", "-n"], ["unshare", "-Urn"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
        ):
            return words
    return []


def end_with_parent() -> None:
    """In a new process: it is asked to end when whoever started it is gone, however that came about."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def loopback_up() -> None:
    """In a new network name space nothing is up, the loopback neither; what this machine's name means is put there too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        up_and_running = struct.pack("16sh", b"lo", 0x1 | 0x40).ljust(40, b"\0")
        fcntl.ioctl(wire, 0x8914, up_and_running)  # SIOCSIFFLAGS
        with contextlib.suppress(OSError):
            address = socket.gethostbyname(socket.gethostname())
            if not address.startswith("127."):
                alias = struct.pack("16sHH4s", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address)).ljust(40, b"\0")
                fcntl.ioctl(wire, 0x8916, alias)  # SIOCSIFADDR


class Node:
    """One `ray start --block`, ended by its process id. It has no room for runs when it has no `cpus`."""

    def __init__(self, place: Path, address: str, head: bool, cpus: int) -> None:
        self.address = address
        self.log = place / f"node-{address}.log"
        own = ["--head", "--port", HEAD.rpartition(":")[2], "--include-dashboard", "false", "--temp-dir", str(place)]
        words = ["start", "--block", "--disable-usage-stats", "--num-cpus", str(cpus), "--node-ip-address", address]
        words += ["--object-store-memory", str(100 << 20), *(own if head else ["--address", HEAD])]
        self._command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words]
        self._env = {**os.environ, **ENVIRONMENT, "TMPDIR": str(place / "node-tmp")}
        (place / "node-tmp").mkdir(parents=True, exist_ok=True)
        for patience in (60, 60, 60):  # on a busy machine Ray gives up too soon
            self._start()
            if self._is_up(patience):
                return
            self.stop()
        raise AssertionError(self.log.read_text())

    def _start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self._command, env=self._env, stdout=log, stderr=log, start_new_session=True, preexec_fn=end_with_parent
            )

    def _is_up(self, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.process.poll() is None:
            if "Ray runtime started" in self.log.read_text():
                return True
            time.sleep(0.1)
        return False

    def below(self, *words: str) -> list[psutil.Process]:
        """Processes of this node whose command line holds one of these words."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if any(word in line for word in words):
                found.append(process)
        return found

    def ours(self) -> list[psutil.Process]:
        """What this node does for us: slots, their workers, and what runs in them."""
        return self.below("NodeSlot", "_worker_host", RUNNING)

    def kill(self) -> list[psutil.Process]:
        """Take the node away as a power cut does it: its raylet, at once. Returns what the node was running."""
        running = self.ours()
        for raylet in self.below("raylet/raylet"):
            raylet.kill()
        return running

    def stop(self) -> None:
        """End the node in good order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                for process in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
                    process.kill()
                self.process.wait()


def gone(processes: list[psutil.Process], patience: float = 15) -> list[str]:
    """Wait until these processes have ended; returns those that have not."""
    _, alive = psutil.wait_procs(processes, timeout=patience)
    return [f"{process.pid} {process.name()}" for process in alive if process.status() != psutil.STATUS_ZOMBIE]
