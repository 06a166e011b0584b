"""Levels of a series: found where they change, and nowhere else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.analysis.arithmetic import Floats
from exporter.analysis.changepoint import Levels, levels


def result(values: Floats, least: float = 0.05) -> Levels:
    return levels(values, lambda a, b: abs(b - a) >= least, confirm=3, significance=0.001, floor=0.002)


def starts(values: Floats) -> list[int]:
    return [step.start for step in result(values).steps]


def noise(runs: int, spread: float = 0.02, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, spread, runs)


def test_a_quiet_series_is_one_level() -> None:
    """Of 200 series of 30 runs in which nothing changes, none is cut."""
    assert not [seed for seed in range(200) if len(result(noise(30, seed=seed)).steps) > 1]


@pytest.mark.parametrize("at", [5, 15, 27])
def test_a_step_is_found_where_it_is(at: int) -> None:
    """Also with only three runs behind it; the levels are the medians of both sides."""
    values = noise(30) + np.where(np.arange(30) >= at, 0.2, 0.0)
    steps = result(values).steps
    assert [step.start for step in steps] == [0, at]
    assert steps[1].value - steps[0].value == pytest.approx(0.2, abs=0.03)


def test_two_runs_are_no_level_yet() -> None:
    """Before the third run nobody knows whether it was a spike."""
    values = noise(30) + np.where(np.arange(30) >= 28, 0.5, 0.0)
    assert starts(values) == [0]


def test_spikes_beside_each_other_are_no_level() -> None:
    """Two spikes with a run between them do not hold a level, though their median is high."""
    values = noise(30)
    values[[27, 29]] += 0.8
    assert starts(values) == [0]


def test_a_pulse_has_two_changes() -> None:
    """A regression that was fixed is seen as it came and went."""
    values = noise(40) + np.where((np.arange(40) >= 15) & (np.arange(40) < 25), 0.2, 0.0)
    assert starts(values) == [0, 15, 25]


def test_a_change_that_does_not_matter_is_none() -> None:
    """Significant and small is not told."""
    values = noise(60, 0.002) + np.where(np.arange(60) >= 30, 0.03, 0.0)
    assert starts(values) == [0]


def test_a_ramp_is_seen_though_no_run_differs_from_the_one_before() -> None:
    """1 % a run ends on a higher level than it began on."""
    values = noise(30) + np.clip(np.arange(30) - 5, 0, 20) * 0.01
    steps = result(values).steps
    assert steps[-1].value - steps[0].value > 0.1


def test_weekends_are_no_changes() -> None:
    """What repeats every seven runs is taken off, and the step beneath it is found."""
    weekly = np.where(np.arange(42) % 7 >= 5, 0.2, 0.0)
    assert starts(noise(42) + weekly) == [0]
    assert starts(noise(42) + weekly + np.where(np.arange(42) >= 30, 0.2, 0.0)) == [0, 30]


def test_runs_that_depend_on_each_other_are_fewer() -> None:
    """Noise that wanders is seldom taken for a change: in at most 4 of 200 series."""
    cut = 0
    for seed in range(200):
        steps, values = noise(30, 0.02 * np.sqrt(1 - 0.36), seed), np.zeros(30)
        for run in range(1, 30):
            values[run] = 0.6 * values[run - 1] + steps[run]
        cut += len(result(values).steps) > 1
    assert cut <= 4


def test_a_constant_series_has_the_least_noise() -> None:
    """A series without any scatter neither fails nor finds something in rounding."""
    assert starts(np.full(20, 3.0)) == [0]
    assert result(np.full(20, 3.0)).noise.deviation == 0.002


@settings(max_examples=200)
@given(st.lists(st.floats(-20, 20), min_size=6, max_size=60))
def test_levels_cover_every_run_once(values: list[float]) -> None:
    """Whatever the series, levels follow each other from the first run to the last, each long enough."""
    steps = result(np.asarray(values)).steps
    assert (steps[0].start, steps[-1].end) == (0, len(values))
    assert all(before.end == after.start for before, after in itertools.pairwise(steps))
    assert all(step.runs >= 3 for step in steps)


@settings(max_examples=50)
@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_the_unit_does_not_matter(seed: int, factor: float, offset: float) -> None:
    """A series in another unit is cut at the same runs."""
    values = noise(30, seed=seed) + np.where(np.arange(30) >= 20, 0.3, 0.0)
    other = levels(
        factor * values + offset,
        lambda a, b: abs(b - a) >= 0.05 * factor,
        confirm=3,
        significance=0.001,
        floor=0.002 * factor,
    )
    assert [step.start for step in other.steps] == starts(values)
