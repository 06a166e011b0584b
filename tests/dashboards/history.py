"""Hours of the exporter's real pages, made by pipeline and publisher from the demo, as Prometheus would scrape them.

A healthy stretch, then a bad one in which the PTE's source fails and its series are withdrawn. Two replicas are
scraped; the second begins half-way through the healthy stretch. The records of a few SLOs' rules are added.
Written for `promtool tsdb`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from exporter import catalogue, sources
from exporter.catalogue.exposition import render
from exporter.config import Config
from exporter.model.observation import Observation
from exporter.pipeline import Pipeline
from exporter.serve.self_metrics import SelfMetrics
from tests.dashboards import live, objectives

START = 1795161600.0
"""2026-11-20T08:00:00Z."""

SCRAPE = 120.0
POLL = 360.0
SECOND = START + 1.2 * 3600
"""When the second replica begins."""

HEALTHY = START + 2.4 * 3600
"""End of the healthy stretch."""

END = HEALTHY + 1.2 * 3600
"""End of the bad stretch."""

MAX_AGE = 1800.0
DEMO = {"kind": "demo"}
SIDES = ("production", "pte")
DEMO_SOURCES = dict.fromkeys(SIDES, DEMO)
SERVERS = {side: {"kind": "prometheus", "url": f"https://{side}.example", "preset": "prometheus"} for side in SIDES}
CI = {"role": "ci", "source": {"kind": "demo-ci"}}
SOURCES = (*SIDES, "ci")
EXPORTERS = ("a:9826", "b:9826")


def _config(directory: Path, side_sources: dict[str, dict[str, str]]) -> Config:
    path = directory / "exporter.yml"
    age = {"interval": "6m", "max_age": "30m"}
    environments = [*({"role": side, **age, "source": side_sources[side]} for side in SIDES), {**CI, **age}]
    # The application search has no tests, and therefore no evidence.
    analysis = {"test_executions": {"expected": {"search": "1h"}}}
    slo = {"name": "availability", "application": "shop", "objective": 99, "sli": {"errors": {}}}
    path.write_text(yaml.safe_dump({"environments": environments, "analysis": analysis, "slos": [slo]}))
    return sources.read(path)


class Exporter:
    """The program without its clock and its sockets: polls on demand, and returns the page's lines."""

    def __init__(self, directory: Path) -> None:
        self._demo = _config(directory, DEMO_SOURCES)
        self._server = _config(directory, SERVERS)
        self._own = SelfMetrics()
        self._pipeline = Pipeline(self._demo, self._own.events)
        self._own.configure(self._demo.environments)
        self._own.events.configure(self._demo)
        self._own.mark_demo(made_up=True)
        self._own.loaded(START)
        self._last_success = START
        self._page: list[str] = []

    def poll(self, at: float) -> None:
        """One poll of each source; in the bad stretch the PTE's source does not respond, and sources use TLS."""
        bad = at > HEALTHY
        if bad:
            self._own.configure(self._server.environments)
        for side in SOURCES:
            if bad and side == "pte":
                self._own.failed(side, at, 10.0, "timeout")
                self._own.checked(side, at, {"found": True, "format": False}, 0)
                self._own.withdrawn(side, withdrawn=at - self._last_success > MAX_AGE)
            else:
                self._succeed(side, at, bad)
        self._own.events.show(SIDES)
        snapshot = self._pipeline.snapshot(at)
        page = render(snapshot, catalogue.ALL)
        self._own.published(at, page.series, 0.2)
        self._page = page.body.decode().splitlines()

    def _succeed(self, side: str, at: float, bad: bool) -> None:
        observation: Observation = self._pipeline.poll(side, at)
        self._own.checked(side, at, {"found": True, "format": True}, 1)
        self._own.succeeded(side, at, 0.3, dataclasses.replace(observation, clock_skew=0.2) if bad else observation)
        self._own.withdrawn(side, withdrawn=False)
        self._last_success = at if side == "pte" else self._last_success

    def lines(self) -> list[str]:
        return self._page + self._own.render(openmetrics=False).decode().splitlines()


def _stamped(lines: Iterable[str], labels: str, at: float) -> Iterator[str]:
    """The sample lines with the labels that a scrape adds, and a time."""
    for line in lines:
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, own = series.partition("{")
            yield f"{name}{{{labels}{',' if own else '}'}{own} {value} {at:.0f}\n"


def _server(at: float) -> list[str]:
    """Prometheus' own series: its process, and the alerts of our rules."""
    lines = [
        'up{job="prometheus",instance="localhost:9090"} 1',
        'process_resident_memory_bytes{job="prometheus",instance="localhost:9090"} 5e8',
        f'process_cpu_seconds_total{{job="prometheus",instance="localhost:9090"}} {at - START}',
        'prometheus_rule_evaluation_failures_total{instance="localhost:9090",rule_group="pte.yml;pte-gap"} 0',
        'ALERTS{alertname="PteWatchdog",alertstate="firing",severity="info"} 1',
    ]
    if at > HEALTHY:
        lines += [
            'ALERTS{alertname="PteNoEvidence",alertstate="firing",severity="warning",application="shop"} 1',
            'ALERTS{alertname="PteSourceFailing",alertstate="firing",severity="warning",source="pte"} 1',
        ]
    return lines


def write(path: Path) -> None:
    """The whole history in the OpenMetrics text format."""
    exporter = Exporter(path.parent)
    with path.open("w", encoding="utf-8") as out:
        for step in range(int((END - START) / SCRAPE) + 1):
            at = START + step * SCRAPE
            if (at - START) % POLL == 0:
                exporter.poll(at)
            lines = [*exporter.lines(), "up 1", "scrape_duration_seconds 0.01"]
            for instance in EXPORTERS[: 2 if at >= SECOND else 1]:
                out.writelines(_stamped(lines, f'job="pte-exporter",instance="{instance}"', at))
            recorded = objectives.lines(at > HEALTHY)
            out.writelines(f"{line} {at:.0f}\n" for line in [*_server(at), *recorded, *live.lines(at - START, START)])
        out.write("# EOF\n")
