"""Reading numbers that may be missing: None in, None out; NaN, infinity and the absurd count as missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exporter.model.observation import MINUTE, ApplicationObservation, Samples, Summary

Floats = NDArray[np.float64]

QUANTILE_OF = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "p999": 0.999}
"""Latency statistic to its quantile."""

_MIN_SAMPLES = 2
"""One value is not a series: nothing is compared with it."""


_LARGEST = 1e60
"""No measurement is larger, in any unit; below it sums and squares stay finite."""


SMALLEST = 1e-60
"""Nothing is divided by less: it is zero but for rounding."""


def finite(value: float | None) -> float | None:
    """The value, or None where it is missing, NaN, infinite or beyond all measure."""
    return value if value is not None and abs(value) <= _LARGEST else None


def measured(samples: Samples | None) -> tuple[Floats, Floats]:
    """Times and values as arrays of shape (n,), without values that are no measurements."""
    if samples is None:
        return np.empty(0), np.empty(0)
    return finite_only(np.asarray(samples.times, dtype=np.float64), np.asarray(samples.values, dtype=np.float64))


def finite_only(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """As `measured`, for arrays of shape (n,)."""
    known = np.abs(values) <= _LARGEST
    return times[known], values[known]


def divide(numerator: float | None, denominator: float | None) -> float | None:
    """Their ratio; None where either is missing or the denominator is zero or less."""
    above, below = finite(numerator), finite(denominator)
    return finite(above / below) if above is not None and below is not None and below > SMALLEST else None


def summary(seen: ApplicationObservation | None, signal: str) -> Summary | None:
    """The signal's summary if it rests on more than one value; one that does not count its values is trusted."""
    found = seen.signals.get(signal) if seen else None
    return found if found and (found.samples is None or found.samples >= _MIN_SAMPLES) else None


def peak(seen: ApplicationObservation | None, signal: str) -> float | None:
    """The signal's largest one-minute value, in its base unit; None where only coarser values are known."""
    found = summary(seen, signal)
    return finite(found.peak) if found and found.resolution <= MINUTE else None


def coarse(seen: ApplicationObservation | None, signal: str) -> float | None:
    """The seconds over which each value of the signal was taken, where that is more than a minute; else None."""
    found = seen.signals.get(signal) if seen else None
    return found.resolution if found and found.resolution > MINUTE else None


def latency(seen: ApplicationObservation | None, stat: str) -> float | None:
    """A latency statistic in seconds; None for a quantile beyond which not even one request is expected."""
    if seen is None or seen.latency is None:
        return None
    requests, quantile = seen.latency.requests, QUANTILE_OF.get(stat, 0.0)
    if requests is not None and not requests * (1 - quantile) >= 1:
        return None
    return finite(getattr(seen.latency, stat))


def compared(seen: ApplicationObservation | None, signal: str) -> float | None:
    """What is compared of a signal (one of model.settings.COMPARED): its peak, or the latency statistic it names."""
    return latency(seen, signal.removeprefix("latency_")) if signal.startswith("latency_") else peak(seen, signal)


def has_traffic(seen: ApplicationObservation | None) -> bool:
    """Whether the application served requests in its window, by its request rate or, without one, its latencies."""
    rate = peak(seen, "request_rate")
    if rate is None and seen is not None and "request_rate" in seen.signals:
        rate = finite(seen.signals["request_rate"].mean)  # of a summary, or of values coarser than minutes
    if rate is None and seen is not None and seen.latency is not None and "request_rate" not in seen.signals:
        rate = finite(seen.latency.requests)
    return rate is not None and rate > 0
