"""A running Alertmanager with our configuration: muted alerts, and the messages of each receiver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.notifying import TEXTS, Running, redirected, secret, without
from tests.receiver import receiver
from tests.running import PATIENCE
from tests.servers import ALERTMANAGER, alertmanager, eventually

HOLDS_NOT = {"alertname": "PteCertificationDoesNotHold", "severity": "critical", "job": "pte", "application": "shop"}
LOAD = {"alertname": "PteLoadGap", "severity": "warning", "job": "pte", "application": "shop"}
FAILING = {"alertname": "PteSourceFailing", "severity": "warning", "job": "pte", "source": "pte"}
OLD = {"alertname": "PteDataTooOld", "severity": "warning", "job": "pte", "source": "pte"}
FROZEN = {"alertname": "PteSnapshotStale", "severity": "warning", "job": "pte"}
ABSENT = {"alertname": "PteExporterAbsent", "severity": "critical", "job": "pte"}


@pytest.fixture(params=sorted(ALERTMANAGER))
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with receiver() as heard:
        config = redirected(tmp_path / "config", heard.url)
        args = ["--web.external-url=http://alerts.test"]
        with alertmanager(request.param, tmp_path / "server", config, args=args) as server:
            yield Running(server.url, config, heard)


MUTING = {
    "a critical alert mutes the warnings of its application": ([HOLDS_NOT], LOAD, True),
    "a critical alert leaves other applications alone": ([HOLDS_NOT], LOAD | {"application": "checkout"}, False),
    "a critical alert leaves another exporter's application alone": ([HOLDS_NOT], LOAD | {"job": "other"}, False),
    "a critical alert leaves test alerts alone": ([HOLDS_NOT], LOAD | {"alertname": "PteTestsFailing"}, False),
    "a critical alert leaves load run alerts alone": ([HOLDS_NOT], LOAD | {"alertname": "PteLoadRunFailed"}, False),
    "an alert without application mutes no alert without one": (
        [without(HOLDS_NOT, "application")],
        without(LOAD, "application"),
        False,
    ),
    "an alert without job mutes no alert without one": ([without(HOLDS_NOT, "job")], without(LOAD, "job"), False),
    "a failing source mutes the age of its data": ([FAILING], OLD, True),
    "a failing source leaves the age of another's data alone": ([FAILING], OLD | {"source": "production"}, False),
    "a failing source without name mutes nothing without one": (
        [without(FAILING, "source")],
        without(OLD, "source"),
        False,
    ),
    "a failing source mutes alerts that rest on it": ([FAILING], LOAD | {"alertname": "PteNoEvidence"}, True),
    "data that is too old mutes alerts that rest on it": ([OLD], LOAD, True),
    "a frozen page mutes alerts that rest on it": ([FROZEN], LOAD, True),
    "a frozen page leaves critical alerts alone": ([FROZEN], HOLDS_NOT, False),
    "a failing source leaves critical alerts alone": ([FAILING], HOLDS_NOT, False),
    "a failing source leaves another exporter's alerts alone": ([FAILING], LOAD | {"job": "other"}, False),
    "an absent exporter mutes its critical alerts": ([ABSENT], HOLDS_NOT, True),
    "an absent exporter mutes its failing source": ([ABSENT], FAILING, True),
    "an absent exporter leaves another's alerts alone": ([ABSENT], LOAD | {"job": "other"}, False),
    "an absent exporter without job mutes nothing": ([without(ABSENT, "job")], without(FAILING, "job"), False),
    "an absent exporter leaves the watchdog alone": ([ABSENT], {"alertname": "PteWatchdog", "job": "pte"}, False),
    "an absent exporter leaves itself alone": ([], ABSENT, False),
}


def test_what_is_muted_and_what_is_not(running: Running) -> None:
    """Each case of MUTING holds; a suffix to their jobs and applications separates them."""
    control, expected = LOAD | {"job": "control"}, []
    for number, (sources, reader, muted) in enumerate(MUTING.values()):
        apart = dict.fromkeys(("job", "application", "source"), f"-{number}")
        source = [{k: v + apart.get(k, "") for k, v in labels.items()} for labels in sources]
        reading = {k: v + apart.get(k, "") for k, v in reader.items()} | {"case": str(number)}
        running.post([*source, reading])
        expected += [reading] if muted else []
    running.post([HOLDS_NOT | {"job": "control"}, control])
    eventually(lambda: control in running.muted(), PATIENCE, "the control is muted")
    cases = {labels.get("case") for labels in running.muted()} - {None}
    names = list(MUTING)
    assert {names[int(case)] for case in cases if case} == {names[int(labels["case"])] for labels in expected}


def text_of(slack: Any) -> str:
    (attachment,) = slack["attachments"]
    text: str = attachment["text"]
    return text


def test_a_critical_alert_reaches_everybody_and_resolves_by_the_same_key(running: Running) -> None:
    """PagerDuty, Slack and the webhook receive a critical alert and its end, PagerDuty by one dedup key."""
    heard = running.receiver
    running.post([HOLDS_NOT])
    for path in ("/pagerduty", "/slack", "/alerts"):
        eventually(lambda path=path: bool(heard.at(path)), PATIENCE, f"a message at {path}")  # type: ignore[misc]
    page = heard.at("/pagerduty")[0]
    assert (page["event_action"], page["routing_key"]) == ("trigger", secret(running.config, "pagerduty_routing_key"))
    assert page["payload"]["severity"] == "critical"
    assert page["payload"]["summary"] == f"[CRITICAL] {TEXTS['summary']}"
    assert page["payload"]["component"] == "shop"
    details = page["payload"]["custom_details"]["firing"]
    assert isinstance(details, str)  # 0.33 would send valid YAML as a structure
    assert TEXTS["description"] in details
    links = {link["text"]: link["href"] for link in page["links"]}
    assert links["Runbook"] == TEXTS["runbook_url"]
    assert links["Dashboard"] == page["client_url"] == TEXTS["dashboard_url"]
    assert unquote(links["Silence"]) == (
        "http://alerts.test/#/silences/new?filter="
        '{alertname="PteCertificationDoesNotHold",application="shop",job="pte",severity="critical"}'
    )

    message = heard.at("/slack")[0]
    (attachment,) = message["attachments"]
    assert (message["channel"], attachment["color"]) == ("#performance", "danger")
    assert attachment["title"] == attachment["fallback"] == "[CRITICAL] shop &amp; co: does &lt;not&gt; hold"
    assert attachment["title_link"] == TEXTS["dashboard_url"]
    text = text_of(message)
    for part in (
        "*shop &amp; co: does &lt;not&gt; hold*",
        "Reasons:\n- &lt;too old&gt;\nDo: repeat the load test.",
        f"<{TEXTS['runbook_url']}|Runbook>",
        f"<{TEXTS['dashboard_url']}|Dashboard>",
        f"<{links['Silence']}|Silence>",
    ):
        assert part in text

    hook = next(message for message in heard.messages if message.path == "/alerts")
    assert hook.headers["authorization"] == f"Bearer {secret(running.config, 'webhook_token')}"
    assert hook.body["alerts"][0]["annotations"] == TEXTS

    running.post([HOLDS_NOT], ended=True)
    for path in ("/pagerduty", "/slack", "/alerts"):
        eventually(lambda path=path: len(heard.at(path)) > 1, PATIENCE, f"the end at {path}")  # type: ignore[misc]
    end = heard.at("/pagerduty")[1]
    assert (end["event_action"], end["dedup_key"]) == ("resolve", page["dedup_key"])
    assert end["payload"]["severity"] == "critical"
    (attachment,) = heard.at("/slack")[1]["attachments"]
    assert attachment["color"] == "good"
    assert attachment["title"].startswith("[RESOLVED] ")
    assert attachment["text"].startswith("Resolved:\n*shop")
    assert "|Silence>" not in attachment["text"]
    assert heard.at("/alerts")[1]["status"] == "resolved"


def test_a_message_of_many_alerts_lists_ten_and_counts_the_rest(running: Running) -> None:
    """Twelve untested endpoints make one Slack message, whose silence fits all of them, and no page."""
    base = LOAD | {"alertname": "PteUntestedEndpoint", "application": '<my> "shop"+1'}
    running.post([base | {"method": "GET", "route": f"/r/{number}"} for number in range(12)])
    eventually(lambda: bool(running.receiver.at("/slack")), PATIENCE, "a message at Slack")
    message = running.receiver.at("/slack")[0]
    (attachment,) = message["attachments"]
    assert (message["channel"], attachment["color"]) == ("#performance", "warning")
    assert attachment["title"] == '[WARNING] &lt;my&gt; "shop"+1: 12 firing, 0 resolved'
    text = text_of(message)
    assert text.count("|Runbook>") == 10
    assert "and others, 12 in all" in text
    link = text[text.index("<http://alerts.test") + 1 : text.index("|Silence>")]
    assert " " not in link
    assert '"' not in link
    assert unquote(link).endswith(r'application="<my> \"shop\"+1",job="pte",method="GET",severity="warning"}')
    assert running.receiver.at("/pagerduty") == []


def test_a_severity_that_pagerduty_does_not_know_is_an_error_there(tmp_path: Path) -> None:
    """A page whose alert has another severity still goes out, as an error."""
    with receiver() as heard:
        config = redirected(tmp_path / "config", heard.url)
        config.write_text(
            config.read_text().replace('matchers: [severity="critical"]', 'matchers: [severity="urgent"]')
        )
        with alertmanager("0.25", tmp_path / "server", config) as server:
            Running(server.url, config, heard).post([HOLDS_NOT | {"severity": "urgent"}])
            eventually(lambda: bool(heard.at("/pagerduty")), PATIENCE, "a page")
    assert heard.at("/pagerduty")[0]["payload"]["severity"] == "error"


def test_the_watchdog_is_heard_by_the_dead_mans_switch_alone(running: Running) -> None:
    """The watchdog goes to its own webhook and to no other receiver."""
    running.post([{"alertname": "PteWatchdog", "severity": "info"}, LOAD | {"severity": "other"}])
    eventually(lambda: bool(running.receiver.at("/watchdog")), PATIENCE, "a heartbeat")
    eventually(lambda: bool(running.receiver.at("/slack")), PATIENCE, "the alert of another severity")
    assert "Watchdog" not in str([message.body for message in running.receiver.messages if message.path != "/watchdog"])
