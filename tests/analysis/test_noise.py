"""Scatter between runs, and what is taken off before it is measured."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.analysis import noise
from exporter.analysis.arithmetic import Floats


def white(runs: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, 1, runs)


def test_changes_of_level_are_no_scatter() -> None:
    """The deviation of a series with three levels is that of the noise on them."""
    values = white(90) + np.repeat([0.0, 20.0, 5.0], 30)
    assert noise.noise_of(values, 0.0).deviation == pytest.approx(1, rel=0.2)


def test_correlation_of_neighbouring_runs_is_found() -> None:
    """Of many runs, each 0.4 times the one before, it is 0.4, and the deviation is that of the runs."""
    steps, values = white(4000), np.zeros(4000)
    for run in range(1, 4000):
        values[run] = 0.4 * values[run - 1] + np.sqrt(0.84) * steps[run]
    result = noise.noise_of(values, 0.0)
    assert result.correlation == pytest.approx(0.4, abs=0.06)
    assert result.deviation == pytest.approx(1, rel=0.1)
    assert result.inflation == pytest.approx(7 / 3, rel=0.15)


def test_independent_runs_have_no_correlation() -> None:
    """Chance is not taken for it: in most of 100 short series there is none."""
    assert np.median([noise.noise_of(white(30, seed), 0.0).correlation for seed in range(100)]) == 0


def test_a_spike_is_moved_to_where_it_is_still_one() -> None:
    """It ends three deviations from the runs around it; the others stay."""
    values = white(20)
    spiked = values.copy()
    spiked[9] = 50
    clipped = noise.clip_spikes(spiked, 1.0)
    assert clipped[9] < 5
    assert np.delete(clipped, 9) == pytest.approx(np.delete(values, 9))


def test_the_running_median_at_the_ends_is_of_what_there_is() -> None:
    """As by hand, run by run."""
    values = white(11)
    expected = [np.median(values[max(0, run - 3) : run + 4]) for run in range(11)]
    assert noise._running_median(values, 3) == pytest.approx(expected)


@pytest.mark.parametrize("period", [2, 5, 7, 10])
def test_a_season_is_found_and_taken_off(period: int) -> None:
    """One high run in each period, of whatever length."""
    high = np.where(np.arange(60) % period == 1, 8.0, 0.0)
    values = white(60) + high
    assert noise.season(values) == period
    assert np.std(noise.without_season(values)) < 1.6


def test_without_a_season_nothing_is_taken_off() -> None:
    """Noise, a step, and a series too short for a third period stay as they are."""
    for values in (white(30), white(30) + np.repeat([0.0, 9.0], 15), np.asarray([0.0, 9.0, 0.0, 9.0, 0.0])):
        assert noise.without_season(values) is values
