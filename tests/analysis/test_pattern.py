"""Patterns over seven days, against going through the values one by one."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from exporter.analysis.pattern import pattern
from exporter.model.observation import Samples
from exporter.model.results import Pattern
from exporter.model.settings import AnalysisSettings
from tests.analysis.making import START

STEP = 300.0
WEEK = 2016
UTC = AnalysisSettings()


def steps(values: list[float], start: float = START) -> Samples:
    return Samples(tuple(start + STEP * (i + 1) for i in range(len(values))), tuple(values))


def week(start: float = START) -> list[float]:
    """A day and night swing with noise."""
    random = np.random.default_rng(2)
    hours = (np.arange(WEEK) * STEP + start) / 3600
    rates = 100 + 60 * np.sin((hours - 9) * np.pi / 12) + random.normal(0, 3, WEEK)
    return [float(rate) for rate in rates]


def outcome(samples: Samples | None, settings: AnalysisSettings = UTC) -> Pattern:
    result = pattern(samples, settings)
    assert result is not None
    return result


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
@pytest.mark.parametrize(
    "start", [START, START + 5 * 3600 + 420, datetime(2026, 10, 22, tzinfo=ZoneInfo("UTC")).timestamp()]
)
def test_means_agree_with_a_slow_reference(zone: str, start: float) -> None:
    """Grouping by the wall clock value by value gives the same means, also over a change of the clocks."""
    samples = steps(week(start), start)
    by_hour, by_day = defaultdict(list), defaultdict(list)
    for time, value in zip(samples.times, samples.values, strict=True):
        clock = datetime.fromtimestamp(time - STEP, ZoneInfo(zone))
        by_hour[clock.hour].append(value)
        by_day[clock.weekday()].append(value)
    result = outcome(samples, AnalysisSettings(timezone=zone))
    assert result.hours == pytest.approx({hour: statistics.fmean(values) for hour, values in by_hour.items()})
    assert result.days == pytest.approx({day: statistics.fmean(values) for day, values in by_day.items()})
    assert result.peak_hour == max(result.hours, key=result.hours.__getitem__)
    assert result.low_hour == min(result.hours, key=result.hours.__getitem__)
    hourly = list(result.hours.values())
    assert result.volatility == pytest.approx(statistics.pstdev(hourly) / statistics.fmean(hourly))
    assert result.peak == max(samples.values)


def test_week_begins_on_monday() -> None:
    """Day 0 is Monday: traffic of the third day from a Friday is Sunday's, day 6."""
    values = [0.0] * WEEK
    values[2 * 288 : 3 * 288] = [288.0] * 288
    assert outcome(steps(values)).days == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 288}


def test_days_alone_are_not_volatility() -> None:
    """Traffic that differs from day to day only has hours that are all alike, and no spikes."""
    result = outcome(steps([7.0 + i // 288 for i in range(WEEK)]))
    assert result.volatility == pytest.approx(0.0)
    assert result.spikes == ()


NONE = [steps(week()[: 288 * 5]), steps([0.0] * WEEK), steps([7.1] * WEEK), steps([7.1, 7.1 + 1e-12] * (WEEK // 2))]


@pytest.mark.parametrize("samples", [None, Samples((), ()), steps([1.0]), *NONE])
def test_no_pattern_without_a_week_of_traffic_that_varies(samples: Samples | None) -> None:
    """Nothing, one value, five days, a week without traffic and one of constant traffic have no pattern."""
    assert pattern(samples, UTC) is None


def test_values_that_are_no_numbers_are_left_out() -> None:
    """NaN does not spread into the means."""
    values = week()
    values[5] = float("nan")
    assert outcome(steps(values)).hours[0] == pytest.approx(
        statistics.fmean([v for i, v in enumerate(values) if i % 288 < 12 and i != 5])
    )


def reference(samples: Samples, at: int) -> float:
    """Median of the same hour on the other days, the slow way."""
    hour, day = divmod((at % 288), 12)[0], at // 288
    return statistics.median(v for i, v in enumerate(samples.values) if i % 288 // 12 == hour and i // 288 != day)


def test_spike_in_the_night_is_found() -> None:
    """A night rate of 2.5 times its usual is a spike, though far below the daily peak."""
    values = week()
    at = 3 * 288 + 3 * 12 + 4
    values[at] *= 2.5
    samples = steps(values)
    (spike,) = outcome(samples).spikes
    assert spike.rate < outcome(samples).peak
    assert (spike.time, spike.rate) == (samples.times[at], values[at])
    assert spike.magnitude == pytest.approx(values[at] / reference(samples, at))


def test_adjacent_steps_are_one_spike_at_its_peak() -> None:
    """Twenty minutes over the end of an hour are one spike, told by its highest step; another day's is another."""
    values = week()
    for at, factor in ((1000, 1.8), (1001, 2.6), (1002, 2.2), (1003, 1.9), (1500, 2.0)):
        values[at] *= factor
    samples = steps(values)
    first, second = outcome(samples).spikes
    assert first.time == samples.times[1001]
    assert second.time == samples.times[1500]
    assert first.magnitude > second.magnitude


@pytest.mark.parametrize(("rate", "count"), [(149.9, 0), (150.0, 1)])
def test_magnitude_is_inclusive(rate: float, count: int) -> None:
    """From 1.5 times on it is a spike."""
    values = [100.0] * WEEK
    values[700] = rate
    assert len(outcome(steps(values)).spikes) == count


def test_hour_that_was_idle_on_the_other_days_is_not_judged() -> None:
    """Against a median of zero there is no magnitude."""
    values = [0.0 if i % 288 < 12 else 50.0 for i in range(WEEK)]
    values[288 * 2 + 3] = 40.0
    assert outcome(steps(values)).spikes == ()


@pytest.mark.parametrize(("days", "count"), [(3, 0), (4, 1)])
def test_spike_needs_three_other_days(days: int, count: int) -> None:
    """An hour that was seen on three days only is not judged."""
    whole = steps([100.0] * WEEK)
    present = [i for i in range(WEEK) if i % 288 >= 12 or i < 288 * days]
    samples = Samples(tuple(whole.times[i] for i in present), tuple(300.0 if i == 5 else 100.0 for i in present))
    assert len(outcome(samples).spikes) == count


def test_ordinary_swing_has_no_spikes() -> None:
    """The daily peak alone is not one."""
    assert outcome(steps(week())).spikes == ()
