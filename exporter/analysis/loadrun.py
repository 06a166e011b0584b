"""A load test's run as an observation: a result file and a PTE's Prometheus are interchangeable.

docs/explanation/method.md, section "Result files".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

from exporter.analysis.arithmetic import Floats
from exporter.analysis.baseline import summarise_arrays
from exporter.analysis.histogram import bounds
from exporter.analysis.routes import normalise
from exporter.analysis.run import steady_minutes
from exporter.model.loadrun import Figures, Latencies, LoadRun, RunEndpoint, Timeline
from exporter.model.observation import (
    LATENCY_MEAN,
    MINUTE,
    ApplicationObservation,
    Events,
    Latency,
    RouteCount,
    Samples,
    Summary,
    TestRun,
    Window,
)

UNMAPPED = "unmapped"
"""The method of a name without a known route: it is published, and counts in the mix, but covers nothing."""

_FULL = 0.5
"""Share of the median minute's requests, below which a minute has no ratio."""

_MOST_NAMES = 5
"""Names that a warning lists."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def mapped(run: LoadRun, routes: Mapping[str, str]) -> LoadRun:
    """The run with a method and route for every name.

    They come from `routes` ("Log in" to "POST /login"), otherwise from the tool, otherwise from the name itself
    ("GET /cart"). A name with none of them stays unmapped, and a warning lists it.
    """
    endpoints = tuple(_mapped(endpoint, routes) for endpoint in run.endpoints)
    warnings = run.warnings
    unmapped = [endpoint.name for endpoint in endpoints if not endpoint.route]
    if unmapped:
        warnings = (*warnings, no_route(unmapped))
    return replace(run, endpoints=endpoints, warnings=warnings)


def no_route(names: Sequence[str]) -> str:
    """The warning of names that stay unmapped."""
    text = ", ".join(" ".join(name.split()) for name in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        text += f" and {len(names) - _MOST_NAMES} more"
    return f"no route is known of {text}: add them to `routes`"


def is_route(text: str) -> bool:
    """Whether it is a method and a path, such as GET /cart."""
    method, _, route = text.strip().partition(" ")
    return method.upper() in _METHODS and route.strip().startswith(("/", "http://", "https://"))


def _mapped(endpoint: RunEndpoint, routes: Mapping[str, str]) -> RunEndpoint:
    own = f"{endpoint.method} {endpoint.route}" if endpoint.route else endpoint.name
    text = routes.get(endpoint.name, own)
    if not is_route(text):
        return replace(endpoint, method="", route="")

    method, _, route = text.strip().partition(" ")
    verb, path, _ = normalise(method, route, heuristics=True)
    return replace(endpoint, method=verb, route=path)


def brief(run: LoadRun) -> LoadRun:
    """Without histograms, which earlier runs do not need and which would fill reports."""

    def without(figures: Figures) -> Figures:
        return replace(figures, latency=replace(figures.latency, histogram=None))

    endpoints = tuple(replace(endpoint, figures=without(endpoint.figures)) for endpoint in run.endpoints)
    return replace(run, total=without(run.total), endpoints=endpoints)


def full_minutes(run: LoadRun) -> Window:
    """The full minutes that the run touched, up to the end of the minute in which its last response came."""
    first = math.floor(run.start / MINUTE)
    last = math.floor(run.end / MINUTE)
    return Window(first * MINUTE, (last + 1) * MINUTE)


def as_observation(run: LoadRun) -> ApplicationObservation:
    """What a source would have seen of the run."""
    window = full_minutes(run)
    if run.timeline is None:
        signals = _overall(run)
        minutes = None
    else:
        signals = _signals(run.timeline)
        minutes = Samples(run.timeline.ends, tuple(count / MINUTE for count in run.timeline.requests))

    return ApplicationObservation(
        window=window,
        signals=signals,
        latency=_latency(run.total.latency, run.total.requests),
        routes=_routes(run),
        minutes=minutes,
        run=TestRun(window, "result_file"),
    )


def _signals(timeline: Timeline) -> dict[str, Summary]:
    """Quantiles only for the request rate, which is what every source gives."""
    times = np.asarray(timeline.ends)
    requests = np.asarray(timeline.requests, dtype=np.float64)
    rates = requests / MINUTE
    steady = steady_minutes(times, rates)
    # A minute that the run only touched has few requests, and a single failure among them would be its worst.
    served = requests >= max(1.0, _FULL * float(np.median(requests)))
    signals: dict[str, Summary] = {}

    def add(name: str, at: Floats, values: Floats) -> None:
        signals[name] = replace(summarise_arrays(at, values, steady), quantiles={})

    if timeline.received is not None:
        add("throughput", times, np.asarray(timeline.received) / MINUTE)
    if timeline.users is not None:
        users = np.asarray(timeline.users, dtype=np.float64)  # None becomes NaN
        add("concurrent_users", times[~np.isnan(users)], users[~np.isnan(users)])

    if timeline.failures is not None and served.any():
        failures = np.asarray(timeline.failures, dtype=np.float64)
        add("error_ratio", times[served], failures[served] / requests[served])
        # The mean is failures over requests, not a mean of the minutes' ratios, which would weigh them alike.
        mean = float(failures.sum() / requests.sum())
        signals["error_ratio"] = replace(signals["error_ratio"], mean=mean)
    if timeline.seconds is not None and served.any():
        add(LATENCY_MEAN, times[served], np.asarray(timeline.seconds)[served] / requests[served])
    return {**signals, "request_rate": summarise_arrays(times, rates, steady)}


def _overall(run: LoadRun) -> dict[str, Summary]:
    """Means over the whole run, where the file has nothing minute by minute: no peak is known."""
    means = {"request_rate": run.requests_per_second, "error_ratio": None, "throughput": None}
    if run.total.failures is not None and run.total.requests:
        means["error_ratio"] = run.total.failures / run.total.requests
    if run.total.received is not None and run.duration > 0:
        means["throughput"] = run.total.received / run.duration

    signals = {name: Summary(mean=mean) for name, mean in means.items() if mean is not None}
    if run.users is not None:
        signals["concurrent_users"] = Summary(peak=run.users)
    return signals


def _latency(latencies: Latencies, requests: int) -> Latency:
    """The percentiles that sources report; buckets at the histogram's own bounds: nothing is guessed."""
    below = 0
    buckets: dict[float, float] = {}
    if latencies.histogram is not None:
        for position, count in zip(latencies.histogram.indices, latencies.histogram.counts, strict=True):
            low, high = bounds(position)
            buckets[low] = float(below)
            below += count
            buckets[high] = float(below)
    return Latency(
        mean=latencies.mean,
        p50=latencies.p50,
        p95=latencies.p95,
        p99=latencies.p99,
        p999=latencies.p999,
        requests=float(requests),
        buckets=tuple(buckets.items()),
    )


