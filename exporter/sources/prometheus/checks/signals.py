"""Checks of each template: what its query gives, in which shape; where that is nothing, which part of it is why."""

from __future__ import annotations

from collections import Counter

from exporter.checkup import failed, ok, warning
from exporter.clients.prometheus import series_name
from exporter.errors import SourceError
from exporter.humanize import format_time, pluralize, rate
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.model.observation import MINUTE
from exporter.sources.prometheus.checks.absence import some, why_nothing
from exporter.sources.prometheus.checks.probe import Found, Probe
from exporter.sources.prometheus.presets import duration

ORDER = (
    "request_rate",
    "error_rate",
    "latency_native",
    "latency_bucket",
    "latency_sum",
    "latency_count",
    "throughput",
    "concurrent_users",
    "cpu",
    "memory",
    "route_requests",
    "route_successes",
)
"""Keys in the order of the steps: native histograms first, as they excuse that there are no classic ones."""

_ROUTES = ("route_requests", "route_successes")

_CANDIDATES = {
    "application": (
        "service_name",
        "service",
        "application",
        "app",
        "job",
        "container",
        "destination_canonical_service",
    ),
    "method": ("method", "http_method", "http_request_method", "request_method", "verb"),
    "route": ("route", "handler", "path", "uri", "http_route", "endpoint", "request_operation", "url"),
}
"""What the labels are called elsewhere, the likeliest first."""

_RECENT = 600.0
"""Seconds in which the newest minute with a value is looked for: a scrape that was missed is no failure of a query."""

_SHOWN = 6
_COARSEST, _LOOKS = 600.0, 10_000


