"""Numbers are written for people the same way everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import humanize
from exporter.model.settings import COMPARED


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (humanize.number, 0.0, "0"),
        (humanize.number, 12345678.0, "12345678"),
        (humanize.number, 999.96, "1000"),
        (humanize.number, 1e-9, "0"),
        (humanize.number, -1e-9, "0"),
        (humanize.number, -2.5, "-2.5"),
        (humanize.percent, 0.733333, "73.3 %"),
        (humanize.percent, 0.09774, "9.8 %"),
        (humanize.percent, 0.00342, "0.342 %"),
        (humanize.percent, 1.4444, "144 %"),
        (humanize.percent, 0.0, "0 %"),
        (humanize.percent, 1.0, "100 %"),
        (humanize.percent, 0.9999, "100 %"),
        (humanize.percent, 1e-7, "0.00001 %"),
        (humanize.percent, 1e-18, "0 %"),
        (humanize.signed_percent, -0.270245, "-27 %"),
        (humanize.signed_percent, 0.5292, "+52.9 %"),
        (humanize.signed_percent, -1e-12, "0 %"),
        (humanize.signed_percent, 1.6e-7, "0 %"),
        (humanize.signed_percent, -0.00342, "-0.3 %"),
        (humanize.describe_change, 0.92, "grew by 92 % since the test"),
        (humanize.describe_change, -0.04, "is 4 % lower than before the test"),
        (humanize.describe_change, 0.004, "is about the same as before the test"),
        (humanize.seconds, 0.24583, "245.8 ms"),
        (humanize.seconds, 1.254, "1.254 s"),
        (humanize.duration, 7200.0, "2 hours"),
        (humanize.duration, 5400.0, "1.5 hours"),
        (humanize.duration, 86400.0, "1 day"),
        (humanize.duration, 2520.0, "42 minutes"),
        (humanize.duration, 181440.0, "2.1 days"),
        (humanize.duration, 1.0, "1 second"),
        (humanize.duration, 0.0, "0 seconds"),
        (humanize.bytes_per_second, 892.34e6, "892.3 MB/s"),
        (humanize.bytes_per_second, 1.5e9, "1.5 GB/s"),
        (humanize.bytes_per_second, 12.0, "12 B/s"),
        (humanize.rate, 8543.21, "8543 req/s"),
        (humanize.rate, 0.25, "0.25 req/s"),
        (humanize.format_time, 1763632800.0, "2025-11-20 10:00 UTC"),
    ],
)
def test_a_number_is_written_for_people(write: Callable[[float], str], value: float, text: str) -> None:
    """Each kind of number has one way of writing."""
    assert write(value) == text


@given(
    st.floats(min_value=1e-3, max_value=1e12),
    st.sampled_from([humanize.SENTENCE_DIGITS, humanize.TABLE_DIGITS, humanize.INPUT_DIGITS]),
)
def test_a_number_keeps_its_size(value: float, digits: int) -> None:
    """What is written reads back within rounding, never in scientific notation."""
    text = humanize.number(value, digits)
    assert "e" not in text
    assert float(text) == pytest.approx(value, rel=0.51 * 10 ** (1 - digits), abs=5.1e-7)


@pytest.mark.parametrize(
    ("digits", "texts"),
    [
        (humanize.SENTENCE_DIGITS, ["608 ms", "235 req/s", "0.523 %", "892 MB/s", "3456 users"]),
        (humanize.TABLE_DIGITS, ["608 ms", "235.2 req/s", "0.523 %", "892.3 MB/s", "3456 users"]),
        (humanize.INPUT_DIGITS, ["607.989 ms", "235.162 req/s", "0.523 %", "892.34 MB/s", "3456 users"]),
    ],
)
def test_digits_depend_on_the_place(digits: int, texts: list[str]) -> None:
    """Sentences round as people speak, tables keep a digit more, recommendations what one would type."""
    signals = ("latency_p95", "request_rate", "error_ratio", "throughput", "concurrent_users")
    values = (0.607989, 235.16249, 0.00523, 892.34e6, 3456.0)
    assert [humanize.quantity(s, v, digits) for s, v in zip(signals, values, strict=True)] == texts


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        ("latency_mean", "mean latency"),
        ("latency_p999", "P99.9 latency"),
        ("latency_p95", "P95 latency"),
        ("cpu", "CPU"),
        ("error_ratio", "error ratio"),
        ("db_connections", "database connections"),
    ],
)
def test_a_signal_has_a_name_for_people(signal: str, text: str) -> None:
    """Signals are named as people say them."""
    assert humanize.label(signal) == text


def test_labels_are_different() -> None:
    """No two signals are called the same."""
    assert len({humanize.label(signal) for signal in COMPARED}) == len(COMPARED)


def test_a_metric_has_its_unit() -> None:
    """Ratios are percentages, times are times, an unknown metric is a bare number."""
    assert humanize.quantity("cpu", 0.821) == "82.1 %"
    assert humanize.quantity("sustained", 3600.0) == "1 hour"
    assert humanize.quantity("db_connections", 11356) == "11356"


@pytest.mark.parametrize(
    ("larger", "smaller", "text"),
    [
        (1.58, 0.607, "2.6 times"),
        (1.06, 1.0, "1.06 times"),
        (1.04, 1.0, "close to"),
        (1.0, 1.0, "equal to"),
        (0.0, 0.0, "equal to"),
        (0.02, 0.0, "above"),
        (1e60, 1e-300, "far above"),
    ],
)
def test_two_values_are_compared(larger: float, smaller: float, text: str) -> None:
    """A factor where it says something, else words; a division by zero never happens."""
    assert humanize.compare(larger, smaller) == text


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")]
)
def test_lists_are_read_aloud(parts: list[str], text: str) -> None:
    """Commas, and a word before the last."""
    assert humanize.join_words(parts) == text


def test_of_many_names_the_first_are_shown() -> None:
    """What is left out is counted, or dots say that there is more; a name is never more than one line."""
    assert humanize.some(["a", "b\nb"], 2) == "a, b b"
    assert humanize.some(["a", "b", "c", "d"], 2, "; ") == "a; b and 2 more"
    assert humanize.some([], 2) == ""
    assert humanize.first(["a", "b"], 2) == "a, b"
    assert humanize.first(["a", "b", "c"], 2) == "a, b, ..."


@pytest.mark.parametrize(
    ("text", "trimmed"), [("99.900", "99.9"), ("100.00", "100"), ("100", "100"), ("0.0", "0"), ("-20.00", "-20")]
)
def test_only_zeros_behind_the_point_are_trimmed(text: str, trimmed: str) -> None:
    """What a number says stays."""
    assert humanize.trim_zeros(text) == trimmed
