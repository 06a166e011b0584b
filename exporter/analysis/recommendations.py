"""Recommendations, written from the sign of the gap, which keeps them from being backwards."""

from __future__ import annotations

from exporter import humanize
from exporter.model.settings import GapRule
from exporter.model.verdict import Severity

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
    elif pte > production:
        advice = _higher(signal, production, pte)
    else:
        advice = _lower(signal, production, pte)

    name = humanize.label(signal)
    return f"{name[0].upper()}{name[1:]}, {severity}: {advice}."


def _quantity(signal: str, value: float) -> str:
    return humanize.quantity(signal, value, humanize.INPUT_DIGITS)


def _beyond_limit(signal: str, production: float | None, pte: float, limit: float) -> str:
    beside = ""
    if production is not None:
        beside = f" (production: {_quantity(signal, production)})"
    return (
        f"the PTE's {_quantity(signal, pte)} is above the limit of {_quantity(signal, limit)}{beside}: "
        "find the cause, or give the PTE more resources, before the next test"
    )


def _higher(signal: str, production: float, pte: float) -> str:
    """The PTE's value is above production's."""
    pte_text = _quantity(signal, pte)
    production_text = _quantity(signal, production)
    if signal.startswith("latency_"):
        return (
            f"production ({production_text}) is better than the test showed ({pte_text}): "
            "look for an environment or load-pattern difference"
        )
    if signal == "error_ratio":
        return (
            f"the PTE's error ratio ({pte_text}) is WORSE than production's ({production_text}): "
            "the test environment or build, not production, is suspect"
        )
    if signal in _UTILISATION:
        return (
            f"the PTE ({pte_text}) uses more than production ({production_text}): "
            "compare machine sizes and cost per request"
        )
    return f"the test ({pte_text}) went beyond production ({production_text}): check that this was intended"


def _lower(signal: str, production: float, pte: float) -> str:
    """The PTE's value is below production's."""
    pte_text = _quantity(signal, pte)
    production_text = _quantity(signal, production)
    if signal == "request_rate":
        raw = pte_text.removesuffix(" req/s")
        return f"the test did not reach production's rate: raise {raw} to at least {production_text}"
    if signal.startswith("latency_"):
        return (
            f"production ({production_text}) is slower than the test showed ({pte_text}): "
            "look for data, dependencies or load that production has and the test lacked"
        )
    if signal in ("throughput", "concurrent_users"):
        name = humanize.label(signal)
        return f"the test did not reach production's {name}: raise {pte_text} to at least {production_text}"
    return (
        f"the PTE ({pte_text}) stayed below production ({production_text}): "
        "the test did not reproduce production's level"
    )
