"""Which series a panel may name: what we publish, what our rules record, and a short list of others' series."""

from __future__ import annotations

import re

import promql_parser

from exporter import catalogue
from exporter.catalogue.exporter import OWN
from exporter.rules import RECORDS

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
    for series in OWN:
        suffixes = ("_bucket", "_sum", "_count") if series.kind == "histogram" else ("",)
        names.update(f"{series.published}{suffix}" for suffix in suffixes)
    return frozenset(names)


PUBLISHED = frozenset(series.name for series in catalogue.ALL) | _own()
KNOWN = PUBLISHED | RECORDS.keys() | FOREIGN


def filled(expr: str, **variables: str) -> str:
    """The query with the variables that are given replaced, as Grafana does before it sends it."""
    return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], match[0]), expr)


def names(expr: str) -> frozenset[str]:
    """The names of all series in a query; ValueError when it does not parse or selects series without a name."""
    found: set[str] = set()

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            if not node.name:
                raise ValueError(f"a selector without a name: {expr}")
            found.add(node.name)
        return True

    promql_parser.walk(promql_parser.parse(expr), visit)
    return frozenset(found)


def check(expr: str) -> None:
    """Raise ValueError when the query does not parse or names a series that nobody publishes or records."""
    unknown = names(expr) - KNOWN
    if unknown:
        raise ValueError(f"nobody publishes or records {', '.join(sorted(unknown))}: {expr}")
