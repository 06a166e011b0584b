"""Too few calls for a poll: important data first, the rest with a warning and later, never half of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.errors import SourceError
from exporter.model.observation import Observation, Window
from tests.polling_controller import DAY, Estate, estate

APPLICATION = 11
HISTORY = 6


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path) as estate_fixture:
        yield estate_fixture


def without_cost(observation: Observation) -> Observation:
    """Without the cost of an observation."""
    return replace(observation, queries=0, warnings=())


def test_history_waits_first(there: Estate) -> None:
    """With calls for a day of all and no more, only the patterns are missing; they come poll by poll, each whole."""
    most = 1 + 4 * APPLICATION + 10
    source = there.source(calls={"per_poll": most})
    patterns = []
    for poll in range(4):
        observation = there.poll(source)
        assert observation.queries <= most
        assert {
            len(application.signals) for name, application in observation.applications.items() if name != "archive"
        } == {5}
        patterns.append(
            [name for name, application in observation.applications.items() if application.pattern is not None]
        )
        whole = poll == 2
        assert bool(observation.warnings) != (whole or poll == 3)
    assert patterns[:3] == [["shop"], ["shop", "checkout", "search"], ["shop", "checkout", "search", "archive"]]
    assert without_cost(observation) == without_cost(there.poll(there.source()))


def test_the_warning_says_what_and_what_to_do(there: Estate) -> None:
    """One line: number, purpose and applications of missing calls, and the option to raise."""
    observation = there.poll(there.source(calls={"per_poll": 1 + 4 * APPLICATION + 10}))
    assert observation.warnings == (
        "calls.per_poll is 55, and 69 are needed: the next polls fetch the rest, raise it to get "
        "everything now: 14 for history (checkout, search and archive)",
    )


def test_what_is_left_out_by_every_poll_is_not_promised(there: Estate) -> None:
    """Fewer calls than every poll needs: routes and incidents are missing from each, and the warning says so."""
    source = there.source(calls={"per_poll": 25})
    for _ in range(3):
        observation = there.poll(source, after=60.0)
        assert not any(
            application.routes or application.incidents is not None for application in observation.applications.values()
        )
        assert "69 are needed: raise it: the next polls continue with history and" in observation.warnings[0]
        assert "and omit the rest again: 4 for signals (shop, checkout, search and archive)" in observation.warnings[0]


def test_order_of_what_is_left_out(there: Estate) -> None:
    """Series of minutes come before percentiles, routes and incidents; incomplete data is absent.

    Without its routes an application could count as well tested, because untested ones are missing.
    """
    signals = 1 + 4 * (3 + 1 + 2 + 1)
    observation = there.poll(there.source(calls={"per_poll": signals + 3}))
    assert set(observation.applications) == {"shop"}, "of checkout requests were asked for, failures not"
    shop = observation.applications["shop"]
    assert shop.routes
    assert shop.incidents is None
    assert shop.latency is not None
    assert shop.latency.p95 is not None
    few = there.poll(there.source(calls={"per_poll": 1 + 4}))
    assert few.applications == {}
    [warning] = few.warnings
    for text in ("for signals", "for routes", "for incidents", "for history"):
        assert text in warning


def test_a_day_of_which_half_is_known_is_absent(there: Estate) -> None:
    """Where a later poll cannot ask for the newest minutes, the day that ends with them has no figure."""
    source = there.source("shop", "search")
    there.poll(source)
    tight = there.source("shop", "search", calls={"per_poll": 4})
    tight._cache = source._cache  # what is known is the same, what may be asked is not
    observation = there.poll(tight, after=300.0)
    assert observation.applications == {}
    assert "11 for signals (search and shop)" in observation.warnings[0]
    assert there.poll(source).applications == there.poll(there.source("shop", "search")).applications


def test_the_past_is_told_whole_or_not_at_all(there: Estate) -> None:
    """Production before a run is observed once and cached: with too few calls it fails, the next poll completes it."""
    day, week = Window(there.end - 5 * DAY, there.end - 4 * DAY), Window(there.end - 11 * DAY, there.end - 4 * DAY)
    source = there.source("shop", calls={"per_poll": 1 + APPLICATION + HISTORY + 9})
    there.poll(source)
    with pytest.raises(SourceError, match=r"calls\.per_poll is 27, of which the poll left 9, and") as caught:
        source.observe(day, week)
    assert caught.value.reason == "rate_limited"
    there.poll(source)
    before = source.observe(day, week)
    assert without_cost(before) == without_cost(there.source("shop").observe(day, week))


def test_the_past_leaves_the_present_alone(there: Estate) -> None:
    """Old windows do not evict today's cache."""
    source = there.source("shop")
    there.poll(source)
    source.observe(Window(there.end - 5 * DAY, there.end - 4 * DAY))
    there.controller.forget()
    assert there.poll(source, after=300.0).queries == 1 + APPLICATION


def test_a_look_back_goes_on_where_it_stopped(there: Estate) -> None:
    """Runs are detected newest first and only whole; in the end they equal those of one poll with enough calls."""
    right = there.runs(there.source(suffix="-pte")).applications
    source = there.source(suffix="-pte", calls={"per_poll": 12})
    for _ in range(12):
        observation = there.runs(source)
        assert observation.queries <= 12
        for name, application in observation.applications.items():
            assert application.window == right[name].window
            assert application.signals["request_rate"] == right[name].signals["request_rate"]
        if not [warning for warning in observation.warnings if "per_poll" in warning]:
            break
    assert observation.applications == right
