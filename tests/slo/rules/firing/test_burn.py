"""When each tier of 99.9 % over 30 days fires first and last: computed by hand, and proven by promtool.

The budget is 0.1 %, so the limits are 1.44 % (1 h and 5 min), 0.6 % (6 h and 30 min), 0.3 % (1 d and 2 h) and 0.1 %
(3 d and 6 h). Minutes count from the first minute with errors, which is minute 1; f is the share of errors and d how
many minutes they last.

The rate of a minute looks back five minutes, so errors come in over five minutes and leave over five: at minute k the
sum of the minutes' shares is S(k) = f k(k + 1)/10 up to minute 5 and f (k - 2) from there to d; after minute d + 5 it
is f d. A window that holds w minutes' worth of requests is over its limit l while it holds more than l w of that sum.
So:

* the long window is first over it at the first minute k with f (k - 2) > l w,
* the short window is last over it x minutes after the end: it then holds f (w - x + 2), so x < w - l w / f + 2.

The tier fires first `for` minutes after both windows are over it (2, 15, 60, 180), and last `keep_firing_for` (5, 15,
30, 60) minutes after the last minute that they are.

Before the errors there is a clean day, and two days' worth of requests in the hour before that: at minute k the day's
window holds w = 1440, and that of three days 4340 + k. Two clean days more would take promtool minutes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slo.rules.firing.making import slo
from tests.slo.rules.firing.promtool import Expected, counter, holds

DAY = 1440
TAIL = 450
REQUESTS = 6000.0
"""A minute."""

Stretch = tuple[float, float]
"""Minutes, and requests in each."""

DAY_BEFORE: tuple[Stretch, ...] = ((10, REQUESTS), (60, 48 * REQUESTS), (1450, REQUESTS))
THREE_DAYS_BEFORE: tuple[Stretch, ...] = ((3 * DAY, REQUESTS),)

NEVER = (0, 0)
Fires = tuple[int, int]
"""First and last minute, or NEVER."""

TIERS = ("page_quick", "page_slow", "ticket_quick", "ticket_slow")


def fired(
    directory: Path,
    share: float,
    minutes: int,
    *fires: Fires,
    before: tuple[Stretch, ...] = DAY_BEFORE,
    slack: int = 1,
) -> None:
    """Asserts when each tier fires, to `slack` minutes: Prometheus 3's ranges, open on the left, extrapolate more."""
    clean = round(sum(stretch[0] for stretch in before))
    good = counter(*before, (minutes, REQUESTS * (1 - share)), (TAIL, REQUESTS))
    bad = counter((clean, 0), (minutes, REQUESTS * share), (TAIL, 0))
    end = clean + minutes + TAIL
    expected: list[Expected] = []
    for tier, (first, last) in zip(TIERS, fires, strict=True):
        firing = f'ALERTS{{alertstate="firing",sloth_id="shop-availability",sloth_tier="{tier}"}}'
        ever = f"count_over_time({firing}[{end}m])"
        if (first, last) == NEVER:
            expected.append((ever, end, False))
            continue
        times = ((first - 1 - slack, False), (first + slack, True), (last - slack, True), (last + 1 + slack, False))
        expected += [(firing, clean + minute, there) for minute, there in times]
        expected.append((f"abs({ever} - {last - first + 1}) <= {1 + 2 * slack}", end, True))
    series = {'requests_total{code="200"}': good, 'requests_total{code="500"}': bad}
    holds(directory, [slo()], series, expected)


def test_everything_fails_for_one_minute(tmp_path: Path) -> None:
    """One minute of a month is 2.3 % of the budget and does not page.

    S grows by 1/5 a minute up to 1. 1 h: 0.864 is passed at minute 5 (S = 1.0; at minute 4 it is 0.8), but from
    minute 6 on the five minutes are clean: one minute is less than `for`. 6 h: 2.16 is more than 1; so are 4.32 (1 d)
    and 4.34.
    """
    fired(tmp_path, 1.0, 1, NEVER, NEVER, NEVER, NEVER)


