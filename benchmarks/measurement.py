"""The result of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One claim with its figure; `bound` is the project's promise, and `holds` whether this run met it."""

    claim: str
    figure: str
    bound: str
    holds: bool
