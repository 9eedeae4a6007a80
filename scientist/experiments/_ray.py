"""Runs on a Ray cluster: the same study and the same facts, on as many machines as there are.

Every slot is an actor on some node (:class:`NodeSlot`); a run's folder goes there as a parcel over the object store and
comes back as one, so nodes need no shared disk, and hidden labels never leave this machine. A node that is lost costs its
runs one repetition elsewhere; a run that loses two nodes stops the study, because then it may be the run that does it.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from scientist.errors import MachineryError
from scientist.experiments._checkpoints import CHECKPOINT
from scientist.experiments._curves import CURVE_FILE, read_curve
from scientist.experiments._executor import GRACE_S, Ending, Limits, Watch
from scientist.experiments._parcel import NotPlain, ensure_plain, pack_all, unpack
from scientist.experiments._ray_cluster import DOCS, Cluster, last_line, needs
from scientist.experiments._ray_node import LEFT, NodeSlot, identity
from scientist.lab import remove_tree
from scientist.template import Template

START_S = 180.0
"""Within this time the cluster has to give every slot that its size promises."""

MOVE_S = 60.0
"""How long a slot that lost its node waits for a new place before it shares another slot's."""

TRANSFER_S = 150.0
"""Beyond its wall time a run has this long to travel, and for its worker to be replaced."""

WEAKER = {"bubblewrap": 0, "landlock": 1, "process": 2}
PING_S = 5.0
PEEK_S = 0.5
TICK_S = 0.25


class _NodeLost(Exception):
    """The machine of a run is gone, or nothing is heard of it."""


@dataclass(eq=False)
class _Seat:
    """An actor, where it lives, and the slots that use it: one, unless the others lost theirs."""

    actor: Any
    node: str = "unknown"
    sandbox: str = ""
    gaps: tuple[str, ...] = ()
    lost: bool = False
    slots: set[int] = field(default_factory=set)

    def run(self, method: str, *arguments: object) -> Any:
        """Call a method that waits for its turn: one run at a time."""
        return getattr(self.actor, method).options(concurrency_group="run").remote(*arguments)

    def talk(self, method: str, *arguments: object) -> Any:
        """Call a method that is answered while a run goes on."""
        return getattr(self.actor, method).options(concurrency_group="talk").remote(*arguments)


