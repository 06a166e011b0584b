"""The check of recorded one-minute series: which signals polls can read from them."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.checkup import ok, warning
from exporter.humanize import join_words
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import RECORDED

_WHOLE = 0.99
"""As in exporter.sources.prometheus.poll: the share of minutes from which recordings are used."""

Minutes = Mapping[tuple[str, str], float]
"""The number of recorded minutes, by key and by the fingerprint of the query."""


def recordings(probe: PrometheusProbe) -> Finding:
    """Which signals can be read from recorded one-minute series."""
    if probe.options.recorded == "never":
        return ok("not used, as the configuration says")

    side = probe.context.side
    keys = sorted(RECORDED.keys() & probe.templates.queries.keys())
    # Polls use only recordings of exactly these queries.
    own = {key: probe.queries.fingerprint(key) for key in keys}
    minutes = _minutes(probe, own)
    if not minutes:
        return ok(f"no recordings for side {side}: polls read raw data; step `cost` checks its cost")

    recorded = {key for key, _ in minutes}
    remedy = f"generate rules again (pte-exporter generate rules), and load group pte-observed-{side} on this server"
    different = [key for key in keys if key in recorded and (key, own[key]) not in minutes]
    if different:
        text = "the templates, selector or labels changed after the rules were generated, or they are another site's"
        return warning(f"recorded from another query, and not used: {join_words(different)}", Cause(text, remedy))
    absent = [key for key in keys if key not in recorded]
    if absent:
        text = "the rules were generated before these signals were observed"
        return warning(f"not recorded: {join_words(absent)}", Cause(text, remedy))

    # A recent recording is not a problem: it becomes complete with time.
    fewest = min(minutes[key, own[key]] for key in keys)
    share = fewest * MINUTE / probe.context.window.duration
    if share < _WHOLE:
        return ok(f"recordings cover {share:.0%} of the window: polls read raw data until they cover all of it")
    return ok(f"polls read {join_words(keys)} from recordings")


def _minutes(probe: PrometheusProbe, own: Mapping[str, str]) -> Minutes:
    """Recorded minutes of observed keys, including another site's recordings of the same side."""
    window = probe.context.window
    minutes = {}
    for sample in probe.client.query(probe.queries.recording(window.duration), window.end):
        key = sample.labels.get("signal", "")
        if key in own:
            minutes[key, sample.labels.get("query", "")] = sample.value
    return minutes
