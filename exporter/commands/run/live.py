"""The data of a run's page: the result as far as it was read, and the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from exporter.analysis import histogram
from exporter.catalogue import live as names
from exporter.catalogue.exporter import SelfSeries
from exporter.commands.run.sampler import Sampler, Totals
from exporter.model.loadrun import LoadRun

Rows = Iterable[tuple[tuple[str, ...], float | None]]


class Live(Collector):
    """The state of one wrapped run. Set by the main thread, read by scrapes: each attribute is replaced as a whole."""

    def __init__(self, application: str, sampler: Sampler) -> None:
        self.application = application
        self.sampler = sampler
        self.started: float | None = None
        """Unix seconds; None: not yet."""
        self.running = False
        self.run: LoadRun | None = None
        """As far as it was read."""

        self.registry = CollectorRegistry()
        self.registry.register(self)

    def render(self, *, openmetrics: bool) -> bytes:
        """The page."""
        page = generate_openmetrics(self.registry) if openmetrics else generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return cast("bytes", page)

    def collect(self) -> Iterator[Metric]:
        yield self._family(names.RUNNING, [((), float(self.running))])
        yield self._family(names.STARTED, [((), self.started)])

        run = self.run
        if run is not None:
            yield from self._requests(run)
            yield from self._latencies(run)
            yield from self._users(run)
        yield from self._processes(self.sampler.totals())
        yield self._family(names.MISSED, [((), float(self.sampler.missed))])

    def _requests(self, run: LoadRun) -> Iterator[Metric]:
        total = run.total
        yield self._family(names.REQUESTS, [((), total.requests)])
        if total.failures is None:
            return

        # The kinds add up to all failures: unnamed ones have their own kind, from 0 on.
        kinds = {**total.errors}
        kinds[names.UNSPECIFIED] = kinds.get(names.UNSPECIFIED, 0) + total.failures - sum(total.errors.values())
        yield self._family(names.FAILURES, [((kind,), count) for kind, count in kinds.items()])

    def _latencies(self, run: LoadRun) -> Iterator[Metric]:
        latency = run.total.latency
        if latency.histogram is not None and latency.mean is not None:
            buckets = histogram.buckets(latency.histogram, names.REQUEST_BUCKETS)
            counts = [(_bound(bound), float(round(count))) for bound, count in buckets]
            counts.append(("+Inf", float(run.total.requests)))
            family = _histogram(names.LATENCY)
            family.add_metric([self.application], counts, latency.mean * run.total.requests)
            yield family

        yield self._family(names.PERCENTILE, [((stat,), getattr(latency, stat)) for stat in names.STATS])
        yield self._family(names.LATENCY_MAX, [((), latency.max)])

    def _users(self, run: LoadRun) -> Iterator[Metric]:
        minutes = run.timeline.users if run.timeline is not None else None
        measured_minutes = [users for users in minutes or () if users is not None]
        yield self._family(names.USERS, [((), users) for users in measured_minutes[-1:]])
        yield self._family(names.USERS_MAX, [((), run.users)])

    def _processes(self, processes: Mapping[str, Totals]) -> Iterator[Metric]:
        yield self._family(names.CPU, [((name,), totals.cpu_seconds) for name, totals in processes.items()])
        cores = _histogram(names.CPU_CORES)
        for name, totals in processes.items():
            cores.add_metric([self.application, name], _cumulative(totals), totals.cores_sum)
        yield cores

        # There is nothing before the first sample, and only maxima after a process has ended.
        sampled = [(name, totals) for name, totals in processes.items() if totals.samples]
        alive = [(name, totals) for name, totals in sampled if totals.alive]
        yield self._family(names.CPU_MAX, [((name,), totals.cores_max) for name, totals in sampled])
        yield self._family(names.MEMORY, [((name,), totals.memory) for name, totals in alive])
        yield self._family(names.MEMORY_MAX, [((name,), totals.memory_max or None) for name, totals in sampled])
        yield self._family(names.SOCKETS, [((name,), totals.sockets) for name, totals in alive])
        yield self._family(names.SOCKETS_MAX, [((name,), totals.sockets_max) for name, totals in sampled])

    def _family(self, series: SelfSeries, rows: Rows) -> Metric:
        """Rows without the label `application`, which is the same for all; None is no evidence."""
        kind: Any = CounterMetricFamily if series.kind == "counter" else GaugeMetricFamily
        family: Metric = kind(series.name, series.help, labels=series.labels)
        for values, value in rows:
            if value is not None:
                family.add_metric([self.application, *values], float(value))  # type: ignore[attr-defined]
        return family


def _histogram(series: SelfSeries) -> HistogramMetricFamily:
    return HistogramMetricFamily(series.name, series.help, labels=series.labels)


def _cumulative(totals: Totals) -> list[tuple[str, float]]:
    """The samples up to each bound, as in a histogram."""
    buckets = []
    count = 0
    for bound, samples in zip((*names.CORE_BUCKETS, float("inf")), totals.cores, strict=True):
        count += samples
        buckets.append((_bound(bound), float(count)))
    return buckets


def _bound(value: float) -> str:
    """A bound, as prometheus_client writes it."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
