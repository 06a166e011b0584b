"""The controller's JSON as records: lenient towards what is missing, strict where a number is none.

Numbers are read as floats, since some controllers and proxies write 3.7E8. A value that stands for "nothing" is dropped
and counted: ±2147483647 and its neighbours, and whatever rests on no measurement at all.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from exporter.sources.appdynamics.records import Absence, Answer, Ask, Entity, Event, Floats, Metric, Violation

NOT_FOUND = "METRIC DATA NOT FOUND"
"""The name of a metric that is registered and has no data in the window."""

FREQUENCIES = {"ONE_MIN": 60.0, "TEN_MIN": 600.0, "SIXTY_MIN": 3600.0}
_SENTINELS = frozenset(2.0**bits - off for bits in (31, 63) for off in (0, 1))
_LONGEST_MINUTES, _LONGEST_TENS = 1459 * 60.0, 2940 * 60.0
_SEGMENT = re.compile(r"(?:^|\|)((?:\\[|\\]|[^|])*)")
_ESCAPED = re.compile(r"\\([|\\])")
_BREAK, _MARKUP = re.compile(r"</?(br|p|div|li|h\d|td)\b[^<>]*>", re.IGNORECASE), re.compile(r"<[^<>]*>")


class WireApplication(msgspec.Struct):
    """An element of /applications."""

    id: int
    name: str | None = None


class WireTransaction(msgspec.Struct):
    """An element of /business-transactions."""

    id: int
    name: str
    tierName: str = ""  # noqa: N815 the API's own words, here and below
    internalName: str | None = None  # noqa: N815


class WireTier(msgspec.Struct):
    """An element of /tiers."""

    id: int
    name: str
    numberOfNodes: int | None = None  # noqa: N815


class WirePoint(msgspec.Struct):
    """One step of a metric. `current` is not read: it is the last of the step's minutes."""

    startTimeInMillis: float  # noqa: N815
    value: float | None = None
    sum: float | None = None
    count: float | None = None


class WireMetric(msgspec.Struct):
    """An element of /metric-data."""

    metricName: str | None = None  # noqa: N815
    metricPath: str | None = None  # noqa: N815
    frequency: str | None = None
    metricValues: list[WirePoint] | None = None  # noqa: N815


class WireEntity(msgspec.Struct):
    """What something happened to."""

    entityType: str | None = None  # noqa: N815
    name: str | None = None
    entityId: int | None = None  # noqa: N815


class WireViolation(msgspec.Struct):
    """An element of /problems/healthrule-violations. `detectedTimeInMillis` is not read: it is 0."""

    id: int
    startTimeInMillis: float  # noqa: N815
    endTimeInMillis: float | None = None  # noqa: N815
    name: str | None = None
    severity: str | None = None
    incidentStatus: str | None = None  # noqa: N815
    description: str | None = None
    affectedEntityDefinition: WireEntity | None = None  # noqa: N815


class WireEvent(msgspec.Struct):
    """An element of /events."""

    id: int
    type: str
    eventTime: float  # noqa: N815
    severity: str | None = None
    summary: str | None = None
    affectedEntities: list[WireEntity] | None = None  # noqa: N815


class WireSnapshot(msgspec.Struct):
    """An element of /request-snapshots."""

    serverStartTime: float = 0.0  # noqa: N815
    businessTransactionId: int | None = None  # noqa: N815


def answer(ask: Ask, found: Sequence[WireMetric]) -> Answer:
    """What the controller says to an ask. Raises ValueError with what is wrong."""
    metrics = tuple(one for wire in found if (one := _metric(ask, wire)) is not None)
    seen = set[tuple[str, tuple[str, ...]]]()
    for metric in metrics:  # a transaction that was deleted and found again has two ids, and so two internal names
        if (metric.name, metric.path) in seen:
            raise ValueError(f"the metric {'|'.join(metric.path)} twice")
        seen.add((metric.name, metric.path))
    absence: Absence | None = None if metrics else "no_data" if found else "no_metric"
    return Answer(ask, metrics, absence)


