"""How production moved since the run."""

from __future__ import annotations

import math

import pytest

from exporter.analysis.growth import growth
from exporter.model.observation import ApplicationObservation, Samples
from exporter.model.results import Growth
from exporter.model.settings import RouteSettings
from tests.analysis import making

SETTINGS = RouteSettings()


def rates(peak: float, count: int = 2016) -> Samples:
    values = [peak / 2] * count
    values[count // 2] = peak
    return Samples(tuple(300.0 * (i + 1) for i in range(count)), tuple(values))


def test_growth() -> None:
    """The largest five-minute rates and the mixes are compared, then and now."""
    then = making.production(counts=making.routes(a=700, b=300), pattern=rates(100.0))
    now = making.production(counts=making.routes(a=900, b=100), pattern=rates(130.0))
    result = growth(then, now, SETTINGS)
    assert (result.peak_then, result.peak_now) == (100.0, 130.0)
    assert result.peak_ratio == pytest.approx(1.3)
    assert result.mix_moved == pytest.approx(0.2)


def test_less_than_a_day_is_no_evidence() -> None:
    """The daily peak may not be among less than a day's rates, nor a mix in a handful of requests."""
    short = making.production(counts=making.routes(a=10), pattern=rates(100.0, count=287))
    full = making.production(counts=making.routes(a=900), pattern=rates(100.0, count=288))
    assert growth(short, full, SETTINGS) == Growth(None, 100.0, None, None)
    assert growth(full, full, SETTINGS) == Growth(100.0, 100.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "then",
    [None, making.production(), making.production(pattern=rates(0.0)), making.production(pattern=rates(math.nan))],
)
def test_unknown_or_idle_past(then: ApplicationObservation | None) -> None:
    """Without a past, or against an idle one, there is no growth."""
    now = making.production(counts=making.routes(a=900), pattern=rates(100.0))
    result = growth(then, now, SETTINGS)
    assert (result.peak_ratio, result.mix_moved) == (None, None)
    assert result.peak_now == 100.0
