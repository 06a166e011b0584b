"""Good and bad events of an objective, and whether a test run would have met it.

docs/explanation/method.md, section "Objectives in a test run".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exporter.analysis.arithmetic import divide, finite
from exporter.model.observation import ApplicationObservation, Events, Latency
from exporter.model.results import Objective
from exporter.model.slo_settings import SliSettings, SloSettings

_NARROW = 1.01
"""Upper / lower bound: a misjudged request inside such a bucket took within a percent of the threshold."""


@dataclass(frozen=True, slots=True)
class EventTotals:
    """All and bad events, as an SLI distinguishes them."""

    events: float
    bad: float


def events(observation: ApplicationObservation) -> Events:
    """What was served in the whole window of an observation: sums of its values over their steps, and its histogram."""
    rate = observation.signals.get("request_rate")
    mean = finite(rate.mean) if rate is not None else None
    if rate is None or mean is None:
        return Events(observation.window, None, None, observation.latency)

    covered = observation.window.duration
    if rate.samples is not None:  # only the time that its values cover, which may have holes
        covered = rate.samples * rate.resolution
    requests = mean * covered

    failed = observation.signals.get("error_ratio")
    ratio = finite(failed.mean) if failed is not None else None
    errors = None if ratio is None else ratio * requests
    return Events(observation.window, requests, errors, observation.latency)


def count_events(sli: SliSettings, served: Events) -> EventTotals | None:
    """All and bad events by the SLI; None where the source does not have them, as for hand-written queries."""
    if sli.events is None and served.requests == 0:
        return EventTotals(0.0, 0.0)
    if sli.errors is not None:
        return _totals(served.requests, served.errors)
    if sli.latency is not None and served.latency is not None:
        return _totals(served.latency.requests, _slower(served.latency, sli.latency.threshold))
    return None


def _totals(requests: float | None, bad: float | None) -> EventTotals | None:
    """Kept within 0..requests, which rounding alone leaves."""
    total = finite(requests)
    failed = finite(bad)
    if total is None or failed is None or total < 0:
        return None
    return EventTotals(total, min(max(failed, 0.0), total))


def _slower(latency: Latency, threshold: float) -> float | None:
    """Requests above the threshold in seconds; None unless a bucket ends there: inside, the count is unknown.

    Inside a bucket no wider than _NARROW, or an empty one, its requests count as spread evenly.
    """
    if latency.requests is None:
        return None

    within = None
    start = 0.0
    below = 0.0
    for bound, count in latency.buckets:
        if math.isclose(bound, threshold):
            within = count
        elif start < threshold < bound and (count == below or bound <= start * _NARROW):
            within = below + (count - below) * (threshold - start) / (bound - start)
        start = bound
        below = count

    if within is None:
        return None
    return latency.requests - within


def objectives(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, slos: Sequence[SloSettings]
) -> tuple[Objective, ...]:
    """One application's objectives on errors or latencies, with what its run and production's day say of each."""
    return tuple(_objective(slo, production, pte) for slo in slos if slo.sli.events is None)


def _objective(
    slo: SloSettings, production: ApplicationObservation | None, pte: ApplicationObservation | None
) -> Objective:
    # In decimals, since 1 - 99.9 / 100 in binary is not the budget that people mean.
    objective = Decimal(repr(slo.objective)) / 100
    budget = 1 - objective

    run = _observed_totals(slo.sli, pte)
    baseline = _observed_totals(slo.sli, production)
    run_requests = run.events if run is not None else None
    threshold = None
    if slo.sli.latency is not None:
        threshold = float(slo.sli.latency.threshold)

    return Objective(
        name=slo.name,
        objective=float(objective),
        budget=float(budget),
        threshold=threshold,
        baseline_error_ratio=_error_ratio(baseline),
        run_error_ratio=_error_ratio(run),
        run_requests=run_requests,
        met=_is_met(run, budget),
    )


def _observed_totals(sli: SliSettings, observation: ApplicationObservation | None) -> EventTotals | None:
    if observation is None:
        return None
    return count_events(sli, events(observation))


def _error_ratio(totals: EventTotals | None) -> float | None:
    if totals is None:
        return None
    return divide(totals.bad, totals.events)


def _is_met(run: EventTotals | None, budget: Decimal) -> bool | None:
    """None with so few events that the budget is less than one event."""
    ratio = _error_ratio(run)
    if run is None or ratio is None or Decimal(run.events) * budget < 1:
        return None
    return ratio <= float(budget) or math.isclose(ratio, float(budget))
