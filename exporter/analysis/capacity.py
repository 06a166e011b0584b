"""Capacity: CPU per request, comparable across machines and loads. docs/explanation/method.md, section "Capacity"."""

from __future__ import annotations

from exporter.analysis.arithmetic import divide, peak
from exporter.model.observation import ApplicationObservation
from exporter.model.results import Capacity


def capacity(production: ApplicationObservation | None, pte: ApplicationObservation | None) -> Capacity:
    """CPU utilisation ratio at peak per request/s at peak, of each side that gave both, and PTE / production."""
    costs = {}
    for role, observation in (("production", production), ("pte", pte)):
        cost = divide(peak(observation, "cpu"), peak(observation, "request_rate"))
        if cost is not None:
            costs[role] = cost
    return Capacity(costs, divide(costs.get("pte"), costs.get("production")))
