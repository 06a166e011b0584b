"""The check of the look-back: when test runs took place, so that later steps use a minute with data."""

from __future__ import annotations

from collections import Counter

from exporter.checkup import ok, warning
from exporter.humanize import format_time, rate
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.checks.wording import applications
from exporter.sources.prometheus.presets import duration

_FINEST = 600.0
"""Minimum seconds between two samples."""

_LOOKS = 10_000
"""Maximum number of samples in the look-back."""


def activity(probe: PrometheusProbe) -> Finding:
    """Activity in the look-back in which test runs are searched; later steps use the minute with most of it.

    As in polls, values below the threshold stay on the server: with hundreds of applications they are most of the data.
    """
    window = probe.context.window
    threshold = probe.context.threshold
    query = probe.query("request_rate")
    step = max(_FINEST, window.duration // _LOOKS)
    ranges = probe.client.query_range(f"({query}) > {threshold!r}", window.start + step, window.end, step)
    active = Counter(float(time) for series in ranges for time in series.times)
    if active:
        # The newest of several such minutes: its series are the likeliest to exist still.
        probe.at = max(active, key=lambda time: (active[time], time))
        names = {series.labels.get("application", "") for series in ranges}
        probe.active = tuple(sorted(names - {""}))
        return ok(f"{applications(probe.active)}; the next steps use {format_time(probe.at)}, when most were active")

    # No load is above it: its maximum distinguishes a high threshold from no test at all.
    looks = f"in {duration(window.duration)}, checked every {duration(step)}"
    totals = probe.client.query_range(f"max({query})", window.start + step, window.end, step)
    if totals:
        highest = max(float(series.values.max()) for series in totals)
        probe.at = max(float(series.times.max()) for series in totals)
        text = f"the load stays at or below analysis.test_run.threshold ({threshold:g} req/s)"
        cause = Cause(text, "lower it, if a test run has this load")
        return warning(f"no minute above the threshold {looks}; the maximum is {rate(highest)}", cause)

    probe.idle = True
    return warning(
        f"no requests {looks}",
        Cause("no test ran in that time", "run one; or raise analysis.test_run.lookback, if it ran before"),
        Cause("the queries select another environment", "compare selector with the labels of the PTE's series"),
    )
