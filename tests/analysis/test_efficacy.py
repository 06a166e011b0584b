"""The weighted score."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.coverage import coverage
from exporter.analysis.efficacy import efficacy
from exporter.analysis.gap import gaps
from exporter.analysis.load import load_coverage
from exporter.model.observation import Latency
from exporter.model.results import Efficacy
from exporter.model.settings import AnalysisSettings, EfficacySettings
from tests.analysis import making

SETTINGS = AnalysisSettings()


def score(
    rate: float | None = 100.0,
    p95: float | None = 0.1,
    tested: float | None = 1.0,
    errors: float | None = 0.01,
    settings: AnalysisSettings = SETTINGS,
) -> Efficacy:
    """The score of a run against a production of 100 req/s, P95 of 100 ms, ten endpoints and 1 % errors."""
    production = making.production(
        making.peaks(request_rate=100.0, error_ratio=0.01),
        Latency(p95=0.1, requests=1e6),
        making.routes(**{f"r{i}": 100.0 for i in range(10)}),
    )
    signals = {"request_rate": rate, "error_ratio": errors}
    test = making.run(
        making.peaks(**{signal: value for signal, value in signals.items() if value is not None}),
        Latency(p95=p95, requests=1e6),
        () if tested is None else making.routes(**{f"r{i}": 100.0 for i in range(round(10 * tested))}),
    )
    load = load_coverage(production, test, settings.test_run)
    return efficacy(coverage(production, test, settings.routes), load, gaps(production, test, settings), settings)


def test_all_parts() -> None:
    """0.4 x 0.5 + 0.4 x 0.9 + 0.2 x 0.5 for half the endpoints, 90 % of the load and a P95 30 % off."""
    result = score(rate=90.0, p95=0.13, tested=0.5)
    assert result.parts == pytest.approx(
        {"coverage": 0.5, "load_coverage": 0.9, "performance": 0.5, "error_validation": 1}
    )
    assert result.score == pytest.approx(0.66)
    assert result.rating == "fair"


def test_going_beyond_is_no_more_than_full() -> None:
    """Three times production's load scores 1."""
    assert score(rate=300.0).parts["load_coverage"] == 1.0


@pytest.mark.parametrize(
    ("p95", "expected"), [(0.1, 1.0), (0.119, 1.0), (0.081, 1.0), (0.149, 0.5), (0.051, 0.5), (0.151, 0.0), (0.01, 0.0)]
)
def test_performance_steps(p95: float, expected: float) -> None:
    """Within 20 % either way counts in full, within 50 % by half."""
    assert score(p95=p95).parts["performance"] == expected


def test_weights_are_spread_over_the_parts_that_are_known() -> None:
    """Without routes load and performance share the whole, two to one."""
    result = score(tested=None, rate=75.0)
    assert result.weights == pytest.approx({"load_coverage": 2 / 3, "performance": 1 / 3, "error_validation": 0.0})
    assert result.score == pytest.approx(2 / 3 * 0.75 + 1 / 3)


def test_small_part_is_no_score() -> None:
    """Performance alone carries a fifth of the weight: it is shown, but no score is made of it."""
    result = efficacy(
        coverage(None, None, SETTINGS.routes),
        load_coverage(None, None, SETTINGS.test_run),
        gaps(
            making.production({}, Latency(p95=0.1, requests=1e6)),
            making.run({}, Latency(p95=0.1, requests=1e6)),
            SETTINGS,
        ),
        SETTINGS,
    )
    assert result == Efficacy({"performance": 1.0}, {}, None, None)


def test_no_evidence() -> None:
    """Without parts there is neither weight nor score."""
    nothing = coverage(None, None, SETTINGS.routes), load_coverage(None, None, SETTINGS.test_run)
    assert efficacy(*nothing, gaps(None, None, SETTINGS), SETTINGS) == Efficacy({}, {}, None, None)


def test_tiny_differences_in_errors_are_close() -> None:
    """Errors that differ by less than what counts as a difference score in full, whatever the ratio."""
    assert score(errors=0.0104).parts["error_validation"] == 1.0
    assert score(errors=0.03).parts["error_validation"] == 0.0


@pytest.mark.parametrize(("weight", "rating"), [(0.95, "excellent"), (0.8, "good"), (0.65, "fair"), (0.3, "poor")])
def test_ratings(weight: float, rating: str) -> None:
    """Each rating begins at its configured step."""
    only = msgspec.structs.replace(SETTINGS, efficacy=EfficacySettings(coverage=0, load_coverage=1, performance=0))
    assert score(rate=100 * weight, settings=only).rating == rating


@given(st.floats(0, 500), st.floats(0.001, 1), st.floats(0, 1), st.floats(0, 1))
def test_score_lies_between_its_parts(rate: float, p95: float, tested: float, errors: float) -> None:
    """A weighted mean is never outside of what it is made from."""
    result = score(rate, p95, tested, errors)
    if result.score is not None:
        weighted = [result.parts[part] for part, weight in result.weights.items() if weight > 0]
        assert min(weighted) - 1e-9 <= result.score <= max(weighted) + 1e-9
        assert sum(result.weights.values()) == pytest.approx(1)
