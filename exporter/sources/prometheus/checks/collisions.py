"""The check of labels that the scrape renamed, and of replicas that count twice."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.checkup import Remarks
from exporter.humanize import pluralize
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.selectors import Selector

_REPLICAS = ("__replica__", "prometheus_replica", "replica")
"""Labels that distinguish scrapers of the same targets."""


def collisions(probe: PrometheusProbe) -> Finding:
    """Labels that collide with those that the queries need."""
    parts = _parts(probe)
    labels = {metric: probe.labels(part.named) or frozenset() for metric, part in parts.items()}

    remarks = Remarks()
    for label, metric in sorted(_renamed(probe, parts, labels).items()):
        remarks.add(f"{metric} has {label} and exported_{label}", _renaming(probe, label))

    for label in _REPLICAS:
        if any(label in names for names in labels.values()) and _counts_twice(probe, label):
            text = "if these are replicas of the scraper, not of the application, each target counts several times"
            remarks.add(
                f"series with several values of {label}",
                Cause(text, f"enable deduplication, or narrow selector to one {label}"),
            )
    return remarks.finding(f"none in {pluralize(len(parts), 'metric')}")


def _parts(probe: PrometheusProbe) -> dict[str, Selector]:
    """Each metric with data to the first selector that reads it."""
    parts = dict[str, Selector]()
    for key in probe.results:
        for part in probe.selectors(key):
            parts.setdefault(part.metric, part)
    return parts


def _renamed(
    probe: PrometheusProbe, parts: Mapping[str, Selector], labels: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """Label that the queries need and that also exists as exported_..., to the last metric that has both."""
    renamed = {}
    for metric, part in parts.items():
        for label in (*probe.templates.labels.values(), *part.needed):
            # Prometheus renames an application's label if the scrape has one of the same name.
            if f"exported_{label}" in labels[metric]:
                renamed[label] = metric
    return renamed


def _renaming(probe: PrometheusProbe, label: str) -> Cause:
    options = {name: option for option, name in probe.templates.labels.items()}
    rename = f"write exported_{label} in selector"
    if label in options:
        rename = f"labels: {{{options[label]}: exported_{label}}}"
    return Cause(
        f"the scrape sets its own {label}; the application's label is now exported_{label}",
        f"if {label} has the scrape's value: {rename}, or honor_labels: true in the scrape job",
    )


def _counts_twice(probe: PrometheusProbe, label: str) -> bool:
    """Whether some series exist with several values of a label."""
    parts = probe.selectors("request_rate")
    if not parts:
        return False
    result = probe.ask(f"count(count by ({label}) ({parts[0].text}))")
    return any(sample.value > 1 for sample in result.samples)
