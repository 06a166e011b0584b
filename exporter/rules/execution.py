"""Test executions: too many fail, too many are flaky, or none came where some are expected.

The series come from `serve` or, by `publish`, from a Pushgateway. There the pages of several applications share one job
and have no instance, so a limit is joined by the application too.
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
    """One value of each page."""
    return f"max by ({_PAGE}) ({name})"


def _above(value: str, limit: str) -> str:
    """Where a value with evidence is above the limit of its own page; of the replicas the worst."""
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


# Nothing within the whole look-back is longer than any expectation, which cannot be longer than that; of several
# replicas, or of serve and publish, one that knows a newer run is enough.
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
        measure="the share of the latest run's executed tests that failed or ended in an error",
        value=templates.PERCENT,
        limit=_at_most("failure_ratio"),
        reason="Of "
        + templates.value_of("pte_test_execution_last_executed", "humanize")
        + " executed tests; by how they ended: "
        + templates.values_by("pte_test_execution_last_tests", "outcome", "humanize")
        + ". The runs before failed "
        + templates.value_of("pte_test_execution_failure_reference_ratio", "humanizePercentage")
        + " in the median. Failing: "
        + templates.label_values(_FAILING, "test", raw=True)
        + ".",
        wait="10m",
    ),
    AlertDefinition(
        name="PteTestsMissing",
        expr=_MISSING,
        severity="warning",
        board="pte-test-execution",
        summary="{{ $labels.application }}: no tests have run",
        measure="the time since the latest run of tests, or the look-back if it has none",
        value=templates.DURATION,
        limit="at most "
        + templates.lookup(f"max({last('pte_test_execution_expected_seconds', _OWN)})", _LABELS, "humanizeDuration"),
        reason="Runs in the last 24 hours: "
        + templates.value_of("pte_test_execution_runs", "humanize", 'window="24h"')
        + ". Nothing tells of what has been changed since.",
        wait="1m",
    ),
    AlertDefinition(
        name="PteTestsFlaky",
        expr=_above("pte_test_execution_flaky_ratio", "flaky_ratio"),
        severity="warning",
        board="pte-test-execution",
        summary="{{ $labels.application }}: too many tests are flaky",
        measure="the share of executed tests that failed and passed within one report, over the look-back",
        value=templates.PERCENT,
        limit=_at_most("flaky_ratio"),
        reason="Flaky: "
        + templates.value_of("pte_test_execution_flaky", "humanize")
        + " of "
        + templates.value_of("pte_test_execution_executed", "humanize")
        + " executions. The flakiest: "
        + templates.values(_FLAKIEST, "test", "humanizePercentage", _LABELS)
        + ". A failure that went away by itself hides those that will not.",
    ),
)
