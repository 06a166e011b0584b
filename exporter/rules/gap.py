"""Gaps in latency and errors between the PTE and production."""

from __future__ import annotations

from exporter.analysis.certification import LATENCIES
from exporter.model.rule import Record
from exporter.model.verdict import SEVERITIES
from exporter.rules import templates
from exporter.rules.expressions import EXPORTER, evidence, last, limit
from exporter.rules.rule import AlertDefinition, Definition

_KEY = f"{EXPORTER}, application, signal"
ALERT_LIMIT = "job_signal:pte_gap_alert_limit_ratio:min"


def _alert_limit() -> str:
    """The smallest step whose severity alerts: each step where the configured severity is not above it."""
    configured = f"max by ({EXPORTER}) ({limit('gap_severity')})"
    steps = list[str]()
    for position, severity in enumerate(SEVERITIES[1:], start=1):
        step = last("pte_gap_limit_ratio", f'severity="{severity}"')
        steps.append(f"  (\n    {step}\n    and on ({EXPORTER})\n    {configured} <= {position}\n  )\n")

    return "min by (job, signal) (\n" + "  or\n".join(steps) + ")"


def _gap(signals: str) -> str:
    """The signed gap of signals whose severity is at or above the configured one.

    Where production's value is zero the gap has no ratio, yet a severity: it is endless.
    """
    return f"""\
max by (job, application, signal) (
  (
    {last("pte_gap_ratio", signals)}
    or on ({_KEY})
    (({last("pte_gap_severity", signals)} > 0) * Inf)
  )
  and on ({_KEY})
  (
    {last("pte_gap_severity", signals)}
    >= on ({EXPORTER}) group_left ()
    max by ({EXPORTER}) ({limit("gap_severity")})
  )
  and on ({_KEY})
  ({evidence("pte_gap_evidence")})
)"""


_LIMIT = "at most " + templates.lookup(
    f"max({ALERT_LIMIT}{{job=%q,signal=%q}})", ("job", "signal"), "humanizePercentage"
)

RULES: tuple[Definition, ...] = (
    Record(ALERT_LIMIT, _alert_limit()),
    AlertDefinition(
        name="PteLatencyGap",
        expr=_gap(f'signal=~"{"|".join(LATENCIES)}"'),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: {{ $labels.signal }} of test and production do not agree",
        measure="the PTE's {{ $labels.signal }} against production's",
        value=templates.PERCENT,
        limit=_LIMIT + " either way",
        reason="{{ if lt $value 0.0 }}Production is slower than what the test certified"
        "{{ else }}The PTE is slower than production: its environment, build or load is suspect{{ end }}: "
        + templates.values_by("pte_gap_input", "side", "humanizeDuration", labels=("job", "application", "signal"))
        + ".",
    ),
    AlertDefinition(
        name="PteErrorGap",
        expr=_gap('signal="error_ratio"'),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: the PTE fails more often than production",
        measure="the PTE's worst error ratio against production's",
        value=templates.PERCENT,
        limit=_LIMIT,
        reason="The test environment or build, not production, is suspect: "
        + templates.values_by("pte_gap_input", "side", "humanizePercentage", 'signal="error_ratio"')
        + ".",
    ),
)
