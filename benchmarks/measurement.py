"""What a benchmark gives back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One claim with its figure; `bound` is what the project promises, and `holds` whether this run kept it."""

    claim: str
    figure: str
    bound: str
    holds: bool
