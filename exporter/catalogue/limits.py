"""Limits: the limits of the results, as series that alerts compare with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exporter.catalogue.series import Row, Series
from exporter.model.results import Snapshot
from exporter.model.settings import PARTS, AnalysisSettings
from exporter.model.verdict import SEVERITIES


def values(settings: AnalysisSettings) -> Mapping[str, float]:
    """Every limit by the value of the label `limit`; seconds, ratios, requests or requests/s as the name says."""
    certification = settings.certification
    run = settings.test_run
    routes = settings.routes
    efficacy = settings.efficacy

    return {
        "certification_age_seconds": certification.max_age,
        "load_coverage_ratio": certification.load_coverage,
        "weighted_coverage_ratio": certification.weighted_coverage,
        "mix_total_variation_ratio": certification.mix_total_variation,
        "efficacy_ratio": certification.efficacy,
        "untested_share_ratio": certification.untested_share,
        "peak_growth_ratio": certification.peak_growth,
        "mix_moved_ratio": certification.mix_moved,
        "gap_severity": float(SEVERITIES.index(certification.gap_severity)),
        "verdict_tolerance_ratio": settings.tolerance,
        "verdict_confidence_ratio": settings.confidence,
        "verdict_effective_samples": settings.min_effective_samples,
        "clock_skew_seconds": settings.clock_skew,
        "spike_magnitude_ratio": settings.spike_magnitude,
        "test_run_lookback_seconds": run.lookback,
        "test_run_threshold_requests_per_second": run.threshold,
        "test_run_duration_seconds": run.min_duration,
        "test_run_gap_seconds": run.max_gap,
        "test_run_sustained_seconds": run.sustained,
        "test_run_steady_tolerance_ratio": run.steady_tolerance,
        "test_run_spike_factor_ratio": run.spike_factor,
        "route_requests": routes.min_requests,
        "route_endpoints": float(routes.max_endpoints),
        "efficacy_full_within_ratio": efficacy.full_within,
        "efficacy_half_within_ratio": efficacy.half_within,
        "efficacy_excellent_ratio": efficacy.excellent,
        "efficacy_good_ratio": efficacy.good,
        "efficacy_fair_ratio": efficacy.fair,
    }


def _limits(snapshot: Snapshot) -> Iterator[Row]:
    for name, value in values(snapshot.settings).items():
        yield (name,), float(value)


def _gap_steps(snapshot: Snapshot) -> Iterator[Row]:
    for signal, rule in snapshot.settings.gaps.items():
        for severity in SEVERITIES[1:]:
            step = getattr(rule, severity)
            if step is not None:
                yield (signal, severity), step


def _gap_values(snapshot: Snapshot) -> Iterator[Row]:
    for signal, rule in snapshot.settings.gaps.items():
        if rule.limit is not None:
            yield (signal,), rule.limit


def _weights(snapshot: Snapshot) -> Iterator[Row]:
    for part in PARTS:
        yield (part,), getattr(snapshot.settings.efficacy, part)


def _factors(snapshot: Snapshot) -> Iterator[Row]:
    settings = snapshot.settings.next_certification
    for name in settings.__struct_fields__:
        if name.endswith("_factor"):
            yield (name.removesuffix("_factor"),), getattr(settings, name)


SERIES: tuple[Series, ...] = (
    Series(
        "pte_limit", "Limit; its name says what it limits and in which unit. Configured.", ("limit",), _limits
    ).as_input(),
    Series(
        "pte_gap_limit_ratio",
        "Absolute gap above which the severity applies. Configured.",
        ("signal", "severity"),
        _gap_steps,
    ).as_input(),
    Series(
        "pte_gap_value_limit",
        "The PTE's own value above which the severity is at least high, in the signal's base unit. Configured.",
        ("signal",),
        _gap_values,
    ).as_input(),
    Series("pte_efficacy_weight_ratio", "Weight of the part in the score. Configured.", ("part",), _weights).as_input(),
    Series(
        "pte_next_certification_factor_ratio",
        "Factor: objective / production's value. Configured.",
        ("metric",),
        _factors,
    ).as_input(),
)
