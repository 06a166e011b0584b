"""Gaps in latency and errors between the PTE and production."""

from __future__ import annotations

from exporter.analysis.certification import LATENCIES
from exporter.model.rule import Record
from exporter.model.verdict import SEVERITIES
from exporter.rules import templates
from exporter.rules.expressions import EXPORTER, evidence, last, limit
from exporter.rules.reasons import GAP_LIMIT, value_limit
from exporter.rules.rule import AlertDefinition, Definition

_KEY = f"{EXPORTER}, application, signal"


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

    Where production's value is zero the gap has a severity but no ratio: it is infinite.
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


_LIMIT = "at most " + templates.lookup(f"max({GAP_LIMIT}{{job=%q,signal=%q}})", ("job", "signal"), "humanizePercentage")

_VALUE = "{{ if gt $value 1e9 }}infinite{{ else }}" + templates.PERCENT + "{{ end }}"
"""Without errors in production the gap is +Inf."""

_LATENCY_NAME = templates.latency_name("$labels.signal")

RULES: tuple[Definition, ...] = (
    Record(GAP_LIMIT, _alert_limit()),
    AlertDefinition(
        name="PteLatencyGap",
        expr=_gap(f'signal=~"{"|".join(LATENCIES)}"'),
        severity="warning",
        board="pte-certification",
        summary=f"{{{{ $labels.application }}}}: {_LATENCY_NAME} differs too much between test and production",
        measure=f"gap of the PTE's {_LATENCY_NAME} relative to production's",
        value=_VALUE,
        limit=_LIMIT + " either way" + value_limit("$labels.signal", templates.LATENCY),
        reason="{{ if lt $value 0.0 }}Production is slower than what the test certified"
        "{{ else }}The PTE is slower than production{{ end }}: "
        + templates.values_by("pte_gap_input", "side", templates.LATENCY, labels=("job", "application", "signal"))
        + ".",
        action="{{ if lt $value 0.0 }}check whether production is slow now; fix it, or repeat the test"
        "{{ else }}check the PTE's environment, build and load, then repeat the test{{ end }}.",
    ),
    AlertDefinition(
        name="PteErrorGap",
        expr=_gap('signal="error_ratio"'),
        severity="warning",
        board="pte-certification",
        summary="{{ $labels.application }}: the PTE's error ratio is too high",
        measure="gap of the PTE's worst error ratio relative to production's",
        value=_VALUE,
        limit=_LIMIT + value_limit("$labels.signal", templates.PERCENTAGE),
        reason="Error ratios in the worst minute: "
        + templates.values_by("pte_gap_input", "side", "humanizePercentage", 'signal="error_ratio"')
        + ".",
        action="find the failed requests of the run, fix the environment or build, and repeat the test.",
    ),
)
