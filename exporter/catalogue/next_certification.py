"""The next certification: its objectives, and whether the current run meets them."""

from __future__ import annotations

from exporter.catalogue.series import Series, Values, per_application
from exporter.model.results import ApplicationResult


def _objectives(result: ApplicationResult) -> Values:
    for criterion in result.next_certification:
        if not isinstance(criterion.objective, str):  # data_loss_tolerance is a word
            yield (criterion.metric,), criterion.objective


def _met(result: ApplicationResult) -> Values:
    for criterion in result.next_certification:
        if criterion.met is not None:
            yield (criterion.metric,), float(criterion.met)


SERIES: tuple[Series, ...] = (
    per_application(
        "pte_next_certification_objective",
        "Objective that the next certification has to reach or stay below, in the metric's base unit. Polled.",
        ("metric",),
        _objectives,
    ),
    per_application(
        "pte_next_certification_met",
        "1 when the current run meets the objective, 0 when not; absent when the metric was not observed. Polled.",
        ("metric",),
        _met,
    ),
)
