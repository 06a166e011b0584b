"""How numbers are written for people; one place for console, landing page and sentences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def number(value: float) -> str:
    """Four significant digits, never in scientific notation: 6234, 73.33, 0.001."""
    if value == 0:
        return "0"
    digits = max(0, 4 - len(str(int(abs(value))))) if abs(value) >= 1 else 4
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(ratio: float) -> str:
    """A ratio as a percentage: 73.3 %."""
    return f"{number(round(ratio * 100, 3))} %" if abs(ratio) < 0.1 else f"{ratio * 100:.1f} %"


def signed_percent(ratio: float) -> str:
    """A signed ratio as a percentage, with its sign: -27.0 %."""
    return f"{ratio * 100:+.1f} %"


def seconds(value: float) -> str:
    """A latency: 245.8 ms or 1.25 s."""
    return f"{number(round(value * 1000, 1))} ms" if abs(value) < 1 else f"{number(round(value, 2))} s"


def duration(value: float) -> str:
    """A length of time in its largest sensible unit: 42 min, 2.1 d."""
    for size, unit in _STEPS:
        if abs(value) >= size:
            return f"{number(round(value / size, 1))} {unit}"
    return "0 s"


def bytes_per_second(value: float) -> str:
    """A throughput in decimal units: 892.4 MB/s."""
    for size, unit in ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")):
        if abs(value) >= size:
            return f"{number(round(value / size, 1))} {unit}"
    return f"{number(value)} B/s"


def rate(value: float) -> str:
    """A request rate: 8543 req/s."""
    return f"{number(value)} req/s"


def moment(at: float) -> str:
    """A moment in UTC, to the minute: 2026-11-20 10:00 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


_BY_SIGNAL: dict[str, Callable[[float], str]] = {
    "request_rate": rate,
    "error_ratio": percent,
    "throughput": bytes_per_second,
    "cpu": percent,
    "memory": percent,
    "timeout_ratio": percent,
    "uptime_ratio": percent,
    "sustained": duration,
    "recovery_time": duration,
    "failover_time": duration,
}


def quantity(signal: str, value: float) -> str:
    """A value of a signal or metric of the next certification, in the unit that people read."""
    if signal.startswith("latency_"):
        return seconds(value)
    return _BY_SIGNAL.get(signal, number)(value)


def label(signal: str) -> str:
    """A signal's name for people: latency P99.9, error ratio, CPU."""
    if signal == "cpu":
        return "CPU"
    if signal == "latency_p999":
        return "latency P99.9"
    return signal.replace("_p", " P").replace("_", " ") if signal.startswith("latency_p") else signal.replace("_", " ")
