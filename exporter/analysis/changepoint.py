"""Where the level of a series changed: robust segmentation of one metric over the runs, oldest first.

docs/explanation/method.md, section "Regression", has the steps with their sources: season taken off, spikes clipped,
noise and its
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
    first_noise = noise_of(plain, floor)
    clipped = clip_spikes(plain, first_noise.deviation)

    # Any run may be the first of a level: the chance of a false change is shared out among them (Bonferroni).
    limit = student(1 - significance / values.size, max(4.0, values.size - 3.0))
    # A cut has to pay for itself: it must explain as much as a difference of `limit` standard errors would.
    penalty = limit * limit * first_noise.deviation**2 * first_noise.inflation
    cuts = _cuts(clipped, confirm, penalty)

    # Spikes are clipped to find the cuts; the levels themselves are medians, which do not mind spikes.
    noise = residual_noise(clipped, cuts, first_noise)
    return _merged(Levels(_steps(plain, cuts), noise, plain, limit), matters, confirm)


def _cuts(values: Floats, confirm: int, penalty: float) -> Sequence[int]:
    """Bounds of the segments with the least sum of squares, each cut costing `penalty`; from 0 to n.

    Optimal partitioning: the best way to cut the first `end` runs is the best way to cut the first `start` of them,
    for the best `start`, and one more segment. docs/explanation/method.md, "Regression", step 4.
    """
    cost = _costs(values, confirm)
    n = values.size
    best = np.full(n + 1, np.inf)
    last_start = np.zeros(n + 1, dtype=np.int64)
    best[0] = -penalty  # the first segment needs no cut
    for end in range(confirm, n + 1):
        totals = best[:end] + cost[:end, end] + penalty
        start = int(np.argmin(totals))
        best[end] = totals[start]
        last_start[end] = start

    cuts = [n]
    while cuts[-1] > 0:
        cuts.append(int(last_start[cuts[-1]]))
    return cuts[::-1]


def _costs(values: Floats, confirm: int) -> NDArray[np.float64]:
    """Sum of squares around the mean of every segment start..end; infinite for those that are too short."""
    # Prefix sums give every segment at once: sum (x - mean)² = sum x² - (sum x)² / count.
    centred = values - values.mean()  # else the two terms are large and nearly cancel out
    sums = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])

    position = np.arange(values.size + 1)
    count = position[None, :] - position[:, None]
    enough = count >= confirm
    total = sums[None, :] - sums[:, None]
    cost = squares[None, :] - squares[:, None] - total**2 / np.where(enough, count, 1)
    return np.where(enough, cost, np.inf)


def _steps(values: Floats, cuts: Sequence[int]) -> tuple[Level, ...]:
    return tuple(Level(start, end, median(values[start:end])) for start, end in itertools.pairwise(cuts))


def _merged(levels: Levels, matters: Matters, confirm: int) -> Levels:
    """Without changes that are not significant, the weakest first, then without those that do not matter."""
    while len(levels.steps) > 1:
        position = _weakest_change(levels, confirm)
        if position is None:
            position = _smallest_change(levels, matters)
        if position is None:
            return levels

        # One at a time: what a merged level is compared with then may be stronger than either part was.
        starts = [step.start for index, step in enumerate(levels.steps) if index != position + 1]
        levels = replace(levels, steps=_steps(levels.values, [*starts, levels.values.size]))
    return levels


def _weakest_change(levels: Levels, confirm: int) -> int | None:
    """The step before the least significant change; None where all are significant."""
    strengths = []
    for before, after in itertools.pairwise(levels.steps):
        strength = 0.0
        if _is_lasting(levels.values, before, after, confirm):
            strength = abs(levels.strength(before, after))
        strengths.append(strength)

    weakest = int(np.argmin(strengths))
    return weakest if strengths[weakest] < levels.limit else None


def _smallest_change(levels: Levels, matters: Matters) -> int | None:
    """The step before the smallest change that does not matter; None where all do."""
    sizes = []
    for before, after in itertools.pairwise(levels.steps):
        size = math.inf
        if not matters(before.value, after.value):
            size = abs(after.value - before.value)
        sizes.append(size)

    smallest = int(np.argmin(sizes))
    return None if math.isinf(sizes[smallest]) else smallest


def _is_lasting(values: Floats, before: Level, after: Level, confirm: int) -> bool:
    """Whether both levels are more than spikes: of a short one (nearly) all runs lie on its own side of the middle."""
    middle = (before.value + after.value) / 2
    rises = after.value > before.value

    for level, is_upper in ((before, not rises), (after, rises)):
        runs = values[level.start : level.end]
        on_own_side = runs > middle if is_upper else runs < middle
        # All of the shortest level's runs, and half of what a longer one has beyond these.
        if int(on_own_side.sum()) < confirm + (level.runs - confirm) // 2:
            return False
    return True
