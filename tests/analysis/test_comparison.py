"""One run against one other."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.analysis import histogram
from exporter.analysis.arithmetic import Floats
from exporter.analysis.comparison import Measured, against_baseline, cliffs_delta, independent_share
from exporter.model.loadrun import Figures, Latencies
from exporter.model.loadrun_judgement import Change
from exporter.model.settings import LoadRunSettings
from tests.making_runs import load_run

SETTINGS = LoadRunSettings()


def latencies(requests: int, factor: float = 1.0, seed: int = 1) -> Floats:
    return 0.1 * factor * np.random.default_rng(seed).lognormal(0, 0.5, requests)


def counts(values: Floats) -> histogram.Counts:
    return np.bincount(histogram.index(values), minlength=histogram.SIZE)


def measured(
    requests: int = 20_000, factor: float = 1.0, failures: int | None = 0, seed: int = 1, share: float = 1.0
) -> Measured:
    values = latencies(requests, factor, seed)
    live_latencies = histogram.latencies(
        histogram.sparse(counts(values)), float(values.min()), float(values.sum()), float(values.max())
    )
    return Measured(Figures(requests, failures, latency=live_latencies), 600.0, share)


def compared(now: Measured, then: Measured, name: str = "latency_p95", noise: float | None = None) -> Change:
    change = against_baseline(now, then, name, noise, SETTINGS)
    assert change is not None
    return change


@pytest.mark.parametrize("name", ["latency_mean", "latency_p50", "latency_p95", "latency_p99"])
def test_a_slower_run_is_worse_a_faster_one_better(name: str) -> None:
    """30 % either way, with 20,000 requests on both sides."""
    slow = compared(measured(factor=1.3, seed=2), measured(), name)
    assert (slow.verdict, slow.severity, slow.against, slow.samples) == ("worse", "high", "baseline", 20_000)
    assert slow.ratio == pytest.approx(0.3, abs=0.05)
    assert compared(measured(factor=0.7, seed=2), measured(), name).verdict == "better"


def test_the_same_is_equal() -> None:
    """Median and mean of many requests, whose interval lies within the tolerance."""
    now, then = measured(200_000, seed=2), measured(200_000)
    assert {compared(now, then, name).verdict for name in ("latency_mean", "latency_p50", "error_ratio")} == {"equal"}


def test_few_requests_are_no_evidence() -> None:
    """40 requests do not tell a P95 of 20 % more from chance, and five tell nothing at all."""
    few = compared(measured(40, 1.2, seed=2), measured())
    assert (few.verdict, few.severity) == ("no_evidence", None)
    nothing = compared(measured(5, 3.0), measured(), "latency_p50")
    assert (nothing.verdict, nothing.least, nothing.most) == ("no_evidence", None, None)


def test_requests_that_depend_on_each_other_are_fewer() -> None:
    """The same files with a thousandth of independent requests no longer tell a difference."""
    assert compared(measured(factor=1.15, seed=2), measured()).verdict == "worse"
    assert compared(measured(factor=1.15, seed=2, share=0.001), measured()).verdict == "no_evidence"


def test_runs_that_scatter_need_more_of_a_difference() -> None:
    """15 % are told apart where runs scatter by 1 %, not where history has them scatter by 6 %."""
    now, then = measured(factor=1.15, seed=2), measured()
    assert compared(now, then, noise=0.01).verdict == "worse"
    assert compared(now, then, noise=0.06).verdict == "no_evidence"


def test_error_ratios_are_compared_by_their_difference() -> None:
    """No errors against 2 % is high; none against none is equal with many requests, and no evidence with few."""
    worse = compared(measured(failures=400), measured(), "error_ratio")
    assert (worse.verdict, worse.severity, worse.ratio) == ("worse", "high", None)
    assert worse.effect == pytest.approx(2 * np.arcsin(np.sqrt(0.02)))
    assert compared(measured(), measured(), "error_ratio").verdict == "equal"
    assert compared(measured(300), measured(300), "error_ratio").verdict == "no_evidence"


def test_less_load_served_is_worse() -> None:
    """Half of the requests in the same time; it has no effect size."""
    change = compared(measured(10_000), measured(), "request_rate")
    assert (change.verdict, change.severity, change.ratio, change.effect) == ("worse", "critical", -0.5, None)


def test_percentiles_without_a_histogram_are_compared_by_what_lies_between_them() -> None:
    """A summary's percentiles tell roughly how dense the requests are around each."""
    now, then = (
        Measured(Figures(20_000, 0, latency=Latencies(p50=f, p90=1.9 * f, p95=2.3 * f, p99=3.2 * f, max=6 * f)), 600, 1)
        for f in (0.13, 0.1)
    )
    assert compared(now, then).verdict == "worse"
    assert compared(now, now).verdict in ("equal", "no_evidence")
    assert compared(now, then).effect is None


def test_a_percentile_alone_tells_nothing_of_its_own_scatter() -> None:
    """Without any other figure there is no evidence, unless history tells how much runs scatter."""
    now, then = (Measured(Figures(20_000, 0, latency=Latencies(p95=p95)), 600, 1) for p95 in (0.3, 0.2))
    assert compared(now, then).verdict == "no_evidence"
    assert compared(now, then, noise=0.02).verdict == "worse"


def test_what_only_one_run_tells_is_not_compared() -> None:
    """Without a reference there is no evidence, without a value not even a comparison."""
    untold = Measured(Figures(1000), 600, 1)
    assert compared(measured(), untold, "error_ratio").verdict == "no_evidence"
    assert against_baseline(untold, measured(), "error_ratio", None, SETTINGS) is None


def test_cliffs_delta_is_that_of_all_pairs() -> None:
    """As by comparing each request with each, but for those in one bucket."""
    now, then = latencies(300, 1.2, seed=2), latencies(400)
    pairs = np.sign(now[:, None] - then[None, :]).mean()
    assert cliffs_delta(counts(now), counts(then)) == pytest.approx(pairs, abs=0.01)
    assert cliffs_delta(counts(now), counts(now)) == pytest.approx(0)
    assert cliffs_delta(counts(now + 100), counts(then)) == 1


def test_a_chance_difference_is_seldom_taken_for_one() -> None:
    """Of 200 pairs of the same run that scatter by the assumed 1 %, at most one is worse in its P95."""
    chance, worse = np.random.default_rng(4), 0
    for seed in range(200):
        now, then = (measured(2000, float(np.exp(chance.normal(0, 0.01))), seed=2 * seed + side) for side in (0, 1))
        worse += compared(now, then).verdict == "worse"
    assert worse <= 1


def test_the_share_of_independent_requests_comes_from_the_minutes() -> None:
    """A run whose latency drifts over its minutes has fewer than one whose requests are independent."""
    assert 0 < independent_share(load_run(duration=1800)) <= 1
    assert independent_share(load_run(duration=50)) == 1


def test_runs_that_failed_altogether_are_not_better_than_each_other() -> None:
    """No interval reaches beyond 100 %, nor comes back from there: 20 requests of 20 failed, as before."""
    same = compared(measured(20, failures=20), measured(20, failures=20), "error_ratio")
    assert (same.verdict, same.value, same.most) == ("no_evidence", 1.0, 1.0)
