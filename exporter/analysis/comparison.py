"""Is one run worse than one other, such as a saved baseline? docs/method.md, section "Regression".

What either run tells of its own uncertainty (order statistics on effective requests), and how much runs scatter that
nothing lies between: without the latter every two runs would differ.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from exporter.analysis import histogram
from exporter.analysis.loadrun import as_observation
from exporter.analysis.percentile import effective_requests
from exporter.analysis.regression import is_bad, matters, metric, moved, ratio, scaled, severity, unscaled
from exporter.model.loadrun import QUANTILE_FIGURES, Figures, Latencies, LoadRun
from exporter.model.loadrun_judgement import Change
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import Verdict

_SURE = 1.96
"""Standard errors of an interval of 95 %."""

_LEAST = 10.0
"""Effective requests; on fewer there is no evidence."""

_LEAST_BEYOND = 5.0
"""Effective requests expected on either side of a percentile."""

_GRID = 400
"""Points of a quantile function from which a deviation is taken."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Some requests of a run."""

    figures: Figures
    seconds: float
    """How long the run took."""
    share: float
    """Of the requests, those that count as independent: 0..1."""

    @property
    def requests(self) -> float:
        """Effective ones."""
        return self.figures.requests * self.share


def independent_share(run: LoadRun) -> float:
    """By the autocorrelation of the one-minute mean latencies; 1 where the run does not tell it."""
    effective = effective_requests(as_observation(run))
    return 1.0 if effective is None or not run.total.requests else effective / run.total.requests


def against_baseline(
    now: Measured, then: Measured, name: str, run_noise: float | None, settings: LoadRunSettings
) -> Change | None:
    """One metric of two runs; None where the newer one does not tell it. The name of the change is left empty.

    `run_noise`: standard deviation between runs on the metric's scale (`regression.scaled`), where history tells it.
    """
    value, reference = (metric(side.figures, name, side.seconds) for side in (now, then))
    samples = min(now.figures.requests, then.figures.requests)
    if value is None:
        return None
    if reference is None:
        return Change("", name, "baseline", value, None, None, "no_evidence", None, None, samples)
    reach = _reach(now, then, name, run_noise, settings)
    verdict: Verdict = "no_evidence"
    least = most = None
    if reach is not None:
        at = float(scaled(np.asarray(value), name))
        least, most = (unscaled(at + side * reach, name) for side in (-1, 1))
        verdict = _verdict(least, most, reference, name, settings)
    bad = {"worse": severity(moved(reference, value, name), name, settings), "no_evidence": None}
    effect = _effect(now.figures, then.figures, value, reference, name)
    how, change = bad.get(verdict, "none"), ratio(reference, value)
    return Change("", name, "baseline", value, reference, change, verdict, how, effect, samples, least, most)


def _verdict(least: float, most: float, reference: float, name: str, settings: LoadRunSettings) -> Verdict:
    """By the interval of the value: wholly beyond the tolerance on one side, wholly within it, or neither."""
    beyond = [matters(reference, end, name, settings) for end in (least, most)]
    if not any(beyond):
        return "equal"
    if all(beyond) and (least - reference) * (most - reference) > 0:
        return "worse" if is_bad(least - reference, name) else "better"
    return "no_evidence"


def _reach(
    now: Measured, then: Measured, name: str, run_noise: float | None, settings: LoadRunSettings
) -> float | None:
    """Half the interval of the difference, on the metric's scale; None with too few requests."""
    errors = [_error(side, name) for side in (now, then)]
    assumed = settings.run_noise if name != "error_ratio" else 0.0
    variance = 0.0
    for error in errors:
        if error is None:
            if run_noise is None or min(now.requests, then.requests) < _LEAST:
                return None
            variance += run_noise**2
        else:
            variance += error**2 + assumed**2 if run_noise is None else max(error, run_noise) ** 2
    return _SURE * math.sqrt(variance)


def _error(side: Measured, name: str) -> float | None:
    """Standard error within the run, on the metric's scale; None where the run does not tell it."""
    requests = side.requests
    if requests < _LEAST:
        return None
    if name == "error_ratio":
        return 0.5 / math.sqrt(requests)
    if name == "request_rate":
        return 1 / math.sqrt(requests)
    quantiles = _quantiles(side.figures.latency)
    if quantiles is None:
        return None
    at, seconds = quantiles
    if name == "latency_mean":
        found = np.interp((np.arange(_GRID) + 0.5) / _GRID, at, seconds)
        mean = float(found.mean())
        return float(found.std()) / mean / math.sqrt(requests) if mean > 0 else None
    q = QUANTILE_FIGURES[name.removeprefix("latency_")]
    if requests * min(q, 1 - q) < _LEAST_BEYOND:
        return None
    reach = math.sqrt(q * (1 - q) / requests)
    if q - _SURE * reach < at[0] or q + _SURE * reach > at[-1]:
        return None
    low, high = np.interp([q - _SURE * reach, q + _SURE * reach], at, seconds)
    return math.log(high / low) / (2 * _SURE) if low > 0 else None


def _quantiles(seen: Latencies) -> tuple[list[float], list[float]] | None:
    """Points of the quantile function: those of the histogram, else what lies between the percentiles that are told."""
    if seen.histogram is not None and seen.histogram.counts:
        total, below = sum(seen.histogram.counts), 0
        at, seconds = [0.0], [histogram.bounds(seen.histogram.indices[0])[0]]
        for position, count in zip(seen.histogram.indices, seen.histogram.counts, strict=True):
            below += count
            at.append(below / total)
            seconds.append(histogram.bounds(position)[1])
        return at, seconds
    told = {0.0: seen.min, **{q: getattr(seen, name) for name, q in QUANTILE_FIGURES.items()}, 1.0: seen.max}
    known = [(q, value) for q, value in told.items() if value is not None]
    if len(known) < 3 or any(later[1] < earlier[1] for earlier, later in itertools.pairwise(known)):
        return None
    return [q for q, _ in known], [value for _, value in known]


def _effect(now: Figures, then: Figures, value: float, reference: float, name: str) -> float | None:
    """Cliff's delta of latencies, Cohen's h of error ratios."""
    if name == "error_ratio":
        return 2 * (math.asin(math.sqrt(value)) - math.asin(math.sqrt(reference)))
    if name == "request_rate" or now.latency.histogram is None or then.latency.histogram is None:
        return None
    return cliffs_delta(histogram.dense(now.latency.histogram), histogram.dense(then.latency.histogram))


def cliffs_delta(now: histogram.Counts, then: histogram.Counts) -> float | None:
    """P(a request now is slower than one then) - P(it is faster); counts of shape (SIZE,)."""
    pairs = float(now.sum()) * float(then.sum())
    if not pairs:
        return None
    below = np.concatenate([[0], np.cumsum(then)])
    slower = float(np.dot(now.astype(np.float64), below[:-1]))
    faster = float(np.dot(now.astype(np.float64), below[-1] - below[1:]))
    return (slower - faster) / pairs
