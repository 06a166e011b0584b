"""The answer to metric-data: steps of one metric or more as JSON, made in bulk since a day of all is 65,000 of them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from deploy.stack.controller.days import Day, Days
from deploy.stack.controller.estate import Application
from deploy.stack.controller.messages import Answer, Refusal, Request, as_xml
from deploy.stack.controller.metrics import Metric, Minutes, matching
from deploy.stack.controller.ranges import FREQUENCY, Range, resolution, time_range
from exporter.demo.noise import Floats
from exporter.demo.noise import MinuteNumbers as Numbers

NOT_FOUND = "METRIC DATA NOT FOUND"

OFF = 7
"""Distance of `current` from `value`: reading the wrong one must be visible."""

WHOLE = "%d"
EXACT = "%.16E"


@dataclass(frozen=True, slots=True)
class Data:
    """Where the values of an application are read."""

    application: Application
    tree: tuple[Metric, ...]
    days: Days
    retention: tuple[float, float] | None
    settling: float
    exact: bool


@dataclass(frozen=True, slots=True)
class _Query:
    """What is asked for, beside the metrics."""

    window: Range
    step: int
    """Seconds."""
    settling: float
    rollup: bool
    now: float
    exact: bool


def metric_data(request: Request, data: Data, now: float) -> Answer:
    """Raises Refusal (400) for parameters that the controller would not take."""
    path = request.query.get("metric-path", "")
    if not path:
        raise Refusal(400, "Missing value for metric-path")

    window = time_range(request, now)
    step = resolution(window, now, data.retention)
    query = _Query(window, step, data.settling, _rollup(request), now, data.exact)
    metrics = matching(data.tree, path)
    if not request.json:
        rows: list[dict[str, object]] = [
            {"metricId": metric.id, "metricPath": "|".join(metric.path)} for metric in metrics
        ]
        return as_xml("metric-datas", rows)

    days = []
    if metrics:
        days = data.days.of(data.application, window.start, min(window.end, now))
    return Answer(200, b"[" + b",".join(_entry(metric, days, query) for metric in metrics) + b"]")


def _rollup(request: Request) -> bool:
    text = request.query.get("rollup", "true").lower()
    if text not in ("true", "false"):
        raise Refusal(400, "Invalid value for rollup")
    return text == "true"


def _entry(metric: Metric, days: list[Day], query: _Query) -> bytes:
    starts, minutes = _cut(metric, days, query)
    reported = minutes.count > 0
    starts = starts[reported]
    minutes = Minutes(minutes.sum[reported], minutes.count[reported])

    head = {
        "metricId": metric.id,
        "metricName": metric.name if starts.size else NOT_FOUND,
        "metricPath": "|".join(metric.path),
        "frequency": FREQUENCY[query.step],
    }
    values = _values(metric, starts, minutes, query) if starts.size else b""
    return msgspec.json.encode(head)[:-1] + b',"metricValues":[' + values + b"]}"


def _cut(metric: Metric, days: list[Day], query: _Query) -> tuple[Numbers, Minutes]:
    """The minutes of those steps that begin inside the window and are over by now."""
    step = query.step
    first = -(-query.window.start // step) * step
    last = min(-(-query.window.end // step) * step, query.now // step * step)

    starts = [np.zeros(0, np.int64)]
    sums = [np.zeros(0)]
    counts = [np.zeros(0)]
    for day in days:
        begin, end = np.searchsorted(day.starts, (first, last))
        if end > begin:
            minutes = metric.read(day)
            starts.append(day.starts[begin:end])
            sums.append(minutes.sum[begin:end])
            counts.append(minutes.count[begin:end])
    return _settle(np.concatenate(starts), Minutes(np.concatenate(sums), np.concatenate(counts)), query)


def _settle(starts: Numbers, minutes: Minutes, query: _Query) -> tuple[Numbers, Minutes]:
    """Of the newest minutes, half of the agents have reported."""
    late = starts + 60.0 > query.now - query.settling
    sums = minutes.sum * np.where(late, 0.5, 1.0)
    counts = np.where(late, np.ceil(minutes.count / 2.0), minutes.count)
    return starts, Minutes(sums, counts)


def _values(metric: Metric, starts: Numbers, minutes: Minutes, query: _Query) -> bytes:
    """Each step's fields; a rollup is one step over the whole window, with its start as time."""
    if query.rollup:
        edges = np.zeros(1, np.int64)
        begins = np.array([query.window.start])
        length = (query.window.end - query.window.start) / 60.0
    else:
        numbers = starts // query.step
        edges = np.flatnonzero(np.diff(numbers, prepend=-1))
        begins = numbers[edges] * float(query.step)
        length = query.step / 60.0

    sums = np.add.reduceat(minutes.sum, edges)
    counts = np.add.reduceat(minutes.count, edges)
    if metric.mean:
        values = sums / counts
        low = values * 0.3
        high = values * 5.0
    else:
        values = sums / length
        low = high = sums / counts
    return _text(metric, begins, [values + OFF, low, high, counts, sums, values], exact=query.exact)


def _text(metric: Metric, begins: Floats, columns: list[Floats], *, exact: bool) -> bytes:
    """One format for all steps, filled at once."""
    number = EXACT if exact else WHOLE
    step = (
        f'{{"startTimeInMillis":%d,"occurrences":0,"current":{number},"min":{number},"max":{number},'
        f'"useRange":{str(metric.mean).lower()},"count":{number},"sum":{number},"value":{number},'
        '"standardDeviation":0}'
    )
    table = np.stack([begins * 1000.0, *columns], axis=1)
    if not exact:
        table = np.floor(table + 0.5)

    text = ",".join([step] * begins.size) % tuple(table.ravel().tolist())
    if exact:  # 3.7E8, as some controllers write it
        text = text.replace("E+0", "E").replace("E-0", "E-")
    return text.encode()
