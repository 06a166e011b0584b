"""What every kind of source promises, checked for each that there is; a new kind without an entry in BUILD fails."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest

from exporter import sources
from exporter.config import ROLES
from exporter.errors import REASONS, SourceError
from exporter.model.observation import (
    GAUGE_SIGNALS,
    LATENCY_MEAN,
    LATENCY_STATS,
    MINUTE,
    PATTERN_STEP,
    QUANTILES,
    ApplicationObservation,
    Observation,
    Samples,
    Window,
)
from exporter.model.settings import Settings
from exporter.sources import Counting, Source, demo, recorded
from tests import seed
from tests.building_sources import BUILD, DAY, LOOKBACK, PRODUCTION, THRESHOLD, WEEK, Built, choose


@pytest.fixture(scope="module", params=PRODUCTION)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    if request.param not in BUILD:
        pytest.fail(f"the kind {request.param} has no entry in BUILD: say how it is built on the made-up shop")
    with BUILD[request.param](tmp_path_factory.mktemp(request.param)) as built:
        yield built


@pytest.fixture(scope="module")
def production(built: Built) -> Observation:
    return built.source(built.production, "prod-eu").observe(DAY, WEEK)


@pytest.fixture(scope="module")
def runs(built: Built) -> Observation:
    return built.source(built.pte, "perf").observe_runs(LOOKBACK, THRESHOLD, choose)


def everyone(*observations: Observation) -> Iterator[ApplicationObservation]:
    for observation in observations:
        yield from observation.applications.values()


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


@pytest.mark.parametrize("kind", sorted(sources.kinds()))
def test_module_has_what_the_registry_asks_for(kind: str) -> None:
    """A kind names itself, says which roles it serves, refuses unknown options and has the protocol's arguments."""
    module = sources.kinds()[kind]
    assert kind == module.KIND
    assert set(sources.roles(module)) <= set(ROLES)
    assert issubclass(module.Options, Settings)
    methods = [(Source, name) for name in ("observe", "observe_runs", "close")]
    for protocol, method in [*methods, (Counting, "events")]:
        if protocol is Counting and not issubclass(module.Source, Counting):
            continue
        expected, actual = (inspect.signature(getattr(item, method)) for item in (protocol, module.Source))
        assert [(p.name, p.default) for p in actual.parameters.values()] == [
            (p.name, p.default) for p in expected.parameters.values()
        ]


def test_side_and_windows_are_those_asked_for(production: Observation, runs: Observation) -> None:
    """The observation carries the side's configured name and the window, and a run its own."""
    assert (production.side, production.window) == ("prod-eu", DAY)
    assert all(application.window == DAY and application.run is None for application in everyone(production))
    assert (runs.side, runs.window) == ("perf", LOOKBACK)
    for application in everyone(runs):
        assert application.run is not None
        assert application.window == application.run.window
        assert LOOKBACK.start <= application.window.start < application.window.end <= LOOKBACK.end


def test_the_shop_is_seen(built: Built, production: Observation, runs: Observation) -> None:
    """All applications are there with all that the kind can know, and those without a run have no key in the PTE."""
    assert set(production.applications) == {"shop", "checkout", "search", "archive"}
    assert set(runs.applications) == {"shop", "checkout", "archive"}
    for application in (production.applications["shop"], runs.applications["shop"]):
        assert set(application.signals) == {*GAUGE_SIGNALS, LATENCY_MEAN} - built.unknown
        assert application.latency is not None
        assert bool(application.latency.buckets) == ("buckets" not in built.unknown)
        statistics = {name for name in LATENCY_STATS if getattr(application.latency, name) is not None}
        assert statistics == {*LATENCY_STATS} - built.unknown
    assert len(production.applications["shop"].routes) == 45


def test_what_was_not_measured_is_absent(production: Observation) -> None:
    """The idle application has a request rate of zero, and neither errors, latency nor routes."""
    idle = production.applications["archive"]
    assert idle.signals["request_rate"].peak == 0.0
    assert "error_ratio" not in idle.signals
    assert idle.latency is None
    assert idle.routes == ()


def test_numbers_are_finite(production: Observation, runs: Observation) -> None:
    """Nothing is NaN or infinite, and every summary has samples."""
    assert all(math.isfinite(number) for item in (production, runs) for number in numbers(msgspec.to_builtins(item)))
    assert all(
        summary.samples for application in everyone(production, runs) for summary in application.signals.values()
    )


