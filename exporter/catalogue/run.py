"""The test run that the certification rests on."""

from __future__ import annotations

from exporter.catalogue.series import Series, evidence, per_application, scalar
from exporter.model.results import ApplicationResult

PHASES = ("ramp_up", "steady_state", "spike")


def _phases(result: ApplicationResult) -> list[tuple[tuple[str, ...], float | None]]:
    if result.run is None:
        return []
    return [((kind,), sum(p.window.duration for p in result.run.phases if p.kind == kind)) for kind in PHASES]


SERIES: tuple[Series, ...] = (
    evidence("pte_test_run_evidence", "1 when a test run was found or configured. Polled.", lambda result: result.run),
    scalar(
        "pte_test_run_start_timestamp_seconds",
        "When the test run began. Polled.",
        lambda result: result.run.window.start if result.run else None,
    ),
    scalar(
        "pte_test_run_end_timestamp_seconds",
        "When the test run ended. Polled.",
        lambda result: result.run.window.end if result.run else None,
    ),
    scalar(
        "pte_test_run_duration_seconds",
        "How long the test run lasted. Polled.",
        lambda result: result.run.window.duration if result.run else None,
    ),
    scalar(
        "pte_test_run_age_seconds",
        "How long ago the test run ended, at the time of the poll. Polled.",
        lambda result: result.run_age,
    ),
    per_application(
        "pte_test_run_phase_seconds",
        "How long the test run spent in this phase. Polled.",
        ("phase",),
        _phases,
    ),
)
