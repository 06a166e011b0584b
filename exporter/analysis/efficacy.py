"""Efficacy: one weighted score of how much the test proves. docs/explanation/method.md, section "Efficacy"."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from exporter.model.results import Coverage, Efficacy, Gap, LoadCoverage
from exporter.model.settings import AnalysisSettings, EfficacySettings

_HALF = 0.5
"""A score needs parts with at least this much of the configured weight."""


def efficacy(coverage: Coverage, load: LoadCoverage, gaps: Sequence[Gap], settings: AnalysisSettings) -> Efficacy:
    """The parts that have evidence, and their weighted mean when these parts carry at least half of the weight."""
    by_signal = {gap.signal: gap for gap in gaps}
    candidates = {
        "coverage": coverage.ratio,
        "load_coverage": _at_most_full(load.peak_ratio),
        "performance": _performance(by_signal, settings),
        "error_validation": _closeness(by_signal.get("error_ratio"), settings),
    }
    parts = {part: score for part, score in candidates.items() if score is not None}

    # Weights of parts without evidence are spread over the others, unless hardly any evidence would remain.
    configured = {part: getattr(settings.efficacy, part) for part in candidates}
    total = math.fsum(configured[part] for part in parts)
    if total <= 0 or total < _HALF * math.fsum(configured.values()):
        return Efficacy(parts, {}, None, None)

    weights = {part: configured[part] / total for part in parts}
    score = math.fsum(weights[part] * parts[part] for part in parts)
    return Efficacy(parts, weights, score, _rating(score, settings.efficacy))


def _at_most_full(ratio: float | None) -> float | None:
    """More load than production's counts as equal load."""
    if ratio is None:
        return None
    return min(1.0, ratio)


def _performance(by_signal: Mapping[str, Gap], settings: AnalysisSettings) -> float | None:
    """The mean over those of P95 and P99 that can be compared."""
    scores = []
    for signal in ("latency_p95", "latency_p99"):
        score = _closeness(by_signal.get(signal), settings)
        if score is not None:
            scores.append(score)
    if not scores:
        return None
    return math.fsum(scores) / len(scores)


def _closeness(gap: Gap | None, settings: AnalysisSettings) -> float | None:
    """1 when the PTE is close to production, 0.5 when it is fairly close, else 0; either sign counts."""
    if gap is None or gap.severity is None or gap.production is None or gap.pte is None:
        return None

    rule = settings.gaps.get(gap.signal)
    if rule is not None and abs(gap.pte - gap.production) <= rule.min_difference:
        return 1.0

    distance = math.inf if gap.ratio is None else abs(gap.ratio)
    if distance <= settings.efficacy.full_within:
        return 1.0
    if distance <= settings.efficacy.half_within:
        return 0.5
    return 0.0


def _rating(score: float, settings: EfficacySettings) -> Literal["excellent", "good", "fair", "poor"]:
    if score >= settings.excellent:
        return "excellent"
    if score >= settings.good:
        return "good"
    if score >= settings.fair:
        return "fair"
    return "poor"
