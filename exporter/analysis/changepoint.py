"""Where the level of a series changed: robust segmentation of one metric over the runs, oldest first.

docs/method.md, section "Regression", has the steps with their sources: season taken off, spikes clipped, noise and its
autocorrelation estimated from differences, optimal partitioning, weakest changes merged until each is significant and
large enough to matter. Deterministic: nothing is drawn at random.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exporter.analysis.arithmetic import Floats
from exporter.analysis.noise import Noise, clip_spikes, median, noise_of, residual_noise, without_season
from exporter.analysis.verdict import student

Matters = Callable[[float, float], bool]
"""Whether a change from one level to another is large enough to be spoken of."""


@dataclass(frozen=True, slots=True)
class Level:
    """Runs `start` to `end` (exclusive) that lie around one value."""

    start: int
    end: int
    value: float
    """Median of its runs, in the unit of the series."""

    @property
    def runs(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Levels:
    """The series as a staircase, oldest step first; never empty."""

    steps: tuple[Level, ...]
    noise: Noise
    values: Floats
    """The series less its season; shape (n,)."""
    limit: float
    """Standard errors from which on a difference is significant."""

    def level(self, start: int, end: int) -> Level:
        """Of some of the runs."""
        return Level(start, end, median(self.values[start:end]))

    def error(self, before: int, after: int) -> float:
        """Standard error of the difference between so many runs and so many others."""
        return self.noise.deviation * math.sqrt(self.noise.inflation * (1 / before + 1 / after))

    def strength(self, before: Level, after: Level) -> float:
        """The difference in standard errors, signed: above 0 if `after` is higher."""
        return (after.value - before.value) / self.error(before.runs, after.runs)


def levels(values: Floats, matters: Matters, *, confirm: int, significance: float, floor: float) -> Levels:
    """The levels of a series of shape (n,), n at least 2 * confirm.

    `confirm`: fewest runs that make a level. `significance`: chance of a false change in a quiet series.
    `floor`: the noise is at least that, in the unit of the series.
    """
    plain = without_season(values)
    first = noise_of(plain, floor)
    clipped = clip_spikes(plain, first.deviation)
    limit = student(1 - significance / values.size, max(4.0, values.size - 3.0))
    cuts = _cuts(clipped, confirm, limit * limit * first.deviation**2 * first.inflation)
    found = Levels(_steps(plain, cuts), residual_noise(clipped, cuts, first), plain, limit)
    return _merged(found, matters, confirm)


def _cuts(values: Floats, confirm: int, penalty: float) -> Sequence[int]:
    """Bounds of the segments with the least sum of squares, each cut costing `penalty`; from 0 to n."""
    cost = _costs(values, confirm)
    n = values.size
    best, before = np.full(n + 1, np.inf), np.zeros(n + 1, dtype=np.int64)
    best[0] = -penalty
    for end in range(confirm, n + 1):
        through = best[:end] + cost[:end, end] + penalty
        start = int(np.argmin(through))
        best[end], before[end] = through[start], start
    cuts = [n]
    while cuts[-1] > 0:
        cuts.append(int(before[cuts[-1]]))
    return cuts[::-1]


def _costs(values: Floats, confirm: int) -> NDArray[np.float64]:
    """Sum of squares around the mean of every segment start..end; infinite for those that are too short."""
    centred = values - values.mean()  # else squares cancel out
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    count = np.arange(values.size + 1)[None, :] - np.arange(values.size + 1)[:, None]
    enough = count >= confirm
    total = sums[None, :] - sums[:, None]
    cost = squares[None, :] - squares[:, None] - total**2 / np.where(enough, count, 1)
    return np.where(enough, cost, np.inf)


def _steps(values: Floats, cuts: Sequence[int]) -> tuple[Level, ...]:
    return tuple(Level(start, end, median(values[start:end])) for start, end in itertools.pairwise(cuts))


def _merged(found: Levels, matters: Matters, confirm: int) -> Levels:
    """Without changes that are not significant, the weakest first, then without those that do not matter."""
    while len(found.steps) > 1:
        pairs = list(itertools.pairwise(found.steps))
        strength = [abs(found.strength(*pair)) if _held(found.values, *pair, confirm) else 0.0 for pair in pairs]
        weakest = int(np.argmin(strength))
        if strength[weakest] >= found.limit:
            small = [
                abs(after.value - before.value) if not matters(before.value, after.value) else math.inf
                for before, after in pairs
            ]
            weakest = int(np.argmin(small))
            if math.isinf(small[weakest]):
                return found
        cuts = [step.start for position, step in enumerate(found.steps) if position != weakest + 1]
        found = replace(found, steps=_steps(found.values, [*cuts, found.values.size]))
    return found


def _held(values: Floats, before: Level, after: Level, confirm: int) -> bool:
    """Whether both levels are more than spikes: of a short one (nearly) all runs lie on its own side of the middle."""
    middle, up = (before.value + after.value) / 2, after.value > before.value
    for level, above in ((before, not up), (after, up)):
        runs = values[level.start : level.end]
        own = int((runs > middle).sum() if above else (runs < middle).sum())
        if own < confirm + (level.runs - confirm) // 2:
            return False
    return True
