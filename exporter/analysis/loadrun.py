"""A load test's run as an observation, so that a result file and a PTE's Prometheus are interchangeable.

docs/method.md, section "Result files".
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
from exporter.model.loadrun import Endpoint, Figures, Latencies, LoadRun, Timeline
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
"""The method of a name that stands for no known route: it is shown, and counts in the mix, but covers nothing."""

_FULL = 0.5
"""Share of the median minute's requests, below which a minute tells no ratio of its own."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def mapped(run: LoadRun, routes: Mapping[str, str]) -> LoadRun:
    """With the method and route of every name: those of `routes` ("Log in" to "POST /login"), else those that the

    tool tells, else those that the name itself is ("GET /cart"). A name with none of them stays unmapped and is told
    in a warning.
    """
    endpoints = tuple(_mapped(one, routes) for one in run.endpoints)
    unmapped = [one.name for one in endpoints if not one.route]
    if not unmapped:
        return replace(run, endpoints=endpoints)
    return replace(run, endpoints=endpoints, warnings=(*run.warnings, no_route(unmapped)))


def no_route(names: Sequence[str]) -> str:
    """The warning of names that stay unmapped."""
    shown = ", ".join(" ".join(name.split()) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    return f"no route is known of {shown}: add them to `routes`"


def is_route(text: str) -> bool:
    """Whether it is a method and a path, such as GET /cart."""
    method, _, route = text.strip().partition(" ")
    return method.upper() in _METHODS and route.strip().startswith(("/", "http://", "https://"))


def _mapped(one: Endpoint, routes: Mapping[str, str]) -> Endpoint:
    told = routes.get(one.name, f"{one.method} {one.route}" if one.route else one.name)
    if not is_route(told):
        return replace(one, method="", route="")
    method, _, route = told.strip().partition(" ")
    verb, path, _ = normalise(method, route, heuristics=True)
    return replace(one, method=verb, route=path)


def brief(run: LoadRun) -> LoadRun:
    """Without histograms, which a dozen runs would fill reports with: of earlier runs nobody asks for them."""

    def without(figures: Figures) -> Figures:
        return replace(figures, latency=replace(figures.latency, histogram=None))

    endpoints = tuple(replace(one, figures=without(one.figures)) for one in run.endpoints)
    return replace(run, total=without(run.total), endpoints=endpoints)


def full_minutes(run: LoadRun) -> Window:
    """The full minutes that the run touched, up to the end of the minute in which its last response came."""
    return Window(math.floor(run.start / MINUTE) * MINUTE, (math.floor(run.end / MINUTE) + 1) * MINUTE)


def as_observation(run: LoadRun) -> ApplicationObservation:
    """What a source would have seen of the run."""
    window = full_minutes(run)
    minutes = None
    if run.timeline is not None:
        minutes = Samples(run.timeline.ends, tuple(count / MINUTE for count in run.timeline.requests))
    return ApplicationObservation(
        window=window,
        signals=_signals(run.timeline) if run.timeline is not None else _overall(run),
        latency=_latency(run.total.latency, run.total.requests),
        routes=_routes(run),
        minutes=minutes,
        run=TestRun(window, "result_file"),
    )


def _signals(timeline: Timeline) -> dict[str, Summary]:
    """Quantiles only for the request rate, which is what every source gives."""
    times, requests = np.asarray(timeline.ends), np.asarray(timeline.requests, dtype=np.float64)
    rates = requests / MINUTE
    steady = steady_minutes(times, rates)
    # A minute that the run only touched has few requests, and a single failure among them would be its worst.
    served = requests >= max(1.0, _FULL * float(np.median(requests)))
    found: dict[str, Summary] = {}

    def add(name: str, at: Floats, values: Floats) -> None:
        found[name] = replace(summarise_arrays(at, values, steady), quantiles={})

    if timeline.received is not None:
        add("throughput", times, np.asarray(timeline.received) / MINUTE)
    if timeline.users is not None:
        users = np.asarray(timeline.users, dtype=np.float64)  # None becomes NaN
        add("concurrent_users", times[~np.isnan(users)], users[~np.isnan(users)])
    if timeline.failures is not None and served.any():
        failures = np.asarray(timeline.failures, dtype=np.float64)
        add("error_ratio", times[served], failures[served] / requests[served])
        mean = float(failures.sum() / requests.sum())
        found["error_ratio"] = replace(found["error_ratio"], mean=mean)
    if timeline.seconds is not None and served.any():
        add(LATENCY_MEAN, times[served], np.asarray(timeline.seconds)[served] / requests[served])
    return {**found, "request_rate": summarise_arrays(times, rates, steady)}


def _overall(run: LoadRun) -> dict[str, Summary]:
    """Means over the whole run, where the file has nothing minute by minute: no peak is known."""
    found = {"request_rate": run.requests_per_second, "error_ratio": None, "throughput": None}
    if run.total.failures is not None and run.total.requests:
        found["error_ratio"] = run.total.failures / run.total.requests
    if run.total.received is not None and run.duration > 0:
        found["throughput"] = run.total.received / run.duration
    signals = {name: Summary(mean=value) for name, value in found.items() if value is not None}
    return signals if run.users is None else {**signals, "concurrent_users": Summary(peak=run.users)}


def _latency(seen: Latencies, requests: int) -> Latency:
    """The percentiles that sources tell; buckets where the histogram's own begin and end: nothing is guessed."""
    held, buckets = 0, dict[float, float]()
    if seen.histogram is not None:
        for position, count in zip(seen.histogram.indices, seen.histogram.counts, strict=True):
            low, high = bounds(position)
            buckets[low] = float(held)
            held += count
            buckets[high] = float(held)
    return Latency(seen.mean, seen.p50, seen.p95, seen.p99, seen.p999, float(requests), tuple(buckets.items()))


def _routes(run: LoadRun) -> tuple[RouteCount, ...]:
    """Names of one route are added up."""
    found: dict[tuple[str, str], tuple[int, int | None]] = {}
    for one in run.endpoints:
        key = (one.method, one.route) if one.route else (UNMAPPED, one.name)
        requests, failures = found.get(key, (0, 0))
        known = failures is not None and one.figures.failures is not None
        more = failures + one.figures.failures if known else None  # type: ignore[operator]
        found[key] = (requests + one.figures.requests, more)
    return tuple(
        RouteCount(method, route, float(requests), None if failures is None else float(requests - failures))
        for (method, route), (requests, failures) in sorted(found.items())
    )


def events(runs: Sequence[LoadRun], window: Window) -> Events | None:
    """What the runs had in the window, to be added to counters; None where none meets it.

    Latencies, and runs without a timeline, count as spread evenly over the run's requests and its time.
    """
    parts = [part for run in runs if (part := _part(run, window)) is not None]
    if not parts:
        return None
    covered = Window(min(part.window.start for part in parts), max(part.window.end for part in parts))
    errors = [part.errors for part in parts]
    latencies = [part.latency for part in parts if part.latency is not None and part.latency.buckets]
    whole = len(latencies) == len(parts)
    return Events(
        covered,
        math.fsum(part.requests or 0.0 for part in parts),
        None if None in errors else math.fsum(error for error in errors if error is not None),
        _sum(latencies) if whole else None,
    )


def _part(run: LoadRun, window: Window) -> Events | None:
    whole = full_minutes(run)
    inside = Window(max(whole.start, window.start), min(whole.end, window.end))
    if inside.end <= inside.start or not run.total.requests:
        return None
    if run.timeline is None:
        requests = run.total.requests * inside.duration / whole.duration
        failures = None if run.total.failures is None else run.total.failures * requests / run.total.requests
    else:
        here = [inside.start < end <= inside.end for end in run.timeline.ends]
        requests = float(sum(compress(run.timeline.requests, here)))
        told = run.timeline.failures
        failures = None if told is None else float(sum(compress(told, here)))
    share, seen = requests / run.total.requests, _latency(run.total.latency, run.total.requests)
    buckets = tuple((bound, count * share) for bound, count in seen.buckets)
    return Events(inside, requests, failures, Latency(requests=requests, buckets=buckets))


def _sum(parts: Sequence[Latency]) -> Latency:
    """Of all requests in any of them: at each bound what each had up to it."""
    bounds_ = sorted({bound for part in parts for bound, _ in part.buckets})
    counts = [np.zeros(len(bounds_))]
    for part in parts:
        at, count = zip(*part.buckets, strict=True)
        counts.append(np.interp(bounds_, [0.0, *at], [0.0, *count]))
    total = np.sum(counts, axis=0)
    requests = math.fsum(part.requests or 0.0 for part in parts)
    return Latency(requests=requests, buckets=tuple(zip(bounds_, total.tolist(), strict=True)))
