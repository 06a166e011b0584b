"""What the page of a run shows: the result as far as it was read, and what the sampler saw."""

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
from exporter.commands.run.sampler import Sampler, Watched
from exporter.model.loadrun import LoadRun

Rows = Iterable[tuple[tuple[str, ...], float | None]]


class Live(Collector):
    """The state of one wrapped run. Set by the main thread, read by scrapes: each attribute is swapped whole."""

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
        made = generate_openmetrics(self.registry) if openmetrics else generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return cast("bytes", made)

    def collect(self) -> Iterator[Metric]:
        yield self._family(names.RUNNING, [((), float(self.running))])
        yield self._family(names.STARTED, [((), self.started)])
        if self.run is not None:
            yield from self._requests(self.run)
        yield from self._processes(self.sampler.watched())
        yield self._family(names.MISSED, [((), float(self.sampler.missed))])

    def _requests(self, run: LoadRun) -> Iterator[Metric]:
        total, latency = run.total, run.total.latency
        yield self._family(names.REQUESTS, [((), total.requests)])
        if total.failures is not None:
            unspecified = total.failures - sum(total.errors.values())
            kinds = {**total.errors, names.UNSPECIFIED: total.errors.get(names.UNSPECIFIED, 0) + unspecified}
            yield self._family(names.FAILURES, [((kind,), count) for kind, count in kinds.items()])
        if latency.histogram is not None and latency.mean is not None:
            buckets = histogram.buckets(latency.histogram, names.REQUEST_BUCKETS)
            counted = [(_bound(bound), float(round(count))) for bound, count in buckets]
            family = HistogramMetricFamily(names.LATENCY.name, names.LATENCY.help, labels=names.LATENCY.labels)
            whole = [*counted, ("+Inf", float(total.requests))]
            family.add_metric([self.application], whole, latency.mean * total.requests)
            yield family
        yield self._family(names.PERCENTILE, [((stat,), getattr(latency, stat)) for stat in names.STATS])
        yield self._family(names.LATENCY_MAX, [((), latency.max)])
        told = run.timeline.users if run.timeline is not None else None
        last = [users for users in told or () if users is not None][-1:]
        yield self._family(names.USERS, [((), users) for users in last])
        yield self._family(names.USERS_MAX, [((), run.users)])

    def _processes(self, watched: Mapping[str, Watched]) -> Iterator[Metric]:
        yield self._family(names.CPU, [((name,), one.cpu_seconds) for name, one in watched.items()])
        cores = HistogramMetricFamily(names.CPU_CORES.name, names.CPU_CORES.help, labels=names.CPU_CORES.labels)
        for name, one in watched.items():
            cores.add_metric([self.application, name], _cumulative(one), one.cores_sum)
        yield cores
        sampled = {name: one for name, one in watched.items() if one.samples}
        alive = {name: one for name, one in sampled.items() if one.alive}
        yield self._family(names.CPU_MAX, [((name,), one.cores_max) for name, one in sampled.items()])
        yield self._family(names.MEMORY, [((name,), one.memory) for name, one in alive.items()])
        yield self._family(names.MEMORY_MAX, [((name,), one.memory_max or None) for name, one in sampled.items()])
        yield self._family(names.SOCKETS, [((name,), one.sockets) for name, one in alive.items()])
        yield self._family(names.SOCKETS_MAX, [((name,), one.sockets_max) for name, one in sampled.items()])

    def _family(self, series: SelfSeries, rows: Rows) -> Metric:
        """Rows without the label `application`, which all have; None is no evidence."""
        kind: Any = CounterMetricFamily if series.kind == "counter" else GaugeMetricFamily
        family: Metric = kind(series.name, series.help, labels=series.labels)
        for values, value in rows:
            if value is not None:
                family.add_metric([self.application, *values], float(value))  # type: ignore[attr-defined]
        return family


def _cumulative(watched: Watched) -> list[tuple[str, float]]:
    found, count = [], 0
    for bound, held in zip((*names.CORE_BUCKETS, float("inf")), watched.cores, strict=True):
        count += held
        found.append((_bound(bound), float(count)))
    return found


def _bound(value: float) -> str:
    """As prometheus_client writes bounds."""
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
