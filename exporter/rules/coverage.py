"""Coverage: endpoints that nobody tested, and a test that sent its requests elsewhere than users do."""

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
        summary="{{ $labels.application }}: {{ $labels.method }} {{ $labels.route }} is not in the latest test",
        measure="the endpoint's share of production's requests",
        value=templates.PERCENT,
        limit=templates.less_than("untested_share_ratio", "humanizePercentage"),
        reason="The run sent it too few requests, or none. Tested endpoints carry "
        + templates.value_of("pte_coverage_weighted_ratio", "humanizePercentage")
        + " of production's requests.",
    ),
    AlertDefinition(
        name="PteMixDrifted",
        expr=breach(
            last("pte_mix_total_variation_ratio"), ">", "mix_total_variation_ratio", evidence_name="pte_mix_evidence"
        ),
        severity="warning",
        board="pte-coverage",
        summary="{{ $labels.application }}: the test's traffic mix is not production's",
        measure="the share of requests that go to other endpoints than in production",
        value=templates.PERCENT,
        limit=templates.at_most("mix_total_variation_ratio", "humanizePercentage"),
        reason="Total variation between both sides' endpoint shares; the Jensen-Shannon divergence is "
        + templates.value_of("pte_mix_jensen_shannon_divergence", 'printf "%.2f"')
        + " bits. A test of another mix proves another load.",
    ),
)
