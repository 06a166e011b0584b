"""Is the PTE worse than, equal to or better than production, and do the samples suffice to say so?

docs/explanation/method.md, section "Verdict": Fieller's interval of the ratio of two means, on effective sample sizes.
The means'
uncertainty is that of the noise; what moves slowly, such as day and night, is pattern.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from exporter.analysis.arithmetic import finite
from exporter.model.observation import MINUTE, Summary
from exporter.model.settings import AnalysisSettings, GapRule
from exporter.model.verdict import Verdict

_CONSTANT = 1e-9
"""Noise below this ratio of the mean is rounding: the series did not vary."""

_SURE = 1 - 1e-9
"""No confidence is complete: beyond this the interval would be infinite."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the variance of that mean and the independent samples behind it."""

    value: float
    variance: float
    samples: float


def effective_samples(summary: Summary | None) -> float | None:
    """n(1-r)/(1+r) with r within 0..1; None where n or r is unknown, or the series constant but for rounding."""
    if summary is None or summary.samples is None:
        return None
    share = independent_share(summary)
    if share is None:
        return None
    return summary.samples * share


def independent_share(summary: Summary) -> float | None:
    """(1-r)/(1+r), 0..1; None where r is unknown. A negative r does not count as extra samples.

    Values coarser than a minute have none: the noise of minutes is averaged out of them.
    """
    r = finite(summary.autocorrelation)
    if r is None or summary.resolution > MINUTE or _is_constant(summary):
        return None
    limited = min(1.0, max(0.0, r))
    return (1 - limited) / (1 + limited)


def _is_constant(summary: Summary) -> bool:
    mean = finite(summary.mean)
    noise = finite(summary.noise)
    return mean is not None and noise is not None and noise <= _CONSTANT * abs(mean)


def mean_of(summary: Summary | None, least: float) -> Mean | None:
    """The mean with its uncertainty; None where it has none: a constant series, or fewer than `least` samples."""
    samples = effective_samples(summary)
    if summary is None or samples is None or samples < max(least, 2.0):
        return None
    value = finite(summary.mean)
    noise = finite(summary.noise)
    if value is None or value <= 0 or noise is None:
        return None
    return Mean(value, noise * noise / samples, samples)


def interval(pte: Mean, production: Mean, confidence: float) -> tuple[float, float] | None:
    """Fieller's interval of pte / production; None where production's mean cannot be distinguished from zero.

    The ratios R that (m_T - R m_P)² <= t² (v_T + R² v_P) does not rule out, a quadratic inequality in R:
    docs/explanation/method.md, "Verdict". Dividing by the mean alone would ignore that production's mean is uncertain
    too.
    """
    t = student(confidence, min(pte.samples, production.samples) - 1)
    denominator = production.value**2 - t * t * production.variance
    if denominator <= 0:
        return None

    product = pte.value * production.value
    radicand = max(0.0, product * product - denominator * (pte.value**2 - t * t * pte.variance))
    reach = math.sqrt(radicand)
    return (product - reach) / denominator, (product + reach) / denominator


def student(confidence: float, freedom: float) -> float:
    """Two-sided quantile of Student's t, expanded in 1/freedom (Abramowitz & Stegun 26.7.5)."""
    z = NormalDist().inv_cdf((1 + min(confidence, _SURE)) / 2)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def verdict(production: Summary | None, pte: Summary | None, rule: GapRule, settings: AnalysisSettings) -> Verdict:
    """The verdict on two means; no evidence where either has no known uncertainty."""
    production_mean = mean_of(production, settings.min_effective_samples)
    pte_mean = mean_of(pte, settings.min_effective_samples)
    if production_mean is None or pte_mean is None:
        return "no_evidence"
    ratio = interval(pte_mean, production_mean, settings.confidence)
    return decide(ratio, production_mean.value, rule, settings)


def decide(ratio: tuple[float, float] | None, base: float | None, rule: GapRule, settings: AnalysisSettings) -> Verdict:
    """`equal` if the interval of pte / production lies within the tolerance, worse or better if wholly beyond it.

    Else, and without an interval, no evidence. `base` is production's value, in the signal's base unit.
    """
    if ratio is None or base is None or base <= 0:
        return "no_evidence"

    low, high = ratio
    margin = max(settings.tolerance, rule.min_difference / base)
    if 1 - margin <= low and high <= 1 + margin:
        return "equal"
    if low > 1 + margin:
        return judge("higher", rule)
    if high < 1 - margin:
        return judge("lower", rule)
    return "no_evidence"


def judge(pte_is: Literal["lower", "higher"], rule: GapRule) -> Verdict:
    """Worse where the PTE lies on the bad side. Where both signs are bad (latency), higher is worse, lower better."""
    bad = "higher" if rule.bad == "both" else rule.bad
    return "worse" if pte_is == bad else "better"
