"""AppDynamics end to end: from a controller on a real socket to messages at PagerDuty and Slack, on real servers."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

import requests

from deploy.stack.controller import ACCOUNT, CLIENT, Controller, serve
from exporter import sources
from exporter.commands.generate import rules as rules_command
from tests.hastened import written
from tests.integration.test_delivery import SOON, scraping
from tests.integration.test_evidence_delivery import over, received
from tests.notifying import redirected
from tests.receiver import receiver
from tests.seed import SEED
from tests.servers import alertmanager, eventually, free_port, prometheus, running

CONFIG = """
environments:
  - role: production
    interval: 2s
    max_age: 1h
    source: &controller
      kind: appdynamics
      url: URL
      account: ACCOUNT
      client: CLIENT
      client_secret_file: secret
      applications: {checkout: {name: NAME}, shop: {}}
  - role: pte
    interval: 2s
    max_age: 1h
    source:
      <<: *controller
      applications: {checkout: {name: checkout-pte}, shop: {name: shop-pte}}
analysis: {test_run: {lookback: 9d}, certification: {max_age: 8d}}
"""


def test_a_controllers_data_is_judged_and_delivered(tmp_path: Path) -> None:
    """A test below production's load is paged; a misspelt application is reported at Slack until it is fixed."""
    controller, port = Controller(seed=SEED, clock=time.time), free_port()
    (tmp_path / "secret").write_text(controller.secret, encoding="utf-8")
    config = tmp_path / "exporter.yml"
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serve(controller))
        text = CONFIG.replace("URL", url).replace("ACCOUNT", ACCOUNT).replace("CLIENT", CLIENT)
        config.write_text(text.replace("NAME", "chekout"), encoding="utf-8")
        command = [sys.executable, "-m", "exporter.cli", "serve", f"--config.file={config}"]
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        heard = stack.enter_context(receiver())
        alerting = redirected(tmp_path / "alerting", heard.url)
        notifier = stack.enter_context(alertmanager("0.33", tmp_path / "alertmanager", alerting))
        exporter = stack.enter_context(running(command, tmp_path / "exporter", f"http://127.0.0.1:{port}", "/-/ready"))
        rules = written(rules_command.make(sources.read(config)), tmp_path)
        scrape = scraping(port, notifier.url.removeprefix("http://"))
        stack.enter_context(
            prometheus("3", tmp_path / "server", config=scrape, rules=rules, args=["--rules.alert.resend-delay=5s"])
        )

        failing = "Source production fails its checks"
        eventually(lambda: received(heard, failing, "application"), SOON, "the check at Slack")
        config.write_text(text.replace("NAME", "checkout"), encoding="utf-8")
        exporter.process.send_signal(signal.SIGHUP)
        eventually(lambda: over(heard, failing), SOON, "its end at Slack")

        def paged() -> bool:
            events = heard.at("/pagerduty")
            return any(e["event_action"] == "trigger" and e["payload"].get("component") == "checkout" for e in events)

        eventually(paged, SOON, "checkout at PagerDuty")
        page = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        assert 'pte_certification_holds{application="shop"} 1' in page
        assert 'pte_observed_resolution_seconds{application="shop",side="production",signal="request_rate"} 60' in page
        assert 'pte_incident_evidence{application="shop",side="production"} 1' in page
        assert controller.secret not in page
    assert controller.secret.encode() not in b"".join(log.read_bytes() for log in tmp_path.rglob("*.log"))
