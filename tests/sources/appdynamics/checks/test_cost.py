"""Check-ups of retention and cost: resolution, the budget of calls, their time."""

from __future__ import annotations

import pytest

from deploy.stack.controller import faults
from exporter.checkup import checked
from exporter.model.observation import Window
from exporter.sources.appdynamics.checks.budget import Plan, budget_steps, plan
from exporter.sources.appdynamics.checks.probe import ControllerProbe
from exporter.sources.appdynamics.checks.resolution import no_minutes
from exporter.sources.appdynamics.options import SAAS, Calls, ControllerApplication
from exporter.sources.appdynamics.records import ListedApplication
from exporter.sources.appdynamics.source import Source
from tests.seed import END
from tests.sources.appdynamics.checking import (
    HOUR,
    Stand,
    assert_transcript,
    causes,
    check_context,
    examined,
    step_of,
    troubles,
)

TWO = {"shop": ControllerApplication(), "checkout": ControllerApplication()}


def test_minutes_are_thrown_away_after_hours(stand: Stand) -> None:
    """On premises a day has no minutes: the finding has their reach, the consequence and the setting to raise."""
    stand.controller.retention = (4 * HOUR, 48 * HOUR)
    steps = stand.assert_transcript("coarse", stand.examined())
    assert troubles(steps) == {"resolution": "warning"}
    result = step_of(steps, "resolution")
    assert result.result.startswith("144 of 144 values of 10 minutes each over 1 day; minutes are kept for 1 hour")
    assert "5 hours back there are only means of 10 minutes" in result.result
    assert "metrics.min.retention.period" in causes(result)
    assert "not evidence for verdicts" in causes(result)


def test_the_pattern_is_longer_than_minutes_are_kept(stand: Stand) -> None:
    """A day in minutes is enough for the baseline; the pattern of a week has to be gathered."""
    stand.controller.retention = (26 * HOUR, 48 * HOUR)
    steps = stand.examined()
    assert troubles(steps) == {"resolution": "warning"}
    assert "has no evidence until then" in causes(step_of(steps, "resolution"))


def test_a_saas_controller_has_no_setting_for_it(stand: Stand) -> None:
    """On SaaS retention cannot be set: the remedy is support."""
    [cause] = no_minutes(stand.options(url=f"https://demo{SAAS}"), "the day")
    assert "the vendor's support" in cause.remedy
    assert "metrics.min" not in cause.remedy


def test_a_run_is_too_old_for_minutes(stand: Stand) -> None:
    """In the PTE the latest run counts: if it came as means, the exporter was not there when it ran."""
    stand.controller.retention = (4 * HOUR, 48 * HOUR)
    steps = stand.assert_transcript(
        "coarse-run", stand.examined("pte", applications={"shop": ControllerApplication(name="shop-pte")})
    )
    assert troubles(steps) == {"resolution": "warning"}
    assert "came as means of 10 minutes" in step_of(steps, "resolution").result
    assert "let the exporter run during tests" in causes(step_of(steps, "resolution"))


def test_no_run_in_the_look_back(stand: Stand) -> None:
    """Where no test ran, or none above the threshold, that is said; where nothing was ever called too."""
    options = stand.options(applications={"shop": ControllerApplication(name="shop-pte")})
    result = step_of(examined(options, "pte", threshold=1e6), "resolution")
    assert result.verdict == "warning"
    assert "no activity above 1e+06 req/s in the look-back of 14 days" in result.result
    assert "analysis.test_run.lookback" in causes(result)
    stand.controller.faults.add(faults.without_metric("Calls per Minute"))
    assert "no activity" in step_of(examined(options, "pte"), "resolution").result


def test_the_budget_is_too_small_for_ever(stand: Stand) -> None:
    """A budget that never suffices is a failure, with a sufficient number."""
    steps = stand.assert_transcript("budget", stand.examined(calls=Calls(per_poll=10)))
    assert troubles(steps) == {"budget": "failed"}
    assert "each poll omits something" in causes(step_of(steps, "budget"))
    assert "calls.per_poll: 30, which is 18 plus 20 % reserve" in causes(step_of(steps, "budget"))
    assert not troubles(stand.examined(calls=Calls(per_poll=30)))


