"""The controller's JSON as records: lenient about missing fields, strict about numbers.

Numbers are read as floats, since some controllers and proxies write 3.7E8. A value that means "nothing" is dropped
and counted: ±2147483647 and its neighbours, and whatever rests on no measurement at all.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from exporter.model.observation import Window
from exporter.sources.appdynamics.records import (
    Absence,
    Entity,
    Event,
    Floats,
    Metric,
    MetricQuery,
    MetricResult,
    Violation,
)

NOT_FOUND = "METRIC DATA NOT FOUND"
"""The name of a metric that is registered and has no data in the window."""

FREQUENCIES = {"ONE_MIN": 60.0, "TEN_MIN": 600.0, "SIXTY_MIN": 3600.0}
_SENTINELS = frozenset(2.0**bits - off for bits in (31, 63) for off in (0, 1))
_LONGEST_MINUTES = 1459 * 60.0
_LONGEST_TENS = 2940 * 60.0
_SEGMENT = re.compile(r"(?:^|\|)((?:\\[|\\]|[^|])*)")
_ESCAPED = re.compile(r"\\([|\\])")
_BREAK = re.compile(r"</?(br|p|div|li|h\d|td)\b[^<>]*>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")


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


def metric_result(query: MetricQuery, wires: Sequence[WireMetric]) -> MetricResult:
    """The result of a query. Raises ValueError with the problem."""
    decoded = (_metric(query, wire) for wire in wires)
    metrics = tuple(metric for metric in decoded if metric is not None)
    _refuse_duplicates(metrics)

    absence: Absence | None = None
    if not metrics:
        absence = "no_data" if wires else "no_metric"
    return MetricResult(query, metrics, absence)


def _refuse_duplicates(metrics: Iterable[Metric]) -> None:
    # By internal name too: a transaction that was deleted and detected again has two ids, and so two names.
    names = set[tuple[str, tuple[str, ...]]]()
    for metric in metrics:
        name = (metric.name, metric.path)
        if name in names:
            raise ValueError(f"a duplicate metric {'|'.join(metric.path)}")
        names.add(name)


def _metric(query: MetricQuery, wire: WireMetric) -> Metric | None:
    """None for a metric without values."""
    points = sorted(wire.metricValues or (), key=lambda point: point.startTimeInMillis)
    if not points or wire.metricName == NOT_FOUND:
        return None

    resolution = _checked_resolution(query, wire, _starts(points))
    inside = points if query.rollup else _inside(points, resolution, query.window)
    measured = [point for point in inside if _is_measured(point)]
    if not measured:
        return None

    return Metric(
        path=_path(query, wire.metricPath),
        name=wire.metricName or "",
        resolution=resolution,
        times=_ends(query, measured, resolution),
        values=np.array([point.value for point in measured], dtype=np.float64),
        sums=_column([point.sum for point in measured]),
        counts=_column([point.count for point in measured]),
        sentinels=len(inside) - len(measured),
    )


def _start(point: WirePoint) -> float:
    return point.startTimeInMillis / 1000.0


def _starts(points: Iterable[WirePoint]) -> Floats:
    return np.array([_start(point) for point in points], dtype=np.float64)


def _ends(query: MetricQuery, points: Sequence[WirePoint], resolution: float) -> Floats:
    if query.rollup:
        return np.full(len(points), query.window.end)
    return _starts(points) + resolution


def _inside(points: Iterable[WirePoint], resolution: float, window: Window) -> list[WirePoint]:
    """The steps that are completely in the window."""
    starting = (point for point in points if _start(point) >= window.start)
    return [point for point in starting if _start(point) + resolution <= window.end]


def _is_measured(point: WirePoint) -> bool:
    return point.value is not None and not _is_sentinel(point.value) and point.count != 0


def _is_sentinel(value: float) -> bool:
    """No metric here can be below 0, so negative values mean "nothing", as the greatest integers do."""
    return value < 0 or value in _SENTINELS


def _column(values: Sequence[float | None]) -> Floats | None:
    """None if any is missing: a total of the others would be wrong."""
    if any(value is None or _is_sentinel(value) for value in values):
        return None
    return np.array(values, dtype=np.float64)


def _checked_resolution(query: MetricQuery, wire: WireMetric, starts: Floats) -> float:
    """Seconds of a step. Raises ValueError for impossible steps: they would give wrong figures silently."""
    if query.rollup:
        resolution = query.window.duration
        problem = f"{starts.size} values instead of one for the whole window" if starts.size > 1 else None
    else:
        resolution = _resolution(query, wire.frequency, starts)
        problem = _contradiction(starts, resolution)

    if problem is not None:
        raise ValueError(f"{problem} in {wire.metricPath or query.path}")
    return resolution


def _contradiction(starts: Floats, resolution: float) -> str | None:
    """A problem with the times of steps."""
    apart = np.diff(starts)
    if (apart <= 0).any():
        return "two values with the same time"

    if (starts % 60.0 != 0).any():
        return "a step that does not begin at a full minute"
    if (apart < resolution).any():
        return f"steps of {resolution:g} s that begin {apart.min():g} s apart"
    return None


def _resolution(query: MetricQuery, frequency: str | None, starts: Floats) -> float:
    """Seconds of a step: as reported, else the distance of values, else the documented length."""
    if frequency in FREQUENCIES:
        return FREQUENCIES[frequency]
    if starts.size > 1:
        apart = float(np.diff(starts).min())
        return max((step for step in FREQUENCIES.values() if step <= apart), default=60.0)

    length = query.window.duration
    if length <= _LONGEST_MINUTES:
        return 60.0
    return 600.0 if length <= _LONGEST_TENS else 3600.0


def _path(query: MetricQuery, path: str | None) -> tuple[str, ...]:
    """Its segments; if there are too many, a name contains bars: that of the transaction rather than of its tier."""
    expected = segments(query.path)
    if path is None:
        if "*" in expected:
            raise ValueError("a metric without metricPath")
        return expected

    parts = segments(path)
    surplus = len(parts) - len(expected)
    if surplus <= 0 or "*" not in expected:
        return parts

    last = len(expected) - 1 - expected[::-1].index("*")
    end = last + surplus + 1
    return (*parts[:last], "|".join(parts[last:end]), *parts[end:])


def segments(path: str) -> tuple[str, ...]:
    r"""The names that a metric path is made of; `\|` and `\\` are a bar and a backslash of a name."""
    return tuple(_ESCAPED.sub(r"\1", part) for part in _SEGMENT.findall(path))


def violation(wire: WireViolation) -> Violation:
    """An open one has 0, -1 or nothing as its end: its status says whether it is open."""
    start = wire.startTimeInMillis / 1000.0
    end = (wire.endTimeInMillis or 0.0) / 1000.0
    status = (wire.incidentStatus or ("RESOLVED" if end > start else "OPEN")).upper()
    until = None if status == "OPEN" else max(start, end)

    return Violation(
        id=wire.id,
        name=wire.name or "",
        severity=(wire.severity or "").upper(),
        status=status,
        start=start,
        end=until,
        entity=_entity(wire.affectedEntityDefinition or WireEntity()),
        description=plain(wire.description),
    )


def event(wire: WireEvent) -> Event:
    """Duplicate entities are dropped."""
    entities = tuple(dict.fromkeys(_entity(entity) for entity in wire.affectedEntities or ()))
    time = wire.eventTime / 1000.0
    return Event(wire.id, wire.type, (wire.severity or "").upper(), time, plain(wire.summary), entities)


def _entity(wire: WireEntity) -> Entity:
    return Entity(wire.entityType or "", wire.name or "", wire.entityId)


def plain(text: str | None) -> str:
    """One line without markup."""
    return " ".join(html.unescape(_MARKUP.sub("", _BREAK.sub(" ", text or ""))).split())
