"""What no measurement can be, in records that were written elsewhere: times that go back, parts that do not agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from exporter.analysis.histogram import SIZE
from exporter.model.incident import Incident
from exporter.model.loadrun import QUANTILE_FIGURES, Figures, Histogram, Latencies, LoadRun, Timeline
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    MINUTE,
    QUANTILES,
    ApplicationObservation,
    Latency,
    Samples,
    Summary,
    Window,
)

_SIGNED = ("autocorrelation", "clock_skew")
"""The only numbers that may be negative."""

_LATEST = 4102444800.0
"""2100-01-01T00:00:00Z. What lies beyond is milliseconds, which no calendar could take for seconds."""

_MOST = 2.0**60
"""No count, sum or latency is more; beyond, numbers do not even become floats."""


def invalid_values(record: object, path: str = "$") -> Iterator[str]:
    """Problems of a record and of all records inside it, each with its path."""
    check = _CHECKS.get(type(record))
    if check is not None:
        for problem in check(record):
            yield f"{problem} - at `{path}`"

    if dataclasses.is_dataclass(record):
        for field in dataclasses.fields(record):
            if field.name not in _SIGNED:
                yield from invalid_values(getattr(record, field.name), f"{path}.{field.name}")
    elif isinstance(record, Mapping):
        yield from _of_mapping(record, path)
    elif isinstance(record, tuple):
        for position, value in enumerate(record):
            yield from invalid_values(value, f"{path}[{position}]")
    elif isinstance(record, int | float):
        yield from _of_number(record, path)


def _of_mapping(values: Mapping[str, object], path: str) -> Iterator[str]:
    if "" in values:
        yield f"a name is empty - at `{path}`"
    for key, value in values.items():
        yield from invalid_values(value, f"{path}.{key}")


def _of_number(value: float, path: str) -> Iterator[str]:
    if value < 0:
        yield f"must be at least 0, got {value} - at `{path}`"
    elif value > _MOST:
        yield f"is larger than any measurement, must be at most {_MOST:g} - at `{path}`"


def _window(value: Window) -> Iterator[str]:
    yield from _late(value.end)
    if value.end <= value.start:
        yield "the window ends before it starts"


def _samples(value: Samples) -> Iterator[str]:
    yield from _late(*value.times)
    if len(value.times) != len(value.values):
        yield f"{len(value.times)} times and {len(value.values)} values, expected the same number"
    if any(later <= earlier for earlier, later in pairwise(value.times)):
        yield "times do not ascend"


def _latency(value: Latency) -> Iterator[str]:
    for (bound, count), (higher, more) in pairwise(value.buckets):
        if bound >= higher or count > more:
            yield "buckets do not ascend"
            return


def _summary(value: Summary) -> Iterator[str]:
    yield from _unknown_names(value.quantiles, QUANTILES, "quantile")
    if value.resolution < MINUTE:
        yield f"a resolution of {value.resolution:g} seconds, must be at least {MINUTE:g}"


def _application(value: ApplicationObservation) -> Iterator[str]:
    yield from _unknown_names(value.signals, (*GAUGE_SIGNALS, LATENCY_MEAN), "signal")
    if len({(route.method, route.route) for route in value.routes}) < len(value.routes):
        yield "duplicate method and route"


def _incident(value: Incident) -> Iterator[str]:
    times = (value.start,) if value.end is None else (value.start, value.end)
    yield from _late(*times)
    if value.end is not None and value.end < value.start:
        yield "the incident ends before it starts"
    if value.kind == "event" and value.end != value.start:
        yield "an event must end at its start"


def _run(value: LoadRun) -> Iterator[str]:
    yield from _late(value.end)
    if value.end < value.start:
        yield "the run ends before it starts"
    keys = {(endpoint.name, endpoint.method, endpoint.route) for endpoint in value.endpoints}
    if len(keys) < len(value.endpoints):
        yield "duplicate endpoint"


def _timeline(value: Timeline) -> Iterator[str]:
    yield from _late(*value.ends)
    columns = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if any(column is not None and len(column) != len(value.ends) for column in columns):
        yield "must have one value for each of `ends`"
    if any(later - earlier != MINUTE for earlier, later in pairwise(value.ends)):
        yield "`ends` are not one minute apart"


def _figures(value: Figures) -> Iterator[str]:
    if value.failures is not None and value.failures > value.requests:
        yield f"{value.failures} failures of {value.requests} requests"
    errors = sum(value.errors.values())
    if value.failures is not None and errors > value.failures:
        yield f"{errors} errors of {value.failures} failures"

    yield from _latencies(value.latency, value.requests)


def _latencies(value: Latencies, requests: int) -> Iterator[str]:
    if value.histogram is not None and sum(value.histogram.counts) != requests:
        yield f"the histogram has {sum(value.histogram.counts)} of {requests} requests"

    quantiles = [getattr(value, name) for name in QUANTILE_FIGURES]
    ascending = [quantile for quantile in quantiles if quantile is not None]
    if ascending != sorted(ascending):
        yield "percentiles do not ascend"

    if value.min is not None and value.max is not None and value.min > value.max:
        yield f"the minimum, {value.min:g}, is above the maximum, {value.max:g}"


def _histogram(value: Histogram) -> Iterator[str]:
    if len(value.indices) != len(value.counts):
        yield f"{len(value.indices)} indices and {len(value.counts)} counts, expected the same number"
    if any(later <= earlier for earlier, later in pairwise(value.indices)):
        yield "indices do not ascend"
    if value.indices and value.indices[-1] >= SIZE:
        yield f"index {value.indices[-1]}, must be below {SIZE}"


_CHECKS: Mapping[type, Callable[[Any], Iterator[str]]] = {
    Window: _window,
    Samples: _samples,
    Latency: _latency,
    Summary: _summary,
    ApplicationObservation: _application,
    Incident: _incident,
    LoadRun: _run,
    Timeline: _timeline,
    Figures: _figures,
    Histogram: _histogram,
}


def _late(*times: float) -> Iterator[str]:
    late = next((time for time in times if time > _LATEST), None)
    if late is not None:
        yield f"{late:.0f} is after 2100, expected Unix seconds (not milliseconds)"


def _unknown_names(names: Iterable[str], known_names: tuple[str, ...], what: str) -> Iterator[str]:
    for name in names:
        if name not in known_names:
            yield f"unknown {what} `{name}`, expected one of: {', '.join(known_names)}"
