"""Growth: production before the run against production now. docs/method.md, section "Growth"."""

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
    then, now = _peak(before), _peak(production)
    old, new = (traffic(seen, settings).requests for seen in (before, production))
    enough = min(sum(old.values()), sum(new.values())) >= settings.min_requests
    return Growth(
        peak_then=then,
        peak_now=now,
        peak_ratio=divide(now, then),
        mix_moved=mix.total_variation(old, new) if enough else None,
    )


def _peak(seen: ApplicationObservation | None) -> float | None:
    """The largest five-minute rate, requests/s; None with less than a day of them."""
    _, values = measured(seen.pattern if seen else None)
    return float(values.max()) if values.size >= _DAY else None
