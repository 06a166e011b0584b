"""The steps of a check-up of a Prometheus: from the connection to its data and the cost of the queries.

They are cheap for a production server: each template once over one minute, a few requests to the index, and for a
test environment one sample per ten minutes of the look-back. The step `cost` reports the number of requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.clients.http import Session
from exporter.clients.http.checks import CHECKS as CONNECTION_CHECKS
from exporter.clients.http.checks import connection_steps
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.sources.prometheus.checks import server, signals
from exporter.sources.prometheus.checks.activity import activity
from exporter.sources.prometheus.checks.applications import application
from exporter.sources.prometheus.checks.collisions import collisions
from exporter.sources.prometheus.checks.cost import cost
from exporter.sources.prometheus.checks.history import history, interval
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.checks.recordings import recordings
from exporter.sources.prometheus.checks.values import values
from exporter.sources.prometheus.options import Options
from exporter.sources.prometheus.presets import duration

CHECKS = (
    *CONNECTION_CHECKS,
    "credentials",
    "build",
    "flags",
    "recorded",
    "activity",
    "interval",
    "signal",
    "applications",
    "values",
    "collisions",
    "history",
    "cost",
)
"""Names of the steps, in order. `activity` exists only where test runs are searched, `history` only elsewhere."""

_NEEDS = ("credentials",)
"""All later steps need a server that accepts queries."""

_CHEAP = "/api/v1/status/buildinfo"
"""A page of the API itself: gateways may redirect all other paths to a page for people."""

_PAGES = (
    "/api/v1",
    "/api/v1/query",
    "/graph",
    "/classic/graph",
    "/query",
    "/targets",
    "/metrics",
    "/-/healthy",
    "/vmui",
)
"""Endings of URLs that people copy from a browser."""


def steps(options: Options, context: CheckContext) -> Iterator[Step]:
    """Every step, the connection first."""
    yield from connection_steps(options.url, options, _PAGES, _CHEAP)

    session = Session(options.url, options)
    try:
        probe = PrometheusProbe(options, context, session)
        yield from _server(probe)
        if probe.templates.queries:
            yield from _activity(probe)
            yield from _signals(probe)
            yield from _results(probe)
        else:
            yield Step("signal", "look for templates", partial(_no_template, options.preset))
    finally:
        session.close()


def _no_template(preset: str) -> Finding:
    text = "all signals are null"
    if preset == "custom":
        text = f"the preset {preset} has no templates"
    return failed("nothing is observed", Cause(text, "set signals.request_rate and others, or use a preset"))


def _server(probe: PrometheusProbe) -> Iterator[Step]:
    ask = partial(server.credentials, probe)
    yield Step("credentials", "query vector(1)", ask, ("answer",), explain=partial(server.refused, probe))
    yield Step("build", "GET /api/v1/status/buildinfo", partial(server.build, probe), _NEEDS)
    tried = "GET /api/v1/status/flags and runtimeinfo"
    yield Step("flags", tried, partial(server.retention, probe), _NEEDS, "retention")
    window = duration(probe.context.window.duration)
    yield Step("recorded", f"count the recorded minutes of {window}", partial(recordings, probe), _NEEDS)


def _activity(probe: PrometheusProbe) -> Iterator[Step]:
    if probe.observes("request_rate") and not probe.production:
        window = duration(probe.context.window.duration)
        tried = f"query every ten minutes of {window}: {probe.display_query('request_rate')}"
        yield Step("activity", tried, partial(activity, probe), _NEEDS)

    template = probe.templates.queries.get("request_rate", "")
    parts = probe.selectors("request_rate")
    if parts and not probe.idle and "$range" in template:
        tried = f"query count_over_time({parts[0].text}[10m])"
        yield Step("interval", tried, partial(interval, probe), _NEEDS, "request_rate")


def _signals(probe: PrometheusProbe) -> Iterator[Step]:
    for key in signals.ORDER:
        if probe.observes(key):
            # Without any activity, one result is enough.
            if not probe.idle or key == "request_rate":
                run = partial(signals.signal, probe, key)
                explain = partial(signals.refused, probe, key)
                yield Step("signal", f"query {probe.display_query(key)}", run, _NEEDS, key, explain)
        elif key in ("concurrent_users", "cpu", "memory"):
            text = f"not observed: the preset {probe.options.preset} has no template; signals.{key} adds one"
            yield Step("signal", "look for a template", partial(ok, text), _NEEDS, key)


def _results(probe: PrometheusProbe) -> Iterator[Step]:
    """Steps that use the earlier results; skipped without results."""
    needs = _NEEDS if probe.results else (*_NEEDS, "signal")
    for name in probe.context.applications:
        run = partial(application, probe, name)
        yield Step("applications", "search the applications with requests", run, needs, name)
    if probe.idle:
        return

    yield Step("values", "check the values of the results", partial(values, probe), needs)
    yield Step("collisions", "query the index for the labels of the series", partial(collisions, probe), needs)
    parts = probe.selectors("request_rate")
    if probe.production and parts:
        tried = f"query count({parts[0].text}) over the longest window"
        yield Step("history", tried, partial(history, probe), needs)
    yield Step("cost", "count the series that the queries read", partial(cost, probe), needs)
