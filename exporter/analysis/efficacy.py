"""Efficacy: one weighted score of how much the test proves. docs/method.md, section "Efficacy"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from exporter.model.results import Coverage, Efficacy, Gap, LoadCoverage
from exporter.model.settings import AnalysisSettings, EfficacySettings

_HALF = 0.5
"""A score stands on parts that carry at least this much of the configured weight."""


def efficacy(coverage: Coverage, load: LoadCoverage, gaps: Sequence[Gap], settings: AnalysisSettings) -> Efficacy:
    """The parts that have evidence, and their weighted mean when these parts carry at least half of the weight."""
    by_signal = {gap.signal: gap for gap in gaps}
    performance = [_closeness(by_signal.get(signal), settings) for signal in ("latency_p95", "latency_p99")]
    known = [score for score in performance if score is not None]
    candidates = {
        "coverage": coverage.ratio,
        "load_coverage": None if load.peak_ratio is None else min(1.0, load.peak_ratio),
        "performance": math.fsum(known) / len(known) if known else None,
        "error_validation": _closeness(by_signal.get("error_ratio"), settings),
    }
    parts = {part: score for part, score in candidates.items() if score is not None}
    configured = {part: getattr(settings.efficacy, part) for part in candidates}
    total = math.fsum(configured[part] for part in parts)
    if total <= 0 or total < _HALF * math.fsum(configured.values()):
        return Efficacy(parts, {}, None, None)
    weights = {part: configured[part] / total for part in parts}
    score = math.fsum(weights[part] * parts[part] for part in parts)
    return Efficacy(parts, weights, score, _rating(score, settings.efficacy))


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
    return 0.5 if distance <= settings.efficacy.half_within else 0.0


def _rating(score: float, settings: EfficacySettings) -> Literal["excellent", "good", "fair", "poor"]:
    if score >= settings.excellent:
        return "excellent"
    if score >= settings.good:
        return "good"
    return "fair" if score >= settings.fair else "poor"
