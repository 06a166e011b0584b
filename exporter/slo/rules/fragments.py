"""PromQL fragments: sums over windows that cost little, calendars, local time.

Rates are recorded once a minute. Windows below a day are sums of those; longer ones are sums of full quarters of an
hour (on the clock, by a subquery) and of the minutes since the last one, less those that lie before the window: few
samples, and still exact to the minute. Ranges are a little shorter than they say, so that they hold as many
steps on Prometheus 2 (closed ranges) as on 3 (left-open ones).
"""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

from exporter.model.slo import DAY, WEEK, Period

QUARTER = 900
MINUTE = 60

THURSDAY = 3 * DAY
"""1970-01-01 was one, three days after a Monday."""

_FIRST, _LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
"""Changes of a time zone's clock between these are known to the rules. A later one needs rules generated anew."""

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
    return f" by ({', '.join(labels)})" if labels else ""


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
    """The sum of the minutes since the last full quarter of an hour; what a step at :15:00 shows is from before it.

    Steps are at full minutes and show what was there by then. A minute recorded later, as `present` is, is added.
    """
    before, now = (f"floor(vector({_time(shift)}) / {QUARTER})" for shift in (-1, 0))
    minutes = same_block(series, "block", (before, now), "15m:1m")
    return f"{minutes} or {present} and on () vector(time() % {MINUTE}) > 0"


def quarters(series: str, seconds: int) -> str:
    """The sum of the quarters of an hour that end in a window; the first one may begin before it."""
    return f"sum_over_time({series}[{below(seconds)}:15m])"


def this_period(series: str, period: Period, step: str = "15m") -> str:
    """The sum of a series, read once a step, since the calendar period began."""
    before, now = (_number(period, shift) for shift in (-1, 0))
    return same_block(series, "period", (before, now), f"{below(period.longest)}:{step}")


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
    return f"vector({period.seconds} / {DAY})" if rest else f"vector({whole})"


@cache
def _month_clock(timezone: str, shift: int = 0) -> str:
    """A clock (a vector expression) that shows each month's first midnight in the zone as UTC's.

    Only the offset at the nearest beginning of a month matters, and that is told by the month that a time a fortnight
    later lies in; a change of the clock in mid-month shifts the days between by that hour.
    """
    ahead = month_offsets(timezone)
    later = f"month(vector({_time(shift + 15 * DAY)}))"
    steps = [(n, here - before) for n, (before, here) in enumerate(pairwise(ahead), start=2) if here != before]
    text = "".join(f" {_signed(step)} * ({later} >= bool {n})" for n, step in steps)
    now = f"vector({_time(shift + ahead[0])})"
    return f"({now}{text})" if text else now


@cache
def month_offsets(timezone: str) -> list[int]:
    """Seconds ahead of UTC at the first midnight of each month; raises ValueError where years differ."""

    def ahead(year: int, month: int) -> int:
        return int((datetime(year, month, 1, tzinfo=zone).utcoffset() or timedelta()).total_seconds())

    zone = zoneinfo.ZoneInfo(timezone)
    years = [[ahead(year, month) for month in range(1, 13)] for year in range(_FIRST.year, _LAST.year)]
    if any(year != years[0] for year in years):
        raise ValueError(f"the clock of {timezone} changes at other times each year, which PromQL cannot follow")
    return years[0]


@cache
def local_time(timezone: str, shift: int = 0) -> str:
    """The time `shift` seconds after now as a clock in the zone shows it, as Unix seconds would show UTC; a scalar."""
    offset, changes = _changes(timezone)
    terms = "".join(f" {_signed(change)} * (time() >= bool {at - shift})" for at, change in changes)
    return f"({_time(shift + offset)}{terms})"


def _time(shift: int) -> str:
    """`shift` seconds after now; a scalar expression."""
    return f"time() {_signed(shift)}" if shift else "time()"


def _signed(number: int) -> str:
    return f"{'-' if number < 0 else '+'} {abs(number)}"


@cache
def _changes(timezone: str) -> tuple[int, list[tuple[int, int]]]:
    """Seconds ahead of UTC at first, then (Unix seconds, by how many seconds more) at each change."""
    zone = zoneinfo.ZoneInfo(timezone)

    def ahead(at: datetime) -> int:
        return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())

    changes, at = list[tuple[int, int]](), _FIRST
    while at < _LAST:
        after = at + timedelta(days=1)
        if ahead(after) != ahead(at):
            low, high = at, after
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                low, high = (low, middle) if ahead(middle) != ahead(at) else (middle, high)
            moment = datetime.fromtimestamp(round(high.timestamp() / 60) * 60, UTC)
            changes.append((int(moment.timestamp()), ahead(after) - ahead(at)))
        at = after
    return ahead(_FIRST), changes
