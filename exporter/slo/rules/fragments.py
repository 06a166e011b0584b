"""PromQL fragments: cheap sums over windows, calendars, local time.

Rates are recorded once a minute. Windows below a day are sums of those; longer ones are sums of full quarters of an
hour (on the clock, by a subquery) and of the minutes since the last one, less those that lie before the window: few
samples, and still exact to the minute. Ranges are a little shorter than their window: then they hold as many steps on
Prometheus 2 (closed ranges) as on 3 (left-open ones).
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

from exporter.model.slo import DAY, WEEK, Period

QUARTER = 900
MINUTE = 60

THURSDAY = 3 * DAY
"""1970-01-01 was one, three days after a Monday."""

_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_LAST = datetime(2038, 1, 1, tzinfo=UTC)
"""The rules know a time zone's clock changes between these. For a later one, generate the rules again."""

_UNITS = (("w", WEEK), ("d", DAY), ("h", 3600), ("m", 60), ("s", 1))


def duration(seconds: int) -> str:
    """Seconds as Prometheus writes a duration, in one unit; 28 days are 4w, also in the names of Sloth's series."""
    return next(f"{seconds // size}{unit}" for unit, size in _UNITS if seconds % size == 0)


def below(seconds: int) -> str:
    """A millisecond less, for subqueries: one as long as a window of n steps never has n + 1 of them, nor n - 1.

    A second less would lose a step where a group of rules is evaluated in the last second of a step.
    """
    return f"{seconds - 1}s999ms"


def by(labels: tuple[str, ...]) -> str:
    """The clause after an aggregation operator; none at all for no labels."""
    if labels:
        return f" by ({', '.join(labels)})"
    return ""


def on(labels: tuple[str, ...]) -> str:
    return f"on ({', '.join(labels)})"


def same_block(series: str, label: str, blocks: tuple[str, str], range_: str) -> str:
    """The sum of a series over those steps of a range that lie in the same block of time as now.

    `blocks` number the block that a step belongs to, and the present one. PromQL's ranges have a fixed
    length; the number becomes a label of each step's value, by which the present block's are picked out.
    """
    block_of, block_now = blocks
    return (
        f'sum_over_time(({series} * on () group_left ({label}) count_values("{label}", {block_of}))[{range_}])'
        f' and on ({label}) count_values("{label}", {block_now})'
    )


def since_quarter(series: str, present: str) -> str:
    """The sum of the minutes since the last full quarter of an hour; the value of a step at :15:00 is from before it.

    Steps are at full minutes and show the values recorded by then. `present`, a minute recorded later, is added.
    """
    # A step's block is computed a second early, because its value belongs to the time before it.
    block_of = f"floor(vector({_time(-1)}) / {QUARTER})"
    block_now = f"floor(vector({_time(0)}) / {QUARTER})"
    minutes = same_block(series, "block", (block_of, block_now), "15m:1m")
    return f"{minutes} or {present} and on () vector(time() % {MINUTE}) > 0"


def quarters(series: str, seconds: int) -> str:
    """The sum of the quarters of an hour that end in a window; the first one may begin before it."""
    return f"sum_over_time({series}[{below(seconds)}:15m])"


def this_period(series: str, period: Period, step: str = "15m") -> str:
    """The sum of a series, read once a step, since the calendar period began."""
    period_of = _number(period, -1)
    period_now = _number(period, 0)
    return same_block(series, "period", (period_of, period_now), f"{below(period.longest)}:{step}")


def _number(period: Period, shift: int) -> str:
    """Which calendar period the time lies in that is `shift` seconds after now."""
    if period.calendar == "week":
        return f"floor(vector({local_time(period.timezone, shift)} + {THURSDAY}) / {WEEK})"
    local = _month_clock(period.timezone, shift)
    return f"(year({local}) * 12 + month({local}))"


