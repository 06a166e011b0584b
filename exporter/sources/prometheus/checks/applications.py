"""The check of each expected application: whether it has requests here."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from exporter.checkup import failed, ok
from exporter.humanize import join_words
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.checks.values import by_application
from exporter.sources.prometheus.presets import duration

_MAX_NAMES = 6


def application(probe: PrometheusProbe, name: str) -> Finding:
    """Whether an expected application is among those with requests."""
    # Without a request rate, any other signal shows that an application is active.
    names = {*probe.active, *by_application(probe, "request_rate")}
    if not probe.observes("request_rate"):
        for result in probe.results.values():
            names.update(result.applications)
    if name in names:
        return ok("has requests")

    if probe.production and probe.observes("request_rate"):  # it may have been idle for hours
        window = probe.context.window.duration
        names.update(probe.recently_active(window))
        if name in names:
            return ok(f"no requests in that minute, but some in the {duration(window)} before")

    text = "no requests"
    if names:
        text = f"{text}; other applications have some: {join_words(sorted(names)[:_MAX_NAMES])}"
    return failed(text, *_causes(probe, name, names))


def _causes(probe: PrometheusProbe, name: str, names: set[str]) -> Iterator[Cause]:
    label = probe.templates.labels["application"]
    alike = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if alike:
        yield Cause(
            f"its name here is {alike[0]}",
            f"use that name in analysis.expected, or another label than {label} in labels.application",
        )

    if probe.templates.selector:
        metric = next((part.named for part in probe.selectors("request_rate")), "...")
        yield Cause(
            f"selector ({probe.templates.selector}) excludes it",
            f"query without it: `group by ({label}) ({metric})` on the server",
        )

    if not probe.production:
        yield Cause("it was not tested in the look-back", "run a test of it")
    yield Cause("this server does not scrape it", "check the server's page /targets")
