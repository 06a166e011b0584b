"""Endpoint coverage, by hand and by its laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.coverage import coverage
from exporter.model.observation import RouteCount
from exporter.model.results import Coverage
from exporter.model.settings import RouteSettings
from tests.analysis import making

SETTINGS = RouteSettings()
LIVE = making.routes(a=600, b=300, c=100)
Routes = tuple[RouteCount, ...]


def covered(production: Routes, test: Routes, settings: RouteSettings = SETTINGS) -> Coverage:
    return coverage(making.production(counts=production), making.run(counts=test), settings)


def test_plain_and_weighted() -> None:
    """Two of three endpoints with 90 % of the traffic are covered; the third is named."""
    result = covered(LIVE, making.routes(a=50, b=50))
    assert (result.production_endpoints, result.tested_endpoints) == (3, 2)
    assert result.ratio == pytest.approx(2 / 3)
    assert result.weighted_ratio == pytest.approx(0.9)
    (missed,) = result.untested
    assert missed.route == "/c"
    assert missed.production_share == pytest.approx(0.1)
    assert [e.route for e in result.endpoints] == ["/a", "/b", "/c"]


@pytest.mark.parametrize(("requests", "tested"), [(10, False), (29, False), (30, True)])
def test_few_requests_are_no_test(requests: float, tested: bool) -> None:
    """A route counts from the thirtieth request on."""
    result = covered(LIVE, making.routes(a=1000, b=requests))
    assert result.endpoints[1].tested is tested


@pytest.mark.parametrize(("successes", "tested"), [(0.0, False), (1.0, True), (None, False), (math.nan, False)])
def test_failures_alone_are_no_test(successes: float | None, tested: bool) -> None:
    """A route needs some success; where the source tells successes, one without any told has none."""
    test = (*making.routes(a=1000), RouteCount("GET", "/b", 500.0, successes))
    assert covered(LIVE, test).endpoints[1].tested is tested


def test_source_without_successes() -> None:
    """Where the source never tells successes, requests alone decide."""
    assert covered(LIVE, (RouteCount("GET", "/a", 50.0),)).tested_endpoints == 1


def test_spellings_are_added_up() -> None:
    """Routes that normalise to the same endpoint are one, and the guess is flagged."""
    production = (
        RouteCount("GET", "/users/{id}", 70.0),
        RouteCount("get", "/users/:id/", 30.0),
        *making.routes(a=100),
    )
    test = (RouteCount("GET", "/users/17", 20.0, 20.0), RouteCount("GET", "/users/18", 20.0, 20.0))
    result = covered(production, test)
    users = next(e for e in result.endpoints if e.route == "/users/{}")
    assert (users.production_requests, users.pte_requests, users.tested, users.heuristic) == (100.0, 40.0, True, True)
    assert not next(e for e in result.endpoints if e.route == "/a").heuristic


def test_only_in_the_pte() -> None:
    """A tested endpoint that production lacks is told apart and does not count as coverage."""
    result = covered(LIVE, making.routes(a=50, old=50, rare=5))
    assert [e.route for e in result.only_pte] == ["/old"]
    assert result.tested_endpoints == 1


def test_no_evidence() -> None:
    """Without routes of either side no ratio is given, and production's endpoints are neither tested nor untested."""
    alone = coverage(making.production(counts=LIVE), None, SETTINGS)
    assert (alone.ratio, alone.weighted_ratio, alone.tested_endpoints, alone.untested) == (None, None, None, ())
    assert (alone.production_endpoints, alone.total_variation, alone.jensen_shannon) == (3, None, None)
    assert [e.tested for e in alone.endpoints] == [None, None, None]
    idle = covered((), making.routes(a=50))
    assert (idle.ratio, idle.production_endpoints, idle.only_pte, idle.total_variation) == (None, None, (), None)
    zero = covered(making.routes(a=0), making.routes(a=math.nan))
    assert (zero.endpoints, zero.ratio, zero.other_share) == ((), None, {})


def test_mix_of_a_handful_of_requests_is_no_evidence() -> None:
    """Ten requests make no mix."""
    assert covered(LIVE, making.routes(a=10)).total_variation is None


def test_requests_without_a_route_are_no_endpoint() -> None:
    """Traffic that matched no route lowers the weighted coverage, and its share is told as other."""
    result = covered((*LIVE, RouteCount("GET", "", 1000.0)), making.routes(a=50, b=50, c=50))
    assert result.ratio == 1
    assert result.weighted_ratio == pytest.approx(0.5)
    assert result.other_share == {"production": pytest.approx(0.5), "pte": 0.0}


def test_cap() -> None:
    """Beyond the cap endpoints are only counted as other; ratios still rest on all of them, and none is miscounted."""
    result = covered(LIVE, making.routes(a=50, c=50, x=90, y=80), RouteSettings(max_endpoints=2))
    assert [e.route for e in result.endpoints] == ["/a", "/b", "/x"]
    assert result.ratio == pytest.approx(2 / 3)
    assert result.other_share == {"production": pytest.approx(0.1), "pte": pytest.approx(130 / 270)}


COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1e5))


@given(COUNTS, COUNTS, st.integers(1, 9))
def test_laws(production: dict[str, float], test: dict[str, float], cap: int) -> None:
    """Ratios lie in 0..1, listed shares and the others' add up to one, untested endpoints are production's."""
    result = covered(making.routes(**production), making.routes(**test), RouteSettings(max_endpoints=cap))
    for ratio in (result.ratio, result.weighted_ratio, result.total_variation, result.jensen_shannon):
        assert ratio is None or 0 <= ratio <= 1
    for role, other in result.other_share.items():
        listed = sum(getattr(e, f"{role}_share") or 0.0 for e in result.endpoints)
        assert listed + other == pytest.approx(1)
        assert sum(getattr(e, f"{role}_requests") is not None for e in result.endpoints) <= cap
    assert all(e.production_requests for e in result.untested)
    shares = [e.production_share for e in result.untested if e.production_share is not None]
    assert shares == sorted(shares, reverse=True)
