"""The usual causes of each reason for which a source cannot be read, the likeliest first."""

from __future__ import annotations

from exporter.model.checkup import Cause


def causes_of(reason: str) -> tuple[Cause, ...]:
    """Causes and remedies of a reason (exporter.errors.REASONS)."""
    return CAUSES.get(reason, ())


CAUSES: dict[str, tuple[Cause, ...]] = {}
