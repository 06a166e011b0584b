"""Numbers are written for people the same way everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import words
from exporter.model.settings import COMPARED


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.number, 0.0, "0"),
        (words.number, 12345678.0, "12345678"),
        (words.number, 999.96, "1000"),
        (words.number, 1e-9, "0"),
        (words.number, -1e-9, "0"),
        (words.number, -2.5, "-2.5"),
        (words.percent, 0.733333, "73.3 %"),
        (words.percent, 0.09774, "9.8 %"),
        (words.percent, 0.00342, "0.342 %"),
        (words.percent, 1.4444, "144 %"),
        (words.percent, 0.0, "0 %"),
        (words.percent, 1.0, "100 %"),
        (words.percent, 0.9999, "100 %"),
        (words.percent, 1e-7, "0.00001 %"),
        (words.percent, 1e-18, "0 %"),
        (words.signed_percent, -0.270245, "-27 %"),
        (words.signed_percent, 0.5292, "+52.9 %"),
        (words.signed_percent, -1e-12, "0 %"),
        (words.signed_percent, 1.6e-7, "0 %"),
        (words.signed_percent, -0.00342, "-0.3 %"),
        (words.moved, 0.92, "grew by 92 % since the test"),
        (words.moved, -0.04, "is 4 % lower than before the test"),
        (words.moved, 0.004, "is what it was before the test"),
        (words.seconds, 0.24583, "245.8 ms"),
        (words.seconds, 1.254, "1.254 s"),
        (words.duration, 7200.0, "2 hours"),
        (words.duration, 5400.0, "1.5 hours"),
        (words.duration, 86400.0, "1 day"),
        (words.duration, 2520.0, "42 minutes"),
        (words.duration, 181440.0, "2.1 days"),
        (words.duration, 1.0, "1 second"),
        (words.duration, 0.0, "0 seconds"),
        (words.bytes_per_second, 892.34e6, "892.3 MB/s"),
        (words.bytes_per_second, 1.5e9, "1.5 GB/s"),
        (words.bytes_per_second, 12.0, "12 B/s"),
        (words.rate, 8543.21, "8543 req/s"),
        (words.rate, 0.25, "0.25 req/s"),
        (words.moment, 1763632800.0, "2025-11-20 10:00 UTC"),
    ],
)
def test_a_number_is_written_for_people(write: Callable[[float], str], value: float, text: str) -> None:
    """Each kind of number has one way of writing."""
    assert write(value) == text


@given(st.floats(min_value=1e-3, max_value=1e12), st.sampled_from([words.SAID, words.SHOWN, words.EXACT]))
def test_a_number_keeps_its_size(value: float, digits: int) -> None:
    """What is written reads back within rounding, never in scientific notation."""
    text = words.number(value, digits)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=0.51 * 10 ** (1 - digits), abs=5.1e-7)


@pytest.mark.parametrize(
    ("digits", "texts"),
    [
        (words.SAID, ["608 ms", "235 req/s", "0.523 %", "892 MB/s", "3456 users"]),
        (words.SHOWN, ["608 ms", "235.2 req/s", "0.523 %", "892.3 MB/s", "3456 users"]),
        (words.EXACT, ["607.989 ms", "235.162 req/s", "0.523 %", "892.34 MB/s", "3456 users"]),
    ],
)
def test_digits_depend_on_the_place(digits: int, texts: list[str]) -> None:
    """Sentences round as people speak, tables keep a digit more, recommendations what one would type."""
    signals = ("latency_p95", "request_rate", "error_ratio", "throughput", "concurrent_users")
    values = (0.607989, 235.16249, 0.00523, 892.34e6, 3456.0)
    assert [words.quantity(s, v, digits) for s, v in zip(signals, values, strict=True)] == texts


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ("latency_mean", "mean latency"),
        ("latency_p999", "latency P99.9"),
        ("latency_p95", "latency P95"),
        ("cpu", "CPU"),
        ("error_ratio", "error ratio"),
        ("db_connections", "database connections"),
    ],
)
def test_a_signal_has_a_name_for_people(signal: str, text: str) -> None:
    """Signals are named as people say them."""
    assert words.label(signal) == text


def test_labels_are_different() -> None:
    """No two signals are called the same."""
    assert len({words.label(signal) for signal in COMPARED}) == len(COMPARED)


def test_a_metric_has_its_unit() -> None:
    """Ratios are percentages, times are times, an unknown metric is a bare number."""
    assert words.quantity("cpu", 0.821) == "82.1 %"
    assert words.quantity("sustained", 3600.0) == "1 hour"
    assert words.quantity("db_connections", 11356) == "11356"


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")]
)
def test_lists_are_read_aloud(parts: list[str], text: str) -> None:
    """Commas, and a word before the last."""
    assert words.listed(parts) == text
