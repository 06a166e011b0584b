"""How numbers are written for people, everywhere: sentences, console, landing page.

The rule: at most three significant digits in sentences (SENTENCE_DIGITS), four in tables (TABLE_DIGITS), six in
recommendations, which are typed into the next test (INPUT_DIGITS). Percentages always have three, and at most one
decimal from 1 % on.
No trailing zeros, no scientific notation; a value that rounds to nothing is 0. A whole number keeps all its digits:
12345 req/s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

SENTENCE_DIGITS = 3
TABLE_DIGITS = 4
INPUT_DIGITS = 6
"""Significant digits, at most."""

_MAX_DECIMALS = 6
"""Decimal places, at most; more are not readable."""

_SAME = 0.005
"""A smaller change, as a ratio, is not worth mentioning."""

_CLOSE = 1.05
"""Two values within this factor are close to each other."""

_FAR = 10_000
"""Beyond this factor the exact number does not matter."""

_STEPS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))
_BYTES = ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"))


def number(value: float, digits: int = TABLE_DIGITS) -> str:
    """At most `digits` significant digits, but all of the whole number: 6234, 73.33, 0.001."""
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    decimals = max(0, min(digits - 1 - magnitude, _MAX_DECIMALS))

    text = trim_zeros(f"{value:.{decimals}f}")
    return "0" if text == "-0" else text


def trim_zeros(text: str) -> str:
    """A decimal number without zeros at its end: 99.90 is 99.9, and 100 is 100."""
    if "." not in text:
        return text
    return text.rstrip("0").rstrip(".")


def percent(ratio: float) -> str:
    """A ratio as a percentage: 144 %, 7.3 %, 0.342 %."""
    value = ratio * 100
    # Three digits would be two decimals here, and 7.31 % is more precise than anyone needs.
    if 1 <= abs(value) < 100:
        return f"{trim_zeros(f'{value:.1f}')} %"
    return f"{number(value, SENTENCE_DIGITS)} %"


def signed_percent(ratio: float) -> str:
    """A change as a percentage, with its sign and at most one decimal: -27 %, and 0 % for less."""
    text = percent(round(abs(ratio), 3))
    if text == "0 %":
        return text
    sign = "-" if ratio < 0 else "+"
    return f"{sign}{text}"


def describe_change(change: float) -> str:
    """How something changed by this ratio: grew by 92 % since the test, is 4 % lower than before the test."""
    if abs(change) < _SAME:
        return "is about the same as before the test"
    text = percent(abs(change))
    if change > 0:
        return f"grew by {text} since the test"
    return f"is {text} lower than before the test"


def compare(larger: float, smaller: float) -> str:
    """How the larger value relates to the smaller one, to stand between them: 2.6 times, close to, above."""
    if larger == smaller:
        return "equal to"
    if smaller <= 0:
        return "above"

    factor = larger / smaller
    if factor < _CLOSE:
        return "close to"
    if factor > _FAR:
        return "far above"
    return f"{number(factor, SENTENCE_DIGITS)} times"


def join_words(parts: Sequence[str]) -> str:
    """a, b and c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def some(names: Sequence[str], most: int, between: str = ", ") -> str:
    """a, b and 3 more: at most `most` names, each in one line, and the number of the rest."""
    rest = len(names) - most
    text = between.join(" ".join(name.split()) for name in names[:most])
    return f"{text} and {rest} more" if rest > 0 else text


def first(names: Sequence[str], most: int) -> str:
    """a, b, ...: at most `most` names, and dots if there are more."""
    text = ", ".join(names[:most])
    return f"{text}, ..." if len(names) > most else text


def seconds(value: float, digits: int = TABLE_DIGITS) -> str:
    """A latency: 245.8 ms or 1.254 s."""
    if abs(value) < 1:
        return f"{number(value * 1000, digits)} ms"
    return f"{number(value, digits)} s"


def describe_bad_request(threshold: float | None) -> str:
    """What makes a request bad, to follow on "requests": failed, or took more than 300 ms."""
    if threshold is None:
        return "failed"
    return f"took more than {seconds(threshold)}"


def duration(value: float) -> str:
    """A length of time in its largest unit: 42 minutes, 1 day, 2.1 days."""
    for size, unit in _STEPS:
        if abs(value) >= size:
            return pluralize(value / size, unit)
    return pluralize(value, "second")


def pluralize(value: float, unit: str) -> str:
    """A number of things: 1 file, 2 files."""
    text = trim_zeros(f"{value:.1f}")
    plural = "" if text == "1" else "s"
    return f"{text} {unit}{plural}"


def bytes_per_second(value: float, digits: int = TABLE_DIGITS) -> str:
    """A throughput in decimal units: 892.3 MB/s."""
    for size, unit in _BYTES:
        if abs(value) >= size:
            return f"{number(value / size, digits)} {unit}"
    return f"{number(value, digits)} B/s"


def rate(value: float, digits: int = TABLE_DIGITS) -> str:
    """A request rate: 8543 req/s."""
    return f"{number(value, digits)} req/s"


def format_time(at: float) -> str:
    """A moment in UTC, to the minute: 2026-11-20 10:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


_RATIOS = ("error_ratio", "cpu", "memory", "timeout_ratio", "uptime_ratio")
_DURATIONS = ("sustained", "recovery_time", "failover_time")
_BY_SIGNAL: dict[str, Callable[[float, int], str]] = {
    "request_rate": rate,
    "throughput": bytes_per_second,
    "concurrent_users": lambda value, digits: f"{number(value, digits)} users",
}


def quantity(signal: str, value: float, digits: int = TABLE_DIGITS) -> str:
    """A value of a signal or metric of the next certification, in the unit that people read."""
    if signal in _RATIOS:
        return percent(value)
    if signal in _DURATIONS:
        return duration(value)
    if signal.startswith("latency_"):
        return seconds(value, digits)
    return _BY_SIGNAL.get(signal, number)(value, digits)


_LABELS = {
    "latency_mean": "mean latency",
    "latency_p999": "P99.9 latency",
    "cpu": "CPU",
    "db_connections": "database connections",
}


def label(signal: str) -> str:
    """What people call a signal or metric: mean latency, P95 latency, error ratio, CPU."""
    if signal in _LABELS:
        return _LABELS[signal]
    if signal.startswith("latency_p"):
        return f"P{signal.removeprefix('latency_p')} latency"
    return signal.replace("_", " ")
