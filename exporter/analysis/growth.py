"""Growth: production before the run against production now. docs/explanation/method.md, section "Growth"."""

from __future__ import annotations

from exporter.analysis import mix
from exporter.analysis.arithmetic import divide, measured
from exporter.analysis.coverage import traffic
from exporter.model.observation import PATTERN_STEP, ApplicationObservation
from exporter.model.results import Growth
from exporter.model.settings import RouteSettings

_DAY = round(86400 / PATTERN_STEP)
"""Five-minute steps in a day: with less history the daily peak may not be among it."""


def growth(
    before: ApplicationObservation | None, production: ApplicationObservation | None, settings: RouteSettings
) -> Growth:
    """How the largest five-minute rate and the mix moved from the days before the run to the last days."""
    peak_then = _peak(before)
    peak_now = _peak(production)

    mix_then = traffic(before, settings).requests
    mix_now = traffic(production, settings).requests
    mix_moved = None
    if min(sum(mix_then.values()), sum(mix_now.values())) >= settings.min_requests:
        mix_moved = mix.total_variation(mix_then, mix_now)

    return Growth(
        peak_then=peak_then,
        peak_now=peak_now,
        peak_ratio=divide(peak_now, peak_then),
        mix_moved=mix_moved,
    )


def _peak(observation: ApplicationObservation | None) -> float | None:
    """The largest five-minute rate, requests/s; None with less than a day of them."""
    if observation is None:
        return None
    _, values = measured(observation.pattern)
    if values.size < _DAY:
        return None
    return float(values.max())
