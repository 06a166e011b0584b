"""Grades, and what lies exactly on their limits."""

from __future__ import annotations

import math

import pytest

from exporter.analysis.grade import grade
from exporter.model.loadrun import Figures, Latencies
from exporter.model.settings import Grade, LoadRunSettings

SETTINGS = LoadRunSettings()


def figures(failures: int | None, p95: float | None, requests: int = 10_000) -> Figures:
    return Figures(requests, failures, latency=Latencies(p95=p95))


@pytest.mark.parametrize(
    ("failures", "p95", "expected"),
    [
        (0, 0.1, "A+"),
        (99, 0.499999, "A+"),
        (100, 0.1, "A"),  # exactly 99 % succeeded
        (99, 0.5, "A"),  # exactly 500 ms
        (499, 0.999, "A"),
        (500, 0.1, "B"),
        (0, 1.0, "B"),
        (999, 1.499, "B"),
        (1000, 0.1, "C"),
        (0, 1.5, "C"),
        (1499, 2.499, "C"),
        (1500, 0.1, "D"),
        (0, 2.5, "D"),
        (2499, 3.999, "D"),
        (2500, 0.1, "F"),
        (0, 4.0, "F"),
        (10_000, 0.1, "F"),
    ],
)
def test_both_conditions_are_strict(failures: int, p95: float, expected: str) -> None:
    """What lies exactly on a limit has not fulfilled it, and the worse of both conditions decides."""
    assert grade(figures(failures, p95), SETTINGS) == expected


@pytest.mark.parametrize(
    "unmeasured", [figures(None, 0.1), figures(0, None), figures(0, 0.1, requests=0), figures(0, math.nan)]
)
def test_what_was_not_measured_has_no_grade(unmeasured: Figures) -> None:
    """Without failures, P95 or requests there is no evidence, which is not an F."""
    assert grade(unmeasured, SETTINGS) is None


def test_the_best_grade_is_given_in_whatever_order_they_are_configured() -> None:
    """A configuration that names the grades from the worst up grades the same."""
    turned = LoadRunSettings(grades=dict(reversed(SETTINGS.grades.items())))
    assert grade(figures(0, 0.1), turned) == "A+"


def test_only_configured_grades_are_given() -> None:
    """With two grades there are three results."""
    settings = LoadRunSettings(
        grades={"A": Grade(success_ratio=0.9, latency_p95=1), "C": Grade(success_ratio=0.5, latency_p95=2)}
    )
    assert [grade(figures(failures, 0.5), settings) for failures in (0, 4000, 6000)] == ["A", "C", "F"]
