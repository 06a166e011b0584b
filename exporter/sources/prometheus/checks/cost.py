"""The check of the queries' cost: series, time and requests, compared with the server's limits."""

from __future__ import annotations

from exporter.checkup import ok, warning
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import PrometheusProbe
from exporter.sources.prometheus.queries import marked, union

_DAY_MINUTES = 1440

_MAX_SAMPLES = 50_000_000
"""--query.max-samples unless the server reports another value."""

_RECORD = "record the signals: `pte-exporter generate rules`, and load observed.rules.yml; or narrow selector"


def cost(probe: PrometheusProbe) -> Finding:
    """Series, time and requests of this check-up, compared with the server's limit for a day of raw data."""
    if not probe.results:
        return ok(f"{probe.requests} requests; none has a result with series to count")

    series = _series(probe)
    slowest = max(probe.results, key=lambda key: probe.results[key].seconds)
    seconds = probe.results[slowest].seconds
    description = f"{probe.requests} requests; the slowest query of a minute took {spent(seconds)}"
    causes = []
    if series:
        largest = max(series, key=lambda selector: series[selector])
        count = series[largest]
        description = f"at most {count:.0f} series, of {largest}; {description}"
        # A poll of raw data reads every minute of a day in one query.
        limit = probe.max_samples or _MAX_SAMPLES
        if count * _DAY_MINUTES > limit / 2:
            text = f"a day of {count:.0f} series is close to --query.max-samples ({limit})"
            causes.append(Cause(text, _RECORD))
    if seconds > probe.options.timeout / 4:
        text = f"one minute of {slowest} takes so long that a day may exceed `timeout`"
        causes.append(Cause(text, f"{_RECORD}; until then raise timeout and the server's --query.timeout"))
    if causes:
        return warning(description, *causes)
    return ok(description)


def _series(probe: PrometheusProbe) -> dict[str, float]:
    """Selector to the number of series it matches, in one request: the first selector of each key with a result."""
    parts = list(dict.fromkeys(part.text for key in probe.results for part in probe.selectors(key)[:1]))
    query = union(marked(f"count({text})", "part", str(number)) for number, text in enumerate(parts))
    samples = probe.ask(query).samples
    return {parts[int(sample.labels["part"])]: sample.value for sample in samples if "part" in sample.labels}
