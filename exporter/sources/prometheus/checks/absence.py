"""Why a template has no result: a missing metric, label or value, according to the server's index."""

from __future__ import annotations

from collections.abc import Iterable

from exporter.checkup import failed, ok, warning
from exporter.humanize import format_time, join_words
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks import absence_causes
from exporter.sources.prometheus.checks.absence_causes import CLASSIC
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.checks.wording import labels as shown_labels
from exporter.sources.prometheus.presets import duration
from exporter.sources.prometheus.selectors import Selector

_REQUIRED = ("request_rate", *CLASSIC, "route_requests")
"""Signals that most evidence needs; others fail only if the configuration itself has a template for them."""

_PART_OF = {"error_rate": "request_rate", "route_successes": "route_requests"}
"""Keys that may have no result although the other key has one."""

_NO_PART = {"error_rate": "none: no request failed", "route_successes": "none: no request succeeded"}

_GONE = (
    Cause("nothing that exports them runs now, for example at night", "nothing, if that is intended"),
    Cause("the targets are down, or no longer scraped", "check the server's page /targets"),
)


def why_nothing(probe: PrometheusProbe, key: str) -> Finding:
    """The part of a query because of which it has no result."""
    if key in CLASSIC and "latency_native" in probe.results:
        return ok("no data; native histograms are used")
    if key == "latency_native" and not probe.is_own(key):
        return ok("no data: classic histograms are used")

    # No errors and no successes are valid results if there are requests.
    optional = _PART_OF.get(key) in probe.results
    parts = probe.selectors(key)
    for part in parts:
        problem = _of_part(probe, key, part, optional=optional)
        if problem is not None:
            return problem
    if optional:
        return ok(_NO_PART[key])
    if probe.idle:
        return warning("no value now; there are series in the look-back", Cause("no test is running", "nothing"))
    return _of_series(probe, key, parts)


def _of_part(probe: PrometheusProbe, key: str, part: Selector, *, optional: bool) -> Finding | None:
    """The problem with one selector of the query, according to the index."""
    names = probe.labels(part.named) if part.metric else None
    if names is None:
        return None
    if not names:
        return _missing(probe, key, f"no series with the name {part.metric}", absence_causes.metric(probe, key))

    lacking = [label for label in part.needed if label not in names]
    if lacking:
        text = f"{part.metric} has no label {join_words(lacking)}; it has {shown_labels(names)}"
        return _missing(probe, key, text, absence_causes.label(probe, key, lacking), sure=True)
    if not optional and not probe.labels(part.text):
        return _missing(probe, key, f"no series matches {part.text}", absence_causes.match(probe, part))
    return None


def _of_series(probe: PrometheusProbe, key: str, parts: Iterable[Selector]) -> Finding:
    """The index has series for every selector: the cause is the time, or the index itself."""
    if any(part.metric and probe.labels(part.named) is None for part in parts):
        text = "no result, and the server does not report which series it has"
        causes = [*absence_causes.metric(probe, key), *absence_causes.value(probe)]
        return _missing(probe, key, text, causes)

    # The index keeps series for hours after their last sample.
    if probe.production:
        gone = [part.text for part in parts if not probe.is_present(part.text)]
        if gone:
            window = duration(probe.context.window.duration)
            text = f"no series of {join_words(gone)} at {format_time(probe.at)}; there were some in the last {window}"
            return warning(text, *_GONE)
    text = f"the series exist, but have no value at {format_time(probe.at)}"
    return _missing(probe, key, text, absence_causes.value(probe))


def _missing(probe: PrometheusProbe, key: str, text: str, causes: Iterable[Cause], *, sure: bool = False) -> Finding:
    """A failure if most evidence needs it, if the configuration has its own template, or if the template is wrong."""
    if sure or key in _REQUIRED or probe.is_own(key) or not probe.observes(key):
        return failed(text, *causes)
    return warning(text, *causes)
