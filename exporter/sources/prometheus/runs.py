"""Test runs detected in a server's activity: each application over its own window."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.analysis.minutes import cut, gauges, samples
from exporter.model.minutes import Range
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    ApplicationObservation,
    Latency,
    RouteCount,
    TestRun,
    Window,
)
from exporter.sources.prometheus.poll import PrometheusPoll
from exporter.sources.prometheus.queries import BUCKET_PARTS, ROUTE_PARTS, Queries
from exporter.sources.prometheus.stretches import is_tight, masked

_KEYS = ("request_rate", "error_rate", *GAUGE_SIGNALS[2:])
"""Keys that are queried by minute; the error ratio is computed from its two rates."""

Minutes = Mapping[str, Range]
"""Key to one-minute values, of one application."""


def runs(poll: PrometheusPoll, hull: Window, windows: Mapping[str, Window]) -> dict[str, ApplicationObservation]:
    """Each application over its whole window, including minutes below the threshold."""
    queries = poll.queries(hull)
    minutes = _minutes(poll, queries, hull, windows)

    classic = queries.run_counts(BUCKET_PARTS, hull, windows)
    native = queries.run_native(hull, windows)
    latency = poll.latencies(classic, native, hull.end)
    routes = poll.routes(queries.run_counts(ROUTE_PARTS, hull, windows), hull.end)

    names = minutes.keys() | latency.keys() | routes.keys()
    return {
        name: _run(windows[name], minutes.get(name, {}), latency.get(name), routes.get(name, ()))
        for name in sorted(windows.keys() & names)
    }


def _minutes(
    poll: PrometheusPoll, queries: Queries, hull: Window, windows: Mapping[str, Window]
) -> dict[str, dict[str, Range]]:
    """Application to key to the values inside its own window; without keys that have no values there."""
    series_by_key = dict[str, dict[str, Range]]()
    for key in _KEYS:
        query = _inside(queries.minute(key), hull, windows)
        if query is not None:
            series_by_key[key] = poll.minutes(query, hull)
    classic = _inside(queries.signal(LATENCY_MEAN), hull, windows)
    native = _inside(queries.native_mean(), hull, windows)
    series_by_key[LATENCY_MEAN] = poll.latency_means(classic, native, hull)

    minutes = dict[str, dict[str, Range]]()
    for key, series in series_by_key.items():
        for name in series.keys() & windows.keys():
            values = cut(series[name], windows[name])
            if values.times.size:
                minutes.setdefault(name, {})[key] = values
    return minutes


def _inside(query: str | None, hull: Window, windows: Mapping[str, Window]) -> str | None:
    """The query, limited to each application's window where that saves the server much work."""
    if query is None or is_tight(hull, windows):
        return query
    return masked(query, hull, windows)


def _run(
    window: Window, minutes: Minutes, latency: Latency | None, routes: tuple[RouteCount, ...]
) -> ApplicationObservation:
    rates = minutes.get("request_rate")
    minutes_of_rate = None if rates is None else samples(rates)

    return ApplicationObservation(
        window=window,
        signals=gauges(minutes, run=True),
        latency=latency,
        routes=routes,
        minutes=minutes_of_rate,
        run=TestRun(window, "detected"),
    )
