"""Gap: (pte - production) / production, signed, per signal.

docs/explanation/method.md, sections "Gap" and "Severity".
"""

from __future__ import annotations

import math

from exporter.analysis import percentile
from exporter.analysis.arithmetic import QUANTILE_OF, compared, divide, has_traffic, summary
from exporter.analysis.recommendations import recommendation
from exporter.analysis.verdict import decide, effective_samples, verdict
from exporter.model.observation import ApplicationObservation
from exporter.model.results import Gap
from exporter.model.settings import COMPARED, AnalysisSettings, GapRule
from exporter.model.verdict import SEVERITIES, Severity, Verdict


def gaps(
    production: ApplicationObservation | None, pte: ApplicationObservation | None, settings: AnalysisSettings
) -> tuple[Gap, ...]:
    """One gap for each compared signal, in the order of COMPARED; what a side lacks is None."""
    return tuple(gap(signal, production, pte, settings) for signal in COMPARED)


def gap(
    signal: str,
    production: ApplicationObservation | None,
    pte: ApplicationObservation | None,
    settings: AnalysisSettings,
) -> Gap:
    """Peaks (latency: statistics of the whole window) make the ratio and the severity.

    Means make the verdict, and of latency percentiles the interval that each of them has.
    """
    rule = settings.gaps.get(signal, GapRule(bad="both"))
    production_value = compared(production, signal)
    pte_value = compared(pte, signal)

    ratio = None
    level = None
    judgement: Verdict = "no_evidence"
    # Without traffic on both sides the values are those of idle machines, and their difference says nothing.
    if has_traffic(production) and has_traffic(pte):
        ratio = _ratio(production_value, pte_value)
        level = severity(production_value, pte_value, rule)
        judgement = _verdict(signal, production, pte, rule, settings)

    advice = None
    if pte_value is not None:
        advice = recommendation(signal, production_value, pte_value, rule, level)

    return Gap(
        signal=signal,
        production=production_value,
        pte=pte_value,
        ratio=ratio,
        severity=level,
        verdict=judgement,
        effective_samples=_effective_samples(signal, production, pte),
        recommendation=advice,
    )


def _ratio(production: float | None, pte: float | None) -> float | None:
    if production is None or pte is None:
        return None
    return divide(pte - production, production)


def _effective_samples(
    signal: str, production: ApplicationObservation | None, pte: ApplicationObservation | None
) -> dict[str, float]:
    """Role to the independent values, or requests for a percentile, behind the verdict."""
    is_percentile = _quantile(signal) is not None
    samples = {}

    for role, observation in (("production", production), ("pte", pte)):
        if is_percentile:
            count = percentile.effective_requests(observation)
        else:
            count = effective_samples(summary(observation, signal))
        if count is not None:
            samples[role] = count

    return samples


def _verdict(
    signal: str,
    production: ApplicationObservation | None,
    pte: ApplicationObservation | None,
    rule: GapRule,
    settings: AnalysisSettings,
) -> Verdict:
    quantile = _quantile(signal)
    if quantile is None:
        return verdict(summary(production, signal), summary(pte, signal), rule, settings)
    ratio = percentile.ratio(production, pte, quantile, settings)
    return decide(ratio, compared(production, signal), rule, settings)


def _quantile(signal: str) -> float | None:
    """0.95 for latency_p95; None for other signals."""
    if not signal.startswith("latency_"):
        return None
    return QUANTILE_OF.get(signal.removeprefix("latency_"))


def severity(production: float | None, pte: float | None, rule: GapRule) -> Severity | None:
    """How bad the gap is; None where a side is missing or, without a least difference, production's value is zero."""
    if production is None or pte is None:
        return None
    by_gap = _by_gap(production, pte, rule)
    if by_gap is None:
        return None
    if rule.limit is not None and pte > rule.limit:
        return max(by_gap, "high", key=SEVERITIES.index)
    return by_gap


def _by_gap(production: float, pte: float, rule: GapRule) -> Severity | None:
    """Severity from the sign and size of the gap alone."""
    difference = pte - production
    if abs(difference) <= rule.min_difference:
        return "none"

    sign = "higher" if difference > 0 else "lower"
    is_bad = rule.bad in (sign, "both")
    ratio = divide(difference, production)
    if ratio is not None:
        return _reached(abs(ratio), rule) if is_bad else "none"

    # A gap against nothing has no ratio, but beyond a least difference it is as bad as gaps get.
    if is_bad and rule.min_difference > 0:
        return _reached(math.inf, rule)
    return None


def _reached(size: float, rule: GapRule) -> Severity:
    """The highest step that the size exceeds."""
    steps: tuple[tuple[Severity, float | None], ...] = (
        ("critical", rule.critical),
        ("high", rule.high),
        ("medium", rule.medium),
        ("low", rule.low),
    )
    for name, step in steps:
        if step is not None and size > step:
            return name
    return "none"
