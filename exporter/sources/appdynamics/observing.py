"""Applications over their windows: signals first, then routes, then incidents, as far as the calls of a poll go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from exporter import humanize
from exporter.analysis.loadrun import no_route
from exporter.model.incident import Incident
from exporter.model.observation import MINUTE, ApplicationObservation, RouteCount, TestRun, Window
from exporter.sources.appdynamics import figures, incidents
from exporter.sources.appdynamics.kept import Kept
from exporter.sources.appdynamics.minutes import Minutes
from exporter.sources.appdynamics.poll import ROUTES, SIGNALS, Poll
from exporter.sources.appdynamics.reading import read
from exporter.sources.appdynamics.records import Answer, Ask
from exporter.sources.appdynamics.routes import counted

KEYS = ("calls", "latency_mean", "errors", "cpu", "memory")
ROLLED_UP = ("latency_p95", "transaction_calls", "transaction_errors")


@dataclass(slots=True)
class Told:
    """What the controller itself sums up over each application's window; what was not asked has no key."""

    p95: dict[str, float] = field(default_factory=dict)
    """Seconds."""
    routes: dict[str, tuple[RouteCount, ...]] = field(default_factory=dict)
    incidents: dict[str, tuple[Incident, ...]] = field(default_factory=dict)


def ask(poll: Poll, windows: Mapping[str, Window]) -> Told:
    """Ask for everything but what is older than the windows. Raises SourceError."""
    poll.signals(windows)
    answers = _rolled_up(poll, windows)
    told = Told(incidents=incidents.ask(poll, windows))
    for name in windows:
        high = answers.get((name, "latency_p95"))
        found = read("latency_p95", high) if high is not None else None
        if found is not None and found.values.size:
            told.p95[name] = float(found.values[-1])
        calls, errors = (answers.get((name, key)) for key in ROLLED_UP[1:])
        if calls is not None and (errors is not None or "transaction_errors" not in poll.paths):
            told.routes[name], unknown = counted(calls, errors, partial(poll.options.route_of, name))
            if unknown:
                poll.warnings.append(f"{name}: {no_route(unknown)}")
    return told


def _rolled_up(poll: Poll, windows: Mapping[str, Window]) -> dict[tuple[str, str], Answer]:
    """One value for the whole window each: percentiles, of all applications, before routes."""
    wanted = [(name, "latency_p95", SIGNALS) for name in windows]
    wanted += [(name, key, ROUTES) for name in windows for key in ROLLED_UP[1:]]
    wanted = [one for one in wanted if one[1] in poll.paths]
    asks = [Ask(poll.ids[name], poll.paths[key], windows[name], rollup=True) for name, key, _ in wanted]
    return {
        (name, key): answer
        for (name, key, what), answer in zip(wanted, poll.client.metrics(asks), strict=True)
        if poll.answered(answer, name, key, what)
    }


def found(kept: Kept, name: str, window: Window) -> dict[str, Minutes]:
    """The minutes of those metrics of an application that are known over the whole window."""
    known = {key: kept.minutes((name, key), window) for key in KEYS}
    return {key: minutes for key, minutes in known.items() if minutes is not None}


def observed(
    kept: Kept, told: Told, name: str, window: Window, settled: Window, *, run: bool = False
) -> ApplicationObservation | None:
    """One application over its window, of which `settled` is what agents have reported in full; None without data."""
    minutes = found(kept, name, settled)
    signals = figures.signals(minutes, settled, run=run)
    routes, troubles = told.routes.get(name, ()), told.incidents.get(name)
    if not signals and not routes and not troubles:
        return None
    return ApplicationObservation(
        window=window,
        signals=signals,
        latency=figures.latency(minutes, settled, told.p95.get(name)),
        routes=routes,
        minutes=figures.rates(minutes["calls"]) if run and "calls" in minutes else None,
        run=TestRun(window, "detected") if run else None,
        incidents=troubles,
    )


def coarse_warnings(applications: Mapping[str, ApplicationObservation]) -> list[str]:
    """Which figures rest on coarser values than minutes, in one line for each resolution."""
    resting: dict[float, dict[str, dict[str, None]]] = {}
    for name, one in applications.items():
        for signal, summary in one.signals.items():
            if summary.resolution > MINUTE:
                resting.setdefault(summary.resolution, {}).setdefault(name, {})[signal] = None
    return [
        f"the controller has kept only means of {step / MINUTE:.0f} minutes for {_named(names)}: their peaks are peaks "
        "of these means, and nothing is told that wants minutes (metrics.min.retention.period of the controller)"
        for step, names in sorted(resting.items())
    ]


def _named(names: Mapping[str, Mapping[str, None]]) -> str:
    signals = dict.fromkeys(signal for each in names.values() for signal in each)
    return f"{humanize.join_words(list(signals))} of {humanize.join_words(list(names))}"
