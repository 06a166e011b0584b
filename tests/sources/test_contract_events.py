"""What a source promises that counts events for SLOs, which no rule can read from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from exporter import sources
from exporter.config import REQUIRED
from exporter.model.observation import (
    Events,
    Window,
)
from exporter.model.slo_settings import Side
from exporter.sources import Counting
from tests import seed
from tests.building_sources import BUILD, DAY, LOOKBACK, PRODUCTION, THRESHOLD, Built, choose


def test_only_what_rules_can_read_needs_no_counters() -> None:
    """Every kind but those that Prometheus holds counts events."""
    sides = {kind: module for kind, module in sources.kinds().items() if set(sources.roles(module)) & set(REQUIRED)}
    assert {kind for kind, module in sides.items() if not issubclass(module.Source, Counting)} == {"prometheus"}


@pytest.fixture(scope="module", params=[k for k in PRODUCTION if issubclass(sources.kinds()[k].Source, Counting)])
def counting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with BUILD[request.param](tmp_path_factory.mktemp(request.param)) as built:
        yield built


def count(built: Built, role: Side, **windows: Window) -> Mapping[str, Events]:
    """Events of the applications in their windows."""
    source = built.source(built.production if role == "production" else built.pte)
    assert isinstance(source, Counting)
    events = source.events(role, windows)
    source.close()
    return events


def test_events_are_those_that_were_observed(counting: Built) -> None:
    """Over the day that was observed, events, failures and latencies are those of the observation."""
    events, observation = (
        count(counting, "production", shop=DAY)["shop"],
        counting.source(counting.production).observe(DAY),
    )
    shop = observation.applications["shop"]
    assert shop.latency is not None
    assert events.window == DAY
    assert events.latency is not None
    assert events.requests == pytest.approx(shop.latency.requests)
    assert events.latency.requests == pytest.approx(shop.latency.requests)
    assert dict(events.latency.buckets) == pytest.approx(dict(shop.latency.buckets))
    assert (events.errors or 0.0) / (events.requests or 1.0) == pytest.approx(shop.signals["error_ratio"].mean)


def test_neighbouring_windows_add_up(counting: Built) -> None:
    """Counted hour by hour, or each application in its own window, nothing is lost and nothing counts twice."""
    start = seed.END - 4 * 3600.0
    hours = [Window(start + 3600.0 * n, start + 3600.0 * (n + 1)) for n in range(4)]
    both = [count(counting, "production", shop=hour, checkout=Window(start, hour.end)) for hour in hours]
    whole = count(counting, "production", shop=Window(start, seed.END), checkout=Window(start, seed.END))
    for part in ("requests", "errors"):
        parts = [getattr(events["shop"], part) for events in both]
        assert sum(parts) == pytest.approx(getattr(whole["shop"], part))
        assert min(parts) > 0
    assert [events["shop"].window for events in both] == hours
    assert both[-1]["checkout"] == whole["checkout"]


def test_only_what_was_asked_for_is_counted(counting: Built) -> None:
    """Applications that were not requested, are unknown or did not run have no key; an idle one has no events."""
    assert count(counting, "production") == {}
    assert count(counting, "production", nobody=DAY) == {}
    assert count(counting, "production", archive=DAY)["archive"].requests == 0.0
    run = counting.source(counting.pte).observe_runs(LOOKBACK, THRESHOLD, choose).applications["shop"].window
    assert (count(counting, "pte", shop=run)["shop"].requests or 0.0) > 0
    assert count(counting, "pte", shop=Window(run.start - 7200.0, run.start - 3600.0)) == {}
