"""Test runs are found in activity, and their phases told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.run import choose, phases, plateau
from exporter.model.observation import Samples, Window
from exporter.model.settings import Duration, TestRunSettings
from tests.analysis.making import START, minutes

SETTINGS = TestRunSettings()


def active(*stretches: tuple[int, int], rate: float = 50.0) -> Samples:
    """Activity over the minutes first..last (inclusive) of each stretch."""
    times = [START + 60.0 * m for first, last in stretches for m in range(first, last + 1)]
    return Samples(tuple(times), (rate,) * len(times))


def window(first: int, last: int) -> Window:
    return Window(START + 60.0 * (first - 1), START + 60.0 * last)


def test_run_reaches_from_the_minute_before_to_the_last() -> None:
    """A value covers the minute before its time, so a run starts a minute before its first."""
    assert choose({"shop": active((10, 29))}, SETTINGS, {}) == {"shop": window(10, 29)}


def test_latest_run_wins() -> None:
    """Of two runs the later is taken."""
    assert choose({"shop": active((10, 29), (100, 119))}, SETTINGS, {}) == {"shop": window(100, 119)}


@pytest.mark.parametrize(("resumes", "expected"), [(35, window(10, 39)), (36, window(10, 29))])
def test_pause(resumes: int, expected: Window) -> None:
    """A pause of exactly the allowed gap joins; one more minute parts, and the short rest is then no run."""
    assert choose({"shop": active((10, 29), (resumes, 39))}, SETTINGS, {}) == {"shop": expected}


def test_too_short_is_no_run() -> None:
    """Nine minutes after a real run do not replace it; ten do."""
    assert choose({"shop": active((10, 29), (100, 108))}, SETTINGS, {}) == {"shop": window(10, 29)}
    assert choose({"shop": active((10, 29), (100, 109))}, SETTINGS, {}) == {"shop": window(100, 109)}


def test_idle_applications_have_no_run() -> None:
    """No activity, short activity and activity at the threshold give no key."""
    activity = {"none": Samples((), ()), "short": active((1, 3)), "low": active((1, 60), rate=1.0)}
    assert choose(activity, SETTINGS, {}) == {}


def test_explicit_windows_win() -> None:
    """A configured window is taken as it is, also where activity says otherwise or nothing at all."""
    explicit = {"shop": Window(5.0, 10.0), "quiet": Window(7.0, 9.0)}
    assert choose({"shop": active((10, 29)), "other": active((1, 20))}, SETTINGS, explicit) == {
        **explicit,
        "other": window(1, 20),
    }


@given(st.sets(st.integers(1, 300), max_size=200))
def test_choice_agrees_with_a_slow_reference(busy: set[int]) -> None:
    """Growing every possible run minute by minute from the end gives the same window."""
    samples = Samples(tuple(START + 60.0 * m for m in sorted(busy)), (9.0,) * len(busy))
    assert choose({"shop": samples}, SETTINGS, {}).get("shop") == slowly(busy)


def slowly(busy: set[int]) -> Window | None:
    for last in sorted(busy, reverse=True):
        if any(m in busy for m in range(last + 1, last + 7)):
            continue
        first = last
        while before := [m for m in range(first - 6, first) if m in busy]:
            first = min(before)
        if last - first + 1 >= 10:
            return window(first, last)
    return None


def shape(values: list[float], **changes: Duration) -> list[tuple[str, float]]:
    result = phases(minutes(values), TestRunSettings(**changes))
    return [(phase.kind, phase.window.duration / 60) for phase in result]


def test_phases_of_a_plain_run() -> None:
    """Ramp-up, plateau and spike are recognised with their lengths; the ramp-down is none of them."""
    values = [20, 40, 60, 80, *[100] * 30, *[160] * 5, *[102] * 10, 50, 20]
    assert shape([float(v) for v in values]) == [
        ("ramp_up", 4),
        ("steady_state", 30),
        ("spike", 5),
        ("steady_state", 10),
    ]


def test_plateau_ignores_the_ramp() -> None:
    """The plateau is the median of the upper half, here of 80, 100, 100."""
    assert plateau(minutes([20.0, 40.0, 60.0, 80.0, 100.0, 100.0])) == 100.0
    assert plateau(Samples((), ())) is None


def test_constant_run_is_all_steady() -> None:
    """Without a ramp there is no ramp-up."""
    assert shape([100.0] * 20) == [("steady_state", 20)]


def test_run_without_load_has_no_phases() -> None:
    """All zeros have no plateau to be told apart from."""
    assert shape([0.0] * 20) == []


def test_pause_within_a_phase() -> None:
    """A phase goes on over a pause shorter than the allowed gap."""
    times = tuple(60.0 * m for m in (1, 2, 3, 6, 7))
    result = phases(Samples(times, (100.0,) * 5), SETTINGS)
    assert [phase.window for phase in result] == [Window(0.0, 420.0)]


@given(st.lists(st.floats(0, 1000), max_size=60))
def test_phases_do_not_overlap(values: list[float]) -> None:
    """Phases follow each other in time within the run."""
    result = phases(minutes(values), SETTINGS)
    edges = [edge for phase in result for edge in (phase.window.start, phase.window.end)]
    assert edges == sorted(edges)
    assert not edges or START <= edges[0] <= edges[-1] <= START + 60 * len(values)
