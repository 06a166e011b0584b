"""CPU per request."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.capacity import capacity
from tests.analysis import making

ABOVE_ZERO = st.floats(1e-3, 1e6)


@given(ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO, ABOVE_ZERO)
def test_ratio(cpu: float, rate: float, test_cpu: float, test_rate: float) -> None:
    """Each side's CPU at peak over its rate at peak, and the one over the other."""
    production = making.production(making.peaks(cpu=cpu, request_rate=rate))
    pte = making.run(making.peaks(cpu=test_cpu, request_rate=test_rate))
    result = capacity(production, pte)
    assert result.cpu_per_request == pytest.approx({"production": cpu / rate, "pte": test_cpu / test_rate})
    assert result.ratio == pytest.approx(test_cpu * rate / (test_rate * cpu))


@pytest.mark.parametrize(
    "signals", [{}, {"cpu": 0.5}, {"cpu": 0.5, "request_rate": 0.0}, {"cpu": math.nan, "request_rate": 5.0}]
)
def test_no_evidence(signals: dict[str, float]) -> None:
    """A side without CPU, rate or traffic has no figure, and then there is no ratio."""
    result = capacity(making.production(making.peaks(**signals)), making.run(making.peaks(cpu=0.5, request_rate=5.0)))
    assert result.cpu_per_request == pytest.approx({"pte": 0.1})
    assert result.ratio is None
