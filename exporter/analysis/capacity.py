"""Capacity: CPU per request, comparable across machines and loads. docs/method.md, section "Capacity"."""

from __future__ import annotations

from exporter.analysis.arithmetic import divide, peak
from exporter.model.observation import ApplicationObservation
from exporter.model.results import Capacity


def capacity(production: ApplicationObservation | None, pte: ApplicationObservation | None) -> Capacity:
    """CPU utilisation ratio at peak per request/s at peak, of each side that gave both, and PTE / production."""
    found = {
        role: cost
        for role, seen in (("production", production), ("pte", pte))
        if (cost := divide(peak(seen, "cpu"), peak(seen, "request_rate"))) is not None
    }
    return Capacity(found, divide(found.get("pte"), found.get("production")))
