"""Numbers are written for people the same way everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.report import words


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.percent, 0.733333, "73.3 %"),
        (words.percent, 0.00342, "0.342 %"),
        (words.percent, 0.0, "0 %"),
        (words.percent, 1.0, "100.0 %"),
        (words.signed_percent, -0.270245, "-27.0 %"),
        (words.signed_percent, 0.5292, "+52.9 %"),
        (words.seconds, 0.24583, "245.8 ms"),
        (words.seconds, 1.254, "1.25 s"),
        (words.duration, 7200.0, "2 h"),
        (words.duration, 2520.0, "42 min"),
        (words.duration, 181440.0, "2.1 d"),
        (words.duration, 0.0, "0 s"),
        (words.bytes_per_second, 892.34e6, "892.3 MB/s"),
        (words.bytes_per_second, 12.0, "12 B/s"),
        (words.rate, 8543.21, "8543 req/s"),
        (words.rate, 0.25, "0.25 req/s"),
        (words.moment, 1763632800.0, "2025-11-20 10:00 UTC"),
    ],
)
def test_a_number_is_written_for_people(write: Callable[[float], str], value: float, text: str) -> None:
    """Each kind of number has one way of writing."""
    assert write(value) == text


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_a_number_keeps_its_size(value: float) -> None:
    """What is written reads back within rounding, and never in scientific notation."""
    text = words.number(value)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=1e-3, abs=5e-5)


@pytest.mark.parametrize(
    ("signal", "text"),
    [("latency_p999", "latency P99.9"), ("latency_p95", "latency P95"), ("cpu", "CPU"), ("error_ratio", "error ratio")],
)
def test_a_signal_has_a_name_for_people(signal: str, text: str) -> None:
    """Signals are named as people say them."""
    assert words.label(signal) == text


def test_a_quantity_has_its_signals_unit() -> None:
    """Latency is shown as time, CPU as a percentage, an unknown metric as a bare number."""
    assert words.quantity("latency_p99", 0.48792) == "487.9 ms"
    assert words.quantity("cpu", 0.821) == "82.1 %"
    assert words.quantity("db_connections", 11356) == "11356"
