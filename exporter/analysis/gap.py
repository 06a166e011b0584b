"""Gap: (pte - production) / production, signed, per signal. docs/method.md, sections "Gap" and "Severity"."""

from __future__ import annotations

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
    live, test = compared(production, signal), compared(pte, signal)
    counts = {role: _samples(signal, seen) for role, seen in (("production", production), ("pte", pte))}
    served = has_traffic(production) and has_traffic(pte)
    level = severity(live, test, rule) if served else None
    return Gap(
        signal=signal,
        production=live,
        pte=test,
        ratio=divide(test - live, live) if served and live is not None and test is not None else None,
        severity=level,
        verdict=_verdict(signal, production, pte, rule, settings) if served else "no_evidence",
        effective_samples={role: count for role, count in counts.items() if count is not None},
        recommendation=None if test is None else recommendation(signal, live, test, rule, level),
    )


def _samples(signal: str, seen: ApplicationObservation | None) -> float | None:
    """The independent values, or requests for a percentile, behind the verdict."""
    if _quantile(signal) is None:
        return effective_samples(summary(seen, signal))
    return percentile.effective_requests(seen)


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
    """0.95 for latency_p95; None for what is no percentile."""
    return QUANTILE_OF.get(signal.removeprefix("latency_")) if signal.startswith("latency_") else None


def severity(production: float | None, pte: float | None, rule: GapRule) -> Severity | None:
    """How bad the gap is; None where a side is missing or, without a least difference, production's value is zero."""
    if production is None or pte is None:
        return None
    by_gap = _by_gap(production, pte, rule)
    if by_gap is None:
        return None
    beyond_limit = rule.limit is not None and pte > rule.limit
    return max(by_gap, "high", key=SEVERITIES.index) if beyond_limit else by_gap


def _by_gap(production: float, pte: float, rule: GapRule) -> Severity | None:
    """Severity from the sign and size of the gap alone."""
    difference = pte - production
    if abs(difference) <= rule.min_difference:
        return "none"
    sign = "higher" if difference > 0 else "lower"
    ratio = divide(difference, production)
    if ratio is None:  # a gap against nothing has no ratio, but beyond a least difference it is as bad as gaps get
        return _reached(float("inf"), rule) if rule.min_difference > 0 and rule.bad in (sign, "both") else None
    return _reached(abs(ratio), rule) if rule.bad in (sign, "both") else "none"


def _reached(size: float, rule: GapRule) -> Severity:
    """The highest step that the size exceeds."""
    steps: tuple[tuple[Severity, float | None], ...] = (
        ("critical", rule.critical),
        ("high", rule.high),
        ("medium", rule.medium),
        ("low", rule.low),
    )
    return next((name for name, step in steps if step is not None and size > step), "none")
