"""Pairs of windows of burn alerts: the usual ones of a period, and those of Sloth's AlertWindows.

A tier states which percentage of the budget is used when it fires. Its burn rate follows from that:
percent / 100 x period / long window, so 2 % of 30 days in 1 h is a burn rate of 14.4 (SRE workbook, chapter 5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache

from exporter.model.slo import DAY, Notify, Period, Tier

HOUR = 3600
MINUTE = 60

_DIGITS = Context(prec=15)
"""Burn rates that are not finite decimals (28 d / 3 d) have as many digits as a float."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One tier before its period is known."""

    name: str
    notify: Notify
    percent: Decimal
    """Of the period's budget, used within the long window when the tier fires."""
    long: int
    short: int


Pairs = Mapping[int, tuple[Pair, ...]]
"""Seconds of a period to its alert windows, where documents define some."""


def _pairs(percents: Sequence[str]) -> tuple[Pair, ...]:
    quick, slow, day, days = map(Decimal, percents)
    return (
        Pair("page_quick", "page", quick, HOUR, 5 * MINUTE),
        Pair("page_slow", "page", slow, 6 * HOUR, 30 * MINUTE),
        Pair("ticket_quick", "ticket", day, DAY, 2 * HOUR),
        Pair("ticket_slow", "ticket", days, 3 * DAY, 6 * HOUR),
    )


_WEEKS = 28 * DAY, _pairs(("2", "5", "10", "10"))
_WEEK = 7 * DAY, _pairs(("8", "12.5", "20", "42"))
"""Shortest period, and the percentages that Sloth has for it."""

_HOLD = ((HOUR, 2 * MINUTE, 5 * MINUTE), (6 * HOUR, 15 * MINUTE, 15 * MINUTE), (DAY, HOUR, 30 * MINUTE))
"""Up to which long window, then `for` and `keep_firing_for`."""


def factor(percent: Decimal, period: int, long: int) -> Decimal:
    """The burn rate that uses up `percent` of the budget of `period` seconds within `long` seconds."""
    return _DIGITS.divide(percent * period, Decimal(100 * long)).normalize(_DIGITS)


def hold(long: int) -> tuple[int, int]:
    """`for` and `keep_firing_for` in seconds, of a tier with this long window."""
    for longest, wait, keep in _HOLD:
        if long <= longest:
            return wait, keep
    return 3 * HOUR, HOUR


@lru_cache(maxsize=256)
def tiers(period: Period, pairs: tuple[Pair, ...] | None = None) -> tuple[Tier, ...]:
    """The tiers of a period, by default the usual ones; raises ValueError where the period is too short for those."""
    if pairs is None:
        pairs = _usual(period)
    return tuple(_tier(pair, period) for pair in pairs)


def _usual(period: Period) -> tuple[Pair, ...]:
    for shortest, pairs in (_WEEKS, _WEEK):
        if period.seconds >= shortest:
            return pairs
    raise ValueError("a period below 7d has no usual alert tiers: use at least 7d, or set tiers")


def _tier(pair: Pair, period: Period) -> Tier:
    burn_rate = factor(pair.percent, period.seconds, pair.long)
    wait, keep = hold(pair.long)
    return Tier(pair.name, pair.notify, pair.long, pair.short, burn_rate, wait, keep)
