"""CORE: the first series to know, out of more than two hundred; docs/reference/metrics.md opens with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoreSeries:
    """A series that people use, and a query that shows how, unless its name alone is the query."""

    name: str
    query: str = ""


CORE: Mapping[str, tuple[CoreSeries, ...]] = {
    "Does the certification hold, and if not, why?": (
        CoreSeries("pte_certification_holds", "pte_certification_holds == 0"),
        CoreSeries("pte_certification_evidence", "pte_certification_evidence == 0"),
        CoreSeries("pte_certification_reason", "pte_certification_reason == 1"),
        CoreSeries("pte_test_run_end_timestamp_seconds", "time() - pte_test_run_end_timestamp_seconds"),
        CoreSeries("pte_growth_peak_ratio", "pte_growth_peak_ratio - 1"),
        CoreSeries("pte_growth_mix_total_variation_ratio"),
    ),
    "Did the test reach production's load?": (
        CoreSeries(
            "pte_load_coverage_peak_ratio",
            'pte_load_coverage_peak_ratio < on () group_left () pte_limit{limit="load_coverage_ratio"}',
        ),
        CoreSeries("pte_load_coverage_sustained_percentile_ratio"),
        CoreSeries("pte_load_coverage_above_p95_seconds", "pte_load_coverage_above_p95_seconds / 60"),
    ),
    "What is never tested?": (
        CoreSeries("pte_coverage_weighted_ratio"),
        CoreSeries("pte_coverage_ratio"),
        CoreSeries("pte_untested_endpoint_share_ratio", "topk(10, pte_untested_endpoint_share_ratio)"),
        CoreSeries("pte_mix_total_variation_ratio"),
    ),
    "Where does the PTE differ from production?": (
        CoreSeries("pte_gap_ratio"),
        CoreSeries("pte_gap_severity", "pte_gap_severity >= 3"),
        CoreSeries("pte_gap_verdict", 'pte_gap_verdict{verdict="worse"} == 1'),
        CoreSeries("pte_gap_input"),
        CoreSeries("pte_capacity_cpu_per_request_ratio"),
    ),
    "What is the test worth, and what must the next one show?": (
        CoreSeries("pte_efficacy_ratio"),
        CoreSeries("pte_slo_run_met", "pte_slo_run_met == 0"),
        CoreSeries("pte_next_certification_objective"),
        CoreSeries("pte_next_certification_met", "pte_next_certification_met == 0"),
    ),
    "What is normal?": (
        CoreSeries("pte_requests_per_second", 'pte_requests_per_second{side="production", stat="peak"}'),
        CoreSeries("pte_latency_seconds", 'pte_latency_seconds{stat="p95"}'),
        CoreSeries("pte_error_ratio", 'pte_error_ratio{stat="mean"}'),
        CoreSeries("pte_pattern_peak_requests_per_second"),
        CoreSeries("pte_pattern_peak_hour"),
        CoreSeries("pte_incidents_open", "sum by (application, side) (pte_incidents_open)"),
    ),
    "Is the newest load test's run OK?": (
        CoreSeries("pte_load_run_grade_level", "pte_load_run_grade_level < 3"),
        CoreSeries("pte_load_run_success_ratio"),
        CoreSeries("pte_load_run_latency_seconds", 'pte_load_run_latency_seconds{stat="p95"}'),
        CoreSeries("pte_load_run_change_severity", "pte_load_run_change_severity >= 2"),
        CoreSeries("pte_load_run_change_ratio", 'pte_load_run_change_ratio{against="baseline"}'),
        CoreSeries("pte_load_run_trend", 'pte_load_run_trend{direction="degrading"} == 1'),
    ),
    "Do the tests pass?": (
        CoreSeries("pte_test_execution_last_failure_ratio", "pte_test_execution_last_failure_ratio > 0"),
        CoreSeries("pte_test_execution_flaky_ratio"),
        CoreSeries(
            "pte_test_execution_last_timestamp_seconds", "time() - pte_test_execution_last_timestamp_seconds > 86400"
        ),
    ),
    "Can these numbers be trusted?": (
        CoreSeries("pte_source_up", "pte_source_up == 0"),
        CoreSeries("pte_source_last_success_timestamp_seconds", "time() - pte_source_last_success_timestamp_seconds"),
        CoreSeries("pte_source_check", "pte_source_check == 0"),
    ),
}
"""Question to series."""
