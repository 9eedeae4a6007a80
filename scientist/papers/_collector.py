"""Gathers facts, each with the hash of the file that it stands in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist.lab import KnobValue, sha256_file
from scientist.papers._records import Fact


class Collector:
    """Gathers facts; each names the file it stands in, whose hash is taken once."""

    def __init__(self, paper: Path) -> None:
        self.paper = paper
        self.facts: list[Fact] = []
        self._hashes: dict[str, str] = {}

    def add(
        self,
        fact_id: str,
        value: KnobValue,
        text: str,
        title: str,
        kind: str,
        file: str,
        pointer: str,
        *,
        unit: str = "",
        n: int | None = None,
        runs: Sequence[str] = (),
    ) -> None:
        if file not in self._hashes:
            self._hashes[file] = sha256_file(self.paper / file)
        self.facts.append(
            Fact.model_validate(
                {
                    "id": fact_id,
                    "value": value,
                    "text": text,
                    "unit": unit,
                    "kind": kind,
                    "title": title,
                    "n": n,
                    "runs": tuple(runs),
                    "file": file,
                    "pointer": pointer,
                    "sha256": self._hashes[file],
                }
            )
        )
