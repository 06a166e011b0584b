"""Recommendations, written from the sign of the gap, so that they cannot be backwards."""

from __future__ import annotations

from exporter import humanize
from exporter.model.loadrun_judgement import Severity
from exporter.model.settings import GapRule

_UTILISATION = ("cpu", "memory")


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
    name = humanize.label(signal)
    return f"{name[0].upper()}{name[1:]}, {severity}: {advice}."


def _quantity(signal: str, value: float) -> str:
    return humanize.quantity(signal, value, humanize.INPUT_DIGITS)


def _beyond_limit(signal: str, production: float | None, pte: float, limit: float) -> str:
    beside = f" (production: {_quantity(signal, production)})" if production is not None else ""
    return (
        f"the PTE's {_quantity(signal, pte)} is above the limit of {_quantity(signal, limit)}{beside}: "
        "find what uses it, or give the PTE more room, before the next test"
    )


def _higher(signal: str, production: float, pte: float) -> str:
    """The PTE's value is above production's."""
    here, there = _quantity(signal, pte), _quantity(signal, production)
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
    here, there = _quantity(signal, pte), _quantity(signal, production)
    if signal == "request_rate":
        raw = here.removesuffix(" req/s")
        return f"the test did not reach production's rate: raise {raw} to at least {there}"
    if signal.startswith("latency_"):
        return (
            f"production ({there}) is slower than the test certified ({here}): "
            "look for what production has and the test lacked, such as data, dependencies or load"
        )
    if signal in ("throughput", "concurrent_users"):
        return f"the test did not reach production's {humanize.label(signal)}: raise {here} to at least {there}"
    return f"the PTE ({here}) stayed below production ({there}): the test did not show what production lives with"
