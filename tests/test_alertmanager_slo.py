"""Which alerts of objectives mute which, on a running Alertmanager: by the rules that ship and by generated ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from exporter.model.slo import DAY, Alerting, Notify, Period, Sli, Slo, Tier
from exporter.slo.rules import inhibition
from exporter.slo.rules.alerts import alerts
from exporter.slo.rules.series import identity
from tests.notifying import Labels, Running, redirected, without
from tests.receiver import receiver
from tests.running import PATIENCE
from tests.servers import ALERTMANAGER, alertmanager, eventually

EVERYWHERE = pytest.mark.parametrize("version", sorted(ALERTMANAGER))


def _tier(name: str, notify: Notify, factor: str, long: int) -> Tier:
    return Tier(name, notify, long, long // 12, Decimal(factor), 120, 300)


USUAL = (
    _tier("page_quick", "page", "14.4", 3600),
    _tier("page_slow", "page", "6", 21600),
    _tier("ticket_quick", "ticket", "3", DAY),
    _tier("ticket_slow", "ticket", "1", 3 * DAY),
)
OWN = (
    _tier('a "fast" one', "page", "20", 1800),
    _tier("b.slow", "page", "5", 3600),
    _tier("record", "shadow", "9", 7200),
)
SLI = Sli("sum(rate(bad[{{.window}}]))", "sum(rate(all[{{.window}}]))")
PLAIN = Slo("shop", "up", Decimal("99.9"), SLI, Period(30 * DAY), USUAL, Alerting("PteSloBurn"))
SPLIT = replace(PLAIN, name="split", sli=replace(SLI, by=("cluster", "route")))
SHADOW = replace(PLAIN, name="shadow", shadow=True)
CUSTOM = replace(PLAIN, name="custom", tiers=OWN, alerting=Alerting("CustomBurn"))


def _alerts(slo: Slo) -> dict[str, Labels]:
    """Labels of an objective's alerts by tier, missing telemetry as "broken", as Prometheus sends them."""
    result = dict[str, Labels]()
    for alert in alerts(slo, "https://r", "https://g"):
        labels = {"alertname": alert.name, **identity(slo), **alert.labels}
        result[alert.labels.get("sloth_tier", "broken")] = labels
    return result


def _of_all(name: str, slo: Slo = PLAIN) -> Labels:
    """Labels of an alert over all objectives."""
    return {"alertname": name, "severity": "warning", **identity(slo)}


BURN, SPLIT_BURN, SHADOW_BURN, CUSTOM_BURN = (_alerts(slo) for slo in (PLAIN, SPLIT, SHADOW, CUSTOM))
PAGE, SLOW_PAGE, TICKET, SLOW_TICKET = (BURN[tier.name] for tier in USUAL)
FAST, SLOW, RECORD = (CUSTOM_BURN[tier.name] for tier in OWN)
GONE, SOON, CREDIT = map(_of_all, ("PteSloBudgetExhausted", "PteSloBreachForecast", "PteSlaCreditDue"))
EU, US = {"cluster": "eu", "route": "/"}, {"cluster": "us", "route": "/"}

Muting = dict[str, tuple[Labels, Labels, bool]]
"""Case: an alert, another one, and whether the first mutes the second."""

