"""Load runs: the newest load test failed.

The series come from `serve`, or from a Pushgateway after `publish`.
"""

from __future__ import annotations

from exporter.rules import templates
from exporter.rules.expressions import evidence, last
from exporter.rules.rule import AlertDefinition, Definition

_OWN = "job=%q,application=%q"

_EARLY = '"check", "the run ended early", "", ""'

_FAILED = f"""\
count by (job, application) (
  (
    min by (job, application, check) ({last("pte_load_run_check_met")})
    or
    label_replace(min by (job, application) ({last("pte_load_run_complete")}), {_EARLY})
  )
  == 0
)
and on (job, application)
({evidence("pte_load_run_evidence")})"""

_UNMET_NAMES = (
    f"min by (check) ({last('pte_load_run_check_met', _OWN)}) == 0 or"
    f" label_replace(min({last('pte_load_run_complete', _OWN)}) == 0, {_EARLY})"
)

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteLoadRunFailed",
        expr=_FAILED,
        severity="warning",
        board="pte-loadrun",
        summary="{{ $labels.application }}: the newest load test failed",
        measure="unmet thresholds of the load test; an early end counts as one",
        value="{{ $value }}",
        limit="0",
        reason="Not met: "
        + templates.label_values(_UNMET_NAMES, "check", ("job", "application") * 2, raw=True)
        + ". Grade: "
        + templates.label_values(f"max by (grade) ({last('pte_load_run_grade', _OWN)}) == 1", "grade", none="none")
        + ".",
        action="fix the cause of the unmet thresholds and run the load test again.",
        wait="5m",
    ),
)