def test_a_whole_day_has_every_minute(production: Observation) -> None:
    """A day is 1440 one-minute values, and the request rate has its quantiles, between its least and its peak."""
    for application in everyone(production):
        rate = application.signals["request_rate"]
        assert rate.samples == 1440
        assert set(rate.quantiles) == set(QUANTILES)
        ordered = [rate.min, *(rate.quantiles[q] for q in QUANTILES), rate.peak]
        assert ordered == sorted(ordered, key=lambda value: value or 0.0)


def test_series_ascend_on_their_steps(production: Observation, runs: Observation) -> None:
    """Minutes and pattern lie inside their windows, in order, on their steps, with a value each."""

    def check(samples: Samples | None, window: Window, step: float) -> None:
        assert samples is not None
        times = samples.times
        assert len(times) == len(samples.values) == round(window.duration / step)
        assert times == tuple(window.start + step * (position + 1) for position in range(len(times)))

    for application in everyone(production):
        check(application.pattern, WEEK, PATTERN_STEP)
    for application in everyone(runs):
        check(application.minutes, application.window, MINUTE)


def test_pattern_is_only_there_when_asked_for(built: Built) -> None:
    """Without a pattern window no pattern is given."""
    observation = built.source(built.production).observe(DAY)
    assert observation.applications
    assert all(application.pattern is None for application in everyone(observation))


def test_routes_are_unique_and_were_called(production: Observation, runs: Observation) -> None:
    """Each method and route occurs once, with requests, and no more successes than requests."""
    for application in everyone(production, runs):
        assert len({(route.method, route.route) for route in application.routes}) == len(application.routes)
        assert all(route.requests > 0 for route in application.routes)
        assert all(route.successes is not None for route in application.routes)
        assert all((route.successes or 0.0) <= route.requests * (1 + 1e-6) for route in application.routes)


def test_json_and_back(production: Observation, runs: Observation) -> None:
    """Written as JSON and read again, an observation is the same."""
    for observation in (production, runs):
        assert msgspec.json.decode(msgspec.json.encode(observation), type=Observation) == observation


def test_asked_again_it_says_the_same(built: Built, production: Observation, runs: Observation) -> None:
    """One source can be asked any number of times, and the past does not change."""

    def timeless(observation: Observation) -> Observation:
        queries = 0 if built.remembers else observation.queries
        return dataclasses.replace(observation, clock_skew=None, queries=queries)

    source = built.source(built.production, "prod-eu")
    assert timeless(source.observe(DAY, WEEK)) == timeless(source.observe(DAY, WEEK)) == timeless(production)
    pte = built.source(built.pte, "perf")
    assert timeless(pte.observe_runs(LOOKBACK, THRESHOLD, choose)) == timeless(runs)
    source.close()
    pte.close()


def test_idle_pte_is_no_error(built: Built) -> None:
    """Without a run, no application has a key, and no error is raised."""
    if built.module is recorded:
        idle = built.pte.file.parent / "idle.json"
        idle.write_bytes(msgspec.json.encode({"observations": {"pte": Observation("perf", DAY, {})}}))
        source = built.source(recorded.Options(file=idle), "perf")
    else:
        source = built.source(built.pte, "perf")
    hours = Window(seed.END - 3600.0, seed.END)
    assert source.observe_runs(hours, THRESHOLD, choose).applications == {}


def test_failure_is_one_line_with_a_reason(built: Built) -> None:
    """What cannot be read is a SourceError with a known reason, not at construction but at every poll."""
    if built.unreadable is None:
        assert built.module is demo, "only the demo has nothing to read"
        return
    source = built.source(built.unreadable)
    ask: list[Callable[[], object]] = [
        lambda: source.observe(DAY, WEEK),
        lambda: source.observe_runs(LOOKBACK, THRESHOLD, choose),
        lambda: source.observe(DAY),
    ]
    if isinstance(source, Counting):
        events = source.events
        ask.append(lambda: events("production", {"shop": DAY}))
    for item in ask:
        with pytest.raises(SourceError) as caught:
            item()
        assert caught.value.reason in REASONS
        assert "\n" not in str(caught.value)
    source.close()
