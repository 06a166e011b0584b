"""What reports of test runners say together."""

from __future__ import annotations

from typing import Any

import pytest

from exporter.analysis.execution import executed
from exporter.model.execution import Counts, Executed, Execution, Outages, Report, ValueOutages
from exporter.model.settings import Duration, ExecutionSettings

NOW = 1_000_000.0
HOUR, DAY = 3600.0, 86400.0
OUTCOMES: dict[str, Any] = {"p": "passed", "f": "failed", "e": "error", "s": "skipped", "~": "passed"}


def report(ago: float, suite: str = "unit", device: str = "", **tests: str) -> Report:
    """A report that ended `ago` seconds before NOW; a test's letter is its outcome, ~ for flaky."""
    labels = {"device": device} if device else {}
    executions = tuple(
        Execution(suite, name, OUTCOMES[letter], NOW - ago, 2.0, letter == "~", labels)
        for name, letter in tests.items()
    )
    return Report(f"{suite}-{ago:g}", NOW - ago, executions)


def judged(*reports: Report, at: float = NOW, **settings: Any) -> Executed:
    return executed(reports, ExecutionSettings(**settings), at)


def test_counts_of_the_last_run_and_of_all() -> None:
    """Skipped tests are not executed; a flaky one passed, and is counted as flaky too; errors are failures."""
    result = judged(report(HOUR, a="p", b="p", c="p"), report(60, a="f", b="~", c="s", d="e"))
    assert result.last is not None
    assert result.last.counts == Counts(1, 1, 1, 1, 1, 8.0)
    assert (result.last.counts.executed, result.last.at) == (3, NOW - 60)
    assert result.last.counts.pass_ratio == pytest.approx(1 / 3)
    assert result.last.counts.failure_ratio == pytest.approx(2 / 3)
    assert result.last.counts.flaky_ratio == pytest.approx(1 / 3)
    assert result.total == Counts(4, 1, 1, 1, 1, 14.0)


def test_nothing_executed_is_no_ratio() -> None:
    """Without an executed test there is no ratio, and without a report no run."""
    result = judged(report(60, a="s"))
    assert result.total.skipped == 1
    assert (result.total.pass_ratio, result.total.failure_ratio, result.total.flaky_ratio) == (None, None, None)
    assert judged().last is None
    assert judged(report(60)).last is None
    assert judged(Report("r", NOW - 1, (Execution("s", "a", "passed", NOW - 1),))).total.seconds is None


def test_only_the_look_back_counts() -> None:
    """Reports that are too old, or of times to come, are left out."""
    result = judged(report(DAY, a="p"), report(2 * DAY, a="f"), report(-60, a="f"), lookback=Duration(2 * DAY))
    assert [item.at for item in result.reports] == [NOW - DAY]


def test_reports_that_belong_together() -> None:
    """Reports close to each other are one run while no test is in two of them, whatever the files' order."""
    reports = (report(0, "c", a="f"), report(200, "b", a="p"), report(400, "a", a="p"))
    together = judged(*reports)
    assert [(run.at, run.counts.executed) for run in together.runs] == [(NOW, 3)]
    assert len(judged(*reports, run_gap=Duration(100)).runs) == 3
    assert len(judged(report(0, a="p"), report(60, a="p")).runs) == 2
    devices = judged(report(0, device="x", a="p"), report(60, device="y", a="p"))
    assert len(devices.runs) == 1


def test_runs_by_the_hour() -> None:
    """Runs are counted over the last hour, the last day and the look-back, as far as it reaches."""
    reports = [report(ago * 1000, a="p") for ago in range(200)]
    assert judged(*reports).recent == {HOUR: 4, DAY: 87, 7 * DAY: 200}
    assert judged(*reports, lookback=Duration(7200)).recent == {HOUR: 4, 7200.0: 8}


def test_suites_and_devices_by_their_own_latest_run() -> None:
    """Each suite, and each of its property values, is told by the latest run that has it."""
    result = judged(
        report(3 * HOUR, "api", "x", a="f", b="p"),
        report(2 * HOUR, "api", "y", a="p", b="p"),
        report(HOUR, "web", "y", a="f"),
    )
    assert [(item.suite, item.at - NOW, item.counts.failed) for item in result.suites] == [
        ("api", -2 * HOUR, 0),
        ("web", -HOUR, 1),
    ]
    assert [(item.suite, item.property, item.value, item.counts.failed) for item in result.properties] == [
        ("api", "device", "x", 1),
        ("api", "device", "y", 0),
        ("web", "device", "y", 1),
    ]


def test_groups_are_capped() -> None:
    """Beyond the cap suites with failures are kept, then the large ones, and what is left is counted."""
    reports = [report(i * HOUR, f"s{i}", device=f"d{i}", a="p") for i in range(5)]
    result = judged(*reports, report(6 * HOUR, "bad", a="f"), report(7 * HOUR, "big", a="p", b="p"), max_groups=3)
    assert [item.suite for item in result.suites] == ["bad", "big", "s0"]
    assert (len(result.properties), result.other) == (3, 4 + 2)
    assert len(result.property_outages) == 3


def test_the_flakiest_tests() -> None:
    """Tests are ranked by how often they were flaky, then by how rarely they ran; steady ones are left out."""
    result = judged(
        report(3 * HOUR, a="~", b="~", c="p"),
        report(2 * HOUR, a="~", b="p", c="p", d="~"),
        report(HOUR, a="f", b="s", c="p"),
    )
    assert [(item.name, item.flaky, item.executed, item.failed) for item in result.flakiest] == [
        ("a", 2, 3, 1),
        ("d", 1, 1, 0),
        ("b", 1, 2, 0),
    ]
    assert [item.name for item in judged(*result.reports, max_tests=1).flakiest] == ["a"]


