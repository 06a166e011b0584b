"""Results of the queries in exporter.sources.prometheus.queries -> records of the model, for all applications together.

Series without an application (or, for routes, without method or route) are left out because their owner is unknown.
Two series of one application instead of one are `bad_data`: the template does not aggregate.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from exporter.analysis.baseline import latency
from exporter.clients.prometheus import Sample, series_name
from exporter.errors import SourceError
from exporter.model.minutes import Range
from exporter.model.observation import QUANTILES, Latency, RouteCount, Summary

Key = tuple[str, ...]


def keyed(samples: Iterable[Sample], labels: Key) -> dict[Key, float]:
    """Values by these labels; leaves out samples with an empty one. Raises SourceError for a duplicate key."""
    values: dict[Key, float] = {}
    for sample in samples:
        key = tuple(sample.labels.get(label, "") for label in labels)
        if not all(key):
            continue

        if key in values:
            raise _twice(sample.labels)
        values[key] = sample.value
    return values


def _twice(labels: Mapping[str, str]) -> SourceError:
    text = series_name({name: value for name, value in labels.items() if name not in ("stat", "part")})
    return SourceError(
        "bad_data", f"duplicate series of an application, such as {text}: the template must aggregate by application"
    )


def _grouped(samples: Iterable[Sample], label: str) -> dict[str, dict[str, float]]:
    """Application to the values of its parts."""
    groups = defaultdict[str, dict[str, float]](dict)
    for (application, part), value in keyed(samples, ("application", label)).items():
        groups[application][part] = value
    return groups


def summaries(samples: Iterable[Sample]) -> dict[str, Summary]:
    """Application to its summary, from Queries.summary."""
    return {application: _summary(stats) for application, stats in _grouped(samples, "stat").items() if "mean" in stats}


def _summary(stats: Mapping[str, float]) -> Summary:
    quantiles = {quantile: stats[quantile] for quantile in QUANTILES if quantile in stats}
    samples = round(stats["samples"]) if "samples" in stats else None
    noise, autocorrelation = _noise(stats.get("msd1"), stats.get("msd10"))

    summary = Summary(
        mean=stats["mean"],
        peak=stats.get("peak"),
        min=stats.get("min"),
        stddev=stats.get("stddev"),
        noise=noise,
        autocorrelation=autocorrelation,
        samples=samples,
        quantiles=quantiles,
    )

    if summary.peak is not None and summary.peak == summary.min:  # rounding must not appear as variance
        return replace(summary, mean=summary.peak, stddev=0.0)
    return summary


def _noise(near: float | None, far: float | None) -> tuple[float | None, float | None]:
    """Standard deviation of the noise, and autocorrelation, from mean squared differences of near and far minutes.

    Minutes far apart are independent: half their mean squared difference is the variance.
    """
    if far is None:
        return None, None
    noise = math.sqrt(far / 2)
    if near is None or far == 0:
        return noise, None
    return noise, max(-1.0, min(1.0, 1 - near / far))


def latencies(samples: Iterable[Sample], scale: float) -> dict[str, Latency]:
    """Application to latency from the parts bucket, sum and count; `scale` is seconds per unit of the histogram."""
    buckets = defaultdict[str, list[tuple[float, float]]](list)
    totals: list[Sample] = []
    for sample in samples:
        application = sample.labels.get("application")
        bound = sample.labels.get("le")
        if sample.labels.get("part") != "bucket":
            totals.append(sample)
        elif bound is not None and application:
            buckets[application].append((_bound(bound) * scale, sample.value))

    parts = _grouped(totals, "part")
    measured = {}
    for application in buckets.keys() | parts.keys():
        own = sorted(buckets.get(application, []))
        found_latency = _latency(own, parts.get(application, {}), scale)
        if found_latency is not None:
            measured[application] = found_latency
    return measured


def _latency(buckets: list[tuple[float, float]], totals: Mapping[str, float], scale: float) -> Latency | None:
    """From cumulative buckets in order, and from sum and count; None without requests."""
    count = totals.get("count")
    if count is None:  # the bucket without a bound counts everything
        count = buckets[-1][1] if buckets and buckets[-1][0] == math.inf else 0.0
    if count <= 0:
        return None
    seconds = totals["sum"] * scale if "sum" in totals else None
    return latency([bound for bound, _ in buckets], [counted for _, counted in buckets], seconds, count)


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SourceError("bad_data", f"a bucket has the bound le={text[:40]!r}, expected a number") from None


def native_latencies(samples: Iterable[Sample], scale: float) -> dict[str, Latency]:
    """Application to latency from Queries.native. A quantile at the histogram's end lies beyond its last bound.

    Inside a bucket a quantile below 1 is always less than the quantile 1. Equality means that a histogram with custom
    buckets has no finite bound above it.
    """
    measured = {}
    for application, stats in _grouped(samples, "stat").items():
        count = stats.get("count", 0.0)
        if count <= 0:
            continue

        mean = stats["sum"] / count * scale if "sum" in stats else None
        end = stats.get("max")
        inside = {key: value * scale for key, value in stats.items() if value != end}
        measured[application] = Latency(
            mean=mean,
            p50=inside.get("p50"),
            p95=inside.get("p95"),
            p99=inside.get("p99"),
            p999=inside.get("p999"),
            requests=count,
        )
    return measured


def routes(
    samples: Iterable[Sample], method: str, route: str, *, successes_known: bool
) -> dict[str, tuple[RouteCount, ...]]:
    """Application to its routes that had requests, most requests first.

    `successes_known`: successes were queried, so a route without a series of them had none.
    """
    counts: dict[str, list[RouteCount]] = defaultdict(list)
    values = keyed(samples, ("part", "application", method, route))
    for (part, application, verb, path), requests in values.items():
        if part != "requests" or requests <= 0:
            continue
        successes = values.get(("successes", application, verb, path), 0.0) if successes_known else None
        counts[application].append(RouteCount(verb, path, requests, successes))
    return {name: tuple(sorted(own, key=_by_requests)) for name, own in counts.items()}


def _by_requests(count: RouteCount) -> tuple[float, str]:
    return -count.requests, count.route


def by_application(samples: Iterable[Range]) -> dict[str, Range]:
    """Application to its series. Raises SourceError for a duplicate."""
    by_name: dict[str, Range] = {}
    for series in samples:
        application = series.labels.get("application", "")
        if application in by_name:
            raise _twice(series.labels)
        if application:
            by_name[application] = series
    return by_name
