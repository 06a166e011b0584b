"""Test executions: too many tests fail, too many are flaky, or an expected report is missing.

The series come from `serve`, or from a Pushgateway after `publish`. There several applications share one job and have
no instance, so limits are joined by application too.
"""

from __future__ import annotations

from exporter.catalogue import execution
from exporter.model.settings import ExecutionSettings
from exporter.rules import templates
from exporter.rules.expressions import BRIDGE, EXPORTER, evidence, joined, last, published
from exporter.rules.rule import AlertDefinition, Definition

_PAGE = f"{EXPORTER}, application"
_OWN = "job=%q,application=%q"
_LABELS = ("job", "application")
_LIMITS = execution.limits(ExecutionSettings())
_EVIDENCE = "pte_test_execution_evidence"


def _limit(name: str, matchers: str = "") -> str:
    assert name in _LIMITS, name
    return last("pte_test_execution_limit", joined(f'limit="{name}"', matchers))


def _own(name: str) -> str:
    """One value for each application of an exporter."""
    return f"max by ({_PAGE}) ({name})"


def _above(value: str, limit: str) -> str:
    """Where a value with evidence is above its own exporter's limit; of the replicas the worst."""
    return f"""\
max by (job, application) (
  (
    {last(value)}
    > on ({_PAGE}) group_left ()
    {_own(_limit(limit))}
  )
  and on ({_PAGE})
  ({evidence(_EVIDENCE)})
)"""


def _at_most(name: str) -> str:
    return "at most " + templates.lookup(f"min({_limit(name, _OWN)})", _LABELS, "humanizePercentage")


# Without a run the age is the whole look-back, and no expectation may be longer. Of several replicas, or of serve and
# publish, the newest run counts.
_MISSING = f"""\
min by (job, application) (
  (
    time() - {last("pte_test_execution_last_timestamp_seconds")}
    or on ({_PAGE})
    {_own(_limit("lookback_seconds"))}
    and on ({_PAGE})
    (max_over_time({published(_EVIDENCE)}[{BRIDGE}]) == 0)
  )
  and on ({_PAGE})
  {_own(last("pte_test_execution_expected_seconds"))}
)
> on (job, application) group_left ()
max by (job, application) ({last("pte_test_execution_expected_seconds")})"""

_FAILING = f"topk(5, max by (test) ({last('pte_test_execution_test_failing', _OWN)}) == 1)"
_FLAKIEST = f"topk(5, max by (test) ({last('pte_test_execution_flakiest_ratio', _OWN)}))"

RULES: tuple[Definition, ...] = (
    AlertDefinition(
        name="PteTestsFailing",
        expr=_above("pte_test_execution_last_failure_ratio", "failure_ratio"),
        severity="warning",
        board="pte-test-execution",
        summary="{{ $labels.application }}: too many tests fail",
        measure="share of the latest run's executed tests that failed or ended in an error",
        value=templates.PERCENT,
        limit=_at_most("failure_ratio"),
        reason="Of "
        + templates.value_of("pte_test_execution_last_executed", "humanize")
        + " executed tests, by outcome: "
        + templates.values_by("pte_test_execution_last_tests", "outcome", "humanize")
        + ". Median failure ratio of earlier runs: "
        + templates.value_of("pte_test_execution_failure_reference_ratio", "humanizePercentage")
        + ". Failing: "
        + templates.label_values(_FAILING, "test", raw=True)
        + ".",
        action="fix or revert the change; the next passing run ends the alert.",
        wait="10m",
    ),
    AlertDefinition(
        name="PteTestsMissing",
        expr=_MISSING,
        severity="warning",
        board="pte-test-execution",
        summary="{{ $labels.application }}: no test report has arrived",
        measure="time since the latest run of tests, or the look-back without any run",
        value=templates.DURATION,
        limit="at most "
        + templates.lookup(f"max({last('pte_test_execution_expected_seconds', _OWN)})", _LABELS, templates.AGE),
        reason="Runs in the last 24 hours: "
        + templates.value_of("pte_test_execution_runs", "humanize", 'window="24h"')
        + ". Changes since then are untested.",
        action="check that CI runs the tests and that their reports reach the exporter.",
        wait="1m",
    ),
    AlertDefinition(
        name="PteTestsFlaky",
        expr=_above("pte_test_execution_flaky_ratio", "flaky_ratio"),
        severity="warning",
        board="pte-test-execution",
        summary="{{ $labels.application }}: too many tests are flaky",
        measure="share of executed tests that failed and passed within one report, over the look-back",
        value=templates.PERCENT,
        limit=_at_most("flaky_ratio"),
        reason="Flaky: "
        + templates.value_of("pte_test_execution_flaky", "humanize")
        + " of "
        + templates.value_of("pte_test_execution_executed", "humanize")
        + " executions. The flakiest: "
        + templates.values(_FLAKIEST, "test", "humanizePercentage", _LABELS)
        + ". Flaky tests hide real failures.",
        action="fix the flakiest tests first.",
    ),
)
