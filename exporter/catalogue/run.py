"""The test run that the certification rests on."""

from __future__ import annotations

from collections.abc import Callable

from exporter.catalogue.series import Series, Values, evidence, per_application, scalar
from exporter.model.observation import Window
from exporter.model.results import ApplicationResult

PHASES = ("ramp_up", "steady_state", "spike")


def _phases(result: ApplicationResult) -> Values:
    if result.run is None:
        return []
    seconds = dict.fromkeys(PHASES, 0.0)
    for phase in result.run.phases:
        seconds[phase.kind] += phase.window.duration
    return [((kind,), duration) for kind, duration in seconds.items()]


def _of_window(read: Callable[[Window], float]) -> Callable[[ApplicationResult], float | None]:
    """Nothing without a test run."""
    return lambda result: read(result.run.window) if result.run else None


SERIES: tuple[Series, ...] = (
    evidence("pte_test_run_evidence", "1 when a test run was found or configured. Polled.", lambda result: result.run),
    scalar(
        "pte_test_run_start_timestamp_seconds",
        "Start of the test run. Polled.",
        _of_window(lambda window: window.start),
    ),
    scalar(
        "pte_test_run_end_timestamp_seconds",
        "End of the test run. Polled.",
        _of_window(lambda window: window.end),
    ),
    scalar(
        "pte_test_run_duration_seconds",
        "Duration of the test run. Polled.",
        _of_window(lambda window: window.duration),
    ),
    scalar(
        "pte_test_run_age_seconds",
        "Time since the end of the test run, at the time of the poll. Polled.",
        lambda result: result.run_age,
    ),
    per_application(
        "pte_test_run_phase_seconds",
        "Time that the test run spent in this phase. Polled.",
        ("phase",),
        _phases,
    ),
)
