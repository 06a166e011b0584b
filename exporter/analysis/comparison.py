"""Is one run worse than one other, such as a saved baseline? docs/explanation/method.md, section "Regression".

The uncertainty within either run (order statistics on effective requests), and how much runs scatter that
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
from exporter.analysis.regression import is_bad, matters, metric, ratio, scaled, severity_of, unscaled
from exporter.model.loadrun import QUANTILE_FIGURES, Figures, Histogram, Latencies, LoadRun
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

QuantileFunction = tuple[list[float], list[float]]
"""Shares of the requests (0..1), ascending, and the latency in seconds that each of them stays below."""


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
    """By the autocorrelation of the one-minute mean latencies; 1 where the run does not have it."""
    effective = effective_requests(as_observation(run))
    if effective is None or not run.total.requests:
        return 1.0
    return effective / run.total.requests


def against_baseline(
    now: Measured, then: Measured, name: str, run_noise: float | None, settings: LoadRunSettings
) -> Change | None:
    """One metric of two runs; None where the newer run does not have it. The name of the change is left empty.

    `run_noise`: standard deviation between runs on the metric's scale (`regression.scaled`), where history has it.
    """
    value = metric(now.figures, name, now.seconds)
    reference = metric(then.figures, name, then.seconds)
    samples = min(now.figures.requests, then.figures.requests)
    if value is None:
        return None
    if reference is None:
        return Change("", name, "baseline", value, None, None, "no_evidence", None, None, samples)

    verdict: Verdict = "no_evidence"
    least = None
    most = None
    reach = _reach(now, then, name, run_noise, settings)
    if reach is not None:
        center = float(scaled(np.asarray(value), name))
        least = unscaled(center - reach, name)
        most = unscaled(center + reach, name)
        verdict = _verdict(least, most, reference, name, settings)

    return Change(
        name="",
        metric=name,
        against="baseline",
        value=value,
        reference=reference,
        ratio=ratio(reference, value),
        verdict=verdict,
        severity=severity_of(verdict, reference, value, name, settings),
        effect=_effect(now.figures, then.figures, value, reference, name),
        samples=samples,
        least=least,
        most=most,
    )


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
    # The scatter of unchanged runs: assumed for rates and latencies, where no history shows it.
    # The error ratio's scatter is that of its requests alone.
    assumed = settings.run_noise if name != "error_ratio" else 0.0
    variance = 0.0

    for side in (now, then):
        error = _error(side, name)
        if error is None:
            if run_noise is None or min(now.requests, then.requests) < _LEAST:
                return None
            variance += run_noise**2
        elif run_noise is None:
            variance += error**2 + assumed**2
        else:
            variance += max(error, run_noise) ** 2  # scatter between runs holds that within a run
    return _SURE * math.sqrt(variance)


def _error(side: Measured, name: str) -> float | None:
    """Standard error within the run, on the metric's scale; None where the run does not have it.

    docs/explanation/method.md, "Regression", the table of `v`. The scales are such that rates and error ratios of N
    requests have
    an error that depends on N alone.
    """
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
    if name == "latency_mean":
        return _mean_error(quantiles, requests)
    return _quantile_error(quantiles, QUANTILE_FIGURES[name.removeprefix("latency_")], requests)


def _mean_error(quantiles: QuantileFunction, requests: float) -> float | None:
    """Of ln(mean): deviation / mean / sqrt N, both taken from evenly spaced points of the quantile function."""
    at, seconds = quantiles
    points = np.interp((np.arange(_GRID) + 0.5) / _GRID, at, seconds)
    mean = float(points.mean())
    if mean <= 0:
        return None
    return float(points.std()) / mean / math.sqrt(requests)


def _quantile_error(quantiles: QuantileFunction, q: float, requests: float) -> float | None:
    """Of ln(percentile): from the order statistics between which the percentile lies with 95 %."""
    if requests * min(q, 1 - q) < _LEAST_BEYOND:
        return None

    at, seconds = quantiles
    reach = math.sqrt(q * (1 - q) / requests)
    below = q - _SURE * reach
    above = q + _SURE * reach
    if below < at[0] or above > at[-1]:
        return None

    low, high = np.interp([below, above], at, seconds)
    if low <= 0:
        return None
    return math.log(high / low) / (2 * _SURE)


def _quantiles(latency: Latencies) -> QuantileFunction | None:
    """Points of the quantile function: those of the histogram, or interpolated between the reported percentiles."""
    if latency.histogram is not None and latency.histogram.counts:
        return _of_histogram(latency.histogram)

    percentiles = {q: getattr(latency, name) for name, q in QUANTILE_FIGURES.items()}
    candidates = {0.0: latency.min, **percentiles, 1.0: latency.max}
    points = [(q, value) for q, value in candidates.items() if value is not None]
    if len(points) < 3:
        return None
    # Falling percentiles are not a quantile function, and nothing may rest on them.
    if any(later[1] < earlier[1] for earlier, later in itertools.pairwise(points)):
        return None
    return [q for q, _ in points], [value for _, value in points]


def _of_histogram(latencies: Histogram) -> QuantileFunction:
    at = [0.0]
    seconds = [histogram.bounds(latencies.indices[0])[0]]

    total = sum(latencies.counts)
    below = 0
    for position, count in zip(latencies.indices, latencies.counts, strict=True):
        below += count
        at.append(below / total)
        seconds.append(histogram.bounds(position)[1])
    return at, seconds


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

    # Bucket by bucket: requests now are slower than those then in lower buckets. Within a bucket this is unknown.
    below = np.concatenate([[0], np.cumsum(then)])
    slower = float(np.dot(now.astype(np.float64), below[:-1]))
    faster = float(np.dot(now.astype(np.float64), below[-1] - below[1:]))
    return (slower - faster) / pairs