def _metric(ask: Ask, wire: WireMetric) -> Metric | None:
    """None for a metric without values."""
    points = sorted(wire.metricValues or (), key=lambda point: point.startTimeInMillis)
    if not points or wire.metricName == NOT_FOUND:
        return None
    starts = np.array([point.startTimeInMillis / 1000.0 for point in points])
    resolution = ask.window.duration if ask.rollup else _resolution(ask, wire.frequency, starts)
    told = [_measured(point) for point in points]
    if wrong := _contradiction(starts, resolution, rollup=ask.rollup):
        raise ValueError(f"{wrong} in {wire.metricPath or ask.path}")
    inside = [ask.rollup or (ask.window.start <= at and at + resolution <= ask.window.end) for at in starts]
    kept = [index for index in range(len(points)) if told[index] and inside[index]]
    if not kept:
        return None
    ends = np.full(len(kept), ask.window.end) if ask.rollup else starts[kept] + resolution
    return Metric(
        path=_path(ask, wire.metricPath),
        name=wire.metricName or "",
        resolution=resolution,
        times=ends,
        values=np.array([points[index].value for index in kept], dtype=np.float64),
        sums=_all(points[index].sum for index in kept),
        counts=_all(points[index].count for index in kept),
        sentinels=sum(within and not real for within, real in zip(inside, told, strict=True)),
    )


def _contradiction(starts: Floats, resolution: float, *, rollup: bool) -> str | None:
    """What makes numbers of values that cannot be meant; each would be a wrong figure that nobody sees."""
    if rollup:
        return f"{starts.size} values where one for the whole window was asked for," if starts.size > 1 else None
    apart = np.diff(starts)
    if (apart <= 0).any():
        return "two values of one time"
    if (starts % 60.0 != 0).any():
        return "a step that begins at no full minute"
    return f"steps of {resolution:g} s that begin {apart.min():g} s apart" if (apart < resolution).any() else None


def _measured(point: WirePoint) -> bool:
    return point.value is not None and not _is_sentinel(point.value) and point.count != 0


def _is_sentinel(value: float) -> bool:
    """Nothing that is asked for can be below 0, so that such a value stands for nothing, as its greatest ones do."""
    return value < 0 or value in _SENTINELS


def _all(values: Iterable[float | None]) -> Floats | None:
    """None where one is missing: a total of the others would be a wrong one."""
    found = list(values)
    if any(value is None or _is_sentinel(value) for value in found):
        return None
    return np.array(found, dtype=np.float64)


def _resolution(ask: Ask, frequency: str | None, starts: Floats) -> float:
    """Seconds of a step: what the controller says, else how far values are apart, else what it documents."""
    if frequency in FREQUENCIES:
        return FREQUENCIES[frequency]
    if starts.size > 1:
        apart = float(np.diff(starts).min())
        return max((step for step in FREQUENCIES.values() if step <= apart), default=60.0)
    length = ask.window.duration
    return 60.0 if length <= _LONGEST_MINUTES else 600.0 if length <= _LONGEST_TENS else 3600.0


def _path(ask: Ask, path: str | None) -> tuple[str, ...]:
    """Its segments; of more than were asked for, a name holds the bars, of a transaction rather than of its tier."""
    asked = segments(ask.path)
    if path is None:
        if "*" in asked:
            raise ValueError("a metric without metricPath")
        return asked
    found = segments(path)
    more = len(found) - len(asked)
    if more <= 0 or "*" not in asked:
        return found
    last = len(asked) - 1 - asked[::-1].index("*")
    return (*found[:last], "|".join(found[last : last + more + 1]), *found[last + more + 1 :])


def segments(path: str) -> tuple[str, ...]:
    r"""The names that a metric path is made of; `\|` and `\\` are a bar and a backslash of a name."""
    return tuple(_ESCAPED.sub(r"\1", part) for part in _SEGMENT.findall(path))


def violation(wire: WireViolation) -> Violation:
    """An open one has 0, -1 or nothing as its end: its status says whether it is open."""
    start, end = wire.startTimeInMillis / 1000.0, (wire.endTimeInMillis or 0.0) / 1000.0
    status = (wire.incidentStatus or ("RESOLVED" if end > start else "OPEN")).upper()
    return Violation(
        id=wire.id,
        name=wire.name or "",
        severity=(wire.severity or "").upper(),
        status=status,
        start=start,
        end=None if status == "OPEN" else max(start, end),
        entity=_entity(wire.affectedEntityDefinition or WireEntity()),
        description=plain(wire.description),
    )


def event(wire: WireEvent) -> Event:
    """Entities are told once each."""
    entities = tuple(dict.fromkeys(_entity(one) for one in wire.affectedEntities or ()))
    time = wire.eventTime / 1000.0
    return Event(wire.id, wire.type, (wire.severity or "").upper(), time, plain(wire.summary), entities)


def _entity(wire: WireEntity) -> Entity:
    return Entity(wire.entityType or "", wire.name or "", wire.entityId)


def plain(text: str | None) -> str:
    """One line without markup."""
    return " ".join(html.unescape(_MARKUP.sub("", _BREAK.sub(" ", text or ""))).split())
