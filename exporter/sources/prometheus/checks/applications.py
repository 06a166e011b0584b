"""The check of each application for which evidence is expected: whether it has requests here."""

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
    """Whether an application for which evidence is expected is among those with requests."""
    # Where there is no request rate, whatever was found speaks for an application.
    names = {*probe.active, *by_application(probe, "request_rate")}
    if not probe.observes("request_rate"):
        for answer in probe.answers.values():
            names.update(answer.applications)
    if name in names:
        return ok("has requests")

    if probe.production and probe.observes("request_rate"):  # it may have stood still for hours
        window = probe.context.window.duration
        names.update(probe.recently_active(window))
        if name in names:
            return ok(f"no request in that minute; some in the {duration(window)} before")

    text = "no requests"
    if names:
        text = f"{text}; there are those of {join_words(sorted(names)[:_MAX_NAMES])}"
    return failed(text, *_causes(probe, name, names))


def _causes(probe: PrometheusProbe, name: str, names: set[str]) -> Iterator[Cause]:
    label = probe.templates.labels["application"]
    alike = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if alike:
        yield Cause(
            f"it is called {alike[0]} here",
            f"use that name in analysis.expected, or let labels.application ({label}) name it alike",
        )

    if probe.templates.selector:
        metric = next((part.named for part in probe.selectors("request_rate")), "...")
        yield Cause(
            f"selector ({probe.templates.selector}) leaves it out",
            f"try without: `group by ({label}) ({metric})` on the server",
        )

    if not probe.production:
        yield Cause("it was not tested in the look-back", "test it")
    yield Cause("it is not scraped by this server", "look at the server's page /targets")
