"""Hard caps on money, tokens, calls and time, for a paper and for a campaign, enforced in one place; and the ledger.

A call is let through only if what it may cost at most still fits under every cap. What it did cost is appended to
`calls.jsonl`, one line per call, and the sums are made from there: a campaign that continues goes on counting where it
was stopped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from scientist.lab import Caps, Record
from scientist.lab._files import disk_error
from scientist.llm._errors import BudgetReached
from scientist.llm._records import LedgerRow, TokenUse

Price = Callable[[str, TokenUse], float | None]
"""US dollars for a use of tokens by a model; None when nobody knows."""


class Spent(Record):
    """Sums over calls. `unpriced` is the number of calls whose price nobody knows."""

    dollars: float = 0.0
    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    unpriced: int = 0

    def plus(self, row: LedgerRow) -> Spent:
        return Spent(
            dollars=self.dollars + (row.price or 0.0),
            tokens=self.tokens + row.tokens_in + row.tokens_out,
            calls=self.calls + 1,
            seconds=self.seconds + row.seconds,
            unpriced=self.unpriced + (row.price is None),
        )


class Ledger:
    """Rows of calls in a JSON-lines file; a line that a crash cut short is dropped. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def rows(self) -> Iterator[LedgerRow]:
        """Every call, oldest first."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                yield LedgerRow.model_validate_json(line)
            except ValidationError:
                continue

    def append(self, row: LedgerRow) -> None:
        """Add a row, on disk before this returns."""
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                whole = not self.path.exists() or not (raw := self.path.read_bytes()) or raw.endswith(b"\n")
                with self.path.open("ab") as file:
                    file.write((b"" if whole else b"\n") + row.model_dump_json().encode() + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise disk_error(error, self.path) from error


class Budget:
    """Caps, held against a ledger. Thread-safe: calls in flight count with the most they may cost."""

    def __init__(
        self, ledger: Ledger, campaign: Caps | None = None, paper: Caps | None = None, price: Price | None = None
    ) -> None:
        self.ledger = ledger
        self.price: Price = price or known_price
        self._caps = {"campaign": campaign or Caps(), "paper": paper or Caps()}
        self._lock = threading.Lock()
        self._reserved: list[tuple[str, Spent]] = []
        self._campaign, self._papers = Spent(), dict[str, Spent]()
        for row in ledger.rows():
            self._count(row)

    def _count(self, row: LedgerRow) -> None:
        self._campaign = self._campaign.plus(row)
        self._papers[row.paper] = self._papers.get(row.paper, Spent()).plus(row)

    def spent(self, paper: str | None = None) -> Spent:
        """What calls have cost: all of them, or those for one paper."""
        return self._campaign if paper is None else self._papers.get(paper, Spent())

    @contextmanager
    def call(
        self, paper: str, model: str, most: TokenUse, price: float | None
    ) -> Iterator[Callable[[LedgerRow], None]]:
        """Around one call that may use `most` and cost `price`; yields what books its row.

        Raises :class:`BudgetReached` instead when that could pass a cap.
        """
        wanted = Spent(dollars=price or 0.0, tokens=most.total, calls=1, unpriced=price is None)
        entry = (paper, wanted)
        with self._lock:
            self._check("campaign", self._campaign, [one for _, one in self._reserved], wanted, model)
            mine = [one for owner, one in self._reserved if owner == paper]
            self._check("paper", self.spent(paper), mine, wanted, model)
            self._reserved.append(entry)

        def book(row: LedgerRow) -> None:
            with self._lock:
                self._count(row)
            self.ledger.append(row)

        try:
            yield book
        finally:
            with self._lock:
                self._reserved.remove(entry)

    def _check(self, whose: str, spent: Spent, flying: list[Spent], wanted: Spent, model: str) -> None:
        caps = self._caps[whose]
        if caps.dollars is not None and wanted.unpriced:
            raise BudgetReached(
                f"nobody knows the price of '{model}', so a cap on money cannot be kept",
                f"cap tokens or calls of a {whose} instead",
            )
        for name in ("dollars", "tokens", "calls", "seconds"):
            cap = getattr(caps, name)
            if cap is None:
                continue
            used, asked = getattr(spent, name), sum(getattr(one, name) for one in (*flying, wanted))
            if used + asked > cap or (name == "seconds" and used >= cap):
                raise BudgetReached(
                    f"the budget of the {whose} is used up: {_amount(name, used)} of {_amount(name, cap)} spent, "
                    f"and the next call may take {_amount(name, asked)}",
                    f"raise it and go on: `scientist resume --budget {name}={_more(name, used + asked, cap)}`",
                )


def _amount(name: str, value: float) -> str:
    return {"dollars": f"${value:.4g}", "seconds": f"{value:.0f} s"}.get(name, f"{value:,.0f} {name}")


def _more(name: str, least: float, cap: float) -> str:
    wanted = max(2 * cap, 1.25 * least)
    return f"{wanted:.2f}" if name == "dollars" else f"{wanted:.0f}"


def known_price(model: str, use: TokenUse) -> float | None:
    """US dollars by the tables of `genai-prices`, which its makers keep; None for a model that is not in them."""
    from genai_prices import Usage, calc_price

    provider, _, name = model.partition("/")
    if not name:
        provider, name = "", model
    usage = Usage(input_tokens=use.tokens_in, cache_read_tokens=use.cached, output_tokens=use.tokens_out)
    try:
        return float(calc_price(usage, model_ref=name, provider_id=provider or None).total_price)
    except (LookupError, ValueError):
        return None
