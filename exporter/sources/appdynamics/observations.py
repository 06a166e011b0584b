"""Applications over their windows: signals, then routes, then incidents, within the calls of a poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from exporter import humanize
from exporter.analysis.loadrun import no_route
from exporter.model.incident import Incident
from exporter.model.observation import MINUTE, ApplicationObservation, RouteCount, TestRun, Window
from exporter.sources.appdynamics import figures, incidents
from exporter.sources.appdynamics.conversion import to_minutes
from exporter.sources.appdynamics.minute_cache import MinuteCache
from exporter.sources.appdynamics.minutes import MetricMinutes
from exporter.sources.appdynamics.poll import ControllerPoll
from exporter.sources.appdynamics.records import MetricQuery, MetricResult
from exporter.sources.appdynamics.routes import count_routes
from exporter.sources.appdynamics.shortfall import ROUTES, SIGNALS

KEYS = ("calls", "latency_mean", "errors", "cpu", "memory")
BY_TRANSACTION = ("transaction_calls", "transaction_errors")
ROLLED_UP = ("latency_p95", *BY_TRANSACTION)


@dataclass(slots=True)
class Rollups:
    """The controller's own sums over each application's window; no key without a request."""

    p95: dict[str, float] = field(default_factory=dict)
    """Seconds."""
    routes: dict[str, tuple[RouteCount, ...]] = field(default_factory=dict)
    incidents: dict[str, tuple[Incident, ...]] = field(default_factory=dict)


def fetch(poll: ControllerPoll, windows: Mapping[str, Window]) -> Rollups:
    """Request everything in the windows. Raises SourceError."""
    # By importance: when the calls run out, the rest is omitted.
    poll.fetch_signals(windows)
    results = _fetch_rolled_up(poll, windows)
    rollups = Rollups(incidents=incidents.fetch(poll, windows))
    for name in windows:
        _add_p95(rollups, name, results)
        _add_routes(rollups, name, results, poll)
    return rollups


def _fetch_rolled_up(poll: ControllerPoll, windows: Mapping[str, Window]) -> dict[tuple[str, str], MetricResult]:
    """One value for each whole window: percentiles of all applications, then routes."""
    requests = [(name, "latency_p95", SIGNALS) for name in windows]
    requests += [(name, key, ROUTES) for name in windows for key in BY_TRANSACTION]
    requests = [request for request in requests if request[1] in poll.paths]
    queries = [MetricQuery(poll.ids[name], poll.paths[key], windows[name], rollup=True) for name, key, _ in requests]

    results = {}
    for (name, key, purpose), result in zip(requests, poll.client.metrics(queries), strict=True):
        if poll.accept(result, name, key, purpose):
            results[name, key] = result
    return results


def _add_p95(rollups: Rollups, name: str, results: Mapping[tuple[str, str], MetricResult]) -> None:
    result = results.get((name, "latency_p95"))
    if result is None:
        return
    minutes = to_minutes("latency_p95", result)
    if minutes.values.size:
        rollups.p95[name] = float(minutes.values[-1])


def _add_routes(
    rollups: Rollups, name: str, results: Mapping[tuple[str, str], MetricResult], poll: ControllerPoll
) -> None:
    calls = results.get((name, "transaction_calls"))
    errors = results.get((name, "transaction_errors"))
    if calls is None:
        return
    if errors is None and "transaction_errors" in poll.paths:  # the poll had not enough calls for both
        return

    rollups.routes[name], unmapped = count_routes(calls, errors, partial(poll.options.route_of, name))
    if unmapped:
        poll.warnings.append(f"{name}: {no_route(unmapped)}")


def complete_minutes(cache: MinuteCache, name: str, window: Window) -> dict[str, MetricMinutes]:
    """An application's metrics that cover the whole window."""
    by_key = {key: cache.minutes((name, key), window) for key in KEYS}
    return {key: minutes for key, minutes in by_key.items() if minutes is not None}


def observation(
    cache: MinuteCache, rollups: Rollups, name: str, window: Window, settled: Window, *, run: bool = False
) -> ApplicationObservation | None:
    """One application over its window, of which agents have reported `settled` completely; None without data."""
    minutes = complete_minutes(cache, name, settled)
    signals = figures.signals(minutes, settled, run=run)
    routes = rollups.routes.get(name, ())
    troubles = rollups.incidents.get(name)
    if not signals and not routes and not troubles:
        return None

    observed = ApplicationObservation(
        window=window,
        signals=signals,
        latency=figures.latency(minutes, settled, rollups.p95.get(name)),
        routes=routes,
        incidents=troubles,
    )
    if not run:
        return observed
    rates = figures.rates(minutes["calls"]) if "calls" in minutes else None
    return replace(observed, minutes=rates, run=TestRun(window, "detected"))


def coarse_warnings(applications: Mapping[str, ApplicationObservation]) -> list[str]:
    """Figures from coarser values than minutes, one line for each resolution."""
    coarse: dict[float, dict[str, dict[str, None]]] = {}
    for name, application in applications.items():
        for signal, summary in application.signals.items():
            if summary.resolution > MINUTE:
                coarse.setdefault(summary.resolution, {}).setdefault(name, {})[signal] = None

    follows = (
        "their peaks are peaks of these means, and analyses that need minutes have no evidence "
        "(metrics.min.retention.period of the controller)"
    )
    return [
        f"the controller has only means of {step / MINUTE:.0f} minutes for {_figures(names)}: {follows}"
        for step, names in sorted(coarse.items())
    ]


def _figures(names: Mapping[str, Mapping[str, None]]) -> str:
    """Signals of applications."""
    signals: dict[str, None] = {}
    for of_one in names.values():
        signals |= dict.fromkeys(of_one)
    return f"{humanize.join_words(list(signals))} of {humanize.join_words(list(names))}"
