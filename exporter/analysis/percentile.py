"""How sure is a latency percentile? docs/method.md, section "Verdict": order statistics, on effective requests."""

from __future__ import annotations

import math
from statistics import NormalDist

from exporter.analysis.arithmetic import finite
from exporter.analysis.baseline import histogram_quantile
from exporter.analysis.verdict import independent_share
from exporter.model.observation import LATENCY_MEAN, ApplicationObservation
from exporter.model.settings import AnalysisSettings

_LEAST = 5.0
"""Effective requests expected on either side of the percentile, below which the normal curve is not the binomial's."""

Range = tuple[float, float]


def effective_requests(seen: ApplicationObservation | None) -> float | None:
    """Requests x (1-r)/(1+r), r being that of the one-minute mean latencies; None where either is unknown."""
    if seen is None or seen.latency is None or LATENCY_MEAN not in seen.signals:
        return None
    requests, kept = finite(seen.latency.requests), independent_share(seen.signals[LATENCY_MEAN])
    return None if requests is None or kept is None else requests * kept


def ratio(
    production: ApplicationObservation | None,
    pte: ApplicationObservation | None,
    quantile: float,
    settings: AnalysisSettings,
) -> Range | None:
    """Where pte / production of the quantile lies at the widest; None where a side is unknown or starts at zero."""
    live, test = (bounds(seen, quantile, settings) for seen in (production, pte))
    return (test[0] / live[1], test[1] / live[0]) if live and test and live[0] > 0 else None


def bounds(seen: ApplicationObservation | None, quantile: float, settings: AnalysisSettings) -> Range | None:
    """The interval of the quantile in seconds, free of any assumption on the distribution.

    None with too few effective requests, or where it reaches beyond the last finite bucket.
    """
    requests = effective_requests(seen)
    if requests is None or seen is None or seen.latency is None:
        return None
    if requests < settings.min_effective_samples or requests * min(quantile, 1 - quantile) < _LEAST:
        return None
    z = NormalDist().inv_cdf((1 + settings.confidence) / 2)
    reach = z * math.sqrt(quantile * (1 - quantile) / requests)
    le = [*(bound for bound, _ in seen.latency.buckets), math.inf]
    counts = [*(count for _, count in seen.latency.buckets), seen.latency.requests or 0.0]
    low, high = (histogram_quantile(le, counts, at) for at in (quantile - reach, quantile + reach))
    return None if low is None or high is None else (low, high)
