"""The next certification: what it has to show, and how the present run fares against that."""

from __future__ import annotations

from exporter.catalogue.series import Series, per_application

SERIES: tuple[Series, ...] = (
    per_application(
        "pte_next_certification_objective",
        "What the next certification has to reach or stay below, in the metric's base unit. Polled.",
        ("metric",),
        lambda result: [
            ((line.metric,), line.objective)
            for line in result.next_certification
            if not isinstance(line.objective, str)
        ],
    ),
    per_application(
        "pte_next_certification_met",
        "1 when the present run meets the objective, 0 when not; absent where nobody observed it. Polled.",
        ("metric",),
        lambda result: [
            ((line.metric,), None if line.met is None else float(line.met)) for line in result.next_certification
        ],
    ),
)
