"""The check of the look-back: when test runs were, so that later steps look at a minute in which there is data."""

from __future__ import annotations

from collections import Counter

from exporter.checkup import ok, warning
from exporter.humanize import format_time, rate
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.checks.wording import applications
from exporter.sources.prometheus.presets import duration

_FINEST = 600.0
"""Seconds between two looks at least."""

_LOOKS = 10_000
"""Looks at the look-back at most."""


def activity(probe: PrometheusProbe) -> Finding:
    """Activity in the look-back in which test runs are searched; later steps look at the minute with most of it.

    As in polls, what is below the threshold stays on the server: of hundreds of applications it is most of the data.
    """
    window = probe.context.window
    threshold = probe.context.threshold
    query = probe.query("request_rate")
    step = max(_FINEST, window.duration // _LOOKS)
    ranges = probe.client.query_range(f"({query}) > {threshold!r}", window.start + step, window.end, step)
    active = Counter(float(time) for series in ranges for time in series.times)
    if active:
        # Of several such minutes the newest: its series are the likeliest to be there still.
        probe.at = max(active, key=lambda time: (active[time], time))
        names = {series.labels.get("application", "") for series in ranges}
        probe.active = tuple(sorted(names - {""}))
        return ok(f"{applications(probe.active)}; the next steps look at {format_time(probe.at)}, when most were")

    # Nothing is above it: what the load was all the same tells a low threshold from no test at all.
    looks = f"in {duration(window.duration)}, looked at each {duration(step)}"
    totals = probe.client.query_range(f"max({query})", window.start + step, window.end, step)
    if totals:
        highest = max(float(series.values.max()) for series in totals)
        probe.at = max(float(series.times.max()) for series in totals)
        text = f"the load stays at or below analysis.test_run.threshold ({threshold:g} req/s)"
        cause = Cause(text, "lower it, if that is the load of a test run")
        return warning(f"no minute above it {looks}; most are {rate(highest)}", cause)

    probe.idle = True
    return warning(
        f"no requests {looks}",
        Cause("no test was run in that time", "run one; or raise analysis.test_run.lookback, if it was before that"),
        Cause("the queries look at another environment", "compare selector with the labels of the PTE's series"),
    )
