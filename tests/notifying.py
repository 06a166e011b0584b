"""Our Alertmanager configuration as the stack redirects it, with short waits; otherwise the shipped file.

And a running Alertmanager to which tests send alerts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from deploy.stack import alerting
from tests.receiver import Receiver

Labels = dict[str, str]

TEXTS = {
    "summary": "shop & co: does <not> hold",
    "description": "Reasons:\n- <too old>\nDo: repeat the load test.",
    "runbook_url": "https://runbooks.test/RUNBOOK.md#ptecertificationdoesnothold",
    "dashboard_url": "https://grafana.test/d/pte-certification?var-application=shop",
}

CONFIG = alerting.SHIPPED / "alertmanager.yml"


def redirected(directory: Path, url: str) -> Path:
    """A copy of the configuration that sends to `url`, with its waits cut to a second."""
    file = alerting.write(directory, url)
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"group_(wait|interval): \w+", r"group_\1: 1s", text), encoding="utf-8")
    return file


def secret(file: Path, name: str) -> str:
    """A secret that was generated for the configuration in `file`."""
    return (file.parent / "secrets" / name).read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Running:
    """An Alertmanager, its configuration, and the receiver that it sends to."""

    url: str
    config: Path
    receiver: Receiver

    def post(self, alerts: Sequence[Labels], *, ended: bool = False) -> None:
        """Send firing alerts, or their end."""
        end = datetime.now(UTC) + timedelta(seconds=-1 if ended else 600)
        body = [{"labels": labels, "annotations": TEXTS, "endsAt": end.isoformat()} for labels in alerts]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=60).raise_for_status()

    def muted(self) -> list[Labels]:
        """The labels of the alerts that another alert mutes."""
        answer = requests.get(f"{self.url}/api/v2/alerts", timeout=60)
        return [alert["labels"] for alert in answer.json() if alert["status"]["inhibitedBy"]]


def without(labels: Labels, *names: str) -> Labels:
    return {name: value for name, value in labels.items() if name not in names}
