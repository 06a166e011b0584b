"""The table of checks behind the verdict: value, limit and result of each check, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table
from exporter.dashboards.kit.query import APPLICATION, any_of, largest, per_application, scalar
from exporter.dashboards.shared import NOT_OBSERVED, to_board


@dataclass(frozen=True, slots=True)
class Check:
    """A reason (a value of the label `reason`): its text with unit and direction, its value and its limit."""

    reason: str
    text: str
    value: str
    limit: str | None
    scale: str = "* 100"
    """Converts the base unit into the unit of the text."""


def _worst(signal: str) -> str:
    return largest("application", "pte_gap_severity", APPLICATION, signal)


_UNMET = f"sum by (application) (1 - {largest('application, slo', 'pte_slo_run_met', APPLICATION)})"

CHECKS = (
    Check("no_test_run", "test runs found (at least 1)", scalar("pte_test_run_evidence"), None, ""),
    Check(
        "too_old",
        "age of the test run, days (at most)",
        scalar("pte_test_run_age_seconds"),
        "certification_age_seconds",
        "/ 86400",
    ),
    Check(
        "outgrown_peak",
        "growth of production's peak since the run, % (at most)",
        f"({scalar('pte_growth_peak_ratio')} - 1)",
        "peak_growth_ratio",
    ),
    Check(
        "outgrown_mix",
        "change of production's mix since the run, % (at most)",
        scalar("pte_growth_mix_total_variation_ratio"),
        "mix_moved_ratio",
    ),
    Check(
        "load_coverage",
        "test's peak as a share of production's, % (at least)",
        scalar("pte_load_coverage_peak_ratio"),
        "load_coverage_ratio",
    ),
    Check(
        "weighted_coverage",
        "traffic to tested endpoints, % (at least)",
        scalar("pte_coverage_weighted_ratio"),
        "weighted_coverage_ratio",
    ),
    Check(
        "mix",
        "difference between test's and production's mix, % (at most)",
        scalar("pte_mix_total_variation_ratio"),
        "mix_total_variation_ratio",
    ),
    Check(
        "latency",
        "worst latency gap, severity 0..4 (below)",
        _worst('signal=~"latency_(mean|p95|p99)"'),
        "gap_severity",
        "",
    ),
    Check("errors", "error gap, severity 0..4 (below)", _worst('signal="error_ratio"'), "gap_severity", ""),
    Check("objective", "objectives the run would not have met (none)", _UNMET, None, ""),
    Check("efficacy", "efficacy, % (at least)", scalar("pte_efficacy_ratio"), "efficacy_ratio"),
)


def _named(expr: str, reason: str) -> str:
    return f'label_replace({expr}, "reason", "{reason}", "", "")'


def reasons(size: tuple[int, int]) -> Panel:
    """Every check of every chosen application, failed ones first."""
    spec = PanelSpec(
        "Checks behind the verdict",
        "Which checks failed, with which value and against which limit?",
        NOT_OBSERVED,
        "locale",
        size,
    )

    values = any_of([_named(f"{check.value} {check.scale}".rstrip(), check.reason) for check in CHECKS])
    limits = any_of(
        [
            _named(f"({per_application(check.limit)}) {check.scale}".rstrip(), check.reason)
            for check in CHECKS
            if check.limit
        ]
    )
    evidence = scalar("pte_certification_evidence")
    reason = largest("application, reason", "pte_certification_reason", APPLICATION)
    applies = f"{reason} and on (application) ({evidence} == 1) or {reason} * 0 - 1"
    keys = [
        Key("application", "application", link=to_board("pte-coverage", "Coverage of this application", row=True)),
        Key("reason", "check", value_mappings.plain({check.reason: check.text for check in CHECKS})),
    ]
    columns = [
        TableColumn("value", values, decimals=1),
        TableColumn("limit", limits, decimals=1, empty="none"),
        TableColumn("result", applies, "none", value_mappings.APPLIES, empty="not judged"),
    ]

    return table(spec, keys, columns, sort="result")
