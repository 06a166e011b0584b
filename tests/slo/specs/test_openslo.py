"""References between OpenSLO's objects: sources, policies, conditions; and slices of thresholds."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.errors import ConfigError
from exporter.model.slo import DAY, WINDOW, Slo
from exporter.slo import specs

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: shop
  indicator:
    spec:
      INDICATOR
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: METHOD
  objectives: [{target: 0.99, OBJECTIVE}]
  alertPolicies: [POLICIES]
"""
RATIO = (
    "ratioMetric: {bad: {metricSource: {metricSourceRef: store, spec: {query: 'x{a=\"1\"}'}}}, "
    "total: {metricSource: {metricSourceRef: store, spec: {query: x}}}}"
)
THRESHOLD = "thresholdMetric: {metricSource: {spec: {query: 'lag{t=\"{{.window}}\"}'}}}"
INLINE = """{kind: AlertPolicy, metadata: {name: p}, spec: {conditions: [{kind: AlertCondition, \
metadata: {name: c}, spec: {severity: SEVERITY, \
condition: {kind: burnrate, threshold: THRESHOLD, lookbackWindow: 6h, alertAfter: 10m}}}]}}"""


def text(indicator: str = RATIO, method: str = "Occurrences", objective: str = "", policies: str = "") -> str:
    content = SLO.replace("INDICATOR", indicator).replace("METHOD", method)
    return content.replace("OBJECTIVE", objective).replace("POLICIES", policies)


def read(tmp_path: Path, *documents: str) -> Slo:
    path = tmp_path / "spec.yml"
    path.write_text("---\n".join(documents), encoding="utf-8")
    (slo,) = specs.read([path])
    return slo


def messages(tmp_path: Path, *documents: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, *documents)
    return [f"{problem.path}: {problem.text}" for problem in caught.value.problems]


def source(kind: str) -> str:
    return f"apiVersion: openslo/v1\nkind: DataSource\nmetadata: {{name: store}}\nspec: {{type: {kind}}}\n"


def test_source_by_reference(tmp_path: Path) -> None:
    """The type of a referenced data source decides whether its queries are PromQL."""
    assert read(tmp_path, text(), source("Grafana-Mimir")).sli.total == f"rate(x[{WINDOW}])"
    assert messages(tmp_path, text(), source("BigQuery")) == [
        "document 1: spec.indicator.spec.ratioMetric.bad.metricSource.type: "
        'expected Prometheus or another source that understands PromQL, got "BigQuery"'
    ]


@pytest.mark.parametrize(
    ("severity", "notify"), [("page", "page"), ("Critical", "page"), ("sev1", "page"), ("sev3", "ticket")]
)
def test_severity_of_a_condition(severity: str, notify: str, tmp_path: Path) -> None:
    """Severities that page make a page, any other makes a ticket."""
    policy = INLINE.replace("SEVERITY", severity).replace("THRESHOLD", "6")
    (tier,) = read(tmp_path, text(policies=policy)).tiers
    assert (tier.name, tier.notify, tier.long, tier.short, tier.wait, tier.keep) == ("c", notify, 21600, 1800, 600, 900)


def test_problems_of_conditions(tmp_path: Path) -> None:
    """A condition's problem is reported at the condition, a burn rate that no ratio reaches at the objective."""
    path = "spec.alertPolicies[0].spec.conditions[0].spec.condition"
    policy = INLINE.replace("SEVERITY", "page")
    assert messages(tmp_path, text(policies=policy.replace("THRESHOLD", "0"))) == [
        f"{path}.threshold: must be a burn rate above 0"
    ]
    assert messages(tmp_path, text(policies=policy.replace("THRESHOLD", "6").replace("burnrate", "magic"))) == [
        f'{path}.kind: expected burnrate, got "magic"'
    ]
    assert messages(tmp_path, text(policies=policy.replace("THRESHOLD", "6").replace("6h", "soon"))) == [
        f'{path}.lookbackWindow: expected a duration such as 5m, 6h or 3d, got "soon"'
    ]
    assert messages(tmp_path, text(policies=policy.replace("THRESHOLD", "100"))) == [
        "spec.objectives[0].target: the alert c can never fire: 100 times the budget of 1 % is all events or more; "
        "set an objective above 99.00 % (a burn rate of 100 needs it), or alertPolicies with lower thresholds in their "
        "conditions, or [] for no alerts"
    ]
    assert messages(tmp_path, text(policies="5")) == [
        "spec.alertPolicies[0]: expected a mapping with alertPolicyRef, or the object itself, got 5"
    ]


