"""The exporter's own series: can I trust these numbers? Declared here, updated in serve/self_metrics.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SelfSeries:
    """One of the exporter's own series; counters are named without the suffix _total, as in prometheus_client."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()

    @property
    def published(self) -> str:
        """The name as PromQL sees it; for a histogram its stem."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


_SOURCE = ("source",)

_EVENTS = ("application", "side", "slo")
_COUNTED = "counted for the SLO since the exporter started, where the side's source is not Prometheus. Polled."

EVENTS = SelfSeries("pte_slo_events", "counter", f"Requests {_COUNTED}", _EVENTS)
BAD_EVENTS = SelfSeries("pte_slo_bad_events", "counter", f"Bad requests {_COUNTED}", _EVENTS)

OWN: tuple[SelfSeries, ...] = (
    SelfSeries("pte_source_up", "gauge", "1 when the last poll of the source succeeded, 0 when it failed.", _SOURCE),
    SelfSeries("pte_source_last_success_timestamp_seconds", "gauge", "When the last successful poll ended.", _SOURCE),
    SelfSeries("pte_source_last_poll_timestamp_seconds", "gauge", "When the last poll ended, good or bad.", _SOURCE),
    SelfSeries("pte_source_poll_duration_seconds", "histogram", "Duration of polls of the source.", _SOURCE),
    SelfSeries("pte_source_polls", "counter", "Polls of the source.", _SOURCE),
    SelfSeries("pte_source_poll_failures", "counter", "Failed polls of the source by reason.", (*_SOURCE, "reason")),
    SelfSeries("pte_source_skipped_polls", "counter", "Polls skipped while the one before was still running.", _SOURCE),
    SelfSeries("pte_source_queries", "gauge", "Queries of the last successful poll.", _SOURCE),
    SelfSeries("pte_source_warnings", "gauge", "Warnings of the last successful poll.", _SOURCE),
    SelfSeries(
        "pte_source_clock_skew_seconds",
        "gauge",
        "The source's clock minus the exporter's; absent if the source does not report it.",
        _SOURCE,
    ),
    SelfSeries(
        "pte_source_tls_verification", "gauge", "1 when the source's certificate is verified, 0 when not.", _SOURCE
    ),
    SelfSeries("pte_source_interval_seconds", "gauge", "Configured time between polls of the source.", _SOURCE),
    SelfSeries(
        "pte_source_max_age_seconds", "gauge", "Configured age at which the source's series are withdrawn.", _SOURCE
    ),
    SelfSeries(
        "pte_source_check",
        "gauge",
        "1 when the check passed in the last check-up of the source, 0 when it failed; absent when skipped.",
        (*_SOURCE, "check"),
    ),
    SelfSeries("pte_source_check_warnings", "gauge", "Steps of the last check-up with a warning.", _SOURCE),
    SelfSeries("pte_source_check_timestamp_seconds", "gauge", "When the last check-up of the source ended.", _SOURCE),
    SelfSeries("pte_source_withdrawn", "gauge", "1 while the source's series are withdrawn as too old.", _SOURCE),
    SelfSeries("pte_demo", "gauge", "1 while a source is the embedded demo, whose data is made up; else absent."),
    SelfSeries("pte_snapshot_timestamp_seconds", "gauge", "When the published snapshot was taken."),
    SelfSeries("pte_snapshot_duration_seconds", "gauge", "Time to analyse and render the published snapshot."),
    SelfSeries("pte_snapshot_series", "gauge", "Series in the published snapshot."),
    SelfSeries("pte_config_last_reload_successful", "gauge", "1 when the last configuration reload succeeded."),
    SelfSeries(
        "pte_config_last_reload_success_timestamp_seconds", "gauge", "When the running configuration was loaded."
    ),
    SelfSeries(
        "pte_exporter_build_info",
        "gauge",
        "Version of the exporter and of Python; always 1.",
        ("version", "pythonversion"),
    ),
    EVENTS,
    BAD_EVENTS,
)
