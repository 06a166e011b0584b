"""The records of a few SLOs' rules: names and labels come from the rules themselves, the values are plausible.

Healthy, every SLO has budget left; in the bad stretch the budget is exhausted and the telemetry missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from exporter.model.rule import Alert, Record
from exporter.model.slo import DAY, Alerting, Credit, Period, Sla, Sli, Slo, Tier, Weekly
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.series import identity

TIERS = (
    Tier("page_quick", "page", 3600, 300, Decimal("14.4"), 120, 300),
    Tier("page_slow", "page", 21600, 1800, Decimal(6), 900, 900),
    Tier("ticket_quick", "ticket", 86400, 7200, Decimal(3), 3600, 1800),
    Tier("ticket_slow", "ticket", 259200, 21600, Decimal(1), 10800, 3600),
)
SLA = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(99), Decimal(25))))


def sli(job: str, by: tuple[str, ...] = ()) -> Sli:
    """Failed requests of all requests of a job."""
    sums = f"sum by ({', '.join(by)})" if by else "sum"
    errors = f'{sums} (rate(http_requests_total{{job="{job}", code=~"5.."}}[{{{{.window}}}}]))'
    return Sli(errors, f'{sums} (rate(http_requests_total{{job="{job}"}}[{{{{.window}}}}]))', by=by)


SHOP = Slo(
    "shop",
    "availability",
    Decimal("99.9"),
    sli("shop"),
    Period(30 * DAY, "month", "Europe/Berlin"),
    TIERS,
    Alerting("PteSloBurn"),
    sla=SLA,
    maintenance=(Weekly(5 * DAY, 7200),),
)
"""Uses every feature of an SLO."""

SHOP_PTE = Slo(
    "shop", "availability-pte", Decimal("99.9"), sli("shop-pte"), Period(30 * DAY), (), Alerting("None"), side="pte"
)
CHECKOUT = Slo(
    "checkout", "payments", Decimal(99), sli("checkout", ("cluster",)), Period(30 * DAY), TIERS, Alerting("Payments")
)
"""A label splits it; its second part is worse."""

SEARCH = Slo("search", "results", Decimal(99), sli("search"), Period(30 * DAY), TIERS, Alerting("PteSloBurn"))
"""Its query never had a result."""

SLOS = (SHOP, SHOP_PTE, CHECKOUT, SEARCH)

BREACH = 1795600000.0

_VALUES: Mapping[str, tuple[float, float]] = {
    names.MAINTENANCE: (0, 1),
    names.DAYS: (30, 30),
    names.CURRENT_BURN: (0.4, 20),
    names.PERIOD_BURN: (0.4, 1.2),
    names.REMAINING: (0.6, -0.2),
    names.CONSUMED: (0.4, 1.2),
    names.REMAINING_EVENTS: (6000, -2000),
    names.ELAPSED: (0.7, 0.71),
    names.COVERAGE: (1, 1),
    names.EXHAUSTION: (1e6, 0),
    names.FORECAST_EVIDENCE: (1, 1),
    names.BREACH: (BREACH, BREACH),
    names.FORECAST: (0.0005, 0.02),
    names.SLA_CREDIT: (0, 0.1),
    names.SLA_CREDIT_FORECAST: (0, 0.25),
    names.STATE: (1, 1),
}
"""Healthy and bad; any other record, unless constant, fails the tests."""


def _value(rule: Record, bad: bool) -> float:
    constant = re.fullmatch(r"vector\(([\d.]+)\)", rule.expr)
    if constant:
        return float(constant[1])
    if rule.name.startswith(names.RATIO):
        return (0.0004, 0.02)[bad]
    if rule.name.startswith("slo:sli_"):
        return 5e4 if "events" in rule.name else (20, 1000)[bad]
    return _VALUES[rule.name][bad]


def _parts(slo: Slo, rule: Record, bad: bool) -> Iterator[tuple[dict[str, str], float]]:
    """The series that a record gives: one, or one for each value of the label that splits the SLO."""
    value, own = _value(rule, bad), {**identity(slo), **rule.labels}
    if not slo.sli.by or rule.expr.startswith("vector("):
        yield own, value
        return
    worse = value * 0.5 if rule.name in {names.REMAINING, names.REMAINING_EVENTS} and value > 0 else value
    yield {**own, slo.sli.by[0]: "a"}, value
    yield {**own, slo.sli.by[0]: "b"}, worse


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
    return f"{name}{{{inside}}} {value!r}"


def _records(slo: Slo, bad: bool) -> Iterator[Record]:
    """The rules with a result: one of the states, and for an SLO without telemetry only constants."""
    state = "broken" if bad or slo is SEARCH else "ok"
    for rule in slo_rules.rules(slo, "https://runbook.example", "https://grafana.example"):
        needs_none = slo is not SEARCH or rule.expr.startswith("vector(")
        expected = rule.labels.get("state") == state if rule.name == names.STATE else needs_none
        if isinstance(rule, Record) and expected:
            yield rule


def _alerts(slo: Slo) -> Iterator[str]:
    for rule in slo_rules.rules(slo, "https://runbook.example", "https://grafana.example"):
        if isinstance(rule, Alert):
            firing = {"alertname": rule.name, "alertstate": "firing", **identity(slo), **rule.labels}
            yield _line("ALERTS", firing, 1)


def lines(bad: bool) -> list[str]:
    """Samples without a time: the records, and the firing alerts."""
    result = []
    for slo in SLOS:
        for rule in _records(slo, bad):
            result += [_line(rule.name, labels, value) for labels, value in _parts(slo, rule, bad)]
        result += _alerts(slo) if bad else []
    return result
