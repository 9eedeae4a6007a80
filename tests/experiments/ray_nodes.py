"""Ray nodes as a person starts them, two on one machine, in a network of their own: `ray start --block`, twice."""

from __future__ import annotations

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
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "5" * 64,
    # A node that was killed is noticed within seconds.
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
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


def loopback_up() -> None:
    """In a new network name space nothing is up, the loopback neither."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        up_and_running = struct.pack("16sh", b"lo", 0x1 | 0x40).ljust(40, b"\0")
        fcntl.ioctl(wire, 0x8914, up_and_running)  # SIOCSIFFLAGS


class Node:
    """One `ray start --block`, ended by its process id."""

    def __init__(self, place: Path, address: str, head: bool, cpus: int = 1) -> None:
        self.address = address
        own = ["--head", "--port", HEAD.rpartition(":")[2], "--include-dashboard", "false", "--temp-dir", str(place)]
        join = ["--address", HEAD]
        words = ["start", "--block", "--disable-usage-stats", "--num-cpus", str(cpus), "--node-ip-address", address]
        words += ["--object-store-memory", str(100 << 20), *(own if head else join)]
        (place / "node-tmp").mkdir(parents=True, exist_ok=True)
        with (place / f"node-{address}.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words],
                env={**os.environ, **ENVIRONMENT, "TMPDIR": str(place / "node-tmp")},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

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

    def kill(self) -> list[psutil.Process]:
        """Take the node away as a power cut does it: its raylet, at once. Returns what the node was running."""
        running = self.below("NodeSlot", "_worker_host")
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


def wait_until_listening(address: str, patience: float = 30) -> None:
    """Wait for a server."""
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + patience
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens at {address}"
            time.sleep(0.1)
