"""Prometheus and what speaks its query API. The number of queries does not depend on applications and routes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

import msgspec

from exporter.analysis.activity import Activity
from exporter.analysis.minutes import cut, gauges, samples
from exporter.checkup import Step
from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions, Problems
from exporter.clients.http.options import problems as http_problems
from exporter.clients.prometheus import Client
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.minutes import Range
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    MINUTE,
    PATTERN_STEP,
    ApplicationObservation,
    Latency,
    Observation,
    RouteCount,
    Samples,
    Summary,
    TestRun,
    Window,
)
from exporter.model.settings import Duration
from exporter.sources import ChooseRuns
from exporter.sources.prometheus.presets import RECORDED, Templates, resolve, template_problems
from exporter.sources.prometheus.queries import BUCKET_PARTS, ROUTE_PARTS, SIGNAL_KEYS, Queries
from exporter.sources.prometheus.readings import by_application, latencies, native_latencies, routes, summaries
from exporter.sources.prometheus.stretches import is_tight, masked, stretches

KIND = "prometheus"

Found = TypeVar("Found")

_SKEW_WARNING = 30.0
"""Seconds of difference between the clocks that are worth a warning."""

_WHOLE = 0.99
"""Share of a window's minutes that must have been recorded for the recording to stand for the window."""


class Options(HttpOptions, frozen=True, kw_only=True):
    """Where the server is, how its data is named, and how we may ask."""

    url: str
    """Base URL; /api/v1/query is appended."""
    preset: Literal["opentelemetry", "prometheus", "istio", "ingress-nginx", "custom"]
    selector: str = ""
    """Label matchers that every query carries, such as environment="production"."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    """application, method, route: the labels of the data that hold them, where they differ from the preset's."""
    signals: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Templates that replace the preset's; null: do not observe."""
    recorded: Literal["auto", "never"] = "auto"
    """Whether recorded one-minute series are used where they are there."""
    rate_range: Duration = Duration(MINUTE)
    """Range of one-minute rates: at least twice the scrape interval."""
    latency_scale: float | None = None
    """Seconds in one unit of the latency histogram; None leaves it to the preset."""

    @property
    def templates(self) -> Templates:
        """The preset as these options override it."""
        return resolve(self.preset, self.selector, self.labels, self.signals, self.latency_scale)


def problems(options: Options) -> Problems:
    """What is wrong with the options beyond their types: files, secrets and queries. Sends nothing."""
    found = http_problems(options.url, options)
    if options.rate_range < MINUTE:
        found.append(("rate_range", "must be at least 1m, the resolution of the signals"))
    if options.latency_scale is not None and options.latency_scale <= 0:
        found.append(("latency_scale", "must be more than 0: the seconds in one unit of the histogram"))
    return found + template_problems(options.labels, options.selector, options.signals, options.templates)


def checks(options: Options, wanted: CheckContext) -> Iterator[Step]:
    """What doctor tries, step by step."""
    from exporter.sources.prometheus import checks
    from exporter.sources.prometheus.checks import probe as probing  # what only check-ups need is loaded for them

    may, own = options.recorded != "never", frozenset(options.signals)
    asked = probing.Asked(options.url, options, options.preset, options.templates, options.rate_range, may, own)
    return checks.steps(asked, wanted)


