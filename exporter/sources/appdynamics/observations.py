"""Applications over their windows: signals first, then routes, then incidents, as far as the calls of a poll go."""

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
from exporter.sources.appdynamics.minutes import Minutes
from exporter.sources.appdynamics.poll import Poll
from exporter.sources.appdynamics.records import Answer, MetricQuery
from exporter.sources.appdynamics.routes import count_routes
from exporter.sources.appdynamics.shortfall import ROUTES, SIGNALS

KEYS = ("calls", "latency_mean", "errors", "cpu", "memory")
BY_TRANSACTION = ("transaction_calls", "transaction_errors")
ROLLED_UP = ("latency_p95", *BY_TRANSACTION)


@dataclass(slots=True)
class Rollups:
    """What the controller itself sums up over each application's window; what was not asked has no key."""

    p95: dict[str, float] = field(default_factory=dict)
    """Seconds."""
    routes: dict[str, tuple[RouteCount, ...]] = field(default_factory=dict)
    incidents: dict[str, tuple[Incident, ...]] = field(default_factory=dict)


def fetch(poll: Poll, windows: Mapping[str, Window]) -> Rollups:
    """Ask for everything but what is older than the windows. Raises SourceError."""
    # The order is that of what matters: where the calls run out, what comes later is left out.
    poll.fetch_signals(windows)
    answers = _fetch_rolled_up(poll, windows)
    rollups = Rollups(incidents=incidents.fetch(poll, windows))
    for name in windows:
        _add_p95(rollups, name, answers)
        _add_routes(rollups, name, answers, poll)
    return rollups


def _fetch_rolled_up(poll: Poll, windows: Mapping[str, Window]) -> dict[tuple[str, str], Answer]:
    """One value for the whole window each: percentiles, of all applications, before routes."""
    requests = [(name, "latency_p95", SIGNALS) for name in windows]
    requests += [(name, key, ROUTES) for name in windows for key in BY_TRANSACTION]
    requests = [request for request in requests if request[1] in poll.paths]
    queries = [MetricQuery(poll.ids[name], poll.paths[key], windows[name], rollup=True) for name, key, _ in requests]

    answers = {}
    for (name, key, purpose), answer in zip(requests, poll.client.metrics(queries), strict=True):
        if poll.accept(answer, name, key, purpose):
            answers[name, key] = answer
    return answers


def _add_p95(rollups: Rollups, name: str, answers: Mapping[tuple[str, str], Answer]) -> None:
    answer = answers.get((name, "latency_p95"))
    if answer is None:
        return
    minutes = to_minutes("latency_p95", answer)
    if minutes.values.size:
        rollups.p95[name] = float(minutes.values[-1])


def _add_routes(rollups: Rollups, name: str, answers: Mapping[tuple[str, str], Answer], poll: Poll) -> None:
    calls = answers.get((name, "transaction_calls"))
    errors = answers.get((name, "transaction_errors"))
    if calls is None:
        return
    if errors is None and "transaction_errors" in poll.paths:  # the calls of the poll did not suffice for both
        return

    rollups.routes[name], unmapped = count_routes(calls, errors, partial(poll.options.route_of, name))
    if unmapped:
        poll.warnings.append(f"{name}: {no_route(unmapped)}")


def complete_minutes(cache: MinuteCache, name: str, window: Window) -> dict[str, Minutes]:
    """The minutes of those metrics of an application that are known over the whole window."""
    by_key = {key: cache.minutes((name, key), window) for key in KEYS}
    return {key: minutes for key, minutes in by_key.items() if minutes is not None}


def observation(
    cache: MinuteCache, rollups: Rollups, name: str, window: Window, settled: Window, *, run: bool = False
) -> ApplicationObservation | None:
    """One application over its window, of which `settled` is what agents have reported in full; None without data."""
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
    """Which figures rest on coarser values than minutes, in one line for each resolution."""
    coarse: dict[float, dict[str, dict[str, None]]] = {}
    for name, application in applications.items():
        for signal, summary in application.signals.items():
            if summary.resolution > MINUTE:
                coarse.setdefault(summary.resolution, {}).setdefault(name, {})[signal] = None

    follows = (
        "their peaks are peaks of these means, and nothing is told that wants minutes "
        "(metrics.min.retention.period of the controller)"
    )
    return [
        f"the controller has kept only means of {step / MINUTE:.0f} minutes for {_figures(names)}: {follows}"
        for step, names in sorted(coarse.items())
    ]


def _figures(names: Mapping[str, Mapping[str, None]]) -> str:
    """Signals of applications."""
    signals: dict[str, None] = {}
    for of_one in names.values():
        signals |= dict.fromkeys(of_one)
    return f"{humanize.join_words(list(signals))} of {humanize.join_words(list(names))}"
