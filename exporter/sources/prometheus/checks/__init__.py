"""The steps of a check-up of a Prometheus: from the connection to what its data says and what asking for it costs.

Gentle on a server in production: each template once over one minute, a few questions to the index, and for a test
environment one look at each ten minutes of the look-back. The step `cost` says how many requests it took.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.clients.http import Session
from exporter.clients.http.checks import CHECKS as CONNECTION_CHECKS
from exporter.clients.http.checks import connection_steps
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.sources.prometheus.checks import server, signals, values
from exporter.sources.prometheus.checks.probe import Asked, Probe
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
"""Names of the steps, in order. `activity` is there only where test runs are searched, `history` where they are not."""

_CHEAP = "/api/v1/status/buildinfo"
"""A page of the API and no other, as gateways before it may lead all else to a page for people."""

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
"""Endings of what people copy from a browser."""


def steps(asked: Asked, wanted: CheckContext) -> Iterator[Step]:
    """Every step, the connection first."""
    yield from connection_steps(asked.url, asked.http, _PAGES, _CHEAP)
    session = Session(asked.url, asked.http)
    try:
        probe = Probe(asked, wanted, session)
        yield from _server(probe)
        if asked.templates.queries:
            yield from _signals(probe)
            yield from _found(probe)
        else:
            text = f"the preset {asked.preset} has no templates" if asked.preset == "custom" else "each signal is null"
            cause = Cause(text, "write signals.request_rate and others, or take a preset")
            yield Step("signal", "look for templates", partial(failed, "nothing is observed", cause))
    finally:
        session.close()


def _server(probe: Probe) -> Iterator[Step]:
    def step(
        check: str, tried: str, run: Callable[[Probe], Finding], subject: str = "", need: str = "credentials"
    ) -> Step:
        return Step(check, tried, partial(run, probe), (need,), subject)

    yield step("credentials", "query vector(1)", server.credentials, need="answer")
    yield step("build", "GET /api/v1/status/buildinfo", server.build)
    tried = "GET /api/v1/status/flags and runtimeinfo"
    yield step("flags", tried, server.retention, "retention")
    window = duration(probe.wanted.window.duration)
    yield step("recorded", f"count the recorded minutes of {window}", server.recordings)


def _signals(probe: Probe) -> Iterator[Step]:
    needs = ("credentials",)
    rated = "request_rate" in probe.asked.templates.queries
    if rated and not probe.production:
        tried = f"query each ten minutes of {duration(probe.wanted.window.duration)}: {probe.shown('request_rate')}"
        yield Step("activity", tried, partial(signals.activity, probe), needs)
    parts = probe.selectors("request_rate")
    if parts and not probe.idle and "$range" in probe.asked.templates.queries.get("request_rate", ""):
        tried = f"query count_over_time({parts[0].text}[10m])"
        yield Step("interval", tried, partial(server.interval, probe), needs, "request_rate")
    for key in signals.ORDER:
        if key not in probe.asked.templates.queries:
            if key in ("concurrent_users", "cpu", "memory"):
                text = f"not observed: the preset {probe.asked.preset} has no template; signals.{key} adds one"
                yield Step("signal", "look for a template", partial(ok, text), needs, key)
        elif not probe.idle or key == "request_rate":
            run = partial(signals.signal, probe, key)
            yield Step("signal", f"query {probe.shown(key)}", run, needs, key)


def _found(probe: Probe) -> Iterator[Step]:
    """What rests on the answers before; skipped where there were none."""
    needs = ("credentials",) if probe.found else ("credentials", "signal")
    for name in probe.wanted.applications:
        run = partial(values.application, probe, name)
        yield Step("applications", "look for it among those with requests", run, needs, name)
    if probe.idle:
        return
    yield Step("values", "look at what the queries gave", partial(values.values, probe), needs)
    tried = "ask the index for the labels of the series"
    yield Step("collisions", tried, partial(values.collisions, probe), needs)
    if probe.production and (parts := probe.selectors("request_rate")):
        tried = f"query count({parts[0].text}) over the longest window"
        yield Step("history", tried, partial(server.history, probe), needs)
    yield Step("cost", "count the series that the queries read", partial(values.cost, probe), needs)
