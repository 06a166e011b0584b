"""Objectives in a test run: would the run have met production's objectives?"""

from __future__ import annotations

from collections.abc import Callable

from exporter.catalogue.series import ApplicationReader, Series, Values, per_application
from exporter.model.results import ApplicationResult, Objective


def _per_objective(read: Callable[[Objective], float | bool | None]) -> ApplicationReader:
    def rows(result: ApplicationResult) -> Values:
        for objective in result.objectives:
            yield (objective.name,), read(objective)

    return rows


_SLO = ("slo",)

SERIES: tuple[Series, ...] = (
    per_application(
        "pte_slo_objective_ratio",
        "Share of good requests that the SLO requires. Configured.",
        _SLO,
        _per_objective(lambda objective: objective.objective),
    ).as_input(),
    per_application(
        "pte_slo_run_error_ratio",
        "Bad requests / all requests of the test run, by the SLO. Polled.",
        _SLO,
        _per_objective(lambda objective: objective.run_error_ratio),
    ),
    per_application(
        "pte_slo_run_requests",
        "Requests of the test run in the SLO's scope. Polled.",
        _SLO,
        _per_objective(lambda objective: objective.run_requests),
    ).as_input(),
    per_application(
        "pte_slo_baseline_error_ratio",
        "Bad requests / all requests of production over the baseline, by the SLO. Polled.",
        _SLO,
        _per_objective(lambda objective: objective.baseline_error_ratio),
    ),
    per_application(
        "pte_slo_run_met",
        "1 when the test run would have met the SLO, 0 when not; absent without evidence. Polled.",
        _SLO,
        _per_objective(lambda objective: objective.met),
    ),
    per_application(
        "pte_slo_run_evidence",
        "1 when the test run has the SLO's events, and enough requests. Polled.",
        _SLO,
        _per_objective(lambda objective: objective.met is not None),
    ),
)
