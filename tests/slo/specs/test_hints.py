"""What is nearly right is told with what was probably suggest_duration, and what is refused with the ways out."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.config.conversion import describe_value, suggest_duration
from exporter.slo import specs
from tests.slo.specs.test_errors import OPENSLO, slo, sloth, told

OWN = """\
environments:
  - {role: production, source: {kind: demo}}
  - {role: pte, source: {kind: demo}}
slos:
  - {name: a, application: b, objective: 99, sli: SLI, period: PERIOD}
"""


def test_a_ratio_in_place_of_a_percentage_is_one_line(tmp_path: Path) -> None:
    """Nothing else is said of an objective that is plainly meant as a ratio, in Sloth's files and in OpenSLO."""
    assert told(tmp_path, sloth(slo(objective="0.999"))) == [
        "slos[0].objective: found 0.999, wanted percent; did you mean 99.9?"
    ]
    assert told(tmp_path, OPENSLO.replace("target: 0.99", "targetPercent: 0.995")) == [
        "spec.objectives[0].targetPercent: found 0.995, wanted percent; did you mean 99.5?"
    ]


def test_an_alert_that_cannot_fire_names_the_ways_out(tmp_path: Path) -> None:
    """Each kind of spec has its own, and the first of Sloth's helps."""
    wide = sloth(slo(objective="90"))
    (never,) = told(tmp_path, wide)
    assert "wanted that, or `page_alert: {disable: true}`, or windows of its own" in never
    path = tmp_path / "wide.yml"
    path.write_text(wide.replace("alerting: {}", "alerting: {page_alert: {disable: true}}"), encoding="utf-8")
    assert [found.objective for found in specs.read([path])] == [Decimal(90)]
    kubernetes = "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nspec:\n"
    (never,) = told(tmp_path, kubernetes + textwrap.indent(wide.split("\n", 1)[1], "  "))
    assert "wanted that, or `pageAlert: {disable: true}`, or windows of its own" in never
    (never,) = told(tmp_path, OPENSLO.replace("0.99", "0.9"))
    assert "wanted that, or alertPolicies of its own" in never
    own = OWN.replace("SLI", "{errors: {}}").replace("PERIOD", "30d").replace("99", "90")
    assert told(tmp_path, own)[0].endswith("needs an objective above 93.06 %: wanted that, or tiers of its own")


@pytest.mark.parametrize(
    ("raw", "duration"),
    [
        ("1M", "30d"),
        ("2 months", "60d"),
        ("30 days", "30d"),
        ("1.5h", "90m"),
        ("5 min", "5m"),
        ("0.5s", "500ms"),
        (0.3, "300ms"),
        ("0.25", "250ms"),
    ],
)
def test_a_duration_that_was_meant(raw: object, duration: str) -> None:
    """Months, words and fractions of seconds are clear enough to ask back."""
    assert suggest_duration(raw) == f"; did you mean {duration}?"


@pytest.mark.parametrize("raw", [300, "300", 0, "0.0", "soon", "", None, True, [5], "-1m", "1x", "5m 3", float("nan")])
def test_a_duration_that_nobody_can_guess(raw: object) -> None:
    """Where it may be anything, nothing is asked: 300 is 300 ms to one and 5 minutes to another."""
    assert suggest_duration(raw) == ""


def test_values_of_our_own_objectives_are_shown(tmp_path: Path) -> None:
    """What stands in `slos:` is no secret, so that its faults show it; elsewhere in a configuration it stays out."""
    text = OWN.replace("SLI", "{latency: {threshold: 0.3}}").replace("PERIOD", "1M")
    wanted = "wanted a duration such as 90s, 5m, 1h30m or 7d"
    assert told(tmp_path, text.replace("source: {", "interval: 1M, source: {", 1)) == [
        f"environments[0].interval: found a string, {wanted}",
        f"slos[0].sli.latency.threshold: found 0.3, {wanted}; did you mean 300ms?",
        f'slos[0].period: found "1M", {wanted}; did you mean 30d?',
    ]


def test_a_long_value_is_cut_to_one_line() -> None:
    """A text of many lines is shown by its beginning, in one."""
    assert describe_value("a\n" * 100) == f'"{"a " * 20}…"'
