"""A whole assessment: which applications there are, and that nothing in the observations can break it."""

from __future__ import annotations

import math
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.analysis.assessment import analyse
from exporter.catalogue import ALL
from exporter.model.observation import (
    GAUGE_SIGNALS,
    QUANTILES,
    ApplicationObservation,
    Latency,
    RouteCount,
    Samples,
    Summary,
    TestRun,
    Window,
)
from exporter.model.results import Snapshot
from exporter.model.settings import AnalysisSettings
from tests.analysis import making
from tests.analysis.making import AT, SIDES, side


def snapshot(in_production: ApplicationObservation | None, test: ApplicationObservation | None) -> Snapshot:
    production, pte = (
        side(role, **({"shop": observation} if observation else {}))
        for role, observation in (("production", in_production), ("pte", test))
    )
    return analyse(production, pte, {"shop": in_production} if in_production else {}, AnalysisSettings(), AT, SIDES)


def test_applications_are_those_of_both_sides_and_the_expected() -> None:
    """Each appears once, by name."""
    outcome = analyse(
        side("production", b=making.production(), a=making.production()),
        side("pte", b=making.run(), c=making.run()),
        {},
        AnalysisSettings(expected=("d", "a")),
        AT,
        SIDES,
    )
    assert list(outcome.applications) == ["a", "b", "c", "d"]


def test_nothing_observed() -> None:
    """Without any observation there is nothing to say, and no error."""
    assert analyse(None, None, {}, AnalysisSettings(), AT, SIDES).applications == {}


def test_run_and_phases() -> None:
    """Phases are recognised unless the source knows them, and the age counts from the run's end."""
    rates = making.minutes([100.0] * 20)
    (result,) = snapshot(None, making.run(rates=rates, signals=making.rates(rates), age=3600.0)).applications.values()
    assert result.run is not None
    assert [phase.kind for phase in result.run.phases] == ["steady_state"]
    assert result.pte is not None
    assert result.pte.run == result.run
    assert result.run_age == 3600.0


def test_data_without_a_run_is_a_recorded_run() -> None:
    """What a side was seen to do counts as its run, its window being the run's; without data there is none."""
    window = Window(AT - 7200, AT - 3600)
    observation = ApplicationObservation(window, making.peaks(request_rate=5.0))
    assert snapshot(None, observation).applications["shop"].run == TestRun(window, "recorded")
    assert snapshot(None, ApplicationObservation(window)).applications["shop"].run is None


def test_run_that_ends_later_than_the_round_is_not_of_negative_age() -> None:
    """Clocks differ; an age does not go below zero."""
    assert snapshot(None, making.run(making.peaks(request_rate=5.0), age=-60.0)).applications["shop"].run_age == 0.0


NUMBER = st.one_of(
    st.none(), st.sampled_from((0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e308, 5e-324)), st.floats()
)
COUNT = NUMBER.filter(lambda value: value is not None)
SUMMARY = st.builds(
    Summary,
    mean=NUMBER,
    peak=NUMBER,
    min=NUMBER,
    stddev=NUMBER,
    autocorrelation=NUMBER,
    samples=st.one_of(st.none(), st.integers(0, 2000)),
    quantiles=st.dictionaries(st.sampled_from(QUANTILES), st.floats()),
)
SAMPLES = st.lists(st.floats(), max_size=30).map(lambda values: making.minutes(values, AT - 7200))
WEEK = st.lists(st.floats(), min_size=14, max_size=14).map(
    lambda values: Samples(tuple(AT - 300.0 * (2016 - i) for i in range(2016)), tuple(values) * 144)
)
OBSERVATIONS = st.one_of(
    st.none(),
    st.builds(
        ApplicationObservation,
        window=st.just(Window(AT - 7200, AT)),
        signals=st.dictionaries(st.sampled_from(GAUGE_SIGNALS), SUMMARY),
        latency=st.one_of(
            st.none(), st.builds(Latency, mean=NUMBER, p50=NUMBER, p95=NUMBER, p99=NUMBER, p999=NUMBER, requests=NUMBER)
        ),
        routes=st.lists(
            st.builds(RouteCount, st.sampled_from(("GET", "get", "")), st.text(max_size=5), COUNT, NUMBER), max_size=5
        ).map(tuple),
        minutes=st.one_of(st.none(), SAMPLES),
        pattern=st.one_of(st.none(), WEEK),
    ),
)


@settings(max_examples=100)
@given(OBSERVATIONS, OBSERVATIONS)
def test_no_observation_breaks_the_round(
    in_production: ApplicationObservation | None, test: ApplicationObservation | None
) -> None:
    """Whatever numbers come in, results are finite, and a certification fails exactly when a reason applies."""
    outcome = snapshot(in_production, test)
    for result in outcome.applications.values():
        certification = result.certification
        assert certification.holds is not False or any(certification.reasons.values())
        assert certification.holds is not True or not any(certification.reasons.values())
    observed = (
        "pte_requests_",
        "pte_error_ratio",
        "pte_throughput_",
        "pte_concurrent_",
        "pte_cpu_",
        "pte_memory_",
        "pte_latency_",
    )
    for series in ALL:
        for labels, value in series.read(outcome):
            assert series.name.startswith((*observed, "pte_observed_samples")) or math.isfinite(value), (
                series.name,
                labels,
            )


def test_two_hundred_applications_take_about_a_second() -> None:
    """An assessment of 200 applications with 45 routes and a week of rates is quick enough for any poll."""
    in_production = making.production(
        making.rates(making.noisy(100.0)),
        counts=making.routes(**{f"r{i}": 1000.0 + i for i in range(45)}),
        pattern=Samples(tuple(AT - 300.0 * i for i in reversed(range(2016))), making.noisy(100.0, 2016).values),
    )
    production = side("production", **{f"app{i}": in_production for i in range(200)})
    began = time.process_time()
    analyse(production, side("pte"), {}, AnalysisSettings(), AT, SIDES)
    assert time.process_time() - began < 10