ALWAYS: Muting = {
    "a page mutes a ticket": (PAGE, TICKET, True),
    "the slower page mutes the slower ticket": (SLOW_PAGE, SLOW_TICKET, True),
    "the faster page mutes the slower one": (PAGE, SLOW_PAGE, True),
    "the faster ticket mutes the slower one": (TICKET, SLOW_TICKET, True),
    "a slower page mutes no faster one": (SLOW_PAGE, PAGE, False),
    "a ticket mutes no page": (TICKET, SLOW_PAGE, False),
    "a page of one objective mutes no ticket of another": (PAGE, TICKET | {"sloth_id": "other"}, False),
    "a page of one side mutes no ticket of another": (PAGE, TICKET | {"side": "pte"}, False),
    "a page of one server's place mutes no ticket of another's": (
        PAGE | {"cluster": "eu"},
        TICKET | {"cluster": "us"},
        False,
    ),
    "a page of a place mutes no ticket without one": (PAGE | {"cluster": "eu"}, TICKET, False),
    "a page mutes a ticket of the same place": (PAGE | {"region": "eu"}, TICKET | {"region": "eu"}, True),
    "a page without objective mutes no ticket without one": (
        without(PAGE, "sloth_id"),
        without(TICKET, "sloth_id"),
        False,
    ),
    "a page without side mutes no ticket without one": (without(PAGE, "side"), without(TICKET, "side"), False),
    "a page without side mutes no slower page without one": (without(PAGE, "side"), without(SLOW_PAGE, "side"), False),
    "lost telemetry mutes a page": (BURN["broken"], PAGE, True),
    "lost telemetry mutes a ticket": (BURN["broken"], TICKET, True),
    "lost telemetry mutes an empty budget": (BURN["broken"], GONE, True),
    "lost telemetry mutes a forecast": (BURN["broken"], SOON, True),
    "lost telemetry mutes a credit": (BURN["broken"], CREDIT, True),
    "lost telemetry mutes each part of a split budget": (SPLIT_BURN["broken"], SPLIT_BURN["page_quick"] | EU, True),
    "lost telemetry of one objective mutes no page of another": (BURN["broken"], PAGE | {"sloth_id": "other"}, False),
    "lost telemetry of one side mutes no page of another": (BURN["broken"], PAGE | {"side": "pte"}, False),
    "lost telemetry of a server's place mutes no page of another's": (
        BURN["broken"] | {"region": "eu"},
        PAGE | {"region": "us"},
        False,
    ),
    "lost telemetry without objective mutes nothing without one": (
        without(BURN["broken"], "sloth_id"),
        without(PAGE, "sloth_id"),
        False,
    ),
    "lost telemetry without side mutes nothing without one": (
        without(BURN["broken"], "side"),
        without(PAGE, "side"),
        False,
    ),
    "a page does not mute lost telemetry": (PAGE, BURN["broken"], False),
    "an empty budget mutes its forecast": (GONE, SOON, True),
    "an empty budget mutes no forecast of another objective": (GONE, SOON | {"sloth_id": "other"}, False),
    "an empty budget without objective mutes nothing without one": (
        without(GONE, "sloth_id"),
        without(SOON, "sloth_id"),
        False,
    ),
    "an empty budget mutes no page": (GONE, PAGE, False),
    "a page mutes no empty budget": (PAGE, GONE, False),
    "a shadow mutes a slower shadow": (SHADOW_BURN["page_quick"], SHADOW_BURN["ticket_quick"], True),
    "a shadow mutes no ticket": (SHADOW_BURN["page_quick"] | {"sloth_id": "x"}, TICKET | {"sloth_id": "x"}, False),
    "a shadow mutes no slower page": (
        SHADOW_BURN["page_quick"] | {"sloth_id": "x"},
        SLOW_PAGE | {"sloth_id": "x"},
        False,
    ),
    "a shadow's lost telemetry mutes shadows": (SHADOW_BURN["broken"], SHADOW_BURN["page_slow"], True),
    "a shadow's lost telemetry mutes no page": (
        SHADOW_BURN["broken"] | {"sloth_id": "x"},
        PAGE | {"sloth_id": "x"},
        False,
    ),
    "an objective split by job is not muted as the exporter's own alerts are": (
        PAGE | {"job": "shop"},
        TICKET | {"job": "shop", "sloth_id": "other"},
        False,
    ),
    "an exporter's failing source mutes no ticket of an objective": (
        {"alertname": "PteSourceFailing", "severity": "warning", "job": "shop", "source": "pte"},
        TICKET | {"job": "shop"},
        False,
    ),
    "an absent exporter mutes no page of an objective": (
        {"alertname": "PteExporterAbsent", "severity": "critical", "job": "shop"},
        PAGE | {"job": "shop"},
        False,
    ),
}
GENERATED: Muting = {
    "a page of one cluster mutes no ticket of another": (
        SPLIT_BURN["page_quick"] | EU,
        SPLIT_BURN["ticket_quick"] | US,
        False,
    ),
    "a page of one route mutes no ticket of another": (
        SPLIT_BURN["page_quick"] | EU,
        SPLIT_BURN["ticket_quick"] | EU | {"route": "/pay"},
        False,
    ),
    "a page of one route mutes no slower page of another": (
        SPLIT_BURN["page_quick"] | EU,
        SPLIT_BURN["page_slow"] | EU | {"route": "/pay"},
        False,
    ),
    "a page mutes a ticket of its cluster and route": (
        SPLIT_BURN["page_quick"] | EU,
        SPLIT_BURN["ticket_slow"] | EU,
        True,
    ),
    "a page of what has no cluster mutes no ticket of a cluster": (
        SPLIT_BURN["page_quick"] | {"route": "/"},
        SPLIT_BURN["ticket_quick"] | EU,
        False,
    ),
    "a page of what has no cluster mutes a ticket of what has none": (
        SPLIT_BURN["page_quick"] | {"route": "/"},
        SPLIT_BURN["ticket_quick"] | {"route": "/"},
        True,
    ),
    "an empty budget of one route mutes no forecast of another": (
        _of_all("PteSloBudgetExhausted", SPLIT) | EU,
        _of_all("PteSloBreachForecast", SPLIT) | EU | {"route": "/pay"},
        False,
    ),
    "a tier of another name mutes the slower one": (FAST, SLOW, True),
    "a slower tier of another name mutes no faster one": (SLOW, FAST, False),
    "a shadow tier mutes no slower page of its objective": (RECORD, SLOW, False),
    "a page mutes no shadow tier": (FAST, RECORD, False),
}


