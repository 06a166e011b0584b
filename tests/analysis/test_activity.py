"""What is kept of the look-back between polls: all that is sure, nothing outside, no holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exporter.analysis.activity import CHUNK, OVERLAP, Activity
from exporter.model.minutes import Range
from exporter.model.observation import MINUTE, Window

DAY = 86400.0


def minutes(*times: float) -> dict[str, Range]:
    return {"shop": Range({}, np.array(times), np.full(len(times), 5.0))}


def filled(lookback: Window, times: Sequence[float] = ()) -> Activity:
    """Everything in the look-back known, with these active minutes."""
    activity = Activity(1.0)
    for window in activity.missing(lookback):
        inside = [time for time in times if window.start < time <= window.end]
        activity.add(window, minutes(*inside) if inside else {}, sure=True)
    return activity


def test_all_of_it_at_first() -> None:
    """At first the whole look-back is asked for, in pieces that adjoin and are at most a day long."""
    pieces = list(Activity(1.0).missing(Window(0.0, 3.5 * DAY)))
    assert [piece.start for piece in pieces] == [0.0, DAY, 2 * DAY, 3 * DAY]
    assert [piece.end for piece in pieces] == [DAY, 2 * DAY, 3 * DAY, 3.5 * DAY]
    assert all(piece.duration <= CHUNK for piece in pieces)


def test_only_what_came_since() -> None:
    """Later only what came since is asked for, and a little before it, whose minutes replace those known."""
    activity = filled(Window(0.0, DAY), [600.0, DAY - 120, DAY - 60])
    [piece] = activity.missing(Window(300.0, DAY + 300))
    assert piece == Window(DAY - OVERLAP, DAY + 300)
    activity.add(piece, minutes(DAY - 180, DAY - 120, DAY + 60), sure=True)
    assert activity.samples()["shop"].times == (600.0, DAY - 180, DAY - 120, DAY + 60)


def test_what_leaves_the_look_back_is_forgotten() -> None:
    """A minute before the look-back is gone, and so is an application without any left."""
    activity = filled(Window(0.0, DAY), [600.0, 7200.0])
    assert list(activity.missing(Window(600.0, DAY + 600)))
    assert activity.samples()["shop"].times == (7200.0,)
    assert list(activity.missing(Window(7200.0, DAY + 7200)))
    assert activity.samples() == {}


def test_earlier_start_asks_for_everything() -> None:
    """A look-back that begins before the known minutes is queried again, because they would leave a hole."""
    activity = filled(Window(DAY, 2 * DAY), [DAY + 600])
    assert next(activity.missing(Window(0.0, 2 * DAY))).start == 0.0
    assert activity.samples() == {}


def test_long_pause_leaves_no_hole() -> None:
    """After a pause longer than the look-back all of it is asked for."""
    activity = filled(Window(0.0, DAY), [600.0])
    assert [piece.start for piece in activity.missing(Window(3 * DAY, 4 * DAY))] == [3 * DAY]
    assert activity.samples() == {}


def test_clock_set_back() -> None:
    """With an earlier end, minutes after it are forgotten and asked for again once they are over."""
    activity = filled(Window(0.0, DAY), [600.0, DAY - 60])
    [piece] = activity.missing(Window(0.0, DAY - 7200))
    assert piece == Window(DAY - 7200 - OVERLAP, DAY - 7200)
    assert activity.samples()["shop"].times == (600.0,)
    assert next(activity.missing(Window(0.0, DAY))).start == DAY - 7200 - OVERLAP


def test_failure_in_the_middle() -> None:
    """After a failure in the middle the next poll continues from the last complete piece."""
    activity = Activity(1.0)
    pieces = activity.missing(Window(0.0, 3 * DAY))
    activity.add(next(pieces), minutes(600.0), sure=True)
    next(pieces)
    assert next(activity.missing(Window(MINUTE, 3 * DAY + MINUTE))).start == DAY - OVERLAP
    assert activity.samples()["shop"].times == (600.0,)


def test_unsure_answer_is_asked_for_again() -> None:
    """What may be incomplete counts for now, and is asked for again with all that came after it."""
    activity = Activity(1.0)
    lookback = Window(0.0, 3 * DAY)
    for number, piece in enumerate(activity.missing(lookback)):
        activity.add(piece, minutes(piece.end), sure=number != 1)
    assert activity.samples()["shop"].times == (DAY, 2 * DAY, 3 * DAY)
    pieces = list(activity.missing(lookback))
    assert pieces[0].start == DAY - OVERLAP
    assert pieces[-1].end == 3 * DAY
    for piece in pieces:
        activity.add(piece, minutes(piece.end - 60), sure=True)
    assert activity.samples()["shop"].times == tuple(piece.end - 60 for piece in pieces)
