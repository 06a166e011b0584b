"""What adds requests up, against a list of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import SourceError
from exporter.formats import tally
from exporter.formats.tally import Tally
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
    one = Tally()
    for position, each in enumerate(requests):
        one.add(
            one.endpoint(each.name),
            each.start,
            each.seconds,
            failed=bool(each.error),
            kind=one.kind(each.error),
            received=float("nan") if each.received is None else each.received,
            place=f"record {position + 1}",
        )
    return one.run("made", "made-up")


@given(REQUESTS)
def test_sums_are_those_of_the_list(requests: list[Request]) -> None:
    """Counts, failures, kinds, bytes, extremes and minutes are exact."""
    run = run_of(requests)
    for name, figures in [("", run.total), *((one.name, one.figures) for one in run.endpoints)]:
        mine = [each for each in requests if name in ("", each.name)]
        assert figures.requests == len(mine)
        assert figures.failures == sum(bool(each.error) for each in mine)
        assert figures.errors == Counter(each.error for each in mine if each.error)
        assert figures.latency.min == min(each.seconds for each in mine)
        assert figures.latency.max == max(each.seconds for each in mine)
        assert figures.latency.mean == pytest.approx(sum(each.seconds for each in mine) / len(mine))
        told = [each.received for each in requests if each.received is not None]
        if told:
            assert figures.received == pytest.approx(sum(each.received or 0 for each in mine))
        else:
            assert figures.received is None
    assert {one.name for one in run.endpoints} == {each.name for each in requests}
    assert run.start == min(each.start for each in requests)
    assert run.end == max(each.start + each.seconds for each in requests)
    assert run.timeline is not None
    minutes = Counter((each.start + each.seconds) // 60 * 60 + 60 for each in requests)
    assert {end: count for end, count in zip(run.timeline.ends, run.timeline.requests, strict=True) if count} == minutes


def test_one_by_one_and_at_once_are_the_same() -> None:
    """Single requests and arrays give the same run, however they are cut."""
    chance, n = np.random.default_rng(5), 20_000
    starts, seconds = START + np.sort(chance.uniform(0, 900, n)), chance.lognormal(-2, 1, n)
    names, failed = chance.integers(0, 40, n), chance.random(n) < 0.05
    one, other = Tally(), Tally()
    for made in (one, other):
        assert [made.endpoint(f"name {number}") for number in range(40)] == list(range(40))
        assert made.kind("500") == 0
    for position in range(n):
        start, took = float(starts[position]), float(seconds[position])
        one.add(int(names[position]), start, took, failed=bool(failed[position]), kind=0)
    for cut in np.array_split(np.arange(n), 7):
        kinds = np.zeros(cut.size, dtype=np.int64)
        other.add_batch(Batch(names[cut], starts[cut], seconds[cut], failed[cut], kinds), str)
    first, second = one.run("a", "b"), other.run("a", "b")
    assert first.total.latency.mean == pytest.approx(second.total.latency.mean)
    assert first.timeline is not None
    assert second.timeline is not None
    assert first.timeline.requests == second.timeline.requests
    assert [(e.name, e.figures.requests, e.figures.errors, e.figures.latency.p99) for e in first.endpoints] == [
        (e.name, e.figures.requests, e.figures.errors, e.figures.latency.p99) for e in second.endpoints
    ]


def test_it_goes_on_after_it_was_asked() -> None:
    """A run that is still going on can be looked at, and more comes afterwards."""
    one = Tally()
    name = one.endpoint("a")
    one.add(name, START, 0.1, failed=False)
    assert one.run("a", "b").total.requests == 1
    one.add(name, START + 1, 0.1, failed=False)
    assert (one.requests, one.run("a", "b").total.requests) == (2, 2)


def test_names_beyond_the_cap_are_added_up_and_told() -> None:
    """A tool that puts IDs into names fills no memory: the rest is `other`, and nothing is lost."""
    one = Tally()
    for number in range(tally.MAX_NAMES + 500):
        one.add(one.endpoint(f"/cart/{number}"), START, 0.1, failed=False)
    run = one.run("a", "b")
    assert run.total.requests == tally.MAX_NAMES + 500
    assert {end.name: end.figures.requests for end in run.endpoints}[OTHER] == 500
    assert run.warnings == ("has more than 1000 names, the rest counts as other: group them in the test",)


def test_kinds_beyond_the_cap_are_added_up() -> None:
    """A tool that puts IDs into messages fills no memory either."""
    one = Tally()
    for number in range(tally.MAX_KINDS + 50):
        one.add(one.endpoint("a"), START, 0.1, failed=True, kind=one.kind(f"order {number} is gone"))
    errors = one.run("a", "b").total.errors
    assert errors[OTHER] == 50
    assert sum(errors.values()) == tally.MAX_KINDS + 50


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
    """Negative and absurd values are told with their place."""
    one = Tally()
    one.add(one.endpoint("a"), start, seconds, failed=False, place="line 7")
    with pytest.raises(SourceError) as caught:
        one.run("a", "b")
    assert str(caught.value) == text


def test_a_clock_that_jumps_is_refused() -> None:
    """Requests weeks apart are not of one run."""
    one = Tally()
    for start in (START, START - 30 * 86400):
        one.add(one.endpoint("a"), start, 0.1, failed=False)
    with pytest.raises(SourceError, match=r"has requests 30.0 days apart, expected at most 7"):
        one.run("a", "b")


def test_nothing_is_no_run() -> None:
    """A file without requests is no run of zero requests."""
    with pytest.raises(SourceError, match="has no requests"):
        Tally().run("a", "b")


def test_users_are_the_most_of_each_minute() -> None:
    """Concurrent users peak within a minute, and are not told where the tool does not tell them."""
    one = Tally()
    for second in (0, 70, 130):
        one.add(one.endpoint("a"), START + second, 0.1, failed=False)
    assert one.run("a", "b").users is None
    for at, count in ((START, 5), (START + 30, 9), (START + 70, 7)):
        one.users(at, count)
    run = one.run("a", "b")
    assert run.users == 9
    assert run.timeline is not None
    assert run.timeline.users == (9, 7, None)
