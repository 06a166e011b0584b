"""Checks of metric paths: the values of each over the last hour, and the causes if there are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from exporter.checkup import Step, failed, ok, warning
from exporter.errors import SourceError
from exporter.humanize import join_words, pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import ROLE, UNTESTED, refused
from exporter.sources.appdynamics.checks.metric_tree import nearest
from exporter.sources.appdynamics.checks.naming import SHORT_LIST
from exporter.sources.appdynamics.checks.probe import SAMPLE, ControllerProbe, needs
from exporter.sources.appdynamics.conversion import total, wildcards
from exporter.sources.appdynamics.observations import BY_TRANSACTION
from exporter.sources.appdynamics.records import Metric, MetricQuery, MetricResult

_P95 = "latency_p95"

_UNITS = {
    "calls": " a minute",
    "errors": " a minute",
    "latency_mean": " ms",
    "latency_p95": " ms",
    "cpu": " %",
    "memory": " %",
}

_HIDDEN = (
    Cause("the role may list the application, but not read its metrics", ROLE),
    Cause(
        "a bug of some SaaS versions (25.10) after an update",
        "ask the vendor's support, with the response to this call",
    ),
)
_NO_AGENT = (
    Cause(
        "no agent of the application ever reported it",
        "check whether its tiers have running nodes (Tiers & Nodes), and the agents' logs",
    ),
)
_NO_MACHINE_AGENT = (
    Cause(
        "no machine agent runs on the application's hosts, or it is not bound to the application",
        "install it with the application's and tier's name; or set metrics: {cpu: null, memory: null}",
    ),
    Cause(
        "in containers it is reported under another path",
        "set metrics.cpu and metrics.memory to paths of the Metric Browser, such as ...|*|JVM|Process CPU Usage %",
    ),
)
_USUAL: dict[str, tuple[Cause, ...]] = {
    _P95: (
        Cause(
            "many controllers have percentiles of transactions only, which cannot be combined to the application's",
            "nothing, if the Metric Browser has none there: latency P95 has no evidence then, the mean still has",
        ),
        Cause(
            "the agents measure none: Java's and .NET's do unless disable-percentile-metrics is set, few others do",
            "remove that property (Tiers & Nodes > Agents); or set metrics: {latency_p95: null} to skip it",
        ),
    ),
    "cpu": _NO_MACHINE_AGENT,
    "memory": _NO_MACHINE_AGENT,
}
_STOPPED = Cause("the machine agents have stopped, or report to another tier", "check their logs")
_QUIET = Cause("the application had no calls in that time", "check its page over the last hour")
_DOWN = Cause("the agents are down, or cannot reach the controller", "check Tiers & Nodes, and the agents' logs")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Applications by the result of a path."""

    values: list[str] = field(default_factory=list)
    """Descriptions of those with values."""
    unknown: list[str] = field(default_factory=list)
    """No such metric."""
    silent: list[str] = field(default_factory=list)
    """No data."""


