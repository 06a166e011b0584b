"""Checks of what was found: values that cannot be, labels that collide, missing applications, what it costs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from statistics import median

from exporter.checkup import failed, ok, warning
from exporter.humanize import join_words, pluralize
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.sources.prometheus.checks.probe import Found, Probe
from exporter.sources.prometheus.presets import duration
from exporter.sources.prometheus.queries import marked, union

_PERCENT = 1.5
"""A ratio above this is more likely a percentage than an overload."""

_LONG, _SHORT = 20.0, 1e-5
"""Mean latencies in seconds that are more likely in another unit."""

_REPLICAS = ("prometheus_replica", "replica", "__replica__")
_DAY_MINUTES = 1440
_MAX_SAMPLES = 50_000_000
"""--query.max-samples unless the server says otherwise."""

Odd = tuple[str, Cause]


def values(probe: Probe) -> Finding:
    """Whether what was measured can be: signs, ratios, units."""
    odd = [*_impossible(probe), *_ratios(probe), *_latency(probe), *_errors(probe)]
    if odd:
        return warning("; ".join(text for text, _ in odd), *(cause for _, cause in odd))
    return ok(
        f"{join_words(list(probe.found))}: nothing that cannot be" if probe.found else "nothing was found to judge"
    )


def _by_application(found: Found | None) -> dict[str, float]:
    return {each.labels["application"]: each.value for each in (found.samples if found else ()) if _named(each.labels)}


def _named(labels: Mapping[str, str]) -> bool:
    return bool(labels.get("application"))


def _impossible(probe: Probe) -> Iterator[Odd]:
    for key, found in probe.found.items():
        negative = sum(each.value < 0 for each in found.samples)
        if negative:
            cause = Cause(
                "a gauge where a counter is wanted, or a difference", f"mend signals.{key}; rate() needs a counter"
            )
            yield f"{key}: {negative} of {len(found.samples)} values are negative, and left out", cause
        if found.not_finite:
            cause = Cause(
                "divided by nothing, such as by a limit that is not set", f"mend the denominator in signals.{key}"
            )
            yield f"{key}: {pluralize(found.not_finite, 'value')} NaN or infinite, and left out", cause


def _ratios(probe: Probe) -> Iterator[Odd]:
    for key in ("cpu", "memory"):
        high = {name: value for name, value in _by_application(probe.found.get(key)).items() if value > 1}
        if not high:
            continue
        name, top = max(high.items(), key=lambda item: item[1])
        if top > _PERCENT:
            cause = Cause("it is in percent, and a ratio 0..1 is wanted", f"signals.{key}: ({'...'}) / 100")
        else:
            text = "the denominator is what was requested, not what there is"
            cause = Cause(text, f"divide by the limit in signals.{key}")
        yield f"{key}: {top:g} of {name} is above 1", cause


def _latency(probe: Probe) -> Iterator[Odd]:
    scale = probe.asked.templates.latency_scale
    sums, counts = (_by_application(probe.found.get(key)) for key in ("latency_sum", "latency_count"))
    means = [scale * sums[name] / count for name, count in counts.items() if count > 0 and name in sums]
    names = {part.metric for key in ("latency_sum", "latency_native") for part in probe.selectors(key)}
    milli = any("_milliseconds" in name or name.endswith("_ms_sum") for name in names)
    typical = median(means) if means else None
    shown = f"; the median of their means is {spent(typical)}" if typical is not None else ""
    if (milli and scale == 1) or (typical is not None and typical > _LONG):
        text = f"latency_scale is {scale:g} for {join_words(sorted(names))}{shown}"
        yield (
            text,
            Cause("the histogram counts milliseconds, and seconds are wanted", f"latency_scale: {scale / 1000:g}"),
        )
    elif typical is not None and typical < _SHORT and scale < 1:
        text = f"latency_scale is {scale:g}{shown}"
        yield text, Cause("the histogram counts seconds already", "latency_scale: 1")


def _errors(probe: Probe) -> Iterator[Odd]:
    errors, requests = (_by_application(probe.found.get(key)) for key in ("error_rate", "request_rate"))
    more = sorted(name for name, value in errors.items() if name in requests and value > requests[name] * 1.001)
    if more:
        cause = Cause("the two templates count different things", "let both read the same metric and matchers")
        yield f"error_rate exceeds request_rate for {join_words(more)}", cause
    counted_ = _by_application(probe.found.get("latency_count"))
    far = sorted(
        name
        for name, value in counted_.items()
        if requests.get(name, 0.0) > probe.wanted.threshold and not 1 / 1.5 < value / requests[name] < 1.5
    )
    if far:
        text = "the histogram counts other requests than the counter does (other paths, a client's side)"
        cause = Cause(text, "let request_rate read the histogram's _count, or narrow both with the same matchers")
        yield f"latency_count differs from request_rate for {join_words(far)}", cause


def application(probe: Probe, name: str) -> Finding:
    """Whether an application for which evidence is expected is among those with requests."""
    known = {*probe.active, *_by_application(probe.found.get("request_rate"))}
    if "request_rate" not in probe.asked.templates.queries:
        known |= {each for found in probe.found.values() for each in found.applications}
    if name in known:
        return ok("has requests")
    if probe.production and "request_rate" in probe.asked.templates.queries:
        known |= set(probe.lately(probe.wanted.window.duration))  # it may have stood still for hours
        if name in known:
            return ok(f"no request in that minute; some in the {duration(probe.wanted.window.duration)} before")
    label = probe.asked.templates.labels["application"]
    metric = next((part.named for part in probe.selectors("request_rate")), "...")
    causes = []
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        text = f"it is called {near[0]} here"
        causes.append(
            Cause(text, f"use that name in analysis.expected, or let labels.application ({label}) name it alike")
        )
    if probe.asked.templates.selector:
        text = f"selector ({probe.asked.templates.selector}) leaves it out"
        causes.append(Cause(text, f"try without: `group by ({label}) ({metric})` on the server"))
    if not probe.production:
        causes.append(Cause("it was not tested in the look-back", "test it"))
    causes.append(Cause("it is not scraped by this server", "look at the server's page /targets"))
    return failed("no requests" + (f"; there are those of {join_words(sorted(known)[:6])}" if known else ""), *causes)


def collisions(probe: Probe) -> Finding:
    """Labels that a scrape renamed, and replicas that count twice."""
    labels = probe.asked.templates.labels
    needed = {**{name: f"labels.{option}" for option, name in labels.items()}}
    seen, renamed, replicas = list[str](), dict[str, str](), set[str]()
    for key in probe.found:
        for part in probe.selectors(key):
            if part.metric in seen:
                continue
            seen.append(part.metric)
            names = probe.labels(part.named) or frozenset()
            for label in (*needed, *part.needed):
                if f"exported_{label}" in names:
                    renamed[label] = part.metric
            replicas |= names & set(_REPLICAS)
    twice = [label for label in sorted(replicas) if _twice(probe, label)]
    if not renamed and not twice:
        return ok(f"none of {pluralize(len(seen), 'metric')}")
    found, causes = [], []
    for label, metric in sorted(renamed.items()):
        found.append(f"{metric} has {label} and exported_{label}")
        option = needed.get(label)
        text = f"the scrape has its own {label}; what the application called so is now exported_{label}"
        rename = (
            f"{option.replace('.', ': {')}: exported_{label}}}" if option else f"write exported_{label} in selector"
        )
        causes.append(
            Cause(text, f"if {label} shows the scrape's value: {rename}, or honor_labels: true in the scrape job")
        )
    for label in twice:
        found.append(f"series of several values of {label}")
        text = "where these are replicas of the scraper, not of the application, each target counts as often"
        causes.append(Cause(text, f"turn deduplication on, or narrow selector to one {label}"))
    return warning("; ".join(found), *causes)


def _twice(probe: Probe, label: str) -> bool:
    parts = probe.selectors("request_rate")
    found = probe.ask(f"count(count by ({label}) ({parts[0].text}))") if parts else None
    return found is not None and any(each.value > 1 for each in found.samples)


def cost(probe: Probe) -> Finding:
    """Series, time and requests: of this check-up, and against the server's limit for a day of raw data."""
    if not probe.found:
        return ok(f"{probe.requests} requests; they found nothing whose series could be counted")
    parts = [part.text for part in dict.fromkeys(part for key in probe.found for part in probe.selectors(key)[:1])]
    query = union(marked(f"count({text})", "part", str(number)) for number, text in enumerate(parts))
    series = {parts[int(each.labels["part"])]: each.value for each in probe.ask(query).samples if "part" in each.labels}
    slowest = max(probe.found, key=lambda key: probe.found[key].seconds)
    seconds = probe.found[slowest].seconds
    most = max(series, key=lambda text: series[text]) if series else None
    found = f"{probe.requests} requests; the slowest query of a minute took {spent(seconds)}"
    found = f"{series[most]:.0f} series of {most} at most; {found}" if most else found
    causes = []
    limit = probe.max_samples or _MAX_SAMPLES
    if most and series[most] * _DAY_MINUTES > limit / 2:
        text = f"a day of {series[most]:.0f} series comes near --query.max-samples ({limit})"
        causes.append(Cause(text, _RECORD))
    if seconds > probe.asked.http.timeout / 4:
        text = f"one minute of {slowest} takes so long that a day meets `timeout`"
        causes.append(Cause(text, f"{_RECORD}; until then raise timeout and the server's --query.timeout"))
    return warning(found, *causes) if causes else ok(found)


_RECORD = "record the signals: `pte-exporter generate rules`, and load observed.rules.yml; or narrow selector"
