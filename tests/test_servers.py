"""The servers that other tests rest on are the versions that they claim to be."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.servers import alertmanager, prometheus, victoria_metrics


@pytest.mark.parametrize(("version", "starts"), [("2.42", "2.42."), ("3", "3.")])
def test_prometheus_is_the_version_it_claims(version: str, starts: str, tmp_path: Path) -> None:
    """A started Prometheus says the version that was asked for."""
    with prometheus(version, tmp_path) as server:
        answer = requests.get(f"{server.url}/api/v1/status/buildinfo", timeout=60).json()
        assert answer["data"]["version"].startswith(starts)


@pytest.mark.parametrize("version", ["0.25", "0.33"])
def test_alertmanager_is_the_version_it_claims(version: str, tmp_path: Path) -> None:
    """A started Alertmanager says the version that was asked for."""
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    with alertmanager(version, tmp_path, config) as server:
        answer = requests.get(f"{server.url}/api/v2/status", timeout=60).json()
        assert answer["versionInfo"]["version"].startswith(version)


def test_victoria_metrics_answers(tmp_path: Path) -> None:
    """A started VictoriaMetrics answers the Prometheus API."""
    with victoria_metrics(tmp_path) as server:
        answer = requests.post(f"{server.url}/api/v1/query", data={"query": "1+1"}, timeout=60).json()
        assert answer["data"]["result"][0]["value"][1] == "2"
