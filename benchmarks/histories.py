"""Histories of one latency over many runs, with known changes for the worse. Seeded: the same every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator

RUNS = 90


@dataclass(frozen=True)
class Truth:
    """A change for the worse: it begins with run `start`, and is complete with run `end`."""

    start: int
    end: int
    until: int | None = None
    """The first run after it was fixed; None: it was not."""


@dataclass(frozen=True)
class History:
    """Latencies in seconds by run, and their true changes."""

    kind: str
    values: Floats
    truths: tuple[Truth, ...] = ()
    worse_now: bool | None = False
    """Whether the last run is worse than what was usual before; None: that is a matter of opinion."""


def _normal(rng: Rng) -> Floats:
    return rng.normal(0, rng.uniform(0.01, 0.06), RUNS)


def _heavy(rng: Rng) -> Floats:
    """Student's t with three degrees of freedom, and every thirtieth run a spike of 1.5 to 3 times the latency."""
    noise = rng.standard_t(3, RUNS) * rng.uniform(0.01, 0.04)
    spikes = rng.random(RUNS) < 1 / 30
    return np.where(spikes, np.log(rng.uniform(1.5, 3.0, RUNS)), noise)


def _correlated(rng: Rng) -> Floats:
    """Each run half like the one before."""
    correlation = rng.uniform(0.3, 0.6)
    spread = rng.uniform(0.01, 0.04)
    # The new part of each run is smaller, so the sum has the spread.
    spread_of_new = spread * np.sqrt(1 - correlation * correlation)

    noise = np.empty(RUNS)
    last = 0.0
    for position in range(RUNS):
        last = correlation * last + rng.normal(0, spread_of_new)
        noise[position] = last
    return noise


def _seasonal(rng: Rng) -> Floats:
    """Two of seven runs are 10 to 25 % slower, as at weekends."""
    high = np.log1p(rng.uniform(0.10, 0.25))
    return rng.normal(0, rng.uniform(0.01, 0.03), RUNS) + np.where(np.arange(RUNS) % 7 >= 5, high, 0.0)


NOISES: Mapping[str, Callable[[Rng], Floats]] = {
    "normal": _normal,
    "heavy tails": _heavy,
    "autocorrelated": _correlated,
    "seasonal": _seasonal,
}


def _quiet(rng: Rng) -> tuple[Floats, tuple[Truth, ...], bool | None]:
    return np.zeros(RUNS), (), False


def _step(rng: Rng) -> tuple[Floats, tuple[Truth, ...], bool | None]:
    """10 to 50 % slower from one run on."""
    start = int(rng.integers(25, 80))
    return np.where(np.arange(RUNS) >= start, np.log1p(rng.uniform(0.10, 0.50)), 0.0), (Truth(start, start),), None


def _ramp(rng: Rng) -> tuple[Floats, tuple[Truth, ...], bool | None]:
    """20 to 50 % slower over 15 to 45 runs: less than 3 % from run to run."""
    length = int(rng.integers(15, 46))
    start = int(rng.integers(20, RUNS - length - 2))
    shape = np.clip((np.arange(RUNS) - start) / length, 0, 1) * np.log1p(rng.uniform(0.20, 0.50))
    return shape, (Truth(start, start + length),), None


def _pulse(rng: Rng) -> tuple[Floats, tuple[Truth, ...], bool | None]:
    """15 to 50 % slower for 6 to 20 runs, then fixed."""
    length = int(rng.integers(6, 21))
    start = int(rng.integers(25, 55))
    inside = (np.arange(RUNS) >= start) & (np.arange(RUNS) < start + length)
    return np.where(inside, np.log1p(rng.uniform(0.15, 0.50)), 0.0), (Truth(start, start, start + length),), False


SHAPES = {"quiet": _quiet, "step": _step, "ramp": _ramp, "pulse": _pulse}


def histories(count: int, seed: int) -> list[History]:
    """So many of each shape with each noise."""
    results = []
    for shape_number, (shape, changes) in enumerate(SHAPES.items()):
        for noise_number, (noise, scatter) in enumerate(NOISES.items()):
            for number in range(count):
                # Own seeds: more histories, or another shape, leave the others unchanged.
                rng = np.random.default_rng((seed, shape_number, noise_number, number))
                level, truths, worse_now = changes(rng)
                values = rng.uniform(0.02, 2.0) * np.exp(level + scatter(rng))
                results.append(History(f"{shape}, {noise}", values, truths, worse_now))

    return results
