"""The queries of one observation, for all applications together: recordings, minutes, latencies, routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from exporter.analysis.minutes import gauges, samples
from exporter.clients.prometheus import PrometheusClient
from exporter.errors import SourceError
from exporter.model.minutes import Range
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    MINUTE,
    PATTERN_STEP,
    Latency,
    RouteCount,
    Samples,
    Summary,
    Window,
)
from exporter.sources.prometheus.options import Options
from exporter.sources.prometheus.presets import RECORDED
from exporter.sources.prometheus.queries import SIGNAL_KEYS, Queries
from exporter.sources.prometheus.readings import by_application, latencies, native_latencies, routes, summaries

_WHOLE = 0.99
"""Share of a window's minutes that must be recorded before the recording is used for the window."""

T = TypeVar("T")


class PrometheusPoll:
    """One observation of one server. Each method raises SourceError."""

    def __init__(self, client: PrometheusClient, options: Options, plain: Queries) -> None:
        self.client = client
        self._options = options
        self._templates = options.templates
        self._plain = plain

    def queries(self, window: Window) -> Queries:
        """The queries; they read recordings for the signals that are recorded over the whole window."""
        if self._options.recorded == "never":
            return self._plain

        enough = _WHOLE * window.duration / MINUTE
        whole = set[tuple[str | None, str | None]]()
        for sample in self.client.query(self._plain.recording(window.duration), window.end):
            if sample.value >= enough:
                whole.add((sample.labels.get("signal"), sample.labels.get("query")))

        # Ignore recordings of another query, such as one from before the templates changed.
        keys = RECORDED.keys() & self._templates.queries.keys()
        recorded = frozenset(key for key in keys if (key, self._plain.fingerprint(key)) in whole)
        return replace(self._plain, recorded=recorded)

    def minutes(self, query: str, window: Window) -> dict[str, Range]:
        """Application to the values of a query at each full minute of a window."""
        return by_application(self.client.query_range(query, window.start + MINUTE, window.end, MINUTE))

    def signals(self, queries: Queries, window: Window) -> dict[str, dict[str, Summary]]:
        """Signal to application to summary: by the server from recordings, else here from one-minute values.

        For each clause of a summary the server computes its minutes again. That is cheap on recordings. On raw data it
        costs twenty times as much as a single query for the minutes.
        """
        recorded = [signal for signal in (*GAUGE_SIGNALS, LATENCY_MEAN) if queries.is_recorded(signal)]
        result = dict[str, dict[str, Summary]]()
        for signal in recorded:
            query = queries.summary(signal, window.duration)
            if query is not None:
                result[signal] = summaries(self.client.query(query, window.end))

        minutes = self._raw_minutes(queries, window, recorded)
        # Native histograms are never recorded; where they have data they are more exact.
        classic = None if LATENCY_MEAN in recorded else queries.signal(LATENCY_MEAN)
        minutes[LATENCY_MEAN] = self.latency_means(classic, queries.native_mean(), window)
        for application in set[str]().union(*minutes.values()):
            values = {key: series[application] for key, series in minutes.items() if application in series}
            for signal, summary in gauges(values).items():
                result.setdefault(signal, {})[application] = summary
        return result

    def _raw_minutes(self, queries: Queries, window: Window, recorded: list[str]) -> dict[str, dict[str, Range]]:
        """Key to application to one-minute values, for the signals that are not recorded."""
        keys = list[str]()
        for signal in GAUGE_SIGNALS:
            if signal not in recorded:
                keys += SIGNAL_KEYS.get(signal, (signal,))

        minutes = dict[str, dict[str, Range]]()
        for key in dict.fromkeys(keys):
            query = queries.minute(key)
            if query is not None:
                minutes[key] = self.minutes(query, window)
        return minutes

    def latency_means(self, classic: str | None, native: str | None, window: Window) -> dict[str, Range]:
        """Mean latency of each minute, from native histograms where they have data, from classic ones elsewhere."""
        result = self.minutes(classic, window) if classic else {}
        return result | self._native(native, lambda query: self.minutes(query, window))

    def latencies(self, classic: str | None, native: str | None, at: float) -> dict[str, Latency]:
        """Latency over a whole window, from native histograms where they have data, from classic ones elsewhere."""
        scale = self._templates.latency_scale
        result = latencies(self.client.query(classic, at), scale) if classic else {}
        return result | self._native(native, lambda query: native_latencies(self.client.query(query, at), scale))

    def _native(self, query: str | None, ask: Callable[[str], dict[str, T]]) -> dict[str, T]:
        """The results from native histograms; empty where the server does not support them."""
        if query is None:
            return {}

        try:
            return ask(query)
        except SourceError as error:
            if error.reason != "bad_query":
                raise
            # Warn only for the user's own template: the preset's may simply be too new for the server.
            if "latency_native" in self._options.signals:
                self.client.warnings.append(str(error))
            return {}

    def routes(self, query: str | None, at: float) -> Mapping[str, tuple[RouteCount, ...]]:
        """Application to its routes."""
        if query is None:
            return {}
        labels = self._templates.labels
        successes_known = "route_successes" in self._templates.queries
        result = self.client.query(query, at)
        return routes(result, labels["method"], labels["route"], successes_known=successes_known)

    def pattern(self, window: Window) -> dict[str, Samples]:
        """Request rates in steps that end with the window. A recording may cover a day but not the week."""
        query = self.queries(window).pattern(PATTERN_STEP)
        if query is None:
            return {}
        # The first step ends one step after the beginning: data before it is not part of the window.
        start = window.end - (window.duration // PATTERN_STEP - 1) * PATTERN_STEP
        ranges = self.client.query_range(query, start, window.end, PATTERN_STEP)
        return {name: samples(series) for name, series in by_application(ranges).items()}
