"""Any coding program as Experimenter: it gets the task on stdin, edits a working copy in a box, and is believed in nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from scientist.errors import StudyError, UsageError
from scientist.experiments._code import check_code, diff_of
from scientist.experiments._coding_box import (
    DISK_MB,
    LOG_MB,
    MEMORY_MB,
    PROCESSES,
    Session,
    choose_box,
    find_program,
    run_program,
)
from scientist.experiments._ending import CUT
from scientist.experiments._executor import Ending
from scientist.experiments._experimenter import REFUSED, TRIES, VARIANT, CodeTry, TryOut
from scientist.experiments._relay import Relay
from scientist.experiments._relay_calls import CallMeter
from scientist.experiments._working_copy import lay_out, read_back
from scientist.ideas._idea import Idea, Modification
from scientist.lab import RoleSettings, remove_tree, write_atomic
from scientist.llm import ModelUnavailable, data, render, secrets_in
from scientist.template import Template

SHORTEST_SECRET = 8
BLOT = "[key]"

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_KEYS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_ADDRESSES = ("BASE_URL", "API_BASE", "_ENDPOINT", "_HOST")


@dataclass(frozen=True)
class CodingProgram:
    """A command and what it is given, from `[roles.experimenter]`.

    `address` is the endpoint that it may reach ('' for none). `keys` are what variables that hold keys hold: they stay
    outside, in the place of each the program gets a word that the relay exchanges. `plain` variables are handed on.
    """

    command: tuple[str, ...]
    model: str = ""
    address: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    plain: Mapping[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    minutes: float = 15.0

    @property
    def here(self) -> bool:
        """Whether its endpoint is on this machine; what it is asked costs no money."""
        return urlsplit(self.address).hostname in LOOPBACK

    @property
    def label(self) -> str:
        """How papers call it: the program, and the model where the settings say which."""
        name = Path(self.command[0]).name
        return f"{name} with {self.model}" if self.model else name

    def environment(self, base: str) -> dict[str, str]:
        """The variables of `env` as the program sees them, with the endpoint at `base`."""
        return {**self.plain, **{name: word_for(name) for name in self.keys}, **dict.fromkeys(self.bases, base)}

    def words(self) -> dict[str, str]:
        """word -> the key that it stands for."""
        return {word_for(name): key for name, key in self.keys.items() if key}

    def secrets(self) -> list[str]:
        """What must not be written anywhere: these keys, and every other one that is in use here."""
        own = {key for key in self.keys.values() if len(key) >= SHORTEST_SECRET}
        return sorted(own | set(secrets_in()), key=len, reverse=True)


def word_for(name: str) -> str:
    """What stands inside for the key in a variable; it begins as keys often do, and says what it is."""
    return f"sk-kept-outside-{name.lower().replace('_', '-')}"


def coding_program(role: RoleSettings, environment: Mapping[str, str] = os.environ) -> CodingProgram:
    """The coding program that a role's settings mean.

    The endpoint is `base_url`, else what an address variable in `env` holds. Raises :class:`UsageError` when there are
    several, or keys and no endpoint, or one that is no address, or a key is not set.
    """
    held = {name: environment.get(name, "").strip() for name in role.env}
    bases = tuple(name for name in role.env if name.upper().endswith(_ADDRESSES))
    keys = {name: held[name] for name in role.env if name.upper().endswith(_KEYS)}
    plain = {name: value for name, value in held.items() if value and name not in keys and name not in bases}
    where = "of [roles.experimenter]"
    addresses = [role.base_url] if role.base_url else sorted({held[name] for name in bases if held[name]})
    if len(addresses) > 1:
        raise UsageError(f"{' and '.join(bases)} hold different addresses", f"set 'base_url' {where} to one of them")
    if not addresses and (keys or bases):
        raise UsageError(f"which endpoint may '{role.command[0]}' reach?", f"set 'base_url' {where}")
    address = addresses[0] if addresses else ""
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UsageError(f"'{address}' is no address of an endpoint", f"write 'base_url' {where} as https://HOST/PATH")
    if parts.username or parts.password:
        raise UsageError("a key does not belong in an address", f"name its variable in 'env' {where}")
    here = parts.hostname in LOOPBACK
    if missing := [name for name, key in keys.items() if not key and not here]:
        raise UsageError(f"{missing[0]} is not set", f"set it in the environment, or take it from 'env' {where}")
    return CodingProgram(role.command, role.model, address, keys, plain, bases, role.show, role.minutes)


@dataclass(frozen=True)
class CliExperimenter:
    """Runs a coding program in a box, reads what it left as hostile, tries it with one run, and tells it what went wrong.

    `variants` is where the tries of the paper are kept, `sandbox` what the lab says, `closed` what the program must not
    see although something around it is shown (the lab), `check` raises to stop, `note` tells whoever watches, `meter` counts
    what the program asks and holds it under the caps.
    """

    program: CodingProgram
    sandbox: str
    scratch: Path
    variants: Path
    closed: Sequence[Path] = ()
    check: Callable[[], None] = lambda: None
    note: Callable[[str], None] = lambda _: None
    meter: CallMeter | None = None

    @property
    def name(self) -> str:
        """How the program is called."""
        return self.program.label

    def ready(self) -> None:
        """Raises when the program is not there (:class:`UsageError`), or cannot be boxed (:class:`MachineryError`)."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        found = find_program(self.program.command[0], self.program.show, self.closed)
        choose_box(self.sandbox, found, (), self.closed, self.scratch)

    def implement(
        self, idea: Idea, template: Template, try_out: TryOut
    ) -> tuple[dict[str, bytes], tuple[CodeTry, ...]]:
        """See :class:`Experimenter`. What it printed is kept with each try, keys blotted out.

        Raises :class:`ModelUnavailable` when its endpoint gave it nothing at all, :class:`BudgetReached` when what it asked
        could have passed a cap.
        """
        assert isinstance(idea.design, Modification)
        tries: list[CodeTry] = []
        failed: dict[str, bytes] = {}
        change = data("change", f"{idea.design.name}\n{idea.design.change}")
        may, log = ", ".join(template.editable), ""
        while len(tries) < TRIES:
            number = len(tries) + 1
            if not tries:
                task = render("implement_cli", change=change, may=may)
            else:
                ended = data("ended", f"{tries[-1].status}: {tries[-1].reason}\n{log}")
                state = "They hold that attempt." if failed else "They are as they were before it."
                task = render("mend_cli", change=change, may=may, ended=ended, state=state)
            self.note(f"{idea.slug}: {self.name} works on the code, try {number}")
            try:
                failed = check_code(template, self._once(template, task, failed, number))
            except ValueError as error:
                failed, log = {}, ""
                tries.append(CodeTry(number=number, status="refused", reason=str(error), diff=""))
                write_atomic(self._kept(number) / REFUSED, f"{error}\n")
                continue
            status, reason, log = try_out(failed)
            tries.append(CodeTry(number=number, status=status, reason=reason, diff=diff_of(template, failed)))
            if status == "ok":
                return failed, tuple(tries)
        raise StudyError(
            f"'{idea.slug}': {len(tries)} changes were tried and none ran ({tries[-1].reason})",
            f"mend the idea, or see transcript.txt in {self._kept(len(tries))}",
        )

    def _kept(self, number: int) -> Path:
        return self.variants / VARIANT / "tries" / str(number)

    def _once(self, template: Template, task: str, instead: Mapping[str, bytes], number: int) -> dict[str, bytes]:
        """The editable files after the program worked on them once. Raises :class:`ValueError` when they are not taken."""
        program = self.program
        remove_tree(self.scratch)
        self.scratch.mkdir(parents=True)
        relay = Relay(program.address, program.words(), self.meter) if program.address else None
        closed = [*self.closed, template.root]
        found = find_program(program.command[0], program.show, closed)
        box = choose_box(self.sandbox, found, template.hide, closed, self.scratch)

        before: dict[str, bytes] = {}

        def check() -> None:
            self.check()
            if relay is not None and relay.stopped is not None:
                raise relay.stopped

        def prepare(folder: Path) -> str:
            lay_out(template, folder, instead)
            before.update(read_back(template, folder))
            return task

        def job(folder: str, file: str, home: str, base: str) -> tuple[list[str], dict[str, str]]:
            said = {"{task_file}": file, "{folder}": folder, "{base_url}": base}
            argv = [found.path]
            for word in program.command[1:]:
                for name, value in said.items():
                    word = word.replace(name, value)
                argv.append(word)
            path = os.pathsep.join([*found.search, "/usr/local/bin", "/usr/bin", "/bin"])
            return argv, {**program.environment(base), "PATH": path, "LANG": "C.UTF-8", "HOME": home}

        try:
            with run_program(box, self.scratch, program.minutes, prepare, job, relay, check) as session:
                check()
                why = _why_not(session.ending, program.minutes)
                self._keep(session, task, number, relay, why)
                if why:
                    last = [line for line in blot(session.printed, program.secrets()).splitlines() if line.strip()][-1:]
                    why += f" ({_line(last[0])})" if last else ""
                    files = {}
                else:
                    files = read_back(template, session.work)
                if relay is not None and relay.out and (why or files == before):
                    remedy = "`scientist resume` goes on when it does"
                    raise ModelUnavailable(
                        f"'{program.label}' got nothing from {program.address}: {relay.last}", remedy
                    )
                if why:
                    raise ValueError(why)
                for name, content in files.items():
                    if any(secret.encode() in content for secret in program.secrets()):
                        raise ValueError(f"{name} would hold a key")
                return files
        finally:
            remove_tree(self.scratch)

    def _keep(self, session: Session, task: str, number: int, relay: Relay | None, why: str) -> None:
        here, secrets = self._kept(number), self.program.secrets()
        sent = f"{relay.requests} requests sent on, {relay.refused} refused" if relay else "no network"
        ended = f"{why or 'ended well'}, after {session.ending.wall_s:.1f} s; {sent}"
        head = f"{self.program.label}\n{' '.join(self.program.command)}\n{ended}\n\n"
        write_atomic(here / "task.md", blot(task, secrets))
        write_atomic(here / "transcript.txt", blot(head, secrets) + blot(session.printed, secrets))


def _why_not(ending: Ending, minutes: float) -> str:
    """Why what a program left is not looked at; empty when it ended well."""
    limits = {
        "wall": f"no end within {minutes:g} minutes",
        "cpu": "used too much CPU time",
        "memory": f"used more than {MEMORY_MB} MB of memory",
        "processes": f"started more than {PROCESSES} processes and threads",
        "disk": f"wrote more than {DISK_MB} MB, or too many files",
        "log": f"printed more than {LOG_MB} MB",
        "killed": "took its box down",
        "signal": f"was ended by signal {ending.code}",
    }
    return limits.get(ending.kind) or (f"ended with status {ending.code}" if ending.code else "")


def blot(text: str, secrets: Sequence[str]) -> str:
    """`text` without secrets, without the rest of one where its beginning was cut, and without control characters."""
    mark = CUT if text.startswith(CUT) else ""
    clean = "".join(c for c in text.removeprefix(CUT) if c in "\t\n" or c.isprintable())
    for secret in secrets:
        clean = clean.replace(secret, BLOT)
        for length in range(len(secret) - 1, SHORTEST_SECRET - 1, -1):
            if clean.startswith(secret[-length:]):
                clean = BLOT + clean[length:]
    return mark + clean


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
