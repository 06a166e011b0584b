"""Efficacy: how much the test proves, in one score."""

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
        summary="{{ $labels.application }}: the test proves little",
        measure="efficacy",
        value=templates.PERCENT,
        limit=templates.at_least("efficacy_ratio", "humanizePercentage"),
        reason="Its parts that carry weight: "
        + templates.values_by(
            "pte_efficacy_part_ratio", "part", "humanizePercentage", above_zero="pte_efficacy_part_weight_ratio"
        )
        + ".",
    ),
)
