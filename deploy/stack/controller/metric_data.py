"""The answer to metric-data: steps of one metric or more as JSON, made in bulk since a day of all is 65,000 of them."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from deploy.stack.controller.answers import Answer, Asked, Refusal, as_xml
from deploy.stack.controller.days import Day, Days
from deploy.stack.controller.estate import Application
from deploy.stack.controller.metrics import Metric, Minutes, matching
from deploy.stack.controller.ranges import FREQUENCY, Range, resolution, time_range
from exporter.demo.noise import Floats
from exporter.demo.noise import Minutes as Numbers

NOT_FOUND = "METRIC DATA NOT FOUND"

OFF = 7
"""How far `current` lies from `value`: whoever reads the wrong one is wrong."""

WHOLE, EXACT = "%d", "%.16E"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the values are read."""

    application: Application
    tree: tuple[Metric, ...]
    days: Days
    retention: tuple[float, float] | None
    settling: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for, beside the metrics."""

    wanted: Range
    step: int
    """Seconds."""
    settling: float
    rollup: bool
    now: float
    exact: bool


def metric_data(asked: Asked, kept: Kept, now: float) -> Answer:
    """Raises Refusal (400) for parameters that the controller would not take."""
    path = asked.query.get("metric-path", "")
    if not path:
        raise Refusal(400, "Missing value for metric-path")
    wanted = time_range(asked, now)
    question = Question(wanted, resolution(wanted, now, kept.retention), kept.settling, _rollup(asked), now, kept.exact)
    found = matching(kept.tree, path)
    if not asked.json:
        return as_xml("metric-datas", [{"metricId": each.id, "metricPath": "|".join(each.path)} for each in found])
    seen = kept.days.of(kept.application, wanted.start, min(wanted.end, now)) if found else []
    return Answer(200, b"[" + b",".join(_entry(each, seen, question) for each in found) + b"]")


def _rollup(asked: Asked) -> bool:
    text = asked.query.get("rollup", "true").lower()
    if text not in ("true", "false"):
        raise Refusal(400, "Invalid value for rollup")
    return text == "true"


def _entry(metric: Metric, seen: list[Day], question: Question) -> bytes:
    starts, minutes = _cut(metric, seen, question)
    reported = minutes.count > 0
    starts, minutes = starts[reported], Minutes(minutes.sum[reported], minutes.count[reported])
    head = {
        "metricId": metric.id,
        "metricName": metric.name if starts.size else NOT_FOUND,
        "metricPath": "|".join(metric.path),
        "frequency": FREQUENCY[question.step],
    }
    values = _values(metric, starts, minutes, question) if starts.size else b""
    return msgspec.json.encode(head)[:-1] + b',"metricValues":[' + values + b"]}"


def _cut(metric: Metric, seen: list[Day], question: Question) -> tuple[Numbers, Minutes]:
    """The minutes of those steps that begin inside the window and are over by now."""
    step = question.step
    first = -(-question.wanted.start // step) * step
    last = min(-(-question.wanted.end // step) * step, question.now // step * step)
    starts, sums, counts = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0)]
    for day in seen:
        left, right = np.searchsorted(day.starts, (first, last))
        if right > left:
            minutes = metric.read(day)
            starts.append(day.starts[left:right])
            sums.append(minutes.sum[left:right])
            counts.append(minutes.count[left:right])
    found, counted = np.concatenate(starts), np.concatenate(counts)
    late = found + 60.0 > question.now - question.settling
    here = np.where(late, np.ceil(counted / 2.0), counted)
    return found, Minutes(np.concatenate(sums) * np.where(late, 0.5, 1.0), here)


def _values(metric: Metric, starts: Numbers, minutes: Minutes, question: Question) -> bytes:
    """Each step's fields; a rollup is one step over the whole window, told at its start."""
    if question.rollup:
        edges, begins = np.zeros(1, np.int64), np.array([question.wanted.start])
        length = (question.wanted.end - question.wanted.start) / 60.0
    else:
        numbers = starts // question.step
        edges = np.flatnonzero(np.diff(numbers, prepend=-1))
        begins, length = numbers[edges] * float(question.step), question.step / 60.0
    sums, counts = np.add.reduceat(minutes.sum, edges), np.add.reduceat(minutes.count, edges)
    values = sums / (counts if metric.mean else length)
    low, high = (values * 0.3, values * 5.0) if metric.mean else (sums / counts, sums / counts)
    return _text(metric, begins, [values + OFF, low, high, counts, sums, values], exact=question.exact)


def _text(metric: Metric, begins: Floats, columns: list[Floats], *, exact: bool) -> bytes:
    number = EXACT if exact else WHOLE
    one = (
        f'{{"startTimeInMillis":%d,"occurrences":0,"current":{number},"min":{number},"max":{number},'
        f'"useRange":{str(metric.mean).lower()},"count":{number},"sum":{number},"value":{number},'
        '"standardDeviation":0}'
    )
    table = np.stack([begins * 1000.0, *columns], axis=1)
    flat = table if exact else np.floor(table + 0.5)
    text = ",".join([one] * begins.size) % tuple(flat.ravel().tolist())
    return text.replace("E+0", "E").replace("E-0", "E-").encode() if exact else text.encode()
