"""PromQL fragments of all rules. A name that the exporter does not publish fails here, at import.

Three things hold for every alert and are decided here:

* A scrape that fails, or an exporter that restarts, makes its series stale at once. `last` bridges that for BRIDGE, and
  `evidence` asks whether there was evidence within BRIDGE, so neither makes an alert flap.
* Replicas, and exporters of other teams with other limits, may be scraped by the same Prometheus. A value is compared
  with the limit of its own exporter (on job and instance) and only then aggregated, so no join is ever many-to-many.
* `job` stays in every result, so that one exporter's trouble inhibits its own alerts and no others; `instance` is
  dropped, and a replaced replica makes no new alert.
"""

from __future__ import annotations

from exporter import catalogue
from exporter.catalogue import exporter, limits
from exporter.model.settings import AnalysisSettings

BRIDGE = "10m"
"""How long the last value of a series counts after it vanished."""

EXPORTER = "job, instance"
"""The labels that identify an exporter."""

_NAMES = {series.name for series in catalogue.ALL} | {series.published for series in exporter.OWN}
_LIMITS = limits.values(AnalysisSettings())


def published(name: str) -> str:
    """The name, checked against the published names."""
    assert name in _NAMES, f"{name} is not published"
    return name


def selector(name: str, matchers: str = "") -> str:
    if matchers:
        return f"{published(name)}{{{matchers}}}"
    return published(name)


def last(name: str, matchers: str = "") -> str:
    """The latest value of a series, also while its exporter is briefly absent."""
    return f"last_over_time({selector(name, matchers)}[{BRIDGE}])"


def limit(name: str, matchers: str = "") -> str:
    """A configured limit's selector for `last`-like use."""
    assert name in _LIMITS, f"unknown limit {name}"
    return last("pte_limit", joined(f'limit="{name}"', matchers))


def joined(*matchers: str) -> str:
    """Matchers of one selector, of which some may be empty."""
    return ",".join(matcher for matcher in matchers if matcher)


def evidence(name: str) -> str:
    """Holds where there was evidence recently: a restarted exporter has none until both sides were polled."""
    return f"max_over_time({published(name)}[{BRIDGE}]) == 1"


def breach(
    value: str, comparison: str, limit_name: str, evidence_name: str, by: tuple[str, ...] = ("application",)
) -> str:
    """Where a value with evidence breaks its own exporter's limit: the worst value of the replicas."""
    worst = "min" if comparison.startswith("<") else "max"
    labels = ", ".join(("job", *by))

    return f"""\
{worst} by ({labels}) (
  (
    {value}
    {comparison} on ({EXPORTER}) group_left ()
    max by ({EXPORTER}) ({limit(limit_name)})
  )
  and on ({EXPORTER}, application)
  ({evidence(evidence_name)})
)"""