def metric_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs a listed application; later steps need `metrics` of `calls`."""
    scope = ""
    if len(probe.applications) > SAMPLE:
        scope = f", of the first {SAMPLE} of {len(probe.applications)} applications"

    required = needs("applications", well=bool(probe.applications))
    for key, path in probe.options.paths.items():
        tried = f"GET .../metric-data of {path} over the last hour{scope}"
        yield Step("metrics", tried, partial(_metric, probe, key, path), required, key)


def _metric(probe: ControllerProbe, key: str, path: str) -> Finding:
    try:
        results = _results(probe, key, path)
    except SourceError as error:
        if error.reason == "bad_query":
            return failed(str(error), Cause(f"metrics.{key} is not a metric path", "copy it from the Metric Browser"))
        return refused(error, *_HIDDEN)

    outcome = _outcome(key, results)
    if outcome.unknown:
        return _unknown(probe, key, path, outcome)
    if outcome.silent:
        return _silent(probe, key, outcome)
    return ok("; ".join(outcome.values))


def _results(probe: ControllerProbe, key: str, path: str) -> Mapping[str, MetricResult]:
    """By our name of the application; results of earlier steps are reused."""
    results: dict[str, MetricResult] = {}
    if key == "transaction_calls":
        results |= probe.traffic

    missing = {name: application for name, application in probe.sample.items() if name not in results}
    rollup = key in BY_TRANSACTION  # one value of each transaction: there may be hundreds
    queries = [MetricQuery(application.id, path, probe.recent, rollup) for application in missing.values()]
    results |= zip(missing, probe.query(queries), strict=True)

    results = {name: results[name] for name in probe.sample}
    if key == "calls":
        probe.active = [name for name, result in results.items() if _has_calls(result)]
        probe.measured = any(result.absence != "no_metric" for result in results.values())
    return results


def _has_calls(result: MetricResult) -> bool:
    return any(total(metric) for metric in result.metrics)


def _outcome(key: str, results: Mapping[str, MetricResult]) -> _Outcome:
    outcome = _Outcome()

    for name, result in results.items():
        if result.absence == "no_metric":
            outcome.unknown.append(name)
        elif result.absence is not None or (key == "calls" and not _has_calls(result)):
            outcome.silent.append(name)
        else:
            outcome.values.append(f"{name}: {_values(key, result)}")
    return outcome


def _values(key: str, result: MetricResult) -> str:
    """The number of values, and of placeholders."""
    metrics = result.metrics
    sentinels = sum(metric.sentinels for metric in metrics)
    left_out = f", {sentinels} placeholders (2147483647) ignored" if sentinels else ""
    if key in BY_TRANSACTION:
        return f"{pluralize(len(metrics), 'transaction')} with values{left_out}"

    minutes = np.unique(np.concatenate([metric.times for metric in metrics])).size
    mean = float(np.concatenate([metric.values for metric in metrics]).mean())
    tiers = _tiers(result.query.path, metrics)
    return f"{pluralize(minutes, 'value')}{tiers}, their mean {mean:.0f}{_UNITS.get(key, '')}{left_out}"


def _tiers(path: str, metrics: tuple[Metric, ...]) -> str:
    """The tiers with values, if the path has a wildcard for them."""
    positions = wildcards(path)
    if not positions:
        return ""

    tier = positions[0]
    names = [metric.path[tier] for metric in metrics if tier < len(metric.path)]
    return f" of {some(names, SHORT_LIST)}" if names else ""


def _unknown(probe: ControllerProbe, key: str, path: str, outcome: _Outcome) -> Finding:
    """The path matches nothing in some applications."""
    own = key in probe.options.metrics
    if key == "calls" and not probe.production and (outcome.values or not own):
        probe.untested = outcome.unknown
    tested = [name for name in outcome.unknown if name not in probe.untested]

    summary = "; ".join([f"no such metric of {join_words(outcome.unknown)}", *outcome.values])
    if not tested:
        if key == "calls":
            return warning(summary, UNTESTED, *_NO_AGENT)
        return ok(f"{summary}; the same applies to calls")

    causes = [*_path_causes(probe, key, path, tested[0]), *_USUAL.get(key, _NO_AGENT)]
    if key == "calls" or (own and not outcome.values):
        return failed(summary, *causes)
    return warning(summary, *causes)


def _path_causes(probe: ControllerProbe, key: str, path: str, application: str) -> Iterator[Cause]:
    """What is wrong with the path itself."""
    cause = nearest(probe, application, path)
    if cause is None:
        if key in probe.options.metrics:
            yield Cause("a typo in the path", f"metrics.{key}: copy it from the Metric Browser (Copy Full Path)")
    elif key == _P95:  # no other path has it: the remedy is on the controller
        yield cause
    else:
        yield Cause(cause.text, f"metrics.{key}: {cause.remedy}")


def _silent(probe: ControllerProbe, key: str, outcome: _Outcome) -> Finding:
    """Registered, and nothing in the last hour."""
    kind = "calls" if key == "calls" else "data"
    summary = "; ".join([f"no {kind} in the last hour of {join_words(outcome.silent)}", *outcome.values])
    if not probe.production:
        return ok(f"{summary}: known to the controller, and no test is running")
    if key == "calls":
        return warning(summary, _QUIET, _DOWN)
    if not set(outcome.silent) & set(probe.active):
        return ok(f"{summary}, the same applies to calls")

    if key in ("cpu", "memory"):
        return warning(summary, _STOPPED)
    if key.endswith("errors"):
        return ok(f"{summary}: there were none")
    return warning(summary, _DOWN)
