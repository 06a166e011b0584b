"""Capacity: CPU per request, which compares better across machines and loads than latency."""

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
        "Peak CPU utilisation ratio / peak requests per second. Polled.",
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
        "1 when both sides have CPU and request rate. Polled.",
        lambda result: result.capacity.ratio,
    ),
)
