"""The words for what a comparison came to: of the PTE with production, and of a run with earlier ones."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["worse", "equal", "better", "no_evidence"]
"""The signal and the sign determine its meaning; see docs/explanation/method.md."""
VERDICTS: tuple[Verdict, ...] = ("worse", "equal", "better", "no_evidence")

Severity = Literal["none", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("none", "low", "medium", "high", "critical")
"""The published value is the position."""
