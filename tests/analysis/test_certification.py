"""Whether the certification holds, why not, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter import sources
from exporter.analysis import certification
from exporter.analysis.assessment import analyse
from exporter.commands.configuration import DEMO
from exporter.model.observation import ApplicationObservation, Latency, Observation, Samples, Summary, TestRun, Window
from exporter.model.results import REASONS, Certification, Gap
from exporter.model.settings import AnalysisSettings, CertificationSettings
from exporter.model.slo_settings import ErrorSli, SliSettings, SloSettings
from tests import servers
from tests.analysis import making
from tests.analysis.making import AT, DAY, SIDES, side

LIVE_ROUTES = making.routes(a=60_000, b=30_000, c=10_000)


def rates(peak: float) -> Samples:
    values = [peak / 2] * 2016
    values[1000] = peak
    return Samples(tuple(AT - 7 * DAY + 300.0 * (i + 1) for i in range(2016)), tuple(values))


AVAILABILITY = SloSettings("availability", "shop", 98.0, SliSettings(errors=ErrorSli()))


def signals(request_rate: float, error_ratio: float) -> dict[str, Summary]:
    """Constant traffic."""
    values = {"request_rate": request_rate, "error_ratio": error_ratio}
    return {name: Summary(peak=value, mean=value) for name, value in values.items()}


LIVE = making.production(
    making.peaks(request_rate=100.0, error_ratio=0.01),
    Latency(p95=0.1, p99=0.2, requests=1e6),
    LIVE_ROUTES,
    rates(100.0),
)
RUN = making.run(signals(request_rate=110.0, error_ratio=0.01), Latency(p95=0.1, p99=0.2, requests=1e6), LIVE_ROUTES)
BEFORE = making.production(counts=LIVE_ROUTES, pattern=rates(95.0))


def certified(
    production: ApplicationObservation | None = LIVE,
    test: ApplicationObservation | None = RUN,
    before: ApplicationObservation | None = BEFORE,
    slos: Sequence[SloSettings] = (AVAILABILITY,),
) -> Certification:
    snapshot = analyse(
        side("production", **({"shop": production} if production else {})),
        side("pte", **({"shop": test} if test else {})),
        {"shop": before} if before else {},
        AnalysisSettings(expected=("shop",)),
        AT,
        SIDES,
        slos=slos,
    )
    return snapshot.applications["shop"].certification


def test_it_holds() -> None:
    """A fresh test of all endpoints beyond production's peak holds, every reason judged, told in numbers."""
    result = certified()
    assert result.holds is True
    assert dict(result.reasons) == dict.fromkeys(REASONS, False)
    assert result.sentence == (
        "The certification holds: the test is 1 day old, reached 110 % of production's peak (the nearest limit: at "
        "least 90 % of the peak) and covered 100 % of its requests."
    )


def test_the_nearest_limit_is_named() -> None:
    """Where something else than the usual facts is nearest to its limit, it is told with value and limit."""
    result = certified(before=replace(BEFORE, pattern=rates(84.0)))
    assert result.sentence == (
        "The certification holds: the test is 1 day old, reached 110 % of production's peak and covered 100 % of its "
        "requests; nearest to its limit: production's peak grew by 19 % since the test (limit: at most 20 %)."
    )


def test_a_limit_of_nothing_is_not_near() -> None:
    """With nothing asked of the load, and a run that has just ended, what is told as nearest is still a limit."""
    bare = making.production(making.peaks(request_rate=100.0))
    test = making.run(making.peaks(request_rate=95.0), age=0.0)
    settings = AnalysisSettings(certification=CertificationSettings(load_coverage=0.0))
    snapshot = analyse(side("production", shop=bare), side("pte", shop=test), {}, settings, AT, SIDES)
    assert snapshot.applications["shop"].certification.sentence.startswith(
        "The certification holds: the test is 0 seconds old (the nearest limit: at most 30 days) and reached 95 % of"
    )


def test_what_is_most_serious_comes_first() -> None:
    """Load that was never tested stands before growth, growth before age, and each has its value and limit."""
    old = TestRun(Window(0.0, AT - 45 * DAY), "detected")
    test = replace(RUN, run=old, signals=making.peaks(request_rate=60.79891, error_ratio=0.01))
    result = certified(test=test, before=replace(BEFORE, pattern=rates(52.0)))
    assert result.sentence == (
        "The certification does not hold: the test reached 60.8 % of production's peak (limit: at least 90 %); "
        "production's peak grew by 92.3 % since the test (limit: at most 20 %); the test is 45 days old "
        "(limit: at most 30 days)."
    )