class RayExecutor:
    """An :class:`Executor` on the Ray cluster at `address`, or on one of its own on this machine when that is empty.

    Connects when it is made, because its size is the cluster's: as many slots as fit, counted by the CPUs, GPUs and
    memory that the template's budget asks for per run, and at most `workers` unless that is 0. `lost` names a node for
    every run that lost its node so far. Raises :class:`UsageError` when Ray is not installed and :class:`MachineryError`
    when there is no such cluster, or no node of it is large enough.
    """

    name = "ray"
    checkpoint_every_s = 5.0
    """How often at most the checkpoint of a run that goes on is brought here, to continue from when its node is lost."""

    def __init__(self, template: Template, sandbox: str, scratch: Path, workers: int = 0, address: str = "") -> None:
        self.sandbox = "process" if sandbox == "process" else ""
        self.gaps: tuple[str, ...] = ()
        self.lost: list[str] = []
        self._budget = template.budget
        self._packages = template.packages
        gpus = template.budget.gpus > 0
        self._setup = (list(template.warm), list(template.hide), sandbox, gpus, list(template.packages))
        self._scratch = scratch.resolve()
        self._seats: list[_Seat] = []
        self._tickets = itertools.count(1)
        self._moving = threading.Lock()
        self._given_up = False
        self._cluster = Cluster(address, workers, template.budget)
        self._ray = self._cluster.ray
        room = self._cluster.room(self._budget)
        if room == 0:
            self._cluster.close()
            raise MachineryError(f"no node of the Ray cluster has room for a run ({needs(self._budget)})", DOCS)
        self.size = min(workers or room, room)

    # -- places on the cluster -----------------------------------------------------------------------------------

    def start(self) -> None:
        try:
            self._seats = [self._new_seat(slot) for slot in range(self.size)]
            openings = [seat.run("open") for seat in self._seats]
            ready, late = self._ray.wait(openings, num_returns=self.size, timeout=START_S)
            for seat, opening in zip(self._seats, openings, strict=True):
                if opening in ready:
                    self._take_in(seat, opening)
            if late:
                raise MachineryError(
                    f"the Ray cluster gave {len(ready)} of {self.size} places within {START_S:.0f} s",
                    f"wait until others have left it, or pass --workers {max(1, len(ready))}",
                )
            self._weakest()
        except BaseException:
            self.stop()
            raise

    def _new_seat(self, slot: int) -> _Seat:
        actor = self._ray.remote(concurrency_groups={"run": 1, "talk": 2})(NodeSlot)
        made = actor.options(
            num_cpus=self._budget.cpus,
            num_gpus=self._budget.gpus,
            memory=self._budget.memory_mb << 20,
            scheduling_strategy="SPREAD",
            max_restarts=0,
            max_task_retries=0,
        ).remote(*self._setup)
        return _Seat(made, slots={slot})

    def _take_in(self, seat: _Seat, opening: Any) -> None:
        """Take in what a node says of itself. Raises :class:`MachineryError` when it is not as this machine is."""
        try:
            answer: Mapping[str, Any] = self._ray.get(opening)
        except self._ray.exceptions.RayError as error:
            said, remedy = last_line(error), "install the same scientist on every node; see docs/clusters.md"
            raise MachineryError(f"a node cannot execute runs: {said}", remedy) from error
        where = (answer["host"], self._cluster.address_of(answer["node"]), answer["node"][:8])
        seat.node = " ".join(part for part in where if part)
        if "fault" in answer:
            raise MachineryError(f"node {seat.node}: {answer['fault']}", answer["remedy"])
        for what, here in identity(self._packages).items():
            there = answer["identity"].get(what, "none")
            if there != here:
                said = f"{what} differs: {there} on node {seat.node}, {here} on this machine"
                raise MachineryError(said, "install the same on every node; see docs/clusters.md")
        seat.sandbox, seat.gaps = answer["sandbox"], tuple(answer["gaps"])

    def _weakest(self) -> None:
        """What can be said of every run is what the weakest node covers."""
        weakest = max(self._seats, key=lambda seat: (WEAKER.get(seat.sandbox, 0), len(seat.gaps)))
        self.sandbox = weakest.sandbox
        self.gaps = tuple(dict.fromkeys(gap for seat in [weakest, *self._seats] for gap in seat.gaps))
        if self.sandbox == "process":
            self.gaps += ("the run could speak to the Ray cluster in the user's name",)

    def _move(self, slot: int, seat: _Seat) -> None:
        """Give a slot that lost its node another place: a new actor where there is room, else a share of a live one."""
        with self._moving:
            seat.lost = True
            seat.slots.discard(slot)
            self._kill(seat)  # whatever it still does, nobody waits for it any more
            others = [other for other in dict.fromkeys(self._seats) if not other.lost and self._answers(other)]
            place = self._another_seat(slot, len(others))
            if place is None and not others:
                raise MachineryError("no node of the Ray cluster is left", "mend it, then `scientist resume`")
            place = place or min(others, key=lambda other: len(other.slots))
            place.slots.add(slot)
            self._seats[slot] = place
            self._weakest()

    def _another_seat(self, slot: int, taken: int) -> _Seat | None:
        """A new actor, or None when nothing but what the other slots hold is left of the cluster."""
        deadline = time.monotonic() + MOVE_S
        # The dead node is counted, and given actors, until the cluster notices; then the room shrinks while we wait.
        while self._may_move(deadline, taken):
            seat = self._new_seat(slot)
            opening = seat.run("open")
            while self._may_move(deadline, taken):
                if self._ray.wait([opening], timeout=1.0)[0]:
                    if self._died(opening):
                        break
                    self._take_in(seat, opening)
                    return seat
            self._kill(seat)
            time.sleep(TICK_S)
        return None

    def _may_move(self, deadline: float, taken: int) -> bool:
        return not self._given_up and time.monotonic() < deadline and self._cluster.room(self._budget) > taken

    def _died(self, opening: Any) -> bool:
        """The actor went down with its node, or never came up there."""
        try:
            self._ray.get(opening)
        except self._ray.exceptions.RayActorError:
            return True
        except self._ray.exceptions.RayError:
            return False  # it lives, and has something to say
        return False

    def _answers(self, seat: _Seat) -> bool:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.get(seat.talk("ping"), timeout=PING_S)
            return True
        return False

    def _kill(self, seat: _Seat) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(seat.actor, no_restart=True)

    # -- runs ----------------------------------------------------------------------------------------------------

    def _place(self, slot: int) -> Path:
        return self._scratch / f"slot-{slot}"

    def folder(self, slot: int) -> Path:
        run = self._place(slot) / "run"
        remove_tree(self._place(slot))
        run.mkdir(parents=True)
        return run

    def execute(self, slot: int, argv: Sequence[str], limits: Limits, watch: Watch | None = None) -> Ending:
        lost: list[str] = []
        while True:
            seat = self._seats[slot]
            try:
                ending = self._attempt(seat, self._place(slot) / "run", argv, limits, watch)
                return replace(ending, node=f"{seat.node}, after {lost[0]} was lost" if lost else seat.node)
            except _NodeLost as loss:
                self._check_given_up()
                lost.append(seat.node)
                self.lost.append(seat.node)
                if len(lost) == 2:
                    raise MachineryError(
                        f"a run lost its node twice, on {lost[0]} and on {lost[1]} ({loss})",
                        "see whether the run or the cluster is at fault, then `scientist resume`",
                    ) from loss
                self._move(slot, seat)

    def _attempt(self, seat: _Seat, run: Path, argv: Sequence[str], limits: Limits, watch: Watch | None) -> Ending:
        """Send a run to a seat, follow it, and put what it left into its folder here."""
        errors = self._ray.exceptions
        keep_mb = limits.disk_mb if (run / CHECKPOINT).is_dir() else 0
        ticket, seen, next_peek = str(next(self._tickets)), 0, 0.0
        # Whoever shares a seat waits for its turn.
        deadline = time.monotonic() + (limits.wall_s + GRACE_S + TRANSFER_S) * max(1, len(seat.slots))
        try:
            parcel = self._ray.put(pack_all(run))
            work = seat.run("execute", ticket, list(argv), asdict(limits), parcel, self._budget.output_mb)
            while not self._ray.wait([work], timeout=TICK_S)[0]:
                self._check_given_up()
                if time.monotonic() > deadline:
                    raise _NodeLost("nothing was heard of it")
                if (watch is not None or keep_mb) and time.monotonic() > next_peek:
                    seen += self._peek(seat, run, ticket, seen, keep_mb, watch)
                    next_peek = time.monotonic() + PEEK_S
            answer = self._ray.get(work, timeout=TRANSFER_S)
        except NotPlain as error:
            raise MachineryError(f"the run cannot be sent to another machine: {error}", DOCS) from error
        except errors.RayTaskError as error:
            self._check_given_up()
            raise MachineryError(f"node {seat.node}: {last_line(error)}", DOCS) from error
        except errors.RayError as error:
            raise _NodeLost(type(error).__name__) from error
        self._check_given_up()
        if "fault" in answer:
            raise MachineryError(f"node {seat.node}: {answer['fault']}", answer["remedy"])
        try:
            unpack(answer["parcel"], run, LEFT)
        except ValueError as error:
            raise MachineryError(f"node {seat.node} sent a damaged parcel: {error}", DOCS) from error
        if watch is not None and (rest := read_curve(run / CURVE_FILE)[seen:]):
            watch(rest)
        return Ending(**answer["ending"])

    def _peek(self, seat: _Seat, run: Path, ticket: str, seen: int, keep_mb: int, watch: Watch | None) -> int:
        """Fetch what is new of a run that goes on; returns the number of new points of its curve."""
        answer = self._ray.get(seat.talk("peek", ticket, seen, keep_mb, self.checkpoint_every_s), timeout=TRANSFER_S)
        if answer["checkpoint"] is not None:
            fresh = run.with_name("fresh")
            remove_tree(fresh)
            fresh.mkdir()
            with contextlib.suppress(ValueError):
                ensure_plain(answer["checkpoint"])  # a part of one would be worse than none
                unpack(answer["checkpoint"], fresh, (CHECKPOINT,))
            if (fresh / CHECKPOINT).is_dir():
                remove_tree(run / CHECKPOINT)
                (fresh / CHECKPOINT).rename(run / CHECKPOINT)
            remove_tree(fresh)
        if watch is not None and answer["points"]:
            watch(answer["points"])
        return len(answer["points"])

    # -- the end -------------------------------------------------------------------------------------------------

    def _check_given_up(self) -> None:
        if self._given_up:
            raise MachineryError("the run was given up", "`scientist resume` does it again")

    def interrupt(self) -> None:
        self._given_up = True
        for seat in dict.fromkeys(self._seats):
            with contextlib.suppress(self._ray.exceptions.RayError):
                seat.talk("close")

    def stop(self) -> None:
        seats, self._seats = list(dict.fromkeys(self._seats)), []
        if seats:
            # First in good order, so that nothing is left on the nodes; then whatever did not answer.
            closing = [seat.talk("close") for seat in seats if not seat.lost]
            if closing:
                self._ray.wait(closing, num_returns=len(closing), timeout=PING_S)
            for seat in seats:
                self._kill(seat)
        self._cluster.close()
