"""Observations made by hand, for tests of the analysis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exporter.analysis.baseline import latency, summarise
from exporter.model.observation import (
    LATENCY_MEAN,
    ApplicationObservation,
    Latency,
    Observation,
    RouteCount,
    Samples,
    Summary,
    TestRun,
    Window,
)

START = 1_799_971_200.0
"""A full day in UTC: Friday, 15 January 2027, 00:00."""
DAY = 86400.0
AT = START + 10 * DAY
SIDES = {"production": "production", "pte": "pte"}


def minutes(values: Sequence[float], start: float = START) -> Samples:
    """One-minute values, the first covering the minute after `start`."""
    return Samples(tuple(start + 60.0 * (i + 1) for i in range(len(values))), tuple(values))


def noisy(mean: float, count: int = 1440, spread: float = 0.1, seed: int = 1) -> Samples:
    """Independent values around a mean."""
    return minutes(np.random.default_rng(seed).normal(mean, spread * mean, count).tolist())


def peaks(**values: float) -> dict[str, Summary]:
    """Signals of which only the peak is known."""
    return {signal: Summary(peak=value) for signal, value in values.items()}


def routes(**counts: float) -> tuple[RouteCount, ...]:
    """GET routes named by the keys, nearly all of whose requests succeed."""
    return tuple(RouteCount("GET", f"/{name}", count, count * 0.99) for name, count in counts.items())


def production(
    signals: dict[str, Summary] | None = None,
    latency: Latency | None = None,
    counts: tuple[RouteCount, ...] = (),
    pattern: Samples | None = None,
) -> ApplicationObservation:
    return ApplicationObservation(Window(AT - DAY, AT), signals or {}, latency, counts, pattern=pattern)


def run(
    signals: dict[str, Summary] | None = None,
    latency: Latency | None = None,
    counts: tuple[RouteCount, ...] = (),
    rates: Samples | None = None,
    age: float = DAY,
) -> ApplicationObservation:
    window = Window(AT - age - 7200, AT - age)
    run = TestRun(window, "detected")
    return ApplicationObservation(window, signals or {}, latency, counts, minutes=rates, run=run)


def side(role: str, **applications: ApplicationObservation) -> Observation:
    return Observation(role, Window(AT - DAY, AT), applications)


LE = (*(0.02 * i for i in range(1, 100)), math.inf)
"""Fine bounds, so that what is read from them is near what was put in."""


def timed(factor: float = 1.0, role: str = "p", requests: float = 1e6) -> ApplicationObservation:
    """Traffic whose latencies are exponential around 0.1 s times the factor, with their minutes."""
    means = noisy(0.1 * factor, 1440, 0.05, seed=4 if role == "p" else 5)
    signals = rates(noisy(100.0)) | {LATENCY_MEAN: summarise(means)}
    counts = [requests * (1 - math.exp(-bound / (0.1 * factor))) for bound in LE]
    return production(signals, latency(LE, counts, requests * 0.1 * factor, requests))


def rates(samples: Samples) -> dict[str, Summary]:
    """The request rate summarised from its minutes."""
    return {"request_rate": summarise(samples)}
