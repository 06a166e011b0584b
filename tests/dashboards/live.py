"""The page of `pte-exporter run` during a load test of a few hours, as Prometheus scraped it."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue import live
from exporter.catalogue.exporter import SelfSeries

_RUN = 'application="shop"'
_PROCESS = f'{_RUN},process="{live.GENERATOR}"'
_RATE = 100.0


def lines(since: float, start: float) -> Iterator[str]:
    """Sample lines, so many seconds after the generator was started at `start`."""
    requests = _RATE * since
    values: dict[SelfSeries, dict[str, float]] = {
        live.RUNNING: {_RUN: 1},
        live.STARTED: {_RUN: start},
        live.REQUESTS: {_RUN: requests},
        live.FAILURES: {f'{_RUN},kind="500"': requests / 100},
        live.PERCENTILE: {f'{_RUN},stat="{stat}"': 0.1 for stat in live.STATS},
        live.LATENCY_MAX: {_RUN: 1.9},
        live.USERS: {_RUN: 40},
        live.USERS_MAX: {_RUN: 50},
        live.CPU: {_PROCESS: 0.4 * since},
        live.CPU_MAX: {_PROCESS: 1.7},
        live.MEMORY: {_PROCESS: 8e7},
        live.MEMORY_MAX: {_PROCESS: 9e7},
        live.SOCKETS: {_PROCESS: 43},
        live.SOCKETS_MAX: {_PROCESS: 53},
        live.MISSED: {_RUN: 3},
    }
    yield from (
        _line(series.published, labels, value) for series, rows in values.items() for labels, value in rows.items()
    )
    yield from _histogram(live.LATENCY, _RUN, live.REQUEST_BUCKETS, requests, 0.2)
    yield from _histogram(live.CPU_CORES, _PROCESS, live.CORE_BUCKETS, 10 * since, 0.4)


def _line(name: str, labels: str, value: float) -> str:
    return f'{name}{{job="load",instance="generator:9827",{labels}}} {value}'


def _histogram(series: SelfSeries, labels: str, buckets: tuple[float, ...], count: float, mean: float) -> Iterator[str]:
    """Evenly spread from 0 to twice the mean."""
    for bound in buckets:
        yield _line(f"{series.name}_bucket", f'{labels},le="{float(bound)}"', count * min(1.0, bound / mean / 2))
    yield _line(f"{series.name}_bucket", f'{labels},le="+Inf"', count)
    yield _line(f"{series.name}_sum", labels, count * mean)
    yield _line(f"{series.name}_count", labels, count)
