"""The newest run of an application, judged as a whole and name by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from exporter.analysis.loadrun_judgement import judge
from exporter.model.loadrun import LoadRun, RunEndpoint
from exporter.model.loadrun_judgement import METRICS, Change
from exporter.model.settings import LoadRunSettings
from tests.making_runs import NAMES, START, load_run

SETTINGS = LoadRunSettings()
DAY = 86400.0


def history(runs: int, slow_from: int, names: Mapping[str, float] = NAMES) -> list[LoadRun]:
    """Runs day by day, 30 % slower from one of them on, which scatter by 1 %."""
    chance = np.random.default_rng(3)
    return [
        load_run(
            START + DAY * run,
            latency=0.1 * (1.3 if run >= slow_from else 1.0) * float(np.exp(chance.normal(0, 0.01))),
            requests=3000,
            seed=run,
            names=names,
        )
        for run in range(runs)
    ]


def of(changes: tuple[Change, ...], name: str, metric: str, against: str = "history") -> Change:
    (result,) = (item for item in changes if (item.name, item.metric, item.against) == (name, metric, against))
    return result


def test_no_run_is_no_judgement() -> None:
    """Without a run there is nothing to judge."""
    assert judge([], None, SETTINGS) is None


def test_a_single_run_has_a_grade_and_nothing_else() -> None:
    """Neither history nor baseline: nothing is compared, and nothing is said to be without evidence."""
    judged = judge([load_run()], None, SETTINGS)
    assert judged is not None
    assert (judged.grade, judged.changes, judged.trends, judged.left_out) == ("A", (), (), 0)


def test_a_regression_is_told_of_the_run_and_of_each_name() -> None:
    """Seven slower runs: latencies are worse in the total and in every endpoint, the request rate is equal."""
    runs = history(20, 13)
    judged = judge(runs, None, SETTINGS)
    assert judged is not None
    assert {item.name for item in judged.changes} == {"", "GET /", "POST /cart", "Log in"}
    assert {of(judged.changes, name, "latency_mean").verdict for name in ("", "GET /", "POST /cart", "Log in")} == {
        "worse"
    }
    assert of(judged.changes, "", "request_rate").verdict == "equal"
    assert {(item.name, item.metric) for item in judged.trends} == {
        (name, metric) for name in ("", "GET /", "POST /cart", "Log in") for metric in METRICS
    }


def test_a_baseline_and_history_are_both_compared_with() -> None:
    """Against a saved run the last one is slower, and against the runs before, which were as slow, it is equal."""
    runs = history(20, 0)
    judged = judge(runs, history(1, 9)[0], SETTINGS)
    assert judged is not None
    assert of(judged.changes, "", "latency_mean", "baseline").verdict == "worse"
    assert of(judged.changes, "", "latency_mean").verdict == "equal"


def test_names_with_most_requests_are_compared_first() -> None:
    """Beyond the cap they are counted, and never compared in silence."""
    judged = judge(history(3, 9), None, LoadRunSettings(max_endpoints=1))
    assert judged is not None
    assert {item.name for item in judged.changes} == {"", "GET /"}
    assert judged.left_out == 2


def test_a_name_that_is_new_has_no_evidence() -> None:
    """An endpoint that only the newest run has is compared with nothing; an endpoint that is gone is not reported."""
    runs = history(12, 99, {"GET /": 0.5, "GET /old": 0.5})
    runs.append(load_run(START + 20 * DAY, names={"GET /": 0.5, "GET /new": 0.5}))
    judged = judge(runs, runs[0], SETTINGS)
    assert judged is not None
    assert of(judged.changes, "GET /new", "latency_p95").verdict == "no_evidence"
    assert of(judged.changes, "GET /new", "latency_p95", "baseline").reference is None
    assert not [item for item in judged.changes if item.name == "GET /old"]


def test_endpoints_that_share_a_name_are_told_apart_by_method() -> None:
    """Locust's GET /cart and POST /cart are both called /cart; in runs with only one of them too."""

    def renamed(run: LoadRun) -> LoadRun:
        return replace(run, endpoints=tuple(_split(item) for item in run.endpoints))

    def _split(item: RunEndpoint) -> RunEndpoint:
        method, _, name = item.name.partition(" ")
        return replace(item, name=name, method=method)

    runs = [renamed(run) for run in history(9, 99, {"GET /cart": 0.5, "POST /cart": 0.5})]
    runs[0] = replace(runs[0], endpoints=runs[0].endpoints[:1])
    judged = judge(runs, None, SETTINGS)
    assert judged is not None
    assert {item.name for item in judged.changes} == {"", "GET /cart", "POST /cart"}
    assert of(judged.changes, "GET /cart", "latency_p50").samples == 9
    assert of(judged.changes, "POST /cart", "latency_p50").samples == 8


def test_what_the_newest_run_does_not_tell_is_not_compared() -> None:
    """Without failures there is no error ratio, rather than one of zero."""
    runs = history(10, 99)
    runs[-1] = replace(runs[-1], total=replace(runs[-1].total, failures=None))
    judged = judge(runs, None, SETTINGS)
    assert judged is not None
    assert judged.grade is None
    assert not [item for item in judged.changes if item.name == "" and item.metric == "error_ratio"]
    assert of(judged.changes, "GET /", "error_ratio").value == pytest.approx(0.01, abs=0.01)
