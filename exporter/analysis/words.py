"""Numbers and recommendations for people, written from the sign, so that they cannot be backwards."""

from __future__ import annotations

import numpy as np

from exporter.model.results import Severity
from exporter.model.settings import GapRule

_NAMES = {
    "request_rate": "request rate",
    "error_ratio": "error ratio",
    "latency_mean": "mean latency",
    "latency_p50": "latency P50",
    "latency_p95": "latency P95",
    "latency_p99": "latency P99",
    "latency_p999": "latency P99.9",
    "throughput": "throughput",
    "concurrent_users": "concurrent users",
    "cpu": "CPU utilisation",
    "memory": "memory utilisation",
}
_UNITS = {"request_rate": (1.0, " req/s"), "throughput": (1e-6, " MB/s"), "concurrent_users": (1.0, " users")}
_PERCENT, _MILLISECONDS = (100.0, " %"), (1000.0, " ms")
_UTILISATION = ("cpu", "memory")


def number(value: float) -> str:
    """Six significant digits (three below one), never in scientific notation, without trailing zeros."""
    return np.format_float_positional(value, precision=6 if abs(value) >= 1 else 3, fractional=False, trim="-")


def percent(ratio: float) -> str:
    """A ratio as a whole percentage where that says enough, with one digit below ten."""
    return f"{ratio * 100:.1f} %" if 0.0005 <= abs(ratio) < 0.0995 else f"{ratio * 100:.0f} %"


def duration(seconds: float) -> str:
    """A stretch of time in its largest sensible unit: 45 days, 20 hours, 35 minutes, 10 seconds."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (unit == "minute" and seconds >= size):
            return f"{seconds / size:.0f} {unit}{'' if round(seconds / size) == 1 else 's'}"
    return f"{seconds:.0f} seconds"


def signal_name(signal: str) -> str:
    """What people call the signal."""
    return _NAMES.get(signal, signal)


def quantity(signal: str, value: float) -> str:
    """The value in the unit people use for the signal: req/s, %, ms, MB/s, users."""
    factor, unit = _UNITS.get(signal, _MILLISECONDS if signal.startswith("latency_") else _PERCENT)
    return number(value * factor) + unit


def recommendation(
    signal: str, production: float | None, pte: float, rule: GapRule, severity: Severity | None
) -> str | None:
    """One sentence: what the gap means and what to do. None where severity is none or unknown."""
    if severity in (None, "none"):
        return None
    if rule.limit is not None and pte > rule.limit:
        advice = _beyond_limit(signal, production, pte, rule.limit)
    elif production is None:
        return None
    else:
        advice = _higher(signal, production, pte) if pte > production else _lower(signal, production, pte)
    name = signal_name(signal)
    return f"{name[0].upper()}{name[1:]}, {severity}: {advice}."


def _beyond_limit(signal: str, production: float | None, pte: float, limit: float) -> str:
    beside = f" (production: {quantity(signal, production)})" if production is not None else ""
    return (
        f"the PTE's {quantity(signal, pte)} is above the limit of {quantity(signal, limit)}{beside}: "
        "find what uses it, or give the PTE more room, before the next test"
    )


def _higher(signal: str, production: float, pte: float) -> str:
    """The PTE's value is above production's."""
    here, there = quantity(signal, pte), quantity(signal, production)
    if signal.startswith("latency_"):
        return (
            f"production ({there}) is better than the test showed ({here}): "
            "look for an environment or load-pattern difference"
        )
    if signal == "error_ratio":
        return (
            f"the PTE's error ratio ({here}) is WORSE than production's ({there}): "
            "the test environment or build, not production, is suspect"
        )
    if signal in _UTILISATION:
        return f"the PTE ({here}) uses more than production ({there}): compare machine sizes and cost per request"
    return f"the test ({here}) went beyond production ({there}): check that this was meant"


def _lower(signal: str, production: float, pte: float) -> str:
    """The PTE's value is below production's."""
    here, there = quantity(signal, pte), quantity(signal, production)
    if signal == "request_rate":
        raw = quantity(signal, pte).removesuffix(" req/s")
        return f"the test did not reach production's rate: raise {raw} to at least {there}"
    if signal.startswith("latency_"):
        return (
            f"production ({there}) is slower than the test certified ({here}): "
            "look for what production has and the test lacked, such as data, dependencies or load"
        )
    if signal in ("throughput", "concurrent_users"):
        return f"the test did not reach production's {signal_name(signal)}: raise {here} to at least {there}"
    return f"the PTE ({here}) stayed below production ({there}): the test did not show what production lives with"
