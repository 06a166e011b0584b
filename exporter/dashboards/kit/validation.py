"""The series that a panel may name: published ones, those that our rules record, and a short list of others."""

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
"""Series of Prometheus itself or of every prometheus_client process."""


def _own() -> frozenset[str]:
    names: set[str] = set()
    for series in (*OWN, *LIVE):
        suffixes = ("_bucket", "_sum", "_count") if series.kind == "histogram" else ("",)
        names.update(f"{series.published}{suffix}" for suffix in suffixes)
    return frozenset(names)


def _objectives() -> frozenset[str]:
    """The records of an SLO that uses every feature, in a calendar month.

    The ratio of thirty days is not among them: not every SLO has that period, and panels use the period's ratio.
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
    """The query with these variables replaced, as Grafana does before it sends it."""
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
    """Raise ValueError when the query does not parse or names an unknown series."""
    unknown = series_names(expr) - ALLOWED
    if unknown:
        raise ValueError(f"unknown series {', '.join(sorted(unknown))}: {expr}")
