"""Checks of samples over time: how often they are taken, and since when there are any."""

from __future__ import annotations

from exporter.checkup import failed, ok, warning
from exporter.humanize import format_time
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import duration

_POINTS = 28
"""Looks at the longest window."""

_WHOLE = 0.99
"""Share of looks from which on the window counts as whole."""

_TEN_MINUTES = 600.0


def history(probe: PrometheusProbe) -> Finding:
    """Whether there is data from the beginning of the longest window on."""
    window = probe.context.pattern or probe.context.window
    selector = probe.selectors("request_rate")[0].text
    step = max(MINUTE, window.duration // _POINTS // MINUTE * MINUTE)
    ranges = probe.client.query_range(f"count({selector})", window.start + step, window.end, step)
    times = [float(time) for series in ranges for time in series.times]
    if not times:
        cause = Cause(
            "the series are new, or named otherwise until now",
            "look at step `signal`; wait, if they are new",
        )
        return warning(f"none in {duration(window.duration)}", cause)

    expected = int((window.duration - step) // step) + 1
    text = f"{len(times)} of {expected} looks at {duration(window.duration)} found series"
    if len(times) >= _WHOLE * expected:
        return ok(text)
    # Whether the beginning is missing, which time will mend, or something in between.
    if min(times) > window.start + 2 * step:
        cause = Cause(
            "the server, the scrape job or the metric is younger than the window, or older data is gone",
            "wait; until then baselines and patterns rest on less (the landing page says on how much)",
        )
        return warning(f"{text}; the first is of {format_time(min(times))}", cause)
    text = "scrapes failed, the server was down, or nothing ran then"
    return warning(text, Cause(text, f"look at `count({selector})` and `up` over that time"))


def interval(probe: PrometheusProbe) -> Finding:
    """Scrapes in ten minutes against rate_range, which needs two of them."""
    selector = probe.selectors("request_rate")[0].text
    # Only of series that are older than that: young ones would seem to be scraped seldom.
    answer = probe.ask(f"quantile(0.5, count_over_time({selector}[10m]) and {selector} offset 9m)")
    if not answer.samples:
        return ok("not told: no series is ten minutes old")

    seconds = _TEN_MINUTES / answer.samples[0].value
    rate_range = probe.options.rate_range
    text = f"a sample each {seconds:.0f} s, rate_range {duration(rate_range)}"
    # Scrapes are never quite on time: a range a tenth shorter than two intervals still holds two as a rule.
    if rate_range >= 2 * seconds * 0.9:
        return ok(text)

    least = max(MINUTE, -(-2 * seconds // MINUTE) * MINUTE)
    wider = Cause("a rate needs two samples in its range", f"rate_range: {duration(least)} in the source")
    slowest = duration(max(1.0, rate_range // 2))
    oftener = Cause("scraped too seldom", f"scrape_interval: {slowest} in the scrape job")
    if rate_range < seconds * 1.1:
        return failed(text, wider, oftener)
    return warning(text, wider, oftener)