class Source:
    """One environment on one server."""

    def __init__(self, options: Options, side: str) -> None:
        self._options = options
        self._side = side
        self._session = Session(options.url, options)
        self._plain = Queries(options.templates, side, options.rate_range)
        self._activity = Activity(0.0)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def observe(self, window: Window, pattern: Window | None = None) -> Observation:
        """Summaries of all applications over `window`, and five-minute rates over `pattern` when given."""
        with self._polling() as client:
            queries = self._with_recorded(client, window)
            signals = self._signals(client, queries, window)
            classic, native = queries.counts(BUCKET_PARTS, window.duration), queries.native(window.duration)
            latency = self._latencies(client, classic, native, window.end)
            counted = self._routes(client, queries.counts(ROUTE_PARTS, window.duration), window.end)
            rates = self._pattern(client, pattern) if pattern is not None else {}
            names = set[str]().union(*signals.values(), latency, counted, rates)
            seen = {
                name: ApplicationObservation(
                    window=window,
                    signals={signal: found[name] for signal, found in signals.items() if name in found},
                    latency=latency.get(name),
                    routes=counted.get(name, ()),
                    pattern=rates.get(name),
                )
                for name in sorted(names)
            }
            return self._observation(client, window, seen)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from minutes above `threshold` requests/s."""
        with self._polling() as client:
            windows = choose(self._active(client, lookback, threshold))
            seen = dict[str, ApplicationObservation]()
            for hull, within in stretches(windows):
                seen |= self._runs(client, self._with_recorded(client, hull), hull, within)
            return self._observation(client, lookback, seen)

    @contextlib.contextmanager
    def _polling(self) -> Iterator[Client]:
        """A client for one observation; connections are given back at its end, errors say which server it was."""
        try:
            yield Client(self._session)
        except SourceError as error:
            if self._session.place in str(error):
                raise
            text = f"{self._session.place}: {error}"
            raise SourceError(error.reason, text, retry_after=error.retry_after) from None
        finally:
            self._session.close()  # a connection left idle may be half closed by the next poll

    def _with_recorded(self, client: Client, window: Window) -> Queries:
        """The queries, reading what is recorded over the whole window from there."""
        if self._options.recorded == "never":
            return self._plain
        minutes = client.query(self._plain.recording(window.duration), window.end)
        enough = _WHOLE * window.duration / MINUTE
        whole = {(s.labels.get("signal"), s.labels.get("query")) for s in minutes if s.value >= enough}
        keys = RECORDED.keys() & self._options.templates.queries.keys()
        return replace(
            self._plain, recorded=frozenset(key for key in keys if (key, self._plain.fingerprint(key)) in whole)
        )

    def _active(self, client: Client, lookback: Window, threshold: float) -> dict[str, Samples]:
        """Minutes above the threshold: those known from earlier polls, and what was asked for since."""
        if "request_rate" not in self._options.templates.queries:
            return {}
        if self._activity.threshold != threshold:
            self._activity = Activity(threshold)
        for window in self._activity.missing(lookback):
            warned = client.warned
            rate = self._with_recorded(client, window).minute("request_rate")
            found = self._minutes(client, f"({rate}) > {threshold!r}", window)
            self._activity.add(window, found, sure=client.warned == warned)
        return self._activity.samples()

    def _signals(self, client: Client, queries: Queries, window: Window) -> dict[str, dict[str, Summary]]:
        """Signal to application to summary: by the server from recordings, else here from one-minute values.

        Each clause of a summary has the server compute its minutes anew; on recordings that costs nothing, on raw data
        it costs twenty times what giving the minutes out once does.
        """
        recorded = [signal for signal in (*GAUGE_SIGNALS, LATENCY_MEAN) if queries.is_recorded(signal)]
        asked = ((signal, queries.summary(signal, window.duration)) for signal in recorded)
        found = {signal: summaries(client.query(query, window.end)) for signal, query in asked if query is not None}
        raw = [signal for signal in GAUGE_SIGNALS if signal not in recorded]
        keys = {key: queries.minute(key) for signal in raw for key in SIGNAL_KEYS.get(signal, (signal,))}
        minutes = {key: self._minutes(client, query, window) for key, query in keys.items() if query is not None}
        classic = None if LATENCY_MEAN in recorded else queries.signal(LATENCY_MEAN)
        minutes[LATENCY_MEAN] = self._latency_means(client, classic, queries.native_mean(), window)
        for application in set[str]().union(*minutes.values()):
            values = {key: series[application] for key, series in minutes.items() if application in series}
            for signal, summary in gauges(values).items():
                found.setdefault(signal, {})[application] = summary
        return found

    def _latency_means(
        self, client: Client, classic: str | None, native: str | None, window: Window
    ) -> dict[str, Range]:
        """Mean latency of each minute, from native histograms where they have data, from classic ones elsewhere."""
        found = self._minutes(client, classic, window) if classic else {}
        return {**found, **self._native(client, native, lambda query: self._minutes(client, query, window))}

    def _latencies(self, client: Client, classic: str | None, native: str | None, at: float) -> dict[str, Latency]:
        """Latency over a whole window, from native histograms where they have data, from classic ones elsewhere."""
        scale = self._options.templates.latency_scale
        found = latencies(client.query(classic, at), scale) if classic else {}
        return {
            **found,
            **self._native(client, native, lambda query: native_latencies(client.query(query, at), scale)),
        }

    def _native(self, client: Client, query: str | None, ask: Callable[[str], dict[str, Found]]) -> dict[str, Found]:
        """What native histograms say; nothing where the server does not know them."""
        try:
            return ask(query) if query is not None else {}
        except SourceError as error:
            if error.reason != "bad_query":
                raise
            if "latency_native" in self._options.signals:  # somebody asked for it; the presets' own may be too new
                client.warnings.append(str(error))
            return {}

    def _routes(self, client: Client, query: str | None, at: float) -> dict[str, tuple[RouteCount, ...]]:
        if query is None:
            return {}
        templates = self._options.templates
        labels = templates.labels
        known = "route_successes" in templates.queries
        return routes(client.query(query, at), labels["method"], labels["route"], successes_known=known)

    def _pattern(self, client: Client, window: Window) -> dict[str, Samples]:
        """Steps end where the window ends. What is recorded over a day need not be so over the week."""
        query = self._with_recorded(client, window).pattern(PATTERN_STEP)
        start = window.end - (window.duration // PATTERN_STEP - 1) * PATTERN_STEP
        found = client.query_range(query, start, window.end, PATTERN_STEP) if query else []
        return {name: samples(series) for name, series in by_application(found).items()}

    def _minutes(self, client: Client, query: str, window: Window) -> dict[str, Range]:
        return by_application(client.query_range(query, window.start + MINUTE, window.end, MINUTE))

    def _runs(
        self, client: Client, queries: Queries, hull: Window, windows: Mapping[str, Window]
    ) -> dict[str, ApplicationObservation]:
        """Every chosen window of a stretch in full, also minutes below the threshold."""

        def kept(query: str | None) -> str | None:
            return query if query is None or is_tight(hull, windows) else masked(query, hull, windows)

        asked = {key: kept(queries.minute(key)) for key in ("request_rate", "error_rate", *GAUGE_SIGNALS[2:])}
        found = {key: self._minutes(client, query, hull) for key, query in asked.items() if query is not None}
        means = kept(queries.signal(LATENCY_MEAN)), kept(queries.native_mean())
        found[LATENCY_MEAN] = self._latency_means(client, *means, hull)
        values = {
            key: {name: cut(one, windows[name]) for name, one in series.items() if name in windows}
            for key, series in found.items()
        }
        classic, native = queries.run_counts(BUCKET_PARTS, hull, windows), queries.run_native(hull, windows)
        latency = self._latencies(client, classic, native, hull.end)
        counted = self._routes(client, queries.run_counts(ROUTE_PARTS, hull, windows), hull.end)
        seen = {name for series in values.values() for name, one in series.items() if one.times.size}
        return {
            name: _run(
                windows[name],
                {key: series[name] for key, series in values.items() if name in series and series[name].times.size},
                latency.get(name),
                counted.get(name, ()),
            )
            for name in sorted(windows.keys() & (seen | latency.keys() | counted.keys()))
        }

    def _observation(
        self, client: Client, window: Window, applications: Mapping[str, ApplicationObservation]
    ) -> Observation:
        skew, warnings = client.clock_skew, list(client.warnings)
        if skew is not None and abs(skew) >= _SKEW_WARNING:
            way = "ahead of" if skew > 0 else "behind"
            warnings.append(f"the clock of {self._session.place} is {abs(skew):.0f} s {way} ours: windows miss data")
        return Observation(self._side, window, applications, tuple(warnings), client.queries, skew)


def _run(
    window: Window, values: Mapping[str, Range], latency: Latency | None, counted: tuple[RouteCount, ...]
) -> ApplicationObservation:
    """One application's run from its one-minute values by key."""
    rate = values.get("request_rate")
    return ApplicationObservation(
        window=window,
        signals=gauges(values, run=True),
        latency=latency,
        routes=counted,
        minutes=samples(rate) if rate is not None else None,
        run=TestRun(window, "detected"),
    )
