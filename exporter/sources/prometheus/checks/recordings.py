"""The check of recorded one-minute series: which signals polls can read from there."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.checkup import ok, warning
from exporter.humanize import join_words
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.presets import RECORDED

_WHOLE = 0.99
"""As in exporter.sources.prometheus.source: the share of minutes from which on recordings are used."""

Minutes = Mapping[tuple[str, str], float]
"""How many minutes were recorded, by key and by the fingerprint of the query."""


def recordings(probe: PrometheusProbe) -> Finding:
    """Which signals can be read from recorded one-minute series."""
    if probe.options.recorded == "never":
        return ok("not used, as the configuration says")

    side = probe.context.side
    keys = sorted(RECORDED.keys() & probe.templates.queries.keys())
    # What polls would ask, and so what a rule has to have recorded to be of use.
    own = {key: probe.queries.fingerprint(key) for key in keys}
    minutes = _minutes(probe, own)
    if not minutes:
        return ok(f"none for side {side}: polls read raw data, which step `cost` judges")

    recorded = {key for key, _ in minutes}
    remedy = f"generate rules again (pte-exporter generate rules), and load group pte-observed-{side} on this server"
    different = [key for key in keys if key in recorded and (key, own[key]) not in minutes]
    if different:
        text = "the templates, selector or labels have changed since the rules were made, or they are another site's"
        return warning(f"of another query, and so not used: {join_words(different)}", Cause(text, remedy))
    absent = [key for key in keys if key not in recorded]
    if absent:
        text = "the rules were made before these signals were observed"
        return warning(f"not recorded: {join_words(absent)}", Cause(text, remedy))

    # A young recording is no fault: it becomes whole by itself.
    fewest = min(minutes[key, own[key]] for key in keys)
    share = fewest * MINUTE / probe.context.window.duration
    if share < _WHOLE:
        return ok(f"present, since {share:.0%} of the window: polls read raw data until it is whole")
    return ok(f"{join_words(keys)} are read from recordings")


def _minutes(probe: PrometheusProbe, own: Mapping[str, str]) -> Minutes:
    """Of keys that are observed; another site's recordings of the same side are among them."""
    window = probe.context.window
    minutes = {}
    for sample in probe.client.query(probe.queries.recording(window.duration), window.end):
        key = sample.labels.get("signal", "")
        if key in own:
            minutes[key, sample.labels.get("query", "")] = sample.value
    return minutes