def test_the_first_poll_does_not_fit(stand: Stand) -> None:
    """It is complete after some polls, which may be well."""
    steps = stand.examined(calls=Calls(per_poll=14))
    assert troubles(steps) == {"budget": "warning"}
    assert "the first poll is incomplete" in causes(step_of(steps, "budget"))
    assert "calls.per_poll: 30, which is 18 plus 20 % reserve" in causes(step_of(steps, "budget"))


def test_the_budget_where_minutes_are_not_kept(stand: Stand) -> None:
    """A first poll then searches for their start: the advised budget suffices for that, and is not much higher."""
    stand.controller.retention = (4 * HOUR, 48 * HOUR)
    options = stand.options(calls=Calls(per_poll=20))
    assert "at most 43 calls of the first poll" in step_of(examined(options), "budget").result
    requests = check_context()
    source = Source(stand.options(), "production", lambda: END + 300.0)
    first = source.observe(requests.window, requests.pattern)
    source.close()
    assert 30 < first.queries <= plan(options, requests, 1, coarse=True).first == 43


def test_polls_take_too_long(stand: Stand) -> None:
    """A poll longer than the interval, by measured calls, is a failure, with a sufficient interval."""
    stand.controller.faults.add(faults.slow(0.05, "*/metric-data"))
    steps = examined(stand.options(calls=Calls(parallel=1)), interval=0.2)
    assert_transcript("slow", steps, stand.folder)
    assert troubles(steps) == {"budget": "failed"}
    assert "longer than the interval" in causes(step_of(steps, "budget"))
    assert "the controller is slow" in causes(step_of(steps, "budget"))


@pytest.mark.parametrize(
    ("seconds", "verdict", "cause"),
    [
        (9.0, "ok", ""),
        (20.0, "warning", "more than half of the interval"),
        (26.0, "failed", "longer than the interval"),
    ],
)
def test_the_time_of_a_poll_is_that_of_its_calls(stand: Stand, seconds: float, verdict: str, cause: str) -> None:
    """Twelve calls, one at a time, of so many seconds against five minutes: warned from half of them on."""
    probe = ControllerProbe(stand.options(calls=Calls(parallel=1)), check_context())
    probe.applications["shop"] = ListedApplication(100, "shop")
    probe.call_seconds = [1.0, seconds]
    [result] = checked(budget_steps(probe))
    assert result.verdict == verdict
    assert cause in causes(result)


def test_the_plan_is_what_the_source_does_in_production(stand: Stand) -> None:
    """A first and a later poll make as many calls as predicted."""
    requests, options = check_context(), stand.options(applications=TWO)
    source = Source(options, "production", lambda: END + 300.0)
    first = source.observe(requests.window, requests.pattern)
    moved = Window(requests.window.start + 300.0, requests.window.end + 300.0)
    assert requests.pattern is not None
    later = source.observe(moved, Window(requests.pattern.start + 300.0, requests.pattern.end + 300.0))
    source.close()
    assert plan(options, requests, 2) == Plan(first.queries, later.queries)


def test_the_plan_of_the_pte_is_no_less_than_what_the_source_does(stand: Stand) -> None:
    """How many calls the minutes of runs take depends on the tests: the plan has room for some days of them."""
    ours = {"shop": ControllerApplication(name="shop-pte"), "checkout": ControllerApplication(name="checkout-pte")}
    requests, options = check_context("pte"), stand.options(applications=ours)
    source = Source(options, "pte", lambda: END + 300.0)
    latest = Window(END - 33 * HOUR, END - 32 * HOUR)
    polls = [
        source.observe_runs(requests.window, requests.threshold, lambda activity: dict.fromkeys(activity, latest))
        for _ in "ab"
    ]
    source.close()
    planned = plan(options, requests, 2)
    assert polls[0].queries <= 2 * planned.first
    assert polls[1].queries <= planned.later < planned.first
