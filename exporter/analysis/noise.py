"""How much a metric scatters from run to run, with what does not belong to scatter taken off: seasons and spikes.

Everything rests on differences of neighbouring runs, which a change of level disturbs in one place only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exporter.analysis.arithmetic import SMALLEST, Floats

_NORMAL = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""

_FAR = 3.0
"""Standard deviations from the runs around it, beyond which a run is a spike."""

_AROUND = 3
"""Runs on either side."""

_SEASON = 0.3
"""Autocorrelation of the differences from which on they repeat, even if it is overestimated by two standard errors."""

_MULTIPLE = 0.1
"""What repeats every 7 runs repeats every 14 too: of nearly equal ones the shortest period is taken."""

_PERIODS = 3
"""A season has been seen that often before it is taken for one."""

MOST_CORRELATED = 0.5
"""More is taken for a drift: with 0.5 a mean counts as one of a third of its runs."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter between runs, in the unit of the series."""

    deviation: float
    """Standard deviation, above 0."""
    correlation: float
    """Of neighbouring runs, 0..0.5."""

    @property
    def inflation(self) -> float:
        """By how much the variance of a mean is larger than that of independent runs: (1+r)/(1-r)."""
        return (1 + self.correlation) / (1 - self.correlation)


def median(values: Floats) -> float:
    """Of a few values, at least one: numpy's own takes ten times as long, and is called for each series."""
    ordered = np.sort(values)
    middle = values.size // 2
    if values.size % 2:
        return float(ordered[middle])
    return float(ordered[middle - 1] + ordered[middle]) / 2


def deviation(values: Floats) -> float:
    """Standard deviation, robust: 1.4826 MAD, or the mean's where more than half of the values are the same."""
    if not values.size:
        return 0.0
    away = np.abs(values - median(values))
    # 1.2533 = sqrt(pi / 2): mean absolute to standard deviation, of a normal distribution.
    return _NORMAL * median(away) or float(1.2533 * away.mean())


def noise_of(values: Floats, floor: float) -> Noise:
    """Of a series whose level may change now and then; shape (n,), n at least 3.

    For noise that is correlated with r from run to run, neighbouring differences are correlated with -(1-r)/2 and
    their variance is 2(1-r) times the noise's.
    """
    steps, spread = _clipped_steps(values)
    if spread <= SMALLEST:
        return Noise(floor, 0.0)

    # The correlation of neighbouring differences is -(1-r)/2, so r = 1 + 2 x that. docs/explanation/method.md,
    # "Regression", 2.
    lagged = float(np.dot(steps[1:], steps[:-1]) / np.dot(steps, steps))
    r = _shrunk(1 + 2 * lagged, values.size)
    return Noise(max(floor, spread / math.sqrt(2 * (1 - r))), r)


def _clipped_steps(values: Floats) -> tuple[Floats, float]:
    """Differences of neighbouring runs less their median, and their deviation; those far off are moved nearer.

    A change of level is one large difference: clipped, it weighs no more than a spike of noise.
    """
    steps = np.diff(values)
    steps = steps - median(steps)
    spread = deviation(steps)
    return np.clip(steps, -_FAR * spread, _FAR * spread), spread


def residual_noise(values: Floats, cuts: Sequence[int], first: Noise) -> Noise:
    """The larger of the first estimate and that around the levels between the cuts.

    Differences see little of what moves slowly: around its levels such a series scatters more than from run to run.
    """
    rests = [values[start:end] - values[start:end].mean() for start, end in itertools.pairwise(cuts)]
    rest = np.concatenate(rests)
    freedom = values.size - len(cuts) + 1  # a mean for each segment
    total = float(np.dot(rest, rest))
    if freedom < 3 or total <= SMALLEST:
        return first

    r = _shrunk(float(np.dot(rest[1:], rest[:-1])) / total, values.size)
    return Noise(max(first.deviation, math.sqrt(total / freedom)), max(first.correlation, r))


def _shrunk(r: float, n: int) -> float:
    """The estimate less its standard error, because few runs estimate it poorly."""
    return min(MOST_CORRELATED, max(0.0, r - 1 / math.sqrt(n)))


def clip_spikes(values: Floats, spread: float) -> Floats:
    """Isolated runs, far from the median of their neighbours, are moved nearer."""
    middle = _running_median(values, _AROUND)
    return np.clip(values, middle - _FAR * spread, middle + _FAR * spread)


def _running_median(values: Floats, around: int) -> Floats:
    """Of the runs from `around` before to `around` after; at the ends of those that there are."""
    # At the ends infinities fill the windows: sorted they come last, beyond the `count` that are there.
    padding = np.full(around, np.inf)
    padded = np.concatenate([padding, values, padding])
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1))

    position = np.arange(values.size)
    count = np.minimum(position, around) + np.minimum(values.size - 1 - position, around) + 1
    medians: Floats = (windows[position, (count - 1) // 2] + windows[position, count // 2]) / 2
    return medians


def without_season(values: Floats) -> Floats:
    """Less what repeats with a period of 2 runs up to a third of the series, if anything does; its median stays."""
    period = season(values)
    if period is None:
        return values

    rest = values - _period_mean(values, period)
    phases = np.arange(values.size) % period
    shape = np.asarray([median(rest[phases == phase]) for phase in range(period)])
    shape -= median(shape)  # so that the level of the series stays what it was
    result: Floats = values - shape[phases]
    return result


def _period_mean(values: Floats, period: int) -> Floats:
    """Mean over one period around each run, in which a season adds up to the same everywhere; level at the ends."""
    weights = np.ones(period)
    if period % 2 == 0:  # an even window has no middle run: it is one longer, and both ends count half
        weights = np.concatenate([[0.5], np.ones(period - 1), [0.5]])
    inner = np.convolve(values, weights / period, "valid")

    missing = values.size - inner.size
    result: Floats = np.pad(inner, (missing // 2, missing - missing // 2), mode="edge")
    return result


def season(values: Floats) -> int | None:
    """The period in runs, by the autocorrelation of the differences; None where nothing repeats."""
    most = values.size // _PERIODS
    if most < 2:
        return None
    steps, spread = _clipped_steps(values)
    if spread <= SMALLEST:
        return None

    products = np.correlate(steps, steps, "full")[steps.size - 1 :]  # by lag, from 0
    lags = np.arange(2, most + 1)
    # The sum has fewer terms at longer lags, and less is then known.
    terms = steps.size - lags
    r = products[lags] / products[0] * steps.size / terms
    is_sure = r - 2 / np.sqrt(terms) > _SEASON
    if not is_sure.any():
        return None

    nearly_best = r >= r[is_sure].max() - _MULTIPLE
    return int(lags[is_sure & nearly_best][0])
