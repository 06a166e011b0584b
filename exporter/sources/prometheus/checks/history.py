"""Checks of samples over time: how often they are scraped, and since when they exist."""

from __future__ import annotations

from exporter.checkup import failed, ok, warning
from exporter.humanize import format_time
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import duration

_POINTS = 28
"""Samples of the longest window."""

_WHOLE = 0.99
"""Share of samples from which the window counts as complete."""

_TEN_MINUTES = 600.0


def history(probe: PrometheusProbe) -> Finding:
    """Whether there is data from the beginning of the longest window."""
    window = probe.context.pattern or probe.context.window
    selector = probe.selectors("request_rate")[0].text
    step = max(MINUTE, window.duration // _POINTS // MINUTE * MINUTE)
    ranges = probe.client.query_range(f"count({selector})", window.start + step, window.end, step)
    times = [float(time) for series in ranges for time in series.times]
    if not times:
        cause = Cause(
            "the series are new, or had another name before",
            "check step `signal`; wait, if they are new",
        )
        return warning(f"no data in {duration(window.duration)}", cause)

    expected = int((window.duration - step) // step) + 1
    text = f"{len(times)} of {expected} samples of {duration(window.duration)} have series"
    if len(times) >= _WHOLE * expected:
        return ok(text)
    # A missing beginning fills up with time; a gap does not.
    if min(times) > window.start + 2 * step:
        cause = Cause(
            "the server, the scrape job or the metric is newer than the window, or older data was deleted",
            "wait; until then baselines and patterns use less data (the landing page says how much)",
        )
        return warning(f"{text}; the first is at {format_time(min(times))}", cause)
    text = "scrapes failed, the server was down, or nothing ran then"
    return warning(text, Cause(text, f"query `count({selector})` and `up` over that time"))


def interval(probe: PrometheusProbe) -> Finding:
    """Scrapes in ten minutes, compared with rate_range, which needs two of them."""
    selector = probe.selectors("request_rate")[0].text
    # Only series that are older: new ones would seem to be scraped rarely.
    result = probe.ask(f"quantile(0.5, count_over_time({selector}[10m]) and {selector} offset 9m)")
    if not result.samples:
        return ok("unknown: no series is ten minutes old")

    seconds = _TEN_MINUTES / result.samples[0].value
    rate_range = probe.options.rate_range
    text = f"a sample every {seconds:.0f} s, rate_range {duration(rate_range)}"
    # Scrapes are never exactly on time: a range a tenth shorter than two intervals still usually has two samples.
    if rate_range >= 2 * seconds * 0.9:
        return ok(text)

    least = max(MINUTE, -(-2 * seconds // MINUTE) * MINUTE)
    wider = Cause("a rate needs two samples in its range", f"rate_range: {duration(least)} in the source")
    slowest = duration(max(1.0, rate_range // 2))
    oftener = Cause("it is scraped too rarely", f"scrape_interval: {slowest} in the scrape job")
    if rate_range < seconds * 1.1:
        return failed(text, wider, oftener)
    return warning(text, wider, oftener)