def course(letters: str, step: float = HOUR) -> Outages:
    """Of one test whose outcomes lie a step apart."""
    reports = [report((len(letters) - i) * step, t=letter) for i, letter in enumerate(letters)]
    return judged(*reports).outages


@pytest.mark.parametrize(
    ("letters", "mtbf", "mttr"),
    [
        ("ppp", None, None),
        ("p", None, None),
        ("f", None, None),
        ("fff", None, None),
        ("ffp", None, None),
        ("pf", 1, None),
        ("pfp", 1, 1),
        ("pppffpp", 4, 2),
        ("pfpfffp", 1, 2),
        ("ppfpf", 1.5, 1),
        ("fppf", 2, None),
        ("fpfp", 1, 1),
        ("ps~p", None, None),
        ("pesp", 1, 2),
        ("p~f", 2, None),
    ],
)
def test_mean_times(letters: str, mtbf: float | None, mttr: float | None) -> None:
    """Passing time by failures, and time from failing to passing, both only of what was seen to begin."""
    result = course(letters)
    assert result.mtbf == (None if mtbf is None else mtbf * HOUR)
    assert result.mttr == (None if mttr is None else mttr * HOUR)


def test_inputs_of_mean_times() -> None:
    """The times and counts behind the means are told, and whether it fails now."""
    assert course("fppffpf") == Outages(3 * HOUR, 2, 2 * HOUR, 1, failing=True)
    assert not course("fp").failing
    assert course("ss") == Outages()


def test_a_device_fails_while_one_of_its_tests_does() -> None:
    """A device, and the application, pass again when the last of the failing tests has; others stay untouched."""
    result = judged(
        report(5 * HOUR, device="x", a="p", b="p"),
        report(4 * HOUR, device="x", a="f", b="p"),
        report(3 * HOUR, device="x", a="f", b="f"),
        report(2 * HOUR, device="x", a="p"),
        report(2 * HOUR, device="y", a="p"),
        report(HOUR, device="x", b="p"),
    )
    assert result.property_outages == (
        ValueOutages("device", "x", Outages(HOUR, 1, 3 * HOUR, 1)),
        ValueOutages("device", "y", Outages()),
    )
    assert result.outages == Outages(HOUR, 1, 3 * HOUR, 1)


def test_a_test_on_two_devices() -> None:
    """A test fails while it fails on one device, though it passes on another in the same report."""
    both = Report(
        "r",
        NOW - HOUR,
        (*report(HOUR, device="x", a="f").executions, *report(HOUR, device="y", a="p").executions),
    )
    result = judged(report(2 * HOUR, device="x", a="p"), both, report(60, device="x", a="p"))
    [case] = result.failing
    assert (case.suite, case.name, case.executed, case.failed) == ("unit", "a", 4, 1)
    assert case.outages == Outages(HOUR, 1, HOUR - 60, 1)


def test_failing_tests_are_ranked() -> None:
    """Tests that still fail come first, then those that failed most often; those that never did are left out."""
    result = judged(
        report(4 * HOUR, a="p", b="p", c="f", d="p"),
        report(3 * HOUR, a="f", b="p", c="p", d="p"),
        report(2 * HOUR, a="p", b="p", c="p", d="p"),
        report(1 * HOUR, a="f", b="f", c="p", d="p"),
        report(60, a="p", b="f", c="p", d="p"),
    )
    assert [(item.name, item.outages.failing) for item in result.failing] == [("b", True), ("a", False), ("c", False)]
    assert [item.name for item in judged(*result.reports, max_tests=1).failing] == ["b"]


def runs(*failures: int, tests: int = 10) -> Executed:
    reports = [
        report((len(failures) - i) * HOUR, **{f"t{n}": "f" if n < failed else "p" for n in range(tests)})
        for i, failed in enumerate(failures)
    ]
    return judged(*reports)


@pytest.mark.parametrize(
    ("failures", "is_spike"),
    [((1, 1, 1, 4), True), ((1, 1, 1, 3), False), ((0, 0, 0, 3), True), ((0, 0, 0, 2), False), ((4, 4, 4, 7), False)],
)
def test_spikes(failures: tuple[int, ...], is_spike: bool) -> None:
    """A spike is at least twice the median of the runs before and at least three tests more."""
    spike = runs(*failures).spike
    assert spike is not None
    assert (spike.is_spike, spike.runs, spike.ratio) == (is_spike, 3, failures[-1] / 10)
    assert spike.reference == failures[0] / 10


def test_no_evidence_of_spikes() -> None:
    """Fewer than three runs before, or a latest run that executed nothing, is no evidence."""
    assert runs(0, 0, 9).spike is None
    before = runs(0, 0, 0, 0).reports
    assert judged(*before, report(60, t0="s")).spike is None
    assert judged(*before[1:], report(8 * HOUR, t0="s"), report(60, t0="p")).spike is not None


def test_what_is_known_is_not_counted_again() -> None:
    """Without new reports only times move on, and reports that grow too old are left out."""
    reports = (report(5000, a="p"), report(60, a="f"))
    first = executed(reports, ExecutionSettings(), NOW)
    later = executed(reports, ExecutionSettings(), NOW + 3600, first)
    assert later.suites is first.suites
    assert later == executed(reports, ExecutionSettings(), NOW + 3600)
    assert (first.recent[HOUR], later.recent[HOUR]) == (1, 0)
    week = NOW + 7 * DAY - 1000
    assert executed(reports, ExecutionSettings(), week, later).total.executed == 1
