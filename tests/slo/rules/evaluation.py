"""Evaluates an objective's generated rules on a real server at any time, as the server's own group of rules would.

The server evaluates each expression, and the result is written back under the rule's name and labels, at the time of
the evaluation. A series that is absent at a step is marked as ended, as Prometheus does with the series of its rules.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from exporter.model.slo import Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from tests import remote_write, servers

POINTS = 10_000
"""Steps of a query; Prometheus allows 11,000."""

BASE = tuple(name(kind) for kind in names.KINDS for name in (names.rate, names.quarter, names.partial))
"""The other rules read the past of these."""


@dataclass(frozen=True)
class Rule:
    """A rule as in the file."""

    name: str
    expr: str
    labels: Mapping[str, str]
    alert: bool


def rules(slo: Slo) -> list[Rule]:
    """An objective's rules, read from its generated file."""
    (content,) = slo_rules.files([slo], "https://runbook", "https://grafana").values()
    (group,) = yaml.safe_load(content)["groups"]
    return [
        Rule(rule.get("record") or rule["alert"], rule["expr"], rule["labels"], "alert" in rule)
        for rule in group["rules"]
    ]


@dataclass(frozen=True)
class Answers:
    """The results of rules at one moment: the labels, without the name, and the value of each series."""

    series: Mapping[str, list[tuple[Mapping[str, str], float]]]

    def value(self, name: str, **labels: str) -> float | None:
        """Of the only series with these labels; None when there is none."""
        values = [value for metric, value in self.series.get(name, []) if labels.items() <= metric.items()]
        assert len(values) <= 1, f"{name}{labels} is {len(values)} series"
        return values[0] if values else None


@dataclass(frozen=True)
class Evaluation:
    """A running server whose past can be written."""

    url: str
    cost: list[int]
    """Samples read by each evaluation at a single moment."""

    def at(self, rules: Iterable[Rule], time: float) -> Answers:
        """Evaluate rules one after the other at one time."""
        results: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for rule in rules:
            data = self._ask("query", query=rule.expr, time=time, stats="all")
            self.cost.append(data["stats"]["samples"]["totalQueryableSamples"])
            series = [(_labels(rule, sample["metric"]), float(sample["value"][1])) for sample in data["result"]]
            distinct = {tuple(sorted(labels.items())) for labels, _ in series}
            assert len(distinct) == len(series), f"Prometheus records no two series of the same labels: {rule.expr}"
            results.setdefault(rule.name, []).extend(series)
            if not rule.alert:
                self.write([({**labels, "__name__": rule.name}, [(time, value)]) for labels, value in series])
        return Answers(results)

    def over(self, rules: Iterable[Rule], start: float, end: float, step: int = 60) -> None:
        """Evaluate rules one after the other at each step from start to end, with as few queries as possible."""
        for rule in rules:
            for first in itertools.count(start, POINTS * float(step)):
                if first > end:
                    break
                last = min(end, first + (POINTS - 1) * float(step))
                data = self._ask("query_range", query=rule.expr, start=first, end=last, step=step)
                self.write(
                    ({**_labels(rule, row["metric"]), "__name__": rule.name}, _with_ends(row["values"], end, step))
                    for row in data["result"]
                )

    def query(self, expr: str, time: float) -> list[tuple[Mapping[str, str], float]]:
        """The result of an instant query."""
        result = self._ask("query", query=expr, time=time)["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def write(self, series: Iterable[tuple[Mapping[str, str], Iterable[tuple[float, float | None]]]]) -> None:
        """Write samples of any time."""
        remote_write.write_samples(self.url, series)

    def _ask(self, kind: str, **parameters: Any) -> dict[str, Any]:
        response = requests.post(f"{self.url}/api/v1/{kind}", data=parameters, timeout=60).json()
        assert response["status"] == "success", f"{response}: {parameters['query']}"
        data: dict[str, Any] = response["data"]
        return data


def _labels(rule: Rule, metric: Mapping[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in metric.items() if name != "__name__"}, **rule.labels}


def _with_ends(values: list[tuple[float, str]], end: float, step: int) -> Iterator[tuple[float, float | None]]:
    """The values, and the mark of an end after each step without a successor."""
    for (time, value), following in itertools.zip_longest(values, [following for following, _ in values[1:]]):
        yield time, float(value)
        if following is None and time + step > end:
            continue
        if following is None or following > time + step:
            yield time + step, None


@contextlib.contextmanager
def evaluation(version: str, directory: Path, blocks: Path | None = None) -> Iterator[Evaluation]:
    """A server with a past in blocks, if any, which takes samples of any time."""
    storage: dict[str, object] = {"storage": {"tsdb": {"out_of_order_time_window": "3650d"}}}
    receiver = ["--web.enable-remote-write-receiver"]
    # No compaction: together with writes of past samples it can make Prometheus panic and lose chunks.
    receiver += ["--storage.tsdb.min-block-duration=1000d", "--storage.tsdb.max-block-duration=1000d"]
    with servers.prometheus(version, directory, config=storage, blocks=blocks, args=receiver) as server:
        yield Evaluation(server.url, [])