def _apart(alert: Labels, number: int) -> Labels:
    """The same alert of an objective, or of an exporter, that only this case knows."""
    return {name: f"{value}-{number}" if name in ("sloth_id", "job") else value for name, value in alert.items()}


def _holds(running: Running, cases: Muting) -> None:
    names = list(cases)
    expected = set()
    control = SLOW_PAGE | {"case": "control", "sloth_id": "control"}
    for number, (source, reader, muted) in enumerate(cases.values()):
        running.post([_apart(source, number), _apart(reader, number) | {"case": str(number)}])
        expected |= {names[number]} if muted else set()
    running.post([PAGE | {"sloth_id": "control"}, control])
    eventually(lambda: control in running.muted(), PATIENCE, "the control is muted")
    numbers = {labels["case"] for labels in running.muted() if "case" in labels} - {"control"}
    assert {names[int(number)] for number in numbers} == expected


def _generated(file: Path, slos: list[Slo]) -> None:
    """Puts generated rules in place of those that ship for objectives."""
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    rules = yaml.safe_load(inhibition.files(slos)[inhibition.PATH])["inhibit_rules"]
    others = [rule for rule in config["inhibit_rules"] if 'sloth_id=~".+"' not in rule["source_matchers"]]
    assert 0 < len(others) < len(config["inhibit_rules"])
    file.write_text(yaml.safe_dump(config | {"inhibit_rules": others + rules}), encoding="utf-8")


@pytest.fixture(params=sorted(ALERTMANAGER))
def shipped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with receiver() as heard:
        config = redirected(tmp_path / "config", heard.url)
        args = ["--web.external-url=http://alerts.test"]
        with alertmanager(request.param, tmp_path / "server", config, args=args) as server:
            yield Running(server.url, config, heard)


def test_what_the_shipped_rules_mute(shipped: Running) -> None:
    """Each case of ALWAYS holds with the configuration as it is."""
    _holds(shipped, ALWAYS)


@EVERYWHERE
def test_what_generated_rules_mute(version: str, tmp_path: Path) -> None:
    """Each case holds with the rules for objectives that are split, have other tiers, or are shadows."""
    with receiver() as heard:
        config = redirected(tmp_path / "config", heard.url)
        _generated(config, [PLAIN, SPLIT, SHADOW, CUSTOM])
        with alertmanager(version, tmp_path / "server", config) as server:
            _holds(Running(server.url, config, heard), ALWAYS | GENERATED)


def test_objectives_of_an_application_are_one_incident(shipped: Running) -> None:
    """Two clusters of an objective, then another objective: one key at PagerDuty, a title that says whose they are."""
    heard = shipped.receiver
    shipped.post([SPLIT_BURN["page_quick"] | EU, SPLIT_BURN["page_quick"] | US])
    eventually(lambda: bool(heard.at("/pagerduty")), PATIENCE, "a page")
    first = heard.at("/pagerduty")[0]
    assert first["payload"]["summary"] == "[CRITICAL] shop split: 2 firing, 0 resolved"
    assert (first["payload"]["component"], first["payload"]["group"]) == ("shop", "shop")
    silence = unquote({link["text"]: link["href"] for link in first["links"]}["Silence"])
    assert 'sloth_id="shop-split"' in silence
    assert "sloth_tier" not in silence
    shipped.post([PAGE])
    eventually(lambda: "3 firing" in heard.at("/pagerduty")[-1]["payload"]["summary"], PATIENCE, "the other objective")
    last = heard.at("/pagerduty")[-1]
    assert last["payload"]["summary"] == "[CRITICAL] shop: 3 firing, 0 resolved"
    assert last["dedup_key"] == first["dedup_key"]


def test_a_page_whose_severity_is_a_name_of_its_own_still_pages(shipped: Running) -> None:
    """A spec made for Sloth may use any severity for its pages; PagerDuty receives them as an error."""
    shipped.post([PAGE | {"severity": "pageteam"}])
    eventually(lambda: bool(shipped.receiver.at("/pagerduty")), PATIENCE, "a page")
    assert shipped.receiver.at("/pagerduty")[0]["payload"]["severity"] == "error"