def test_all_reasons_have_their_place() -> None:
    """The order of telling knows every reason."""
    assert sorted(certification.SERIOUS) == sorted(REASONS)


SLOW = Latency(p95=0.16, p99=0.2, requests=1e6)
SLOWER = replace(SLOW, p99=0.5)
FEW = making.routes(a=60_000)
OTHER = making.routes(a=10_000, b=30_000, c=60_000)


@pytest.mark.parametrize(
    ("reason", "changes", "words"),
    [
        (
            "too_old",
            {"test": replace(RUN, run=TestRun(Window(0.0, AT - 31 * DAY), "detected"))},
            "the test is 31 days old",
        ),
        ("outgrown_peak", {"before": replace(BEFORE, pattern=rates(80.0))}, "production's peak grew by 25 %"),
        ("outgrown_mix", {"before": replace(BEFORE, routes=OTHER)}, "production's traffic mix moved by 50 %"),
        ("load_coverage", {"test": replace(RUN, signals=making.peaks(request_rate=89.0))}, "the test reached 89 %"),
        ("weighted_coverage", {"test": replace(RUN, routes=FEW)}, "60 % of production's requests go to tested"),
        ("mix", {"test": replace(RUN, routes=OTHER)}, "the test's traffic mix differs from production's by 50 %"),
        (
            "latency",
            {"test": replace(RUN, latency=SLOW)},
            "P95 latency in the test (160 ms) is 1.6 times production's (100 ms), a critical gap",
        ),
        (
            "errors",
            {"test": replace(RUN, signals=making.peaks(request_rate=110.0, error_ratio=0.02))},
            "error ratio in the test (2 %) is 2 times production's (1 %), a critical gap",
        ),
        (
            "objective",
            {"test": replace(RUN, signals=signals(request_rate=110.0, error_ratio=0.021))},
            "the run would not have met the objective availability: 2.1 % of requests failed (limit: at most 2 %)",
        ),
        (
            "efficacy",
            {"test": replace(RUN, routes=making.routes(c=500), latency=SLOWER)},
            "the test's efficacy is 53.3 % (limit: at least 60 %)",
        ),
    ],
)
def test_each_reason_alone_is_enough(reason: str, changes: dict[str, Any], words: str) -> None:
    """Each reason makes the certification fail and is named with its numbers."""
    result = certified(**changes)
    assert result.holds is False
    assert result.reasons[reason] is True
    assert words in result.sentence


CONFIGURATIONS = {
    "defaults": AnalysisSettings(),
    "demo": sources.read(DEMO).analysis,
    "stack": sources.read(servers.TOP / "deploy" / "stack" / "exporter.yml").analysis,
}