def activity(probe: Probe) -> Finding:
    """Activity in the look-back in which test runs are searched; later steps look at the minute with most of it.

    As in polls, what is below the threshold stays on the server: of hundreds of applications it is most of the data.
    """
    window = probe.wanted.window
    step = max(_COARSEST, window.duration // _LOOKS)
    query, threshold = probe.query("request_rate"), probe.wanted.threshold
    found = probe.client.query_range(f"({query}) > {threshold!r}", window.start + step, window.end, step)
    active = Counter(float(at) for each in found for at in each.times)
    if active:
        probe.at = max(active, key=lambda at: (active[at], at))
        probe.active = tuple(sorted({each.labels.get("application", "") for each in found} - {""}))
        return ok(f"{_names(probe.active)}; the next steps look at {format_time(probe.at)}, when most were")
    looked = f"in {duration(window.duration)}, looked at each {duration(step)}"
    if whole := probe.client.query_range(f"max({query})", window.start + step, window.end, step):
        top = max(float(each.values.max()) for each in whole)
        probe.at = max(float(each.times.max()) for each in whole)
        text = f"the load stays at or below analysis.test_run.threshold ({threshold:g} req/s)"
        remedy = "lower it, if that is the load of a test run"
        return warning(f"no minute above it {looked}; most are {rate(top)}", Cause(text, remedy))
    probe.idle = True
    return warning(
        f"no requests {looked}",
        Cause("no test was run in that time", "run one; or raise analysis.test_run.lookback, if it was before that"),
        Cause("the queries look at another environment", "compare selector with the labels of the PTE's series"),
    )


def signal(probe: Probe, key: str) -> Finding:
    """What one template gives."""
    query = probe.query(key)
    try:
        found = probe.ask(query)
    except SourceError as error:
        if error.reason != "bad_query":
            raise
        if key == "latency_native" and key not in probe.asked.explicit:
            return ok("not known to this server: classic histograms are used")
        remedy = f"try it on the server's own page, then mend signals.{key}"
        if key == "latency_native":
            text = "the server knows no native histograms (Prometheus from 2.40 on does)"
            return failed(str(error), Cause(text, "take signals.latency_native away, or update the server"))
        return failed(str(error), Cause("the template does not fit this server", remedy))
    if not found.samples and not found.not_finite and key == "request_rate" and probe.production:
        found = _newest(probe, query, found)
    if not found.samples and not found.not_finite:
        return why_nothing(probe, key)
    wrong = _shape(probe, key, found)
    if wrong is not None:
        return wrong
    probe.found[key] = found
    read = "" if found.read is None else f", {found.read} samples read"
    return ok(f"{_content(probe, key, found)}; {spent(found.seconds)}{read}")


def _newest(probe: Probe, query: str, found: Found) -> Found:
    """The answer of the newest minute that has one; this and later steps look at that minute then."""
    lately = probe.client.query_range(query, probe.at - _RECENT, probe.at, MINUTE)
    if not lately:
        return found
    probe.at = max(float(each.times.max()) for each in lately)
    return probe.ask(query)


def _content(probe: Probe, key: str, found: Found) -> str:
    text = _names(found.applications)
    nobodys = sum(not each.labels.get("application") for each in found.samples)
    text += f"; {nobodys} series of no application are left out" if nobodys else ""
    if key not in _ROUTES:
        return text
    labels = probe.asked.templates.labels
    whole = [each for each in found.samples if each.labels.get(labels["method"]) and each.labels.get(labels["route"])]
    left = len(found.samples) - len(whole)
    told = f"{text}, {pluralize(len(whole), 'route')}"
    return told + (f"; {left} without method or route are left out" if left else "")


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"{pluralize(len(names), 'application')}: {shown}"


def _labels(key: str, probe: Probe) -> tuple[str, ...]:
    """Labels that tell the series of a key apart."""
    known = probe.asked.templates.labels
    more = {"latency_bucket": ("le",), **dict.fromkeys(_ROUTES, (known["method"], known["route"]))}
    return ("application", *more.get(key, ()))


def _shape(probe: Probe, key: str, found: Found) -> Finding | None:
    """What is wrong with the labels of an answer."""
    labels = _labels(key, probe)
    for label in labels:
        if any(each.labels.get(label) for each in found.samples):
            continue
        own = probe.asked.templates.labels["application"] if label == "application" else label
        names = frozenset[str]().union(*(probe.labels(each.named) or () for each in probe.selectors(key)[:2]))
        return failed(f"no series has the label {own}", *_no_label(probe, own, key, names))
    seen = Counter(tuple(each.labels.get(label, "") for label in labels) for each in found.samples)
    twice = [values for values, count in seen.items() if count > 1 and all(values)]
    if not twice:
        return None
    one = next(each for each in found.samples if tuple(each.labels.get(name, "") for name in labels) == twice[0])
    by = ", ".join(f"${name}" if name != "le" else name for name in _by(key))
    return failed(
        f"{seen[twice[0]]} series of {', '.join(twice[0])} where one belongs, such as {series_name(one.labels)}",
        Cause("the template does not aggregate", f"signals.{key}: sum by ({by}) (...)"),
    )


def _by(key: str) -> tuple[str, ...]:
    return {"latency_bucket": ("application", "le"), **dict.fromkeys(_ROUTES, ("application", "method", "route"))}.get(
        key, ("application",)
    )


def _no_label(probe: Probe, own: str, key: str, names: frozenset[str]) -> list[Cause]:
    by = Cause("the template aggregates it away", f"name it in `by` of signals.{key}")
    option = next((option for option, label in probe.asked.templates.labels.items() if label == own), None)
    if option is None or own in names:  # le is not ours to rename
        return [by]
    likely = [name for name in _CANDIDATES[option] if name in names and name != own]
    there = f"; the series have {some(names)}" if names else ""
    first = f"labels: {{{option}: {likely[0] if likely else 'LABEL'}}}"
    causes = [Cause(f"the data calls it otherwise{there}", first)]
    if key in _ROUTES and option != "application":
        remedy = "have the application export it; or `signals: {route_requests: null, route_successes: null}`"
        causes.append(Cause("the metric does not tell endpoints apart", remedy))
    if own == "service_name":
        text = "resource attributes are not promoted to labels"
        causes.append(
            Cause(text, "promote_resource_attributes: [service.name] in Prometheus, or labels: {application: job}")
        )
    return [*causes, by]
