"""How sure is a latency percentile?

docs/explanation/method.md, section "Verdict": order statistics, on effective requests.
"""

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


def effective_requests(observation: ApplicationObservation | None) -> float | None:
    """Requests x (1-r)/(1+r), r being that of the one-minute mean latencies; None where either is unknown."""
    if observation is None or observation.latency is None or LATENCY_MEAN not in observation.signals:
        return None
    requests = finite(observation.latency.requests)
    share = independent_share(observation.signals[LATENCY_MEAN])
    if requests is None or share is None:
        return None
    return requests * share


def ratio(
    production: ApplicationObservation | None,
    pte: ApplicationObservation | None,
    quantile: float,
    settings: AnalysisSettings,
) -> Range | None:
    """Where pte / production of the quantile lies at the widest; None where a side is unknown or starts at zero."""
    production_range = bounds(production, quantile, settings)
    pte_range = bounds(pte, quantile, settings)
    if production_range is None or pte_range is None or production_range[0] <= 0:
        return None
    # Wide enough for both sides to be off at once.
    return pte_range[0] / production_range[1], pte_range[1] / production_range[0]


def bounds(observation: ApplicationObservation | None, quantile: float, settings: AnalysisSettings) -> Range | None:
    """The interval of the quantile in seconds, free of any assumption on the distribution.

    The quantile q of N independent requests lies between their order statistics of the ranks N (q ± z sqrt(q(1-q)/N)),
    and these are read from the buckets like any quantile. docs/explanation/method.md, "Verdict", on latency
    percentiles.

    None with too few effective requests, or where it reaches beyond the last finite bucket.
    """
    requests = effective_requests(observation)
    if requests is None or observation is None or observation.latency is None:
        return None
    if requests < settings.min_effective_samples or requests * min(quantile, 1 - quantile) < _LEAST:
        return None

    z = NormalDist().inv_cdf((1 + settings.confidence) / 2)
    reach = z * math.sqrt(quantile * (1 - quantile) / requests)

    le = [*(bound for bound, _ in observation.latency.buckets), math.inf]
    counts = [*(count for _, count in observation.latency.buckets), observation.latency.requests or 0.0]
    low = histogram_quantile(le, counts, quantile - reach)
    high = histogram_quantile(le, counts, quantile + reach)
    if low is None or high is None:
        return None
    return low, high
