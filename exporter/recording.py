"""JSON -> Observation, checked: a recording is written elsewhere, perhaps by hand, and must not be believed blindly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

import msgspec

from exporter.errors import SourceError
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    QUANTILES,
    ApplicationObservation,
    Latency,
    Observation,
    Samples,
    Summary,
    Window,
)

Role = Literal["production", "pte"]

_SIGNED = ("autocorrelation", "clock_skew")
"""The only numbers that may be negative."""

_LATEST = 4102444800.0
"""2100-01-01T00:00:00Z. What lies beyond is milliseconds, which no calendar could take for seconds."""


def decode(content: bytes, role: Role) -> Observation:
    """The observation of `role` in a JSON report, or the one observation that the JSON is.

    Raises SourceError (not_json, bad_data) that says in one line what is wrong and where.
    """
    try:
        raw = _pick(msgspec.json.decode(content), role)
        observation = msgspec.convert(raw, Observation)
        faults = [*_unknown(raw, msgspec.to_builtins(observation), "$"), *_faults(observation, "$")]
    except msgspec.ValidationError as error:
        raise SourceError("bad_data", str(error)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise SourceError("not_json", str(error)) from None
    if faults:
        raise SourceError("bad_data", faults[0])
    return observation


def _pick(raw: Any, role: Role) -> Any:
    if not isinstance(raw, dict) or "observations" not in raw:
        return raw
    recorded = raw["observations"]
    if not isinstance(recorded, dict) or not isinstance(recorded.get(role), dict):
        raise SourceError("bad_data", f"has no observation of {role} - at `$.observations`")
    return recorded[role]


def _unknown(raw: Any, known: Any, path: str) -> Iterator[str]:
    """Keys that the records do not have; `known` is the same data after it went through them, which drops such keys."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in known:
                yield from _unknown(value, known[key], f"{path}.{key}")
            else:
                yield f"unknown field `{key}` - at `{path}`"
    elif isinstance(raw, list):
        for position, value in enumerate(raw):
            yield from _unknown(value, known[position], f"{path}[{position}]")


def _faults(value: object, path: str) -> Iterator[str]:
    """What no measurement can be: negative counts, windows that end before they start, times that go back."""
    yield from (f"{fault} - at `{path}`" for fault in _record_faults(value))
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in _SIGNED:
                yield from _faults(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, Mapping):
        if "" in value:
            yield f"a name is empty - at `{path}`"
        for key, each in value.items():
            yield from _faults(each, f"{path}.{key}")
    elif isinstance(value, tuple):
        for position, each in enumerate(value):
            yield from _faults(each, f"{path}[{position}]")
    elif isinstance(value, int | float) and value < 0:
        yield f"is {value}, wanted 0 or more - at `{path}`"


def _record_faults(value: object) -> Iterator[str]:
    yield from _late(value)
    if isinstance(value, Window) and value.end <= value.start:
        yield "the window ends before it starts"
    if isinstance(value, Samples):
        if len(value.times) != len(value.values):
            yield f"{len(value.times)} times and {len(value.values)} values, wanted as many"
        if any(later <= earlier for earlier, later in pairwise(value.times)):
            yield "times do not ascend"
    if isinstance(value, Latency):
        neighbours = pairwise(value.buckets)
        if any(bound >= higher or count > more for (bound, count), (higher, more) in neighbours):
            yield "buckets do not ascend"
    if isinstance(value, Summary):
        yield from _unknown_names(value.quantiles, QUANTILES, "quantile")
    if isinstance(value, ApplicationObservation):
        yield from _unknown_names(value.signals, (*GAUGE_SIGNALS, LATENCY_MEAN), "signal")
        if len({(route.method, route.route) for route in value.routes}) < len(value.routes):
            yield "a method and route stand twice"


def _late(value: object) -> Iterator[str]:
    times = (value.end,) if isinstance(value, Window) else value.times if isinstance(value, Samples) else ()
    late = next((time for time in times if time > _LATEST), None)
    if late is not None:
        yield f"{late:.0f} is no time before 2100, wanted Unix seconds (not milliseconds)"


def _unknown_names(found: Mapping[str, object], known: tuple[str, ...], what: str) -> Iterator[str]:
    for name in found:
        if name not in known:
            yield f"unknown {what} `{name}`, known: {', '.join(known)}"
