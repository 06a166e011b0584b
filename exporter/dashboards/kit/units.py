"""Signals and metrics in readable units, because a table's column has one unit and its rows have many."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exporter.dashboards.kit.query import any_of
from exporter.dashboards.kit.value_mappings import ValueMap, plain

_RATIOS = "error_ratio|cpu|memory|timeout_ratio|uptime_ratio"
_MINUTES = "sustained"
SCALES: Mapping[str, str] = {
    "latency_.*": "* 1000",
    _RATIOS: "* 100",
    "throughput": "/ 1e6",
    _MINUTES: "/ 60",
}
"""Regular expression over signal or metric names to the conversion from the base unit to ms, %, MB/s or minutes."""

_NAMES: Mapping[str, str] = {
    "request_rate": "request rate, req/s",
    "error_ratio": "error ratio, %",
    "latency": "latency, requests",
    "latency_mean": "latency mean, ms",
    "latency_p50": "latency P50, ms",
    "latency_p95": "latency P95, ms",
    "latency_p99": "latency P99, ms",
    "latency_p999": "latency P99.9, ms",
    "throughput": "throughput, MB/s",
    "concurrent_users": "concurrent users",
    "cpu": "CPU, %",
    "memory": "memory, %",
    "spike_multiplier": "spike, multiple of the rate",
    "sustained": "sustained load, minutes",
    "timeout_ratio": "timeouts, %",
    "uptime_ratio": "uptime, %",
    "db_connections": "database connections (assumed)",
    "recovery_time": "recovery time, s",
    "failover_time": "failover time, s",
    "data_loss_tolerance": "data loss tolerance",
}
NAMES: ValueMap = plain(_NAMES)
NAMES_WITHOUT_UNITS: ValueMap = plain({name: text.split(",")[0] for name, text in _NAMES.items()})
"""The names without units, for columns that are not in the signal's unit."""


def in_display_units(label: str, query: Callable[[str], str]) -> str:
    """The union of `query(matcher)` over all scales; the matcher picks the values of `label` that share one."""
    # A column has one unit, but its rows are of many: each group of names is scaled by itself.
    parts = [f"{query(matcher(label, names))} {scale}" for names, scale in SCALES.items()]
    return any_of([*parts, query(matcher(label, "|".join(SCALES), "!~"))])


def matcher(label: str, names: str, operator: str = "=~") -> str:
    """A label matcher."""
    return f'{label}{operator}"{names}"'
