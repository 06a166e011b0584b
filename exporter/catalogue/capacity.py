"""Capacity: CPU per request, which can be compared across machines and loads better than latency."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.series import Row, Series, evidence, scalar
from exporter.model.results import Snapshot


def _per_request(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for role, value in result.capacity.cpu_per_request.items():
            yield (application, snapshot.sides[role]), value


SERIES: tuple[Series, ...] = (
    Series(
        "pte_capacity_cpu_per_request",
        "CPU utilisation ratio at peak / requests per second at peak. Polled.",
        ("application", "side"),
        _per_request,
    ).as_input(),
    scalar(
        "pte_capacity_cpu_per_request_ratio",
        "CPU per request in the PTE / in production. Polled.",
        lambda result: result.capacity.ratio,
    ),
    evidence(
        "pte_capacity_evidence",
        "1 when both sides gave CPU and request rate. Polled.",
        lambda result: result.capacity.ratio,
    ),
)
