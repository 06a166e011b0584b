"""Messages suggest what was probably meant, and name the remedies."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.config.conversion import describe_value, suggest_duration
from exporter.slo import specs
from tests.slo.specs.test_errors import OPENSLO, messages, slo, sloth

OWN = """\
environments:
  - {role: production, source: {kind: demo}}
  - {role: pte, source: {kind: demo}}
slos:
  - {name: a, application: b, objective: 99, sli: SLI, period: PERIOD}
"""


def test_a_ratio_in_place_of_a_percentage_is_one_line(tmp_path: Path) -> None:
    """An objective that is clearly meant as a ratio causes one message, in Sloth's files and in OpenSLO."""
    assert messages(tmp_path, sloth(slo(objective="0.999"))) == [
        "slos[0].objective: expected percent, got the ratio 0.999; did you mean 99.9?"
    ]
    assert messages(tmp_path, OPENSLO.replace("target: 0.99", "targetPercent: 0.995")) == [
        "spec.objectives[0].targetPercent: expected percent, got the ratio 0.995; did you mean 99.5?"
    ]


def test_an_alert_that_cannot_fire_names_the_remedies(tmp_path: Path) -> None:
    """Each kind of spec has its own remedies, and Sloth's first one works."""
    wide = sloth(slo(objective="90"))
    (message,) = messages(tmp_path, wide)
    assert "(a burn rate of 14.4 needs it), or `page_alert: {disable: true}`, or other windows" in message
    path = tmp_path / "wide.yml"
    path.write_text(wide.replace("alerting: {}", "alerting: {page_alert: {disable: true}}"), encoding="utf-8")
    assert [slo.objective for slo in specs.read([path])] == [Decimal(90)]
    kubernetes = "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nspec:\n"
    (message,) = messages(tmp_path, kubernetes + textwrap.indent(wide.split("\n", 1)[1], "  "))
    assert "(a burn rate of 14.4 needs it), or `pageAlert: {disable: true}`, or other windows" in message
    (message,) = messages(tmp_path, OPENSLO.replace("0.99", "0.9"))
    assert "(a burn rate of 14.4 needs it), or alertPolicies with lower thresholds" in message
    own = OWN.replace("SLI", "{errors: {}}").replace("PERIOD", "30d").replace("99", "90")
    assert messages(tmp_path, own)[0].endswith(
        "set an objective above 93.06 % (a burn rate of 14.4 needs it), or set tiers"
    )


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
    """Months, words and fractions of seconds are clear enough for a suggestion."""
    assert suggest_duration(raw) == f"; did you mean {duration}?"


@pytest.mark.parametrize("raw", [300, "300", 0, "0.0", "soon", "", None, True, [5], "-1m", "1x", "5m 3", float("nan")])
def test_an_ambiguous_duration(raw: object) -> None:
    """An ambiguous value gets no suggestion: 300 may be 300 ms or 5 minutes."""
    assert suggest_duration(raw) == ""


def test_values_of_our_own_objectives_are_shown(tmp_path: Path) -> None:
    """Values in `slos:` are not secret, so messages show them; values elsewhere in a configuration stay out."""
    text = OWN.replace("SLI", "{latency: {threshold: 0.3}}").replace("PERIOD", "1M")
    expected = "expected a duration such as 90s, 5m, 1h30m or 7d"
    assert messages(tmp_path, text.replace("source: {", "interval: 1M, source: {", 1)) == [
        f"environments[0].interval: {expected}, got a string",
        f"slos[0].sli.latency.threshold: {expected}, got 0.3; did you mean 300ms?",
        f'slos[0].period: {expected}, got "1M"; did you mean 30d?',
    ]


def test_a_long_value_is_cut_to_one_line() -> None:
    """Of a text of many lines only the beginning is shown, in one line."""
    assert describe_value("a\n" * 100) == f'"{"a " * 20}…"'