def test_everything_fails_for_ten_minutes(tmp_path: Path) -> None:
    """Ten minutes are 23 % of the budget: all tiers fire, the pages within minutes.

    page quick: S(3) = 1.2 > 0.864 (S(2) = 0.6): minute 3 + 2 = 5. The five minutes are over 1.44 % up to minute 14
    (at 15 they are clean): 14 + 5 = 19. page slow: S(5) = 3 > 2.16 (S(4) = 2): 5 + 15 = 20; 30 min hold more than
    0.18 up to minute 43 (S is 10 at minute 14; what is older than 30 minutes at 43 is S(13) = 9.8, leaving 0.2): 43 +
    15 = 58. ticket quick: S(7) = 5 > 4.32: 7 + 60 = 67; 2 h need 0.36: S(12) = 9.4 leaves 0.6 at minute 132, S(13)
    leaves 0.2 at 133: 132 + 30 = 162. ticket slow: S(7) = 5 > 4.347: 7 + 180 = 187; 6 h need 0.36: 360 + 12 + 60 =
    432.
    """
    fired(tmp_path, 1.0, 10, (5, 19), (20, 58), (67, 162), (187, 432))


@pytest.mark.slow
def test_everything_fails_for_an_hour(tmp_path: Path) -> None:
    """As ten minutes begin, and each end is fifty minutes later, since only the short windows end an alert."""
    fired(tmp_path, 1.0, 60, (5, 69), (20, 108), (67, 212), (187, 482))


@pytest.mark.slow
def test_two_percent_for_five_hours(tmp_path: Path) -> None:
    """Above every limit, so each tier fires once its long window has filled up far enough.

    First: 1 h: 0.02 (k - 2) > 0.864: k = 46 (0.88), + 2 = 48. 6 h: > 2.16: k = 111 (2.18), + 15 = 126. 1 d: > 4.32: k
    = 219 (4.34), + 60 = 279. 3 d: > 0.001 (4340 + k): 0.019 k > 4.38: k = 231, + 180 = 411. Last: 5 min: 0.02 (5 -
    x)/5 > 0.0144: x = 1: 301 + 5 = 306. 30 min: x < 30 - 9 + 2: x = 22: 322 + 15 = 337. 2 h: x < 120 - 18 + 2: x =
    103: 403 + 30 = 433. 6 h, of which only 5 have errors: over 0.36 while 0.02 (300 - (x - 60) + 2) is: x < 344: 343
    + 300 + 60 = 703.
    """
    fired(tmp_path, 0.02, 300, (48, 306), (126, 337), (279, 433), (411, 703))


@pytest.mark.slow
def test_one_percent_for_fifteen_hours(tmp_path: Path) -> None:
    """Below 1.44 %, so that the quick page never fires, however long it lasts.

    6 h: 0.01 (k - 2) > 2.16: k = 219, + 15 = 234; 30 min: x < 30 - 18 + 2: 913 + 15 = 928. 1 d: > 4.32: k = 435, + 60 =
    495; 2 h: x < 120 - 36 + 2: 985 + 30 = 1015. 3 d: > 0.001 (4340 + k): 0.009 k > 4.36: k = 485, + 180 = 665; 6 h: x <
    360 - 36 + 2: 1225 + 60 = 1285.
    """
    fired(tmp_path, 0.01, 900, NEVER, (234, 928), (495, 1015), (665, 1285))


@pytest.mark.slow
def test_four_per_mille_for_two_days(tmp_path: Path) -> None:
    """Below 0.6 %: tickets, and never a page.

    1 d: 0.004 (k - 2) > 4.32: k = 1083, + 60 = 1143; 2 h: x < 120 - 90 + 2: 2911 + 30 = 2941. 3 d: > 0.001 (4340 +
    k): 0.003 k > 4.348: k = 1450, + 180 = 1630 (a minute more or less for each three minutes' worth of requests); 6
    h: x < 360 - 90 + 2: 3151 + 60 = 3211.
    """
    fired(tmp_path, 0.004, 2 * DAY, NEVER, NEVER, (1143, 2941), (1630, 3211), slack=3)


@pytest.mark.slow
def test_one_and_a_half_per_mille_for_three_days(tmp_path: Path) -> None:
    """Only the slowest tier fires, here after three clean days: w = 4320.

    3 d: 0.0015 (k - 2) > 4.32: k = 2883, + 180 = 3063; 6 h: x < 360 - 240 + 2: 4441 + 60 = 4501.
    """
    fired(tmp_path, 0.0015, 3 * DAY, NEVER, NEVER, NEVER, (3063, 4501), before=THREE_DAYS_BEFORE)


@pytest.mark.slow
def test_half_the_budget_for_ever(tmp_path: Path) -> None:
    """0.05 % is half of the budget: below the lowest limit, so no window ever exceeds it."""
    fired(tmp_path, 0.0005, 2 * DAY, NEVER, NEVER, NEVER, NEVER, before=((1, REQUESTS),))
