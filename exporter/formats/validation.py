"""What no measurement can be, in records that were written elsewhere: times that go back, parts that do not agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from exporter.analysis.histogram import SIZE
from exporter.model.incident import Incident
from exporter.model.loadrun import QUANTILE_FIGURES, Figures, Histogram, LoadRun, Timeline
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


def faults(value: object, path: str = "$") -> Iterator[str]:
    """Each fault in a record and what it holds, with its path."""
    check = _CHECKS.get(type(value))
    if check is not None:
        yield from (f"{fault} - at `{path}`" for fault in check(value))
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in _SIGNED:
                yield from faults(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping | tuple):
        yield from _inside(value, path)
    elif isinstance(value, int | float) and value < 0:
        yield f"is {value}, wanted 0 or more - at `{path}`"
    elif isinstance(value, int | float) and value > _MOST:
        yield f"is more than any measurement, wanted at most {_MOST:g} - at `{path}`"


def _inside(value: Mapping[str, object] | tuple[object, ...], path: str) -> Iterator[str]:
    if isinstance(value, tuple):
        for position, each in enumerate(value):
            yield from faults(each, f"{path}[{position}]")
        return
    if "" in value:
        yield f"a name is empty - at `{path}`"
    for key, each in value.items():
        yield from faults(each, f"{path}.{key}")


def _window(value: Window) -> Iterator[str]:
    yield from _late(value.end)
    if value.end <= value.start:
        yield "the window ends before it starts"


def _samples(value: Samples) -> Iterator[str]:
    yield from _late(*value.times)
    if len(value.times) != len(value.values):
        yield f"{len(value.times)} times and {len(value.values)} values, wanted as many"
    if any(later <= earlier for earlier, later in pairwise(value.times)):
        yield "times do not ascend"


def _latency(value: Latency) -> Iterator[str]:
    neighbours = pairwise(value.buckets)
    if any(bound >= higher or count > more for (bound, count), (higher, more) in neighbours):
        yield "buckets do not ascend"


def _summary(value: Summary) -> Iterator[str]:
    yield from _unknown_names(value.quantiles, QUANTILES, "quantile")
    if value.resolution < MINUTE:
        yield f"a resolution of {value.resolution:g} seconds, wanted {MINUTE:g} or more"


def _application(value: ApplicationObservation) -> Iterator[str]:
    yield from _unknown_names(value.signals, (*GAUGE_SIGNALS, LATENCY_MEAN), "signal")
    if len({(route.method, route.route) for route in value.routes}) < len(value.routes):
        yield "a method and route stand twice"


def _incident(value: Incident) -> Iterator[str]:
    yield from _late(value.start, *(() if value.end is None else (value.end,)))
    if value.end is not None and value.end < value.start:
        yield "the incident ends before it starts"
    if value.kind == "event" and value.end != value.start:
        yield "an event has an end other than its start"


def _run(value: LoadRun) -> Iterator[str]:
    yield from _late(value.end)
    if value.end < value.start:
        yield "the run ends before it starts"
    if len({(one.name, one.method, one.route) for one in value.endpoints}) < len(value.endpoints):
        yield "an endpoint stands twice"


def _timeline(value: Timeline) -> Iterator[str]:
    yield from _late(*value.ends)
    told = (getattr(value, field.name) for field in dataclasses.fields(value))
    if any(values is not None and len(values) != len(value.ends) for values in told):
        yield "has other than one value for each of `ends`"
    if any(later - earlier != MINUTE for earlier, later in pairwise(value.ends)):
        yield "`ends` are not one minute apart"


def _figures(value: Figures) -> Iterator[str]:
    if value.failures is not None and value.failures > value.requests:
        yield f"{value.failures} failures of {value.requests} requests"
    kinds = sum(value.errors.values())
    if value.failures is not None and kinds > value.failures:
        yield f"{kinds} errors of {value.failures} failures"
    held = sum(value.latency.histogram.counts) if value.latency.histogram is not None else value.requests
    if held != value.requests:
        yield f"the histogram holds {held} of {value.requests} requests"
    told = (getattr(value.latency, name) for name in QUANTILE_FIGURES)
    known = [each for each in told if each is not None]
    if known != sorted(known):
        yield "percentiles do not ascend"
    least, most = value.latency.min, value.latency.max
    if least is not None and most is not None and least > most:
        yield f"the minimum, {least:g}, is above the maximum, {most:g}"


def _histogram(value: Histogram) -> Iterator[str]:
    if len(value.indices) != len(value.counts):
        yield f"{len(value.indices)} indices and {len(value.counts)} counts, wanted as many"
    if any(later <= earlier for earlier, later in pairwise(value.indices)):
        yield "indices do not ascend"
    if value.indices and value.indices[-1] >= SIZE:
        yield f"index {value.indices[-1]}, wanted less than {SIZE}"


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
        yield f"{late:.0f} is no time before 2100, wanted Unix seconds (not milliseconds)"


def _unknown_names(found: Mapping[str, object], known: tuple[str, ...], what: str) -> Iterator[str]:
    for name in found:
        if name not in known:
            yield f"unknown {what} `{name}`, known: {', '.join(known)}"
