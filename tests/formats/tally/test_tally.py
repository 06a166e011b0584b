"""What adds requests up, against a list of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import SourceError
from exporter.formats.tally import MAX_KINDS, MAX_NAMES, Tally
from exporter.formats.tally.batch import Batch
from exporter.model.loadrun import OTHER, LoadRun

START = 1795176000.0


@dataclass(frozen=True)
class Request:
    name: str
    start: float
    seconds: float
    error: str
    received: float | None


REQUESTS = st.lists(
    st.builds(
        Request,
        st.sampled_from(["GET /", "POST /cart", "Log in"]),
        st.floats(START, START + 600),
        st.floats(0, 90),
        st.sampled_from(["", "", "", "500", "timeout"]),
        st.none() | st.floats(0, 1e6),
    ),
    min_size=1,
    max_size=60,
)


def run_of(requests: list[Request]) -> LoadRun:
    tally = Tally()
    for position, request in enumerate(requests):
        tally.add(
            tally.endpoint(request.name),
            request.start,
            request.seconds,
            failed=bool(request.error),
            kind=tally.kind(request.error),
            received=float("nan") if request.received is None else request.received,
            location=f"record {position + 1}",
        )
    return tally.run("made", "made-up")


@given(REQUESTS)
def test_sums_are_those_of_the_list(requests: list[Request]) -> None:
    """Counts, failures, kinds, bytes, extremes and minutes are exact."""
    run = run_of(requests)
    for name, figures in [("", run.total), *((endpoint.name, endpoint.figures) for endpoint in run.endpoints)]:
        mine = [request for request in requests if name in ("", request.name)]
        assert figures.requests == len(mine)
        assert figures.failures == sum(bool(request.error) for request in mine)
        assert figures.errors == Counter(request.error for request in mine if request.error)
        assert figures.latency.min == min(request.seconds for request in mine)
        assert figures.latency.max == max(request.seconds for request in mine)
        assert figures.latency.mean == pytest.approx(sum(request.seconds for request in mine) / len(mine))
        sizes = [request.received for request in requests if request.received is not None]
        if sizes:
            assert figures.received == pytest.approx(sum(request.received or 0 for request in mine))
        else:
            assert figures.received is None
    assert {endpoint.name for endpoint in run.endpoints} == {request.name for request in requests}
    assert run.start == min(request.start for request in requests)
    assert run.end == max(request.start + request.seconds for request in requests)
    assert run.timeline is not None
    minutes = Counter((request.start + request.seconds) // 60 * 60 + 60 for request in requests)
    assert {end: count for end, count in zip(run.timeline.ends, run.timeline.requests, strict=True) if count} == minutes


def test_one_by_one_and_at_once_are_the_same() -> None:
    """Single requests and arrays give the same run, however they are cut."""
    chance, n = np.random.default_rng(5), 20_000
    starts, seconds = START + np.sort(chance.uniform(0, 900, n)), chance.lognormal(-2, 1, n)
    names, failed = chance.integers(0, 40, n), chance.random(n) < 0.05
    single, batched = Tally(), Tally()
    for tally in (single, batched):
        assert [tally.endpoint(f"name {number}") for number in range(40)] == list(range(40))
        assert tally.kind("500") == 0
    for position in range(n):
        start, took = float(starts[position]), float(seconds[position])
        single.add(int(names[position]), start, took, failed=bool(failed[position]), kind=0)
    for cut in np.array_split(np.arange(n), 7):
        kinds = np.zeros(cut.size, dtype=np.int64)
        batched.add_batch(Batch(names[cut], starts[cut], seconds[cut], failed[cut], kinds), str)
    first, second = single.run("a", "b"), batched.run("a", "b")
    assert first.total.latency.mean == pytest.approx(second.total.latency.mean)
    assert first.timeline is not None
    assert second.timeline is not None
    assert first.timeline.requests == second.timeline.requests
    assert [(e.name, e.figures.requests, e.figures.errors, e.figures.latency.p99) for e in first.endpoints] == [
        (e.name, e.figures.requests, e.figures.errors, e.figures.latency.p99) for e in second.endpoints
    ]


def test_it_goes_on_after_it_was_asked() -> None:
    """A run that is still going on can be looked at, and more comes afterwards."""
    tally = Tally()
    name = tally.endpoint("a")
    tally.add(name, START, 0.1, failed=False)
    assert tally.run("a", "b").total.requests == 1
    tally.add(name, START + 1, 0.1, failed=False)
    assert (tally.requests, tally.run("a", "b").total.requests) == (2, 2)


def test_names_beyond_the_cap_are_added_up_and_reported() -> None:
    """A tool that puts IDs into names fills no memory: the rest is `other`, and nothing is lost."""
    tally = Tally()
    for number in range(MAX_NAMES + 500):
        tally.add(tally.endpoint(f"/cart/{number}"), START, 0.1, failed=False)
    run = tally.run("a", "b")
    assert run.total.requests == MAX_NAMES + 500
    assert {end.name: end.figures.requests for end in run.endpoints}[OTHER] == 500
    assert run.warnings == ("has more than 1000 names, the rest counts as other: group them in the test",)


def test_kinds_beyond_the_cap_are_added_up() -> None:
    """A tool that puts IDs into messages fills no memory either."""
    tally = Tally()
    for number in range(MAX_KINDS + 50):
        tally.add(tally.endpoint("a"), START, 0.1, failed=True, kind=tally.kind(f"order {number} is gone"))
    errors = tally.run("a", "b").total.errors
    assert errors[OTHER] == 50
    assert sum(errors.values()) == MAX_KINDS + 50


@pytest.mark.parametrize(
    ("start", "seconds", "text"),
    [
        (START, -0.5, "line 7: a latency of -0.5 seconds, expected 0 to 86400"),
        (START, 1e9, "line 7: a latency of 1000000000 seconds, expected 0 to 86400"),
        (START, float("nan"), "line 7: a latency of nan seconds, expected 0 to 86400"),
        (START * 1000, 0.1, "line 7: a time of 1795176000000 Unix seconds, expected 946684800 to 4102444800"),
        (0.0, 0.1, "line 7: a time of 0 Unix seconds, expected 946684800 to 4102444800"),
    ],
)
def test_what_no_measurement_can_be_is_refused(start: float, seconds: float, text: str) -> None:
    """Negative and absurd values are reported with their location."""
    tally = Tally()
    tally.add(tally.endpoint("a"), start, seconds, failed=False, location="line 7")
    with pytest.raises(SourceError) as caught:
        tally.run("a", "b")
    assert str(caught.value) == text


def test_a_clock_that_jumps_is_refused() -> None:
    """Requests weeks apart are not of one run."""
    tally = Tally()
    for start in (START, START - 30 * 86400):
        tally.add(tally.endpoint("a"), start, 0.1, failed=False)
    with pytest.raises(SourceError, match=r"has requests 30.0 days apart, expected at most 7"):
        tally.run("a", "b")


def test_a_file_without_requests_is_refused() -> None:
    """A file without requests is refused, and not a run of zero requests."""
    with pytest.raises(SourceError, match="has no requests"):
        Tally().run("a", "b")


def test_users_are_the_most_of_each_minute() -> None:
    """Concurrent users peak within a minute, and are None if the tool does not report them."""
    tally = Tally()
    for second in (0, 70, 130):
        tally.add(tally.endpoint("a"), START + second, 0.1, failed=False)
    assert tally.run("a", "b").users is None
    for at, count in ((START, 5), (START + 30, 9), (START + 70, 7)):
        tally.users(at, count)
    run = tally.run("a", "b")
    assert run.users == 9
    assert run.timeline is not None
    assert run.timeline.users == (9, 7, None)