def test_policies_without_conditions(tmp_path: Path) -> None:
    """A policy not for breaches, or in no file, keeps the usual tiers; an empty list keeps none."""
    quiet = INLINE.replace("SEVERITY", "page").replace("THRESHOLD", "6")
    quiet = quiet.replace("spec: {conditions", "spec: {alertWhenBreaching: false, conditions")
    for policies, tiers in ((quiet, 4), ("elsewhere", 4), ("", 0)):
        assert len(read(tmp_path, text(policies=policies)).tiers) == tiers


@pytest.mark.parametrize(("op", "bad"), [("lt", ">="), ("lte", ">"), ("gt", "<="), ("gte", "<")])
def test_slices_of_thresholds(op: str, bad: str, tmp_path: Path) -> None:
    """A slice of several minutes is bad when too many of its minutes break the comparison."""
    objective = f"op: {op}, value: 500, timeSliceTarget: 0.9, timeSliceWindow: 10m"
    sli = read(tmp_path, text(THRESHOLD.replace("{{.window}}", "1"), "Timeslices", objective)).sli
    assert sli.errors == f'(avg_over_time(((lag{{t="1"}}) {bad} bool 500)[10m:1m])) > bool 0.1'
    assert sli.per == "minute"


def test_slices_of_bad_events(tmp_path: Path) -> None:
    """Bad events are divided by all events of the slice, both summed."""
    sli = read(tmp_path, text(RATIO, "RatioTimeslices", "timeSliceWindow: 5")).sli
    assert (sli.errors, sli.total) == ('sum (rate(x{a="1"}[5m])) / sum (rate(x[5m]))', "sum (rate(x[5m])) > bool 0")


def test_slices_too_short(tmp_path: Path) -> None:
    """A slice needs two scrapes for a rate."""
    path = tmp_path / "spec.yml"
    path.write_text(text(RATIO, "RatioTimeslices", "timeSliceWindow: 1m"), encoding="utf-8")
    with pytest.raises(ConfigError, match="timeSliceWindow: 1m is below 2 scrape intervals, must be at least 2m"):
        specs.read([path], specs.Options(scrape_interval=60))


def test_periods(tmp_path: Path) -> None:
    """Rolling months, quarters and years have 30, 90 and 365 days; a period without usual tiers is reported."""
    for duration, days in (("1M", 30), ("1Q", 90), ("1Y", 365), ("2w", 14)):
        assert read(tmp_path, text().replace("30d", duration)).period.seconds == days * DAY
    assert messages(tmp_path, text(policies="elsewhere").replace("30d", "1d")) == [
        "spec.alertPolicies: a period below 7d has no usual alert tiers: use at least 7d, or set tiers"
    ]


def test_windows_of_v1alpha(tmp_path: Path) -> None:
    """v1alpha has rolling days only."""
    alpha = text().replace("timeWindow: [{duration: 30d, isRolling: true}]", "timeWindows: [{count: 1, unit: Month}]")
    assert messages(tmp_path, alpha) == [
        "spec.timeWindows: expected a list of exactly one window with count (of days) and unit: Day"
    ]


@pytest.mark.parametrize("number", ["99.9", "1", "0", "-0.5"])
def test_a_percentage_in_place_of_a_ratio(tmp_path: Path, number: str) -> None:
    """A value that is not a ratio is reported as it is written, with the key for percentages."""
    assert messages(tmp_path, text().replace("0.99", number)) == [
        f"spec.objectives[0].target: must be a ratio above 0 and below 1, got {number}; or use targetPercent"
    ]
