"""Prometheus and servers with its query API. The number of queries does not depend on applications and routes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from exporter.analysis.activity import Activity
from exporter.checkup import Step
from exporter.clients.http import Session
from exporter.clients.prometheus import PrometheusClient
from exporter.errors import SourceError
from exporter.model.checkup import CheckContext
from exporter.model.observation import ApplicationObservation, Observation, Samples, Window
from exporter.model.rule import Record
from exporter.sources import ChooseRuns
from exporter.sources.prometheus.options import OTHER_DATA, Options, problems, reads
from exporter.sources.prometheus.poll import PrometheusPoll
from exporter.sources.prometheus.queries import BUCKET_PARTS, ROUTE_PARTS, Queries
from exporter.sources.prometheus.runs import runs
from exporter.sources.prometheus.stretches import stretches

__all__ = ["KIND", "OTHER_DATA", "Options", "Source", "checks", "problems", "reads"]

KIND = "prometheus"

_SKEW_WARNING = 30.0
"""Seconds of difference between the clocks that are worth a warning."""


def checks(options: Options, context: CheckContext) -> Iterator[Step]:
    """The steps of doctor."""
    from exporter.sources.prometheus.checks import steps  # loaded only for check-ups

    return steps(options, context)


def recordings(options: Options, side: str) -> list[Record]:
    """The recording rules of the side; none if the recordings would never be read."""
    if options.recorded == "never":
        return []
    from exporter.sources.prometheus.recordings import records  # loaded only to generate rules

    return records(options.templates, side, options.rate_range)


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
        with self._polling() as poll:
            queries = poll.queries(window)
            signals = poll.signals(queries, window)
            classic = queries.counts(BUCKET_PARTS, window.duration)
            native = queries.native(window.duration)
            latency = poll.latencies(classic, native, window.end)
            routes = poll.routes(queries.counts(ROUTE_PARTS, window.duration), window.end)
            rates = poll.pattern(pattern) if pattern is not None else {}

            applications = {
                name: ApplicationObservation(
                    window=window,
                    signals={signal: values[name] for signal, values in signals.items() if name in values},
                    latency=latency.get(name),
                    routes=routes.get(name, ()),
                    pattern=rates.get(name),
                )
                for name in sorted(set[str]().union(*signals.values(), latency, routes, rates))
            }
            return self._observation(poll.client, window, applications)

    def observe_runs(self, lookback: Window, threshold: float, choose: ChooseRuns) -> Observation:
        """Each application over its own test run, which `choose` picks from minutes above `threshold` requests/s."""
        with self._polling() as poll:
            windows = choose(self._active(poll, lookback, threshold))
            applications = dict[str, ApplicationObservation]()
            for hull, own in stretches(windows):
                applications |= runs(poll, hull, own)
            return self._observation(poll.client, lookback, applications)

    @contextlib.contextmanager
    def _polling(self) -> Iterator[PrometheusPoll]:
        """One observation; closes connections at its end, and adds the server's address to errors."""
        try:
            yield PrometheusPoll(PrometheusClient(self._session), self._options, self._plain)
        except SourceError as error:
            raise error.at_server(self._session.address) from None
        finally:
            self._session.close()  # a connection left idle may be half closed by the next poll

    def _active(self, poll: PrometheusPoll, lookback: Window, threshold: float) -> dict[str, Samples]:
        """Minutes above the threshold: from earlier polls, and from queries for the time since."""
        if "request_rate" not in self._options.templates.queries:
            return {}
        if self._activity.threshold != threshold:  # minutes below the old threshold were not stored
            self._activity = Activity(threshold)

        for window in self._activity.missing(lookback):
            warned = poll.client.warned
            rate = poll.queries(window).minute("request_rate")
            minutes = poll.minutes(f"({rate}) > {threshold!r}", window)
            # A result with a warning may be incomplete: it counts now, and is queried again.
            self._activity.add(window, minutes, sure=poll.client.warned == warned)
        return self._activity.samples()

    def _observation(
        self, client: PrometheusClient, window: Window, applications: Mapping[str, ApplicationObservation]
    ) -> Observation:
        warnings = list(client.warnings)
        skew = client.clock_skew
        if skew is not None and abs(skew) >= _SKEW_WARNING:
            direction = "ahead of" if skew > 0 else "behind"
            warnings.append(
                f"the clock of {self._session.address} is {abs(skew):.0f} s {direction} ours: windows miss data"
            )
        return Observation(self._side, window, applications, tuple(warnings), client.queries, skew)