def _routes(run: LoadRun) -> tuple[RouteCount, ...]:
    """Names of one route are added up."""
    requests: dict[tuple[str, str], int] = {}
    failures: dict[tuple[str, str], int | None] = {}
    for endpoint in run.endpoints:
        key = (endpoint.method, endpoint.route) if endpoint.route else (UNMAPPED, endpoint.name)
        requests[key] = requests.get(key, 0) + endpoint.figures.requests
        failures[key] = _add(failures.get(key, 0), endpoint.figures.failures)

    counts = []
    for (method, route), total in sorted(requests.items()):
        failed = failures[method, route]
        successes = None if failed is None else float(total - failed)
        counts.append(RouteCount(method, route, float(total), successes))
    return tuple(counts)


def _add(total: int | None, more: int | None) -> int | None:
    """A total of which one part is unknown is unknown."""
    if total is None or more is None:
        return None
    return total + more


def events(runs: Sequence[LoadRun], window: Window) -> Events | None:
    """What the runs had in the window, to be added to counters; None where none meets it.

    Latencies, and runs without a timeline, count as spread evenly over the run's requests and its time.
    """
    parts = []
    for run in runs:
        part = _part(run, window)
        if part is not None:
            parts.append(part)
    if not parts:
        return None

    covered = Window(min(part.window.start for part in parts), max(part.window.end for part in parts))
    requests = math.fsum(part.requests or 0.0 for part in parts)
    return Events(covered, requests, _sum_of_errors(parts), _sum_of_latencies(parts))


def _part(run: LoadRun, window: Window) -> Events | None:
    whole = full_minutes(run)
    inside = Window(max(whole.start, window.start), min(whole.end, window.end))
    if inside.end <= inside.start or not run.total.requests:
        return None

    failures: float | None = None
    if run.timeline is None:
        requests = run.total.requests * inside.duration / whole.duration
        if run.total.failures is not None:
            failures = run.total.failures * requests / run.total.requests
    else:
        is_inside = [inside.start < end <= inside.end for end in run.timeline.ends]
        requests = float(sum(compress(run.timeline.requests, is_inside)))
        if run.timeline.failures is not None:
            failures = float(sum(compress(run.timeline.failures, is_inside)))

    share = requests / run.total.requests
    latency = _latency(run.total.latency, run.total.requests)
    buckets = tuple((bound, count * share) for bound, count in latency.buckets)
    return Events(inside, requests, failures, Latency(requests=requests, buckets=buckets))


def _sum_of_errors(parts: Sequence[Events]) -> float | None:
    errors = [part.errors for part in parts if part.errors is not None]
    if len(errors) < len(parts):
        return None
    return math.fsum(errors)


def _sum_of_latencies(parts: Sequence[Events]) -> Latency | None:
    """Of all requests in any of them: at each bound what each had up to it. None where one has no buckets."""
    latencies = [part.latency for part in parts if part.latency is not None and part.latency.buckets]
    if len(latencies) < len(parts):
        return None

    all_bounds = sorted({bound for latency in latencies for bound, _ in latency.buckets})
    counts = [np.zeros(len(all_bounds))]
    for latency in latencies:
        at, count = zip(*latency.buckets, strict=True)
        counts.append(np.interp(all_bounds, [0.0, *at], [0.0, *count]))
    total = np.sum(counts, axis=0)

    requests = math.fsum(latency.requests or 0.0 for latency in latencies)
    return Latency(requests=requests, buckets=tuple(zip(all_bounds, total.tolist(), strict=True)))
