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
    if value is None:
        return None
    # NaN compares false with everything, so it does not pass either.
    return value if abs(value) <= _LARGEST else None


def measured(samples: Samples | None) -> tuple[Floats, Floats]:
    """Times and values as arrays of shape (n,), without values that are not measurements."""
    if samples is None:
        return np.empty(0), np.empty(0)
    times = np.asarray(samples.times, dtype=np.float64)
    values = np.asarray(samples.values, dtype=np.float64)
    return finite_only(times, values)


def finite_only(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """As `measured`, for arrays of shape (n,)."""
    valid = np.abs(values) <= _LARGEST
    return times[valid], values[valid]


def divide(numerator: float | None, denominator: float | None) -> float | None:
    """Their ratio; None where either is missing or the denominator is zero or less."""
    above = finite(numerator)
    below = finite(denominator)
    if above is None or below is None or below <= SMALLEST:
        return None
    return finite(above / below)


def summary(observation: ApplicationObservation | None, signal: str) -> Summary | None:
    """The signal's summary if it rests on more than one value; one that does not count its values is trusted."""
    if observation is None:
        return None
    result = observation.signals.get(signal)
    if result is not None and result.samples is not None and result.samples < _MIN_SAMPLES:
        return None
    return result


def peak(observation: ApplicationObservation | None, signal: str) -> float | None:
    """The signal's largest one-minute value, in its base unit; None where only coarser values are known."""
    result = summary(observation, signal)
    if result is None or result.resolution > MINUTE:
        return None
    return finite(result.peak)


def coarse(observation: ApplicationObservation | None, signal: str) -> float | None:
    """The seconds over which each value of the signal was taken, where that is more than a minute; else None."""
    if observation is None:
        return None
    result = observation.signals.get(signal)
    if result is None or result.resolution <= MINUTE:
        return None
    return result.resolution


def latency(observation: ApplicationObservation | None, stat: str) -> float | None:
    """A latency statistic in seconds; None for a quantile beyond which not even one request is expected."""
    if observation is None or observation.latency is None:
        return None

    requests = observation.latency.requests
    quantile = QUANTILE_OF.get(stat, 0.0)
    # Written with `not`, because a NaN number of requests must give no latency either.
    if requests is not None and not requests * (1 - quantile) >= 1:
        return None
    return finite(getattr(observation.latency, stat))


def compared(observation: ApplicationObservation | None, signal: str) -> float | None:
    """What is compared of a signal (one of model.settings.COMPARED): its peak, or the latency statistic it names."""
    if signal.startswith("latency_"):
        return latency(observation, signal.removeprefix("latency_"))
    return peak(observation, signal)


def has_traffic(observation: ApplicationObservation | None) -> bool:
    """Whether the application served requests in its window, by its request rate or, without one, its latencies."""
    if observation is None:
        return False

    rate = peak(observation, "request_rate")
    if rate is None and "request_rate" in observation.signals:
        rate = finite(observation.signals["request_rate"].mean)  # of a summary, or of values coarser than minutes
    if rate is None and observation.latency is not None and "request_rate" not in observation.signals:
        rate = finite(observation.latency.requests)
    return rate is not None and rate > 0
