"""Endpoint coverage and traffic mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exporter.catalogue.series import Row, Series, Values, evidence, per_application, scalar
from exporter.model.results import ApplicationResult, Endpoint, Snapshot


def _by_side(stem: str) -> Callable[[Snapshot], Iterator[Row]]:
    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for application, result in snapshot.applications.items():
            for endpoint in result.coverage.endpoints:
                for role in ("production", "pte"):
                    value = getattr(endpoint, f"{role}_{stem}")
                    if value is not None:
                        yield (application, snapshot.sides[role], endpoint.method, endpoint.route), value

    return rows


def _other(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for role, share in result.coverage.other_share.items():
            yield (application, snapshot.sides[role]), share


def _key(endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.method, endpoint.route


def _heuristic(result: ApplicationResult) -> float | None:
    endpoints = result.coverage.endpoints
    if not endpoints:
        return None
    return float(sum(endpoint.heuristic for endpoint in endpoints))


def _only_pte(result: ApplicationResult) -> float | None:
    if result.coverage.tested_endpoints is None:
        return None
    return float(len(result.coverage.only_pte))


def _tested(result: ApplicationResult) -> Values:
    for endpoint in result.coverage.endpoints:
        if endpoint.tested is not None:
            yield _key(endpoint), float(endpoint.tested)


SERIES: tuple[Series, ...] = (
    scalar(
        "pte_coverage_ratio",
        "Tested endpoints / production's endpoints. Polled.",
        lambda result: result.coverage.ratio,
    ),
    scalar(
        "pte_coverage_weighted_ratio",
        "Share of production's requests that go to tested endpoints. Polled.",
        lambda result: result.coverage.weighted_ratio,
    ),
    scalar(
        "pte_coverage_production_endpoints",
        "Endpoints that production served in the window. Polled.",
        lambda result: result.coverage.production_endpoints,
    ).as_input(),
    scalar(
        "pte_coverage_tested_endpoints",
        "Production's endpoints that the test run exercised. Polled.",
        lambda result: result.coverage.tested_endpoints,
    ).as_input(),
    scalar(
        "pte_coverage_only_pte_endpoints",
        "Tested endpoints that production does not have. Polled.",
        _only_pte,
    ),
    scalar(
        "pte_coverage_heuristic_endpoints",
        "Endpoints whose route was guessed from raw paths. Polled.",
        _heuristic,
    ).as_input(),
    evidence(
        "pte_coverage_evidence",
        "1 when both sides have requests per route. Polled.",
        lambda result: result.coverage.ratio,
    ),
    per_application(
        "pte_untested_endpoint_share_ratio",
        "Share of production's requests to this endpoint, which the test run did not exercise. Polled.",
        ("method", "route"),
        lambda result: [(_key(endpoint), endpoint.production_share) for endpoint in result.coverage.untested],
    ),
    per_application(
        "pte_endpoint_tested",
        "1 when the test run exercised the endpoint, 0 when not. Polled.",
        ("method", "route"),
        _tested,
    ),
    Series(
        "pte_endpoint_requests",
        "Requests to the endpoint in the observed window. Polled.",
        ("application", "side", "method", "route"),
        _by_side("requests"),
    ).as_input(),
    Series(
        "pte_endpoint_share_ratio",
        "The endpoint's share of the side's requests. Polled.",
        ("application", "side", "method", "route"),
        _by_side("share"),
    ),
    Series(
        "pte_coverage_other_share_ratio",
        "Share of the side's requests that no listed endpoint covers: beyond the cap, or without a route. Polled.",
        ("application", "side"),
        _other,
    ).as_input(),
    scalar(
        "pte_mix_total_variation_ratio",
        "Total variation distance between both sides' endpoint shares, from 0 (identical) to 1 (disjoint). Polled.",
        lambda result: result.coverage.total_variation,
    ),
    scalar(
        "pte_mix_jensen_shannon_divergence",
        "Jensen-Shannon divergence between both sides' endpoint shares, 0..1 bit. Polled.",
        lambda result: result.coverage.jensen_shannon,
    ),
    evidence(
        "pte_mix_evidence",
        "1 when both sides have requests per route. Polled.",
        lambda result: result.coverage.total_variation,
    ),
)
