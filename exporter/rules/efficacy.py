"""Efficacy: one score for how much the test proves."""

from __future__ import annotations

from exporter.rules import templates
from exporter.rules.expressions import breach, last
from exporter.rules.rule import AlertDefinition, Definition

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteEfficacyLow",
        expr=breach(last("pte_efficacy_ratio"), "<", "efficacy_ratio", evidence_name="pte_efficacy_evidence"),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: the efficacy of the test is too low",
        measure="efficacy of the test, the weighted score of its parts",
        value=templates.PERCENT,
        limit=templates.at_least("efficacy_ratio", "humanizePercentage"),
        reason="Parts of the score: "
        + templates.values_by(
            "pte_efficacy_part_ratio", "part", "humanizePercentage", above_zero="pte_efficacy_part_weight_ratio"
        )
        + ".",
        action="improve the lowest part: cover more endpoints, add load, or fix latency and errors.",
    ),
)
