"""From the exporter's counters to an SLO's rates: our pages, read by a real Prometheus with our queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from exporter.demo.shop import APPLICATIONS
from exporter.demo.traffic import traffic
from exporter.model.slo import WINDOW
from exporter.pipeline import Pipeline
from exporter.serve.self_metrics import SelfMetrics
from exporter.slo.specs import own
from exporter.slo.specs.validation import Options
from exporter.sources import read
from tests import servers

START = 1_795_161_600.0
HOURS = 3
SCRAPE, POLL = 30, 300
"""Seconds; the polling interval, which limits the shortest window of an alert."""

CONFIG = """
environments:
  - {role: production, interval: 5m, source: {kind: demo}}
  - {role: pte, source: {kind: demo}}
slos:
  - {name: availability, application: shop, objective: 99.9, sli: {errors: {}}}
"""


def pages(directory: Path) -> Iterator[str]:
    """The samples of both counters over some hours, as two replicas of the exporter publish them."""
    (directory / "exporter.yml").write_text(CONFIG, encoding="utf-8")
    config, metrics = read(directory / "exporter.yml"), SelfMetrics()
    metrics.events.configure(config)
    pipeline = Pipeline(config, metrics.events)
    for step in range(HOURS * 3600 // SCRAPE + 1):
        at = START + step * SCRAPE
        if step * SCRAPE % POLL == 0:
            pipeline.poll("production", at)
            metrics.events.show({"production"})
        for line in metrics.render(openmetrics=True).decode().splitlines():
            if line.startswith("pte_slo_"):
                series, value = line.rsplit(" ", 1)
                for replica in "ab":
                    yield f'{series[:-1]},instance="{replica}"}} {value} {at:.0f}\n'


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    result: Path = tmp_path_factory.mktemp("counted")
    samples = sorted(pages(result), key=lambda line: line.partition("{")[0])
    (result / "pages.om").write_text("".join([*samples, "# EOF\n"]), encoding="utf-8")
    servers.create_blocks("2.42", result / "pages.om", result / "blocks")
    return result


def expected_counts() -> tuple[float, float]:
    """Requests and failures of the last two hours, by the model of the made-up shop."""
    shop = next(application for application in APPLICATIONS if application.name == "shop")
    end = int(START // 60) + HOURS * 60
    observation = traffic(1, "production", shop, np.arange(end - 120 + 1, end + 1))
    return float(observation.requests.sum()) * 60, float(observation.errors.sum()) * 60


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_rates_are_those_of_the_source(directory: Path, version: str) -> None:
    """Rates of each minute add up to the source's events, within a step's resolution, bad ones in proportion."""
    config = read(directory / "exporter.yml")
    (slo,), problems = own.slos(config, "exporter.yml", Options())
    assert problems == []
    end = START + HOURS * 3600
    with servers.prometheus(version, directory / version, blocks=directory / "blocks") as server:

        def total(query: str) -> float:
            item = f"sum_over_time(({query.replace(WINDOW, '5m')})[2h:1m]) * 60"
            data = {"query": item, "time": str(end)}
            answer = requests.post(f"{server.url}/api/v1/query", data=data, timeout=30).json()
            [series] = answer["data"]["result"]
            return float(series["value"][1])

        events, bad = total(slo.sli.total), total(slo.sli.errors)
    requests_made, errors_made = expected_counts()
    assert bad / events == pytest.approx(errors_made / requests_made, rel=0.01)
    assert events == pytest.approx(requests_made, rel=1.2 * SCRAPE / POLL)
