"""Load coverage: did the test reach production's load, and for how long?"""

from __future__ import annotations

from exporter.catalogue.series import Series, evidence, scalar

SERIES: tuple[Series, ...] = (
    scalar(
        "pte_load_coverage_peak_ratio",
        "The test's peak / production's peak. Polled.",
        lambda result: result.load.peak_ratio,
    ),
    scalar(
        "pte_load_coverage_peak_percentile_ratio",
        "Fraction of production's minutes with a request rate that the test's peak reached. Polled.",
        lambda result: result.load.peak_percentile,
    ),
    scalar(
        "pte_load_coverage_sustained_requests_per_second",
        "Highest request rate that the test sustained for the configured time. Polled.",
        lambda result: result.load.sustained_rate,
    ),
    scalar(
        "pte_load_coverage_sustained_percentile_ratio",
        "Fraction of production's minutes with a request rate that the test's sustained rate reached. Polled.",
        lambda result: result.load.sustained_percentile,
    ),
    scalar(
        "pte_load_coverage_above_p95_seconds",
        "Time that the test spent at or above production's P95 request rate. Polled.",
        lambda result: result.load.above_p95_seconds,
    ),
    evidence(
        "pte_load_coverage_evidence",
        "1 when both sides have a request rate by minutes. Polled.",
        lambda result: result.load.peak_ratio,
    ),
)
