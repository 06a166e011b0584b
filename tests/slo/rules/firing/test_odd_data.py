"""Realistic data: resets, gaps, silence, series that come and go; by promtool, in minutes of the test's time."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.model.slo import DAY, Period, Sli
from tests.slo.rules.firing.making import slo, tiers
from tests.slo.rules.firing.promtool import Expected, counter, holds

FIRING = 'ALERTS{alertstate="firing",alertname="ShopErrors"}'
BROKEN = 'ALERTS{alertstate="firing",alertname="PteSloTelemetryBroken"}'
GOOD = 'requests_total{code="200"}'
BAD = 'requests_total{code="500"}'
REMAINING = "slo:period_error_budget_remaining:ratio"
BURN = "slo:current_burn_rate:ratio"
STATE = "slo:data_state:info"


def state(name: str, minute: float) -> list[Expected]:
    """This state and no other."""
    others = f'{STATE}{{state!="{name}"}}'
    return [(f'{STATE}{{state="{name}"}}', minute, True), (others, minute, False)]


def between(query: str, low: float, high: float, minute: float) -> Expected:
    return (f"({query} >= {low}) <= {high}", minute, True)


def never(query: str, end: int) -> Expected:
    return (f"count_over_time({query}[{end}m])", end, False)


def test_a_counter_reset_is_not_a_burst(tmp_path: Path) -> None:
    """A restarted process counts from 0 again: 0.05 % of errors before and after it stay 0.05 %."""
    again = f"{counter((60, 6000))} {counter((60, 6000))}"
    errors = f"{counter((60, 3))} {counter((60, 3))}"
    expected = [between("slo:sli_error:ratio_rate5m", 0.0004, 0.0006, minute) for minute in (58, 61, 63, 66, 110)]
    holds(tmp_path, [slo()], {GOOD: again, BAD: errors}, [*expected, never(FIRING, 120)])


def test_a_restart_under_another_name_is_not_a_burst(tmp_path: Path) -> None:
    """A new instance counts from 0 two minutes after the old one has gone: the share of errors stays 0.05 %."""
    series = {}
    for name, rate in ((GOOD, 6000.0), (BAD, 3.0)):
        series[name.replace("}", ',instance="old"}')] = f"{counter((60, rate))} stale"
        series[name.replace("}", ',instance="new"}')] = f"_x123 {counter((58, rate))}"
    expected = [between("slo:sli_error:ratio_rate5m", 0.0004, 0.0006, minute) for minute in (59, 62, 65, 110)]
    expected += [between(REMAINING, 0.48, 0.52, minute) for minute in (59, 62, 65, 110)]
    holds(tmp_path, [slo()], series, [*expected, never(FIRING, 118), never(BROKEN, 118)])


def test_ten_minutes_without_scrapes_break_nothing(tmp_path: Path) -> None:
    """While nothing is scraped the state is broken and no alert fires; afterwards the ratio continues unchanged."""

    def gap(rate: float) -> str:
        before, after = counter((60, rate)), counter((60, rate), start=70 * rate)
        return f"{before} _x20 {after}"

    expected = [
        ("slo:sli_error:ratio_rate5m", 67, False),
        *state("broken", 67),
        *state("young", 80),
        between("slo:sli_error:ratio_rate1h", 0.0004, 0.0006, 80),
        between("slo:sli_error:ratio_rate5m", 0.0004, 0.0006, 80),
        (BROKEN, 130, False),
        never(FIRING, 130),
        never(BROKEN, 130),
    ]
    holds(tmp_path, [slo()], {GOOD: gap(6000), BAD: gap(3)}, expected)


def test_lost_telemetry_alerts_and_silence_does_not(tmp_path: Path) -> None:
    """After the last sample the rate lasts 5 minutes and `for` 10; a service without calls is idle after an hour."""
    gone, calm = slo(), slo(name="calm", sli=Sli("sum(rate(calm_bad[{{.window}}]))", "sum(rate(calm[{{.window}}]))"))
    series = {GOOD: counter((60, 6000)), "calm": counter((60, 6000), (120, 0))}
    broken = BROKEN.replace("}", ',sloth_id="shop-availability"}')
    calm_lost = BROKEN.replace("}", ',sloth_id="shop-calm"}')
    labels = ',sloth_service="shop",sloth_slo="availability",application="shop",side="production",severity="critical"}'
    idle = f'{STATE}{{sloth_id="shop-calm",state="idle"}}'
    expected: list[Expected] = [
        (broken, 73, False),
        (broken, 77, True),
        (broken.replace("}", labels), 100, True),
        (idle, 118, False),
        (idle, 128, True),
        (idle.replace('="idle', '!="idle'), 128, False),
        never(calm_lost, 180),
        never(FIRING, 180),
    ]
    holds(tmp_path, [gone, calm], series, expected)


def test_silence_leaves_every_figure_finite(tmp_path: Path) -> None:
    """Two hours without a request: no ratio without events, and the budget stays unchanged."""
    series = {GOOD: counter((60, 6000), (120, 0), (20, 6000)), BAD: counter((60, 3), (120, 0), (20, 3))}
    expected: list[Expected] = [
        ("slo:sli_error:ratio_rate5m", 100, False),
        ("slo:sli_error:ratio_rate1h", 178, False),
        between(REMAINING, 0.49, 0.51, 60),
        between(REMAINING, 0.49, 0.51, 178),
        between(REMAINING, 0.49, 0.51, 199),
        *((f"{REMAINING} != {REMAINING}", minute, False) for minute in range(60, 200, 20)),
        *((f"{BURN} != {BURN}", minute, False) for minute in range(60, 200, 20)),
        between("slo:sli_error:ratio_rate5m", 0.0004, 0.0006, 190),
        never(FIRING, 200),
    ]
    holds(tmp_path, [slo()], series, expected)


def test_where_no_error_was_ever_counted_there_are_none(tmp_path: Path) -> None:
    """A missing series of errors is not missing data: the whole budget is left."""
    expected = [("slo:sli_error:ratio_rate5m == 0", 30, True), (f"{REMAINING} == 1", 30, True), never(FIRING, 60)]
    holds(tmp_path, [slo()], {GOOD: counter((60, 6000))}, expected)


def test_a_series_born_at_one_counts_from_its_second_sample(tmp_path: Path) -> None:
    """Events before a counter's first sample may be old: rate() ignores them, and so do we.

    A counter that starts at 0, as the exporter's own do, loses nothing.
    """
    born = f"_x60 {counter((30, 0), start=8)} {counter((30, 0), start=16)}"
    expected: list[Expected] = [
        ('slo:sli_errors:count{sloth_window="1h"} == 0', 58, True),
        between('slo:sli_errors:count{sloth_window="1h"}', 7, 9, 70),
        never(FIRING, 90),
    ]
    holds(tmp_path, [slo()], {GOOD: counter((90, 6000)), BAD: born}, expected)


@pytest.mark.parametrize(("least", "wakes"), [(5, False), (0, True)])
def test_one_error_at_night_does_not_page(tmp_path: Path, least: int, wakes: bool) -> None:
    """One of 60 requests an hour is 1.67 %, over the limit of 1.44 %: only the minimum of errors prevents a page."""
    series = {GOOD: counter((180, 1)), BAD: f"{counter((90, 0))} {counter((90, 0), start=1)}"}
    pages = FIRING.replace("}", ',sloth_severity="page"}')
    ever = (f"count_over_time({pages}[180m])", 180, wakes)
    holds(tmp_path, [slo(min_bad_events=least)], series, [ever])


def test_a_new_label_on_the_source_moves_nothing(tmp_path: Path) -> None:
    """When every series gets a label, the old ones end and new ones begin at what they had counted: no jump."""
    old = {GOOD: f"{counter((60, 6000))} stale", BAD: f"{counter((60, 3))} stale"}
    new = {
        f'{name[:-1]}, version="2"}}': f"_x121 {counter((60, rate), start=60 * rate)}"
        for name, rate in ((GOOD, 6000.0), (BAD, 3.0))
    }
    expected = [between(REMAINING, 0.48, 0.52, minute) for minute in (59, 62, 70, 119)]
    expected += [between("slo:sli_error:ratio_rate1h", 0.00045, 0.00055, minute) for minute in (62, 70, 119)]
    holds(tmp_path, [slo()], {**old, **new}, [*expected, never(FIRING, 120)])


SHARE = Sli("last_over_time(share[{{.window}}])", "count(share) > bool 0", per="minute")


def test_a_share_of_minutes_pages_as_soon_as_the_window_says_so(tmp_path: Path) -> None:
    """5 % bad for ever, known as a share only: 0.05 k > 0.864 at minute 18, + 2 = 20.

    An hour never has five bad minutes of it: the minimum of bad events does not apply to minutes.
    """
    quick = FIRING.replace("}", ',sloth_tier="page_quick"}')
    expected: list[Expected] = [(quick, 78, False), (quick, 82, True), (quick, 119, True)]
    holds(tmp_path, [slo(sli=SHARE)], {"share": "0x120 0.05x119"}, expected)


def test_every_other_minute_bad_pages(tmp_path: Path) -> None:
    """A value that is bad every other minute burns 500 budgets: five minutes have two or three bad ones, never none."""
    sli = Sli("(value) > bool 1", "(value) > bool -Inf", per="minute")
    quick = FIRING.replace("}", ',sloth_tier="page_quick"}')
    expected: list[Expected] = [(quick, 58, False), (quick, 66, True), (quick, 67, True), (quick, 90, True)]
    holds(tmp_path, [slo(sli=sli)], {"value": "0x119 " + "0 0 2 2 " * 20}, expected)


def test_a_minute_is_bad_as_a_whole_at_most(tmp_path: Path) -> None:
    """A quotient by zero events is infinite, and without a limit would stay so as long as it is in a window."""
    count = 'slo:sli_errors:count{sloth_window="1h"}'
    expected = [between(count, 4.9, 5.1, 40), between(REMAINING, -130, -115, 40), (STATE, 40, True)]
    holds(tmp_path, [slo(sli=SHARE)], {"share": "0x19 " + "Inf " * 6 + "2 3 2 3 0x60"}, expected)


@pytest.mark.parametrize(
    ("days", "factors", "share", "wakes"),
    [
        (28, ("13.44", "5.6", "2.8", "0.9333"), 0.01345, True),
        (28, ("13.44", "5.6", "2.8", "0.9333"), 0.0055, False),
        (7, ("13.44", "3.5", "1.4", "0.98"), 0.0036, True),
        (7, ("13.44", "3.5", "1.4", "0.98"), 0.0034, False),
    ],
)
def test_other_periods_scale_the_limits(
    tmp_path: Path, days: int, factors: tuple[str, str, str, str], share: float, wakes: bool
) -> None:
    """Over 28 and 7 days paging starts just above the lowest paging factor times the budget of 0.1 %."""
    series = {GOOD: counter((120, 60000 * (1 - share))), BAD: counter((120, 60000 * share))}
    pages = FIRING.replace("}", ',sloth_severity="page"}')
    objective = slo(period=Period(days * DAY), tiers=tiers(factors))
    holds(tmp_path, [objective], series, [(pages, 118, wakes), (f"slo:time_period:days == {days}", 60, True)])
