"""End to end on real servers: exporter, Prometheus with our rules, Alertmanager with our configuration, receiver."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import yaml

from exporter import sources
from exporter.commands.generate import rules as rules_command
from exporter.model.observation import (
    QUANTILES,
    ApplicationObservation,
    Latency,
    Observation,
    RouteCount,
    Summary,
    TestRun,
    Window,
)
from tests.hastened import hastened, written
from tests.notifying import redirected
from tests.receiver import Receiver, receiver
from tests.servers import TOP, Server, alertmanager, eventually, free_port, prometheus, running

VERSIONS = pytest.mark.parametrize(
    ("metrics", "alerts"), [pytest.param("2.42", "0.25", marks=pytest.mark.slow), ("3", "0.33")]
)
SOON = 60.0
"""Seconds that a notification may take on a busy machine."""

CONFIG = """
environments:
  - {name: production, role: production, interval: 1s, max_age: 1h, source: {kind: recorded, file: PRODUCTION}}
  - {name: pte, role: pte, interval: 1s, max_age: 1h, source: {kind: recorded, file: PTE}}
links: {runbook: "https://runbooks.test/RUNBOOK.md", dashboards: "https://grafana.test"}
"""


def summary(peak: float) -> Summary:
    """A signal with a peak, half of it on average."""
    quantiles = {quantile: peak * float(quantile) for quantile in QUANTILES}
    return Summary(peak / 2, peak, peak / 100, peak / 10, autocorrelation=0.1, samples=120, quantiles=quantiles)


LATENCY = Latency(0.1, 0.09, 0.2, 0.3, 0.4, 100_000.0)
FASTER = Latency(0.08, 0.05, 0.1, 0.114, 0.15, 100_000.0)


def observed(peak: float, *, run: bool, latency: Latency = LATENCY) -> bytes:
    """One side of one application, as a file that the `recorded` source reads; good except perhaps its peak."""
    end = time.time() // 60 * 60
    window = Window(end - (7200 if run else 86400), end)
    observation = ApplicationObservation(
        window,
        {"request_rate": summary(peak), "error_ratio": summary(0.002)},
        latency,
        (RouteCount("GET", "/orders/{id}", 60_000.0, 59_990.0), RouteCount("POST", "/orders", 40_000.0, 39_990.0)),
        run=TestRun(window, "recorded") if run else None,
    )
    return msgspec.json.encode(Observation("pte" if run else "production", window, {"shop": observation}))


@dataclass(frozen=True)
class Site:
    """The running servers, and the file from which the exporter reads the test environment."""

    exporter: Server
    prometheus: Server
    alertmanager: Server
    receiver: Receiver
    pte: Path

    def tested_at(self, peak: float) -> None:
        self.replace(observed(peak, run=True))

    def replace(self, content: bytes) -> None:
        """Replace the file in one step."""
        fresh = self.pte.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.rename(self.pte)

    def alerts(self) -> dict[str, dict[str, Any]]:
        """Alertmanager's alerts by name."""
        answer = requests.get(f"{self.alertmanager.url}/api/v2/alerts", timeout=60).json()
        return {alert["labels"]["alertname"]: alert for alert in answer}

    def unwell(self) -> list[Any]:
        """The rules that Prometheus cannot evaluate."""
        groups = requests.get(f"{self.prometheus.url}/api/v1/rules", timeout=60).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"] if rule["health"] == "err"]

    def pages(self, action: str) -> list[Any]:
        """PagerDuty's events about the shop.

        Others may say that no exporter was scraped: Prometheus takes seconds to begin, and hastened rules do not wait.
        """
        pages = [page for page in self.receiver.at("/pagerduty") if page["event_action"] == action]
        return [page for page in pages if page["payload"].get("component") == "shop"]

    def slack(self, title: str) -> list[Any]:
        """Slack's attachments with a title like that."""
        messages = self.receiver.at("/slack")
        attachments = [attachment for message in messages for attachment in message["attachments"]]
        return [attachment for attachment in attachments if re.search(title, attachment["title"])]


def exporter_command(directory: Path, port: int) -> list[str]:
    config = directory / "exporter.yml"
    text = CONFIG.replace("PRODUCTION", str(directory / "production.json")).replace("PTE", str(directory / "pte.json"))
    config.write_text(text, encoding="utf-8")
    address = f"--web.listen-address=127.0.0.1:{port}"
    return [sys.executable, "-m", "exporter.cli", "serve", f"--config.file={config}", address]


def scraping(port: int, notified: str) -> dict[str, object]:
    """Prometheus' configuration: our exporter under two names, like a replica, and Alertmanager's address."""
    exporters = [f"127.0.0.1:{port}", f"localhost:{port}"]
    return {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "200ms"},
        "scrape_configs": [{"job_name": "pte-exporter", "static_configs": [{"targets": exporters}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [notified]}]}]},
    }