@pytest.mark.parametrize("settings", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_a_run_can_be_seen_to_be_too_old(settings: AnalysisSettings) -> None:
    """Runs are searched for longer than they count, else an old one would vanish before it could be told."""
    assert settings.test_run.lookback >= settings.certification.max_age + DAY


def test_objectives_are_missed_only_where_there_are_some() -> None:
    """Without objectives none is judged, nor told as one that could not be; with one, but no data, it is."""
    counts = replace(RUN, signals=making.peaks(request_rate=110.0, error_ratio=0.01))
    assert "objective" not in certified(slos=()).reasons
    assert "Not judged" not in certified(slos=()).sentence
    result = certified(test=counts)
    assert result.holds is True
    assert "objective" not in result.reasons
    assert result.sentence.endswith("Not judged because data is missing: objective.")


def test_the_worst_objective_is_told() -> None:
    """Of several objectives that which the run missed by most is named; one that it met may be nearest to its limit."""
    strict = msgspec.structs.replace(AVAILABILITY, name="strict", objective=99.9)
    slack = msgspec.structs.replace(AVAILABILITY, name="slack", objective=90.0)
    missed = certified(slos=(AVAILABILITY, strict, slack))
    assert missed.sentence == (
        "The certification does not hold: the run would not have met the objective strict: 1 % of requests failed "
        "(limit: at most 0.1 %)."
    )
    near = certified(slos=(slack, msgspec.structs.replace(AVAILABILITY, objective=98.9)))
    assert near.sentence.endswith(
        "; nearest to its limit: the run would have met the objective availability: 1 % of requests failed "
        "(limit: at most 1.1 %)."
    )


def test_fewer_errors_in_the_pte_are_no_reason() -> None:
    """A clean PTE does not speak against the certification, however bad production is."""
    clean = replace(RUN, signals=making.peaks(request_rate=110.0, error_ratio=0.0))
    assert certified(test=clean).reasons["errors"] is False


def test_never_tested() -> None:
    """Without a run there is no evidence, and the reason says so."""
    result = certified(test=None, before=None)
    assert (result.holds, dict(result.reasons)) == (None, {"no_test_run": True})
    assert result.sentence == "The certification cannot be judged: no test run was found."


@pytest.mark.parametrize(
    ("production", "test", "words"),
    [
        (None, RUN, "production was not observed"),
        (replace(LIVE, signals=making.peaks(request_rate=0.0)), RUN, "production had no traffic"),
        (replace(LIVE, signals={}, latency=None), RUN, "production's request rate is unknown"),
        (LIVE, replace(RUN, signals={}, latency=None, routes=()), "the test run left no data"),
        (LIVE, replace(RUN, signals={}), "the test's request rate is unknown"),
    ],
)
def test_no_evidence(production: ApplicationObservation | None, test: ApplicationObservation, words: str) -> None:
    """A side without data leaves the verdict open and names what is missing."""
    result = certified(production, test)
    assert result.holds is None
    assert result.sentence == f"The certification cannot be judged: {words}."


@pytest.mark.parametrize(
    ("production", "pte", "words"),
    [
        (None, side("pte", shop=RUN), "production was"),
        (side("production", shop=LIVE), None, "the test environment was"),
    ],
)
def test_side_that_was_not_observed(production: Observation | None, pte: Observation | None, words: str) -> None:
    """A source that could not be read leaves the verdict open, and a run that nobody looked for is not missed."""
    result = analyse(production, pte, {}, AnalysisSettings(), AT, SIDES).applications["shop"].certification
    assert result.holds is None
    assert words in result.sentence
    assert not result.reasons.get("no_test_run")


def test_what_could_not_be_judged_is_named() -> None:
    """A certification that holds says what it could not look at."""
    bare = making.production(making.peaks(request_rate=100.0))
    result = certified(bare, making.run(making.peaks(request_rate=95.0)), None)
    assert result.holds is True
    assert result.sentence.endswith(
        "Not judged because data is missing: outgrown peak, outgrown mix, weighted coverage, mix, latency, errors, "
        "objective, efficacy."
    )


_VALUES = st.floats(min_value=0.0, max_value=1e6)


@given(st.sampled_from([*certification.LATENCIES, "error_ratio"]), _VALUES, _VALUES)
@example("latency_p99", 1.58, 0.607)
@example("latency_p95", 0.1, 0.1)
@example("latency_p95", 0.1, 0.104)
@example("error_ratio", 0.0, 0.02)
@example("error_ratio", 0.02, 0.0)
def test_the_sentence_about_a_gap_is_true(signal: str, production: float, pte: float) -> None:
    """The side named first is never the smaller one, and a factor is that of the two values."""
    gap = Gap(signal, production, pte, None, "critical", "worse", {}, None)
    text = certification.describe_gap(gap)
    larger = max(production, pte)
    smaller = min(production, pte)
    assert (" in production (" in text) == (production > pte)
    assert (" in the test (" in text) == (production <= pte)
    assert (" equal to " in text) == (production == pte)
    if " times " in text:
        factor = float(text.split(" times ")[0].rsplit(" ", 1)[1])
        assert factor == pytest.approx(larger / smaller, rel=0.006)
        assert factor >= 1.05
    if " close to " in text:
        assert smaller < larger < smaller * 1.05
    assert text.endswith(", a critical gap")


def test_a_gap_reads_like_a_sentence() -> None:
    """Production slower and production faster, each with both values; a gap of no severity is not called one."""
    slower = Gap("latency_p99", 1.58, 0.607, None, "critical", "better", {}, None)
    assert certification.describe_gap(slower) == (
        "P99 latency in production (1.58 s) is 2.6 times what the test showed (607 ms), a critical gap"
    )
    faster = Gap("latency_mean", 0.1, 0.16, None, "none", "worse", {}, None)
    assert certification.describe_gap(faster) == "mean latency in the test (160 ms) is 1.6 times production's (100 ms)"
