"""The made-up shop's test reports."""

from __future__ import annotations

import pytest

from exporter.analysis.execution import executed
from exporter.errors import SourceError
from exporter.model.execution import Executed
from exporter.model.observation import Observation, Window
from exporter.model.settings import ExecutionSettings
from exporter.sources import demo_ci

NOW = 1795170240.0
WEEK = Window(NOW - 7 * 86400, NOW)


def observed(window: Window = WEEK, seed: int = 1) -> Observation:
    return demo_ci.Source(demo_ci.Options(seed=seed), "ci").observe(window)


def judged(name: str, at: float = NOW) -> Executed:
    window = Window(at - 7 * 86400, at)
    return executed(observed(window).applications[name].reports, ExecutionSettings(), at)


def test_an_hour_has_a_report() -> None:
    """Each tested application has a report an hour, inside the requested window."""
    observation = observed()
    assert (observation.side, observation.window, set(observation.applications)) == (
        "ci",
        WEEK,
        {"shop", "checkout", "archive"},
    )
    for report in observation.applications.values():
        assert len(report.reports) == 168
        assert all(WEEK.start < report.at <= WEEK.end for report in report.reports)
    assert observed(Window(NOW - 60, NOW)).applications["shop"].reports == ()


def test_the_past_does_not_change() -> None:
    """The same hour has the same report in every window, and another seed gives another one."""
    hours = Window(NOW - 7200, NOW)
    first = observed(hours).applications["shop"].reports
    assert all(
        report is other for report, other in zip(first, observed().applications["shop"].reports[-2:], strict=True)
    )
    assert first != observed(hours, seed=2).applications["shop"].reports


def test_there_is_something_to_see() -> None:
    """Everything that is published of executions has a value somewhere: failures, flaky tests, repairs, spikes."""
    shop, checkout, archive = judged("shop"), judged("checkout"), judged("archive")
    assert 0 < (shop.total.flaky_ratio or 0) < 0.05 < (shop.total.pass_ratio or 0)
    assert shop.total.error
    assert shop.total.skipped
    assert shop.flakiest[0].flaky > 20
    assert shop.outages.mtbf
    assert [(report.value, bool(report.outages.mttr)) for report in checkout.property_outages] == [
        ("chromium", True),
        ("webkit", True),
    ]
    assert archive.outages.mtbf is None
    spikes = [judged("checkout", NOW + 3600 * hour).spike for hour in range(24)]
    assert [spike.is_spike for spike in spikes if spike].count(True) == 4


def test_it_is_no_pte() -> None:
    """It has only reports."""
    source = demo_ci.Source(demo_ci.Options(), "ci")
    with pytest.raises(SourceError, match="tell nothing of a PTE"):
        source.observe_runs(WEEK, 1.0, lambda activity: {})
    source.close()