@contextlib.contextmanager
def site(metrics: str, alerts: str, directory: Path) -> Iterator[Site]:
    """All four servers; the test reached 70 of production's 100 requests/s and was faster than production."""
    (directory / "production.json").write_bytes(observed(100.0, run=False))
    pte, port = directory / "pte.json", free_port()
    pte.write_bytes(observed(70.0, run=True, latency=FASTER))
    address = f"127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        heard = stack.enter_context(receiver())
        config = redirected(directory / "alerting", heard.url)
        notifier = stack.enter_context(alertmanager(alerts, directory / "alertmanager", config))
        command = exporter_command(directory, port)
        exporter = stack.enter_context(running(command, directory / "exporter", f"http://{address}", "/-/ready"))
        scrape = scraping(port, notifier.url.removeprefix("http://"))
        rules = written(rules_command.make(sources.read(directory / "exporter.yml")), directory)
        # Prometheus evaluates before it has found Alertmanager; what that loses is sent again after this delay.
        again = ["--rules.alert.resend-delay=5s"]
        database = stack.enter_context(
            prometheus(metrics, directory / "prometheus", config=scrape, rules=rules, args=again)
        )
        yield Site(exporter, database, notifier, heard, pte)


REASONS = """\
Reasons:
- the test reached 70% of production's peak: production 100 req/s, pte 70 req/s (limit: at least 90%)
- P99 latency in production (300 ms) is 2.63 times what the test showed (114 ms); gap: -62% (limit: 50% either way)
"""


@VERSIONS
def test_a_certification_that_does_not_hold_is_delivered_and_so_is_its_end(
    metrics: str, alerts: str, tmp_path: Path
) -> None:
    """A failed certification reaches PagerDuty and Slack with its reasons in numbers; a new test resolves both."""
    with site(metrics, alerts, tmp_path) as here:
        eventually(lambda: bool(here.pages("trigger")), SOON, "a page")
        eventually(lambda: bool(here.slack(r"^\[CRITICAL\] shop")), SOON, "a message at Slack")
        eventually(lambda: "PteLoadGap" in here.alerts(), SOON, "the warning in Alertmanager")
        eventually(lambda: bool(here.alerts()["PteLoadGap"]["status"]["inhibitedBy"]), SOON, "the warning muted")
        eventually(lambda: bool(here.receiver.at("/watchdog")), SOON, "a heartbeat")
        assert here.unwell() == []
        page = here.pages("trigger")[0]
        assert page["payload"]["severity"] == "critical"
        message = here.slack(r"^\[CRITICAL\] shop")[0]
        for text in (page["payload"]["custom_details"]["firing"], message["text"]):
            assert REASONS in text
        links = {link["text"]: link["href"] for link in page["links"]}
        assert links["Runbook"] == "https://runbooks.test/RUNBOOK.md#ptecertificationdoesnothold"
        assert links["Dashboard"] == "https://grafana.test/d/pte-certification?var-application=shop"
        assert "alertname" in links["Silence"]
        assert message["color"] == "danger"

        here.tested_at(130.0)
        eventually(lambda: bool(here.pages("resolve")), SOON, "the end of the page")
        eventually(lambda: bool(here.slack(r"^\[RESOLVED\] shop")), SOON, "the end at Slack")
        pages = [*here.pages("trigger"), *here.pages("resolve")]
        assert {event["dedup_key"] for event in pages} == {page["dedup_key"]}
        eventually(lambda: "PteLoadGap" not in here.alerts(), SOON, "the end of the warning")


@VERSIONS
def test_a_failing_source_is_reported_with_its_reason(metrics: str, alerts: str, tmp_path: Path) -> None:
    """A file that stops being JSON makes a warning at Slack that names the reason, and no page; it resolves too."""
    with site(metrics, alerts, tmp_path) as here:
        here.tested_at(130.0)
        here.replace(b"<html>")
        eventually(lambda: bool(here.slack("cannot read its source pte")), SOON, "a warning at Slack")
        (warning, *_) = here.slack("cannot read its source pte")
        assert warning["color"] == "warning"
        assert "Reason: Polls failed with: not json." in warning["text"]
        here.tested_at(130.0)
        eventually(lambda: bool(here.slack(r"^\[RESOLVED\].*source pte")), SOON, "its end at Slack")
        assert "PteSourceFailing" not in str(here.receiver.at("/pagerduty"))


def test_hastening_changes_durations_only() -> None:
    """A hastened rules file differs from the shipped one in durations alone, and in all of them."""
    for path in sorted((TOP / "rules").glob("*.rules.yml")):
        text = path.read_text(encoding="utf-8")
        fast = hastened(text)
        assert re.sub(r"\d+(ms|[smhd])\b", "", fast) == re.sub(r"\d+(ms|[smhd])\b", "", text)
        for group in yaml.safe_load(fast)["groups"]:
            assert group["interval"] == "200ms"
            assert all(str(rule.get("for", "0ms")).endswith("ms") for rule in group["rules"])
