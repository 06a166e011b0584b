"""A client that is not ours reads our series back from a real Prometheus that scraped the real exporter."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import requests
from prometheus_api_client import PrometheusConnect

from exporter import catalogue
from tests.exposition import samples
from tests.running import PATIENCE, exporter
from tests.servers import eventually, prometheus

CONFIG = """
environments:
  - {role: production, interval: 1h, max_age: 2h, source: {kind: demo}}
  - {role: pte, interval: 1h, max_age: 2h, source: {kind: demo}}
"""


@pytest.mark.parametrize("version", [pytest.param("2.42", marks=pytest.mark.slow), "3"])
def test_an_independent_client_reads_our_series_back(version: str, tmp_path: Path) -> None:
    """Every series on the page is in Prometheus, under the same name, labels and value."""
    # One poll for the whole test, so that the page is the same before and after the scrape.
    (tmp_path / "exporter.yml").write_text(CONFIG, encoding="utf-8")
    with exporter(tmp_path, "--config.file", str(tmp_path / "exporter.yml")) as ours:
        config: dict[str, object] = {
            "scrape_configs": [
                {
                    "job_name": "pte",
                    "scrape_interval": "1s",
                    "static_configs": [{"targets": [f"127.0.0.1:{ours.port}"]}],
                }
            ]
        }
        with prometheus(version, tmp_path / "prometheus", config=config) as server:
            client = PrometheusConnect(url=server.url)

            def scraped() -> bool:
                with contextlib.suppress(requests.RequestException):
                    return bool(client.custom_query("pte_certification_holds"))
                return False

            eventually(scraped, PATIENCE, "a scrape of the exporter")
            page = samples(ours.get("/metrics").content)
            covered = set(client.all_metrics())
            for name in sorted({series.name for series in catalogue.ALL} & {name for name, _ in page}):
                assert name in covered
                read = {
                    frozenset(
                        (key, value)
                        for key, value in row["metric"].items()
                        if key not in {"__name__", "job", "instance"}
                    ): float(row["value"][1])
                    for row in client.get_current_metric_value(name)
                }
                expected = {labels: value for (item, labels), value in page.items() if item == name}
                assert read == expected
