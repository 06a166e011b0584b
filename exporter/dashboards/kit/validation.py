"""Which series a panel may name: what we publish, what our rules record, and a short list of others' series."""

from __future__ import annotations

import re
from decimal import Decimal

from exporter import catalogue
from exporter.catalogue.exporter import OWN
from exporter.catalogue.live import LIVE
from exporter.clients import promql
from exporter.model.observation import Window
from exporter.model.rule import Record
from exporter.model.slo import DAY, Alerting, Credit, Period, Sla, Sli, Slo, Tier
from exporter.rules import RECORDS
from exporter.slo import rules as slo_rules

FOREIGN = frozenset(
    {
        "ALERTS",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "prometheus_rule_evaluation_failures_total",
        "scrape_duration_seconds",
        "up",
    }
)
"""Series that Prometheus or every prometheus_client process makes."""


def _own() -> frozenset[str]:
    names: set[str] = set()
    for series in (*OWN, *LIVE):
        suffixes = ("_bucket", "_sum", "_count") if series.kind == "histogram" else ("",)
        names.update(f"{series.published}{suffix}" for suffix in suffixes)
    return frozenset(names)


def _objectives() -> frozenset[str]:
    """What the rules of an SLO record that has everything an SLO can have, in a calendar month.

    So the ratio of thirty days is not among them: it is not every SLO's period, and a panel asks for the period's.
    """
    slo = Slo(
        "any",
        "any",
        Decimal(99),
        Sli("errors", "events"),
        Period(30 * DAY, "month"),
        (Tier("any", "page", 3600, 300, Decimal(2), 120, 300),),
        Alerting("Any"),
        sla=Sla(Decimal(98), (Credit(Decimal(98), Decimal(10)),)),
        maintenance=(Window(0, 1),),
    )

    return frozenset(rule.name for rule in slo_rules.rules(slo, "", "") if isinstance(rule, Record))


PUBLISHED = frozenset(series.name for series in catalogue.ALL) | _own()
OBJECTIVES = _objectives()
ALLOWED = PUBLISHED | OBJECTIVES | RECORDS.keys() | FOREIGN


def fill_variables(expr: str, **variables: str) -> str:
    """The query with the variables that are given replaced, as Grafana does before it sends it."""
    return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], match[0]), expr)


def series_names(expr: str) -> frozenset[str]:
    """The names of all series in a query; ValueError when it does not parse or selects series without a name."""
    names: set[str] = set()

    for node in promql.nodes(promql.parse(expr)):
        if isinstance(node, promql.VectorSelector):
            if not node.name:
                raise ValueError(f"a selector without a name: {expr}")
            names.add(node.name)
    return frozenset(names)


def validate(expr: str) -> None:
    """Raise ValueError when the query does not parse or names a series that nobody publishes or records."""
    unknown = series_names(expr) - ALLOWED
    if unknown:
        raise ValueError(f"nobody publishes or records {', '.join(sorted(unknown))}: {expr}")
