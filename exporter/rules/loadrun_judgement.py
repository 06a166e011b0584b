"""Judgement on load runs: the newest load test misses its grade or limits, or is slower than before.

The series come from `serve`, or from a Pushgateway after `publish`. There several applications share one job and have
no instance, so limits are joined by application too.
"""

from __future__ import annotations

from exporter.catalogue import loadrun_judgement
from exporter.model.settings import LoadRunSettings
from exporter.model.verdict import SEVERITIES
from exporter.rules import templates
from exporter.rules.expressions import EXPORTER, evidence, joined, last
from exporter.rules.rule import AlertDefinition, Definition

_PAGE = f"{EXPORTER}, application"
_OWN = "job=%q,application=%q"
_LIMITS = loadrun_judgement.limits(LoadRunSettings())


def _limit(name: str, matchers: str = "") -> str:
    assert name in _LIMITS, name
    return last("pte_load_run_limit", joined(f'limit="{name}"', matchers))


def _limit_text(name: str, show: str) -> str:
    return templates.lookup(f"max({_limit(name, _OWN)})", ("job", "application"), show)


def _below(value: str, limit: str, evidence_name: str) -> str:
    """Where a value with evidence is below its own exporter's limit; of the replicas the worst."""
    return f"""\
min by (job, application) (
  (
    {value}
    < on ({_PAGE}) group_left ()
    max by ({_PAGE}) ({_limit(limit)})
  )
  and on ({_PAGE})
  ({evidence(evidence_name)})
)"""


_REGRESSION = f"""\
max by (job, application, against) (
  (
    (
      {last("pte_load_run_change_severity")}
      or
      {last("pte_load_run_endpoint_change_severity")}
    )
    >= on ({_PAGE}) group_left ()
    max by ({_PAGE}) ({_limit("change_severity")})
  )
  and on ({_PAGE}, against)
  ({evidence("pte_load_run_change_evidence")})
)"""


def _worse(ratio: str, severity: str, by: str) -> str:
    """The worst changes of an application against one reference; infinite where the reference is zero."""
    own = f"{_OWN},against=%q"
    severe = f"max by ({by}) ({last(severity, own)})"
    return (
        f"((max by ({by}) ({last(ratio, own)}) or on ({by}) {severe} * Inf) and on ({by})"
        f" topk(5, {severe} >= on () group_left () max({_limit('change_severity', _OWN)})))"
    )


_WORST = (
    "label_replace("
    + _worse("pte_load_run_change_ratio", "pte_load_run_change_severity", "metric")
    + ', "what", "$1 of all requests", "metric", "(.*)") or label_join('
    + _worse("pte_load_run_endpoint_change_ratio", "pte_load_run_endpoint_change_severity", "metric, endpoint")
    + ', "what", " of ", "metric", "endpoint")'
)
_WORST_LABELS = ("job", "application", "against") * 3 + ("job", "application")


_WORST_CHANGES = templates.changes(_WORST, "what", _WORST_LABELS * 2)


def _severity(number: str) -> str:
    """A severity, which is a number, in words."""
    steps = [f"if ge {number} {level}.0 }}}}{SEVERITIES[level]}" for level in (4, 3, 2, 1)]
    return "{{ " + "{{ else ".join(steps) + "{{ else }}none{{ end }}"


_SEVERITY = _severity("$value")
_SEVERITY_LIMIT_QUERY = templates.result(
    f"max({_limit('change_severity', _OWN)})", ("$labels.job", "$labels.application")
)
_SEVERITY_LIMIT = (
    f"{{{{ with {_SEVERITY_LIMIT_QUERY} }}}}"
    f"{{{{ $limit := . | first | value }}}}{_severity('$limit')}{{{{ else }}}}{templates.UNKNOWN}{{{{ end }}}}"
)

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteLoadRunGradeLow",
        expr=_below(last("pte_load_run_grade_level"), "grade_level", "pte_load_run_grade_evidence"),
        severity="warning",
        board="pte-loadrun",
        summary="{{ $labels.application }}: the grade of the newest load test is too low",
        measure="grade as a number: 5 A+, 4 A, 3 B, 2 C, 1 D, 0 F",
        value="{{ $value }}",
        limit="at least " + _limit_text("grade_level", "humanize"),
        reason="Succeeded: "
        + templates.value_of("pte_load_run_success_ratio", "humanizePercentage")
        + " of requests; P95 latency: "
        + templates.value_of("pte_load_run_latency_seconds", templates.LATENCY, 'stat="p95"')
        + ".",
        action="start with the slowest and most failing endpoints on the board.",
        wait="5m",
    ),
    AlertDefinition(
        name="PteLoadRunSuccessLow",
        expr=_below(last("pte_load_run_success_ratio"), "success_ratio", "pte_load_run_evidence"),
        severity="warning",
        board="pte-loadrun",
        summary="{{ $labels.application }}: too many requests of the newest load test failed",
        measure="share of the load test's requests that succeeded",
        value=templates.PERCENT,
        limit="at least " + _limit_text("success_ratio", "humanizePercentage"),
        reason="Failed: "
        + templates.value_of("pte_load_run_failures", "humanize")
        + " of "
        + templates.value_of("pte_load_run_requests", "humanize")
        + " requests, by kind: "
        + templates.values_by("pte_load_run_errors", "kind", "humanize")
        + ". Failed requests are often cheap, so the run proves less load than it generated.",
        action="fix the most frequent kind of error and run the load test again.",
        wait="5m",
    ),
    AlertDefinition(
        name="PteLoadRunRegression",
        expr=_REGRESSION,
        severity="warning",
        board="pte-bench",
        summary="{{ $labels.application }}: the newest load test is worse than {{ if eq $labels.against "
        '"baseline" }}its baseline{{ else }}the earlier runs{{ end }}',
        measure="worst severity of a change",
        value=_SEVERITY,
        limit="below " + _SEVERITY_LIMIT,
        reason="Worse: " + _WORST_CHANGES + ".",
        action="check the commit of the run; fix it, or save the run as the new baseline if the change is intended.",
        wait="5m",
    ),
)
