"""NAMES: every series that a snapshot publishes, once. The page, rules, dashboards and the metrics reference use it."""

from __future__ import annotations

from exporter.catalogue import (
    capacity,
    certification,
    coverage,
    efficacy,
    execution,
    gap,
    incident,
    limits,
    load,
    loadrun,
    loadrun_judgement,
    next_certification,
    pattern,
    run,
    signals,
    slo,
)
from exporter.catalogue.series import Series

ALL: tuple[Series, ...] = (
    *certification.SERIES,
    *gap.SERIES,
    *load.SERIES,
    *coverage.SERIES,
    *efficacy.SERIES,
    *next_certification.SERIES,
    *capacity.SERIES,
    *run.SERIES,
    *slo.SERIES,
    *execution.SERIES,
    *loadrun.SERIES,
    *loadrun_judgement.SERIES,
    *pattern.SERIES,
    *signals.SERIES,
    *incident.SERIES,
    *limits.SERIES,
)
"""In the order of the page."""
