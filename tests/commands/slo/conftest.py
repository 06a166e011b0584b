"""A real Prometheus with the series of four objectives: names and labels from their rules, values by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.model.rule import Alert, Record
from exporter.model.slo import DAY, Alerting, Credit, Period, Sla, Sli, Slo, Tier
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.series import identity
from tests import servers

TIERS = (
    Tier("page_quick", "page", 3600, 300, Decimal("14.4"), 120, 300),
    Tier("ticket_slow", "ticket", 259200, 21600, Decimal(1), 10800, 3600),
)
SLI = Sli("sum(rate(http_bad_total[{{.window}}]))", "sum(rate(http_all_total[{{.window}}]))")
BY = Sli(
    "sum by (cluster) (rate(http_bad_total[{{.window}}]))", "sum by (cluster) (rate(http_all_total[{{.window}}]))",
    by=("cluster",),
)  # fmt: skip
SLA = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(99), Decimal(25))))

SHOP = Slo(
    "shop", "availability", Decimal("99.95"), SLI, Period(30 * DAY), TIERS, Alerting("PteSloBurn"), sla=SLA,
    labels={"team": "a"},
)  # fmt: skip
SHOP_PTE = Slo(
    "shop", "availability-pte", Decimal("99.95"), SLI, Period(30 * DAY), (), Alerting("PteSloBurn"), side="pte"
)
CHECKOUT = Slo("checkout", "payments", Decimal(99), BY, Period(30 * DAY, "month"), TIERS, Alerting("Payments"))
SEARCH = Slo("search", "results", Decimal(99), SLI, Period(30 * DAY), TIERS, Alerting("PteSloBurn"))

ABSENT = object()

Values = Mapping[str, object]
"""By name, or name and window or state."""

GOOD: Values = {
    names.OBJECTIVE: 0.9995,
    names.BUDGET: 0.0005,
    names.DAYS: 30,
    names.INFO: 1,
    names.PERIOD_BURN: 0.626,
    names.REMAINING: 0.374,
    names.REMAINING_EVENTS: 1234.5,
    names.COVERAGE: 1,
    names.EXHAUSTION: 90000,
    names.SLA_OBJECTIVE: 0.995,
    names.SLA_CREDIT: 0,
    names.SLA_CREDIT_FORECAST: 0.1,
    names.FORECAST_EVIDENCE: 1,
    names.BREACH: 1795600000,
    names.FORECAST: 0.006,
    f"{names.RATIO}1h": 0.001,
    f"{names.RATIO}6h": 0.00025,
    f"{names.RATIO}30d": 0.000313,
    f"{names.BURN_FACTOR} page_quick": 14.4,
    f"{names.BURN_FACTOR} ticket_slow": 1,
    f"{names.count('errors')} 1h": 36,
    f"{names.count('events')} 1h": 36000,
    f"{names.STATE} ok": 1,
}
YOUNG: Values = {
    **{name: value for name, value in GOOD.items() if not name.startswith(names.STATE)},
    names.COVERAGE: 0.3,
    names.FORECAST_EVIDENCE: 0,
    names.BREACH: ABSENT,
    names.EXHAUSTION: ABSENT,
    f"{names.STATE} young": 1,
}
BROKEN: Values = {
    names.OBJECTIVE: 0.99,
    names.BUDGET: 0.01,
    names.DAYS: 30,
    names.INFO: 1,
    f"{names.STATE} broken": 1,
}
MONTH: Values = {**GOOD, names.OBJECTIVE: 0.99, names.BUDGET: 0.01, names.DAYS: 31, f"{names.RATIO}month": 0.00626}
GONE: Values = {**MONTH, names.REMAINING: -0.2, names.REMAINING_EVENTS: -50, names.PERIOD_BURN: 1.2}


def series(slo: Slo, values: Values, **more: str) -> Iterator[tuple[str, Mapping[str, str], float]]:
    """Name, labels and value of each series that the objective's rules record and `values` has."""
    shared = (names.OBJECTIVE, names.BUDGET, names.DAYS, names.INFO, names.SLA_OBJECTIVE, names.BURN_FACTOR)
    for rule in slo_rules.rules(slo, "", ""):
        if isinstance(rule, Record):
            kind = next(
                (rule.labels[label] for label in ("sloth_window", "state", names.TIER) if label in rule.labels), ""
            )
            value = values.get(f"{rule.name} {kind}", values.get(rule.name, ABSENT))
            own = {} if rule.name in shared else more
            if value is not ABSENT:
                yield rule.name, {**identity(slo), **rule.labels, **own}, float(str(value))


def firing(slo: Slo, tier: str) -> tuple[str, Mapping[str, str], float]:
    """The alert of a tier, as Prometheus reports it while it fires."""
    rules = (rule for rule in slo_rules.rules(slo, "", "") if isinstance(rule, Alert))
    rule = next(rule for rule in rules if rule.labels.get(names.TIER) == tier)
    return "ALERTS", {**identity(slo), **rule.labels, "alertname": rule.name, "alertstate": "firing"}, 1.0


def everything() -> Iterator[tuple[str, Mapping[str, str], float]]:
    yield from series(SHOP, GOOD)
    yield firing(SHOP, "page_quick")
    yield from series(SHOP_PTE, YOUNG)
    yield from series(CHECKOUT, MONTH, cluster="a")
    yield from (sample for sample in series(CHECKOUT, GONE, cluster="b") if "cluster" in sample[1])
    yield from series(SEARCH, BROKEN)


def exposition() -> str:
    """Everything for an hour, from a minute ago on, however long the tests take."""
    at = int(time.time()) // 60 * 60 - 60
    by_name: dict[str, list[str]] = {}
    for name, labels, value in everything():
        inner = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
        by_name.setdefault(name, []).extend(f"{name}{{{inner}}} {value!r} {at + step}" for step in range(0, 3600, 60))
    return "".join(f"# TYPE {name} gauge\n" + "\n".join(lines) + "\n" for name, lines in by_name.items()) + "# EOF\n"


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server with the series."""
    directory = tmp_path_factory.mktemp("slo")
    history: Path = directory / "history.om"
    history.write_text(exposition(), encoding="utf-8")
    blocks = servers.create_blocks("3", history, directory / "blocks")
    with servers.prometheus("3", directory, blocks=blocks) as server:
        yield server.url
