"""Load: the test did not reach production's load."""

from __future__ import annotations

from exporter.rules import templates
from exporter.rules.expressions import breach, last
from exporter.rules.rule import AlertDefinition, Definition

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteLoadGap",
        expr=breach(
            last("pte_load_coverage_peak_ratio"), "<", "load_coverage_ratio", evidence_name="pte_load_coverage_evidence"
        ),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: the test did not reach production's load",
        measure="the test's peak relative to production's",
        value=templates.PERCENT,
        limit=templates.at_least("load_coverage_ratio", "humanizePercentage"),
        reason="Peak request rates: "
        + templates.values_by("pte_gap_input", "side", templates.RATE, 'signal="request_rate"')
        + ". Load above the test's peak is unproven.",
        action="repeat the load test at production's peak or above.",
    ),
)