def elapsed(period: Period) -> str:
    """How much of the present calendar period is over, 0..1."""
    if period.calendar == "week":
        return f"vector((({local_time(period.timezone)} + {THURSDAY}) % {WEEK}) / {WEEK})"
    local = _month_clock(period.timezone)
    return f"(day_of_month({local}) - 1 + {local} % {DAY} / {DAY}) / days_in_month({local})"


def days(period: Period) -> str:
    """How many days the period has."""
    if period.calendar == "month":
        return f"days_in_month({_month_clock(period.timezone)})"
    whole, rest = divmod(period.seconds, DAY)
    if rest:
        return f"vector({period.seconds} / {DAY})"
    return f"vector({whole})"


@cache
def _month_clock(timezone: str, shift: int = 0) -> str:
    """A clock (a vector expression) that shows each month's first midnight in the zone as UTC's.

    Only the offset at the nearest beginning of a month matters; the month a fortnight later determines it. A clock
    change in mid-month shifts the days between by that hour.
    """
    offsets = month_offsets(timezone)
    clock = f"vector({_time(shift + offsets[0])})"
    month = f"month(vector({_time(shift + 15 * DAY)}))"

    # From January's offset on, each month that differs from the previous month adds the difference.
    steps = ""
    for number, (before, offset) in enumerate(pairwise(offsets), start=2):
        if offset != before:
            steps += f" {_signed(offset - before)} * ({month} >= bool {number})"
    if steps:
        return f"({clock}{steps})"
    return clock


@cache
def month_offsets(timezone: str) -> list[int]:
    """Seconds ahead of UTC at the first midnight of each month; raises ValueError where years differ."""
    zone = zoneinfo.ZoneInfo(timezone)

    def offsets(year: int) -> list[int]:
        return [_offset(datetime(year, month, 1, tzinfo=zone)) for month in range(1, 13)]

    first = offsets(_FIRST.year)
    if any(offsets(year) != first for year in range(_FIRST.year, _LAST.year)):
        raise ValueError(f"the clock of {timezone} changes at different times each year, which PromQL cannot follow")
    return first


def _offset(moment: datetime) -> int:
    """Seconds ahead of UTC, of a moment in its zone."""
    return int((moment.utcoffset() or timedelta()).total_seconds())


@cache
def local_time(timezone: str, shift: int = 0) -> str:
    """The time `shift` seconds after now as a clock in the zone shows it, as Unix seconds would show UTC; a scalar."""
    offset, changes = _changes(timezone)
    terms = "".join(f" {_signed(change)} * (time() >= bool {at - shift})" for at, change in changes)
    return f"({_time(shift + offset)}{terms})"


def _time(shift: int) -> str:
    """`shift` seconds after now; a scalar expression."""
    if shift:
        return f"time() {_signed(shift)}"
    return "time()"


def _signed(number: int) -> str:
    sign = "-" if number < 0 else "+"
    return f"{sign} {abs(number)}"


@cache
def _changes(timezone: str) -> tuple[int, list[tuple[int, int]]]:
    """Seconds ahead of UTC at first, then (Unix seconds, by how many seconds more) at each change."""
    zone = zoneinfo.ZoneInfo(timezone)

    def ahead(moment: datetime) -> int:
        return _offset(moment.astimezone(zone))

    changes = list[tuple[int, int]]()
    day = _FIRST
    while day < _LAST:
        next_day = day + timedelta(days=1)
        step = ahead(next_day) - ahead(day)
        if step:
            changes.append((_change_between(day, next_day, ahead), step))
        day = next_day
    return ahead(_FIRST), changes


def _change_between(low: datetime, high: datetime, ahead: Callable[[datetime], int]) -> int:
    """The full minute (Unix seconds) at which the offset at `low` changes, by halving the range.

    zoneinfo has no list of changes, so they have to be searched for.
    """
    before = ahead(low)
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        if ahead(middle) == before:
            low = middle
        else:
            high = middle

    return round(high.timestamp() / 60) * 60
