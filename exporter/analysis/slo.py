"""Good and bad events of an objective, and whether a test run would have met it.

docs/method.md, section "Objectives in a test run".
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
"""Upper / lower bound: what is misjudged inside such a bucket took within a percent of the threshold."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Events as an SLI tells them apart."""

    events: float
    bad: float


def events(seen: ApplicationObservation) -> Events:
    """What was served in the whole window of an observation: sums of its values over their steps, and its histogram."""
    rate, failed = seen.signals.get("request_rate"), seen.signals.get("error_ratio")
    mean, ratio = finite(rate.mean) if rate else None, finite(failed.mean) if failed else None
    if mean is None or rate is None:
        return Events(seen.window, None, None, seen.latency)
    requests = mean * (seen.window.duration if rate.samples is None else rate.samples * rate.resolution)
    return Events(seen.window, requests, None if ratio is None else ratio * requests, seen.latency)


def counted(sli: SliSettings, seen: Events) -> Counted | None:
    """All and bad events by the SLI; None where the source cannot tell them, as for hand-written queries."""
    if sli.events is None and seen.requests == 0:
        return Counted(0.0, 0.0)
    if sli.errors is not None:
        return _counted(seen.requests, seen.errors)
    if sli.latency is not None and seen.latency is not None:
        return _counted(seen.latency.requests, _slower(seen.latency, sli.latency.threshold))
    return None


def _counted(requests: float | None, bad: float | None) -> Counted | None:
    """Kept within 0..requests, which rounding alone leaves."""
    total, failed = finite(requests), finite(bad)
    if total is None or failed is None or total < 0:
        return None
    return Counted(total, min(max(failed, 0.0), total))


def _slower(latency: Latency, threshold: float) -> float | None:
    """Requests above the threshold in seconds; None unless a bucket ends there, since inside one nobody counted.

    Inside a bucket no wider than _NARROW, or an empty one, its requests count as spread evenly.
    """
    if latency.requests is None:
        return None
    before, within = (0.0, 0.0), None
    for bound, count in latency.buckets:
        if math.isclose(bound, threshold):
            within = count
        elif before[0] < threshold < bound and (count == before[1] or bound <= before[0] * _NARROW):
            within = before[1] + (count - before[1]) * (threshold - before[0]) / (bound - before[0])
        before = (bound, count)
    return None if within is None else latency.requests - within


def objectives(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, slos: Sequence[SloSettings]
) -> tuple[Objective, ...]:
    """One application's objectives on errors or latencies, with what its run and production's day say of each."""
    return tuple(_judged(slo, production, pte) for slo in slos if slo.sli.events is None)


def _judged(
    slo: SloSettings, production: ApplicationObservation | None, pte: ApplicationObservation | None
) -> Objective:
    objective = Decimal(repr(slo.objective)) / 100
    budget = 1 - objective
    run = counted(slo.sli, events(pte)) if pte is not None else None
    live = counted(slo.sli, events(production)) if production is not None else None
    ratio = divide(run.bad, run.events) if run is not None else None
    met = None
    if run is not None and ratio is not None and Decimal(run.events) * budget >= 1:
        met = ratio <= float(budget) or math.isclose(ratio, float(budget))
    return Objective(
        name=slo.name,
        objective=float(objective),
        budget=float(budget),
        threshold=float(slo.sli.latency.threshold) if slo.sli.latency is not None else None,
        baseline_error_ratio=divide(live.bad, live.events) if live is not None else None,
        run_error_ratio=ratio,
        run_requests=run.events if run is not None else None,
        met=met,
    )
