"""Coverage: untested endpoints, and a test whose traffic mix differs from production's."""

from __future__ import annotations

from exporter.rules import templates
from exporter.rules.expressions import breach, last
from exporter.rules.rule import AlertDefinition, Definition

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteUntestedEndpoint",
        expr=breach(
            last("pte_untested_endpoint_share_ratio"),
            ">=",
            "untested_share_ratio",
            evidence_name="pte_coverage_evidence",
            by=("application", "method", "route"),
        ),
        severity="warning",
        board="pte-coverage",
        summary="{{ $labels.application }}: {{ $labels.method }} {{ $labels.route }} was not tested by the latest run",
        measure="endpoint's share of production's requests",
        value=templates.PERCENT,
        limit=templates.less_than("untested_share_ratio", "humanizePercentage"),
        reason="The run sent it too few successful requests, or none. Tested endpoints carry "
        + templates.value_of("pte_coverage_weighted_ratio", "humanizePercentage")
        + " of production's requests.",
        action="add the endpoint to the load test and run it.",
    ),
    AlertDefinition(
        name="PteMixDrifted",
        expr=breach(
            last("pte_mix_total_variation_ratio"), ">", "mix_total_variation_ratio", evidence_name="pte_mix_evidence"
        ),
        severity="warning",
        board="pte-coverage",
        summary="{{ $labels.application }}: the test's traffic mix differs from production's",
        measure="share of requests that go to other endpoints than in production",
        value=templates.PERCENT,
        limit=templates.at_most("mix_total_variation_ratio", "humanizePercentage"),
        reason="The test did not represent production. Measured as total variation; the Jensen-Shannon divergence is "
        + templates.value_of("pte_mix_jensen_shannon_divergence", 'printf "%.2f"')
        + " bits.",
        action="give the load test production's shares and run it.",
    ),
)
