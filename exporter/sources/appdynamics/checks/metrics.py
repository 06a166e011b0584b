"""Checks of metric paths: what each gives over the last hour, and, where it gives nothing, why that may be."""

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
from exporter.sources.appdynamics.checks.probe import SAMPLE, Probe, needs
from exporter.sources.appdynamics.conversion import total, wildcards
from exporter.sources.appdynamics.observations import BY_TRANSACTION
from exporter.sources.appdynamics.records import Answer, Metric, MetricQuery

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
    Cause("the role may list the application and not see its metrics", ROLE),
    Cause(
        "a fault of some SaaS versions (25.10) after an update",
        "ask the vendor's support, with the answer to this very call",
    ),
)
_NO_AGENT = (
    Cause(
        "no agent of the application ever reported it",
        "look whether its tiers have nodes that are up (Tiers & Nodes), and into the agents' logs",
    ),
)
_NO_MACHINE_AGENT = (
    Cause(
        "no machine agent runs on the application's hosts, or it is not bound to the application",
        "install it with the application's and tier's name; or metrics: {cpu: null, memory: null}",
    ),
    Cause(
        "in containers it is reported elsewhere",
        "set metrics.cpu and metrics.memory to what the Metric Browser has, such as ...|*|JVM|Process CPU Usage %",
    ),
)
_USUAL: dict[str, tuple[Cause, ...]] = {
    _P95: (
        Cause(
            "many controllers have percentiles of transactions only, which cannot be joined to the application's",
            "nothing, if the Metric Browser has none there: latency P95 will have no evidence, the mean still has",
        ),
        Cause(
            "the agents measure none: Java's and .NET's do unless disable-percentile-metrics is set, few others do",
            "take that property away (Tiers & Nodes > Agents); or metrics: {latency_p95: null} to ask no more",
        ),
    ),
    "cpu": _NO_MACHINE_AGENT,
    "memory": _NO_MACHINE_AGENT,
}
_STOPPED = Cause("the machine agents have stopped, or report to another tier", "look into their logs")
_QUIET = Cause("nothing was called in that time", "look at the application's page over the last hour")
_DOWN = Cause("the agents are down, or cannot reach the controller", "look at Tiers & Nodes, and into the agents' logs")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Applications by what a path gave of them."""

    values: list[str] = field(default_factory=list)
    """What those with values have, in words."""
    unknown: list[str] = field(default_factory=list)
    """No such metric."""
    silent: list[str] = field(default_factory=list)
    """No data."""


def metric_steps(probe: Probe) -> Iterator[Step]:
    """Needs an application that was found; what follows needs `metrics` of `calls`."""
    scope = ""
    if len(probe.applications) > SAMPLE:
        scope = f", of the first {SAMPLE} of {len(probe.applications)} applications"

    required = needs("applications", well=bool(probe.applications))
    for key, path in probe.options.paths.items():
        tried = f"GET .../metric-data of {path} over the last hour{scope}"
        yield Step("metrics", tried, partial(_metric, probe, key, path), required, key)


def _metric(probe: Probe, key: str, path: str) -> Finding:
    try:
        answers = _answers(probe, key, path)
    except SourceError as error:
        if error.reason == "bad_query":
            return failed(str(error), Cause(f"metrics.{key} is no metric path", "copy it from the Metric Browser"))
        return refused(error, *_HIDDEN)

    outcome = _outcome(key, answers)
    if outcome.unknown:
        return _unknown(probe, key, path, outcome)
    if outcome.silent:
        return _silent(probe, key, outcome)
    return ok("; ".join(outcome.values))


def _answers(probe: Probe, key: str, path: str) -> Mapping[str, Answer]:
    """By our name of the application; what was asked before is not asked again."""
    answers: dict[str, Answer] = {}
    if key == "transaction_calls":
        answers |= probe.traffic

    missing = {name: application for name, application in probe.sample.items() if name not in answers}
    rollup = key in BY_TRANSACTION  # one value of each transaction: there may be hundreds
    queries = [MetricQuery(application.id, path, probe.recent, rollup) for application in missing.values()]
    answers |= zip(missing, probe.query(queries), strict=True)

    answers = {name: answers[name] for name in probe.sample}
    if key == "calls":
        probe.active = [name for name, answer in answers.items() if _has_calls(answer)]
        probe.measured = any(answer.absence != "no_metric" for answer in answers.values())
    return answers


def _has_calls(answer: Answer) -> bool:
    return any(total(metric) for metric in answer.metrics)


def _outcome(key: str, answers: Mapping[str, Answer]) -> _Outcome:
    outcome = _Outcome()

    for name, answer in answers.items():
        if answer.absence == "no_metric":
            outcome.unknown.append(name)
        elif answer.absence is not None or (key == "calls" and not _has_calls(answer)):
            outcome.silent.append(name)
        else:
            outcome.values.append(f"{name}: {_values(key, answer)}")
    return outcome


def _values(key: str, answer: Answer) -> str:
    """How much there is, and what stood for nothing."""
    metrics = answer.metrics
    sentinels = sum(metric.sentinels for metric in metrics)
    left_out = f", {sentinels} more left out that stand for none (2147483647)" if sentinels else ""
    if key in BY_TRANSACTION:
        return f"{pluralize(len(metrics), 'transaction')} with values{left_out}"

    minutes = np.unique(np.concatenate([metric.times for metric in metrics])).size
    mean = float(np.concatenate([metric.values for metric in metrics]).mean())
    tiers = _tiers(answer.query.path, metrics)
    return f"{pluralize(minutes, 'value')}{tiers}, their mean {mean:.0f}{_UNITS.get(key, '')}{left_out}"


def _tiers(path: str, metrics: tuple[Metric, ...]) -> str:
    """Whose values they are, where the path does not say."""
    positions = wildcards(path)
    if not positions:
        return ""

    tier = positions[0]
    names = [metric.path[tier] for metric in metrics if tier < len(metric.path)]
    return f" of {some(names, SHORT_LIST)}" if names else ""


def _unknown(probe: Probe, key: str, path: str, outcome: _Outcome) -> Finding:
    """The path stands for nothing in some applications."""
    own = key in probe.options.metrics
    if key == "calls" and not probe.production and (outcome.values or not own):
        probe.untested = outcome.unknown
    tested = [name for name in outcome.unknown if name not in probe.untested]

    found = "; ".join([f"no such metric of {join_words(outcome.unknown)}", *outcome.values])
    if not tested:
        if key == "calls":
            return warning(found, UNTESTED, *_NO_AGENT)
        return ok(f"{found}; as of calls")

    causes = [*_path_causes(probe, key, path, tested[0]), *_USUAL.get(key, _NO_AGENT)]
    if key == "calls" or (own and not outcome.values):
        return failed(found, *causes)
    return warning(found, *causes)


def _path_causes(probe: Probe, key: str, path: str, application: str) -> Iterator[Cause]:
    """What is wrong with the path itself."""
    cause = nearest(probe, application, path)
    if cause is None:
        if key in probe.options.metrics:
            yield Cause("a slip in the path", f"metrics.{key}: copy it from the Metric Browser (Copy Full Path)")
    elif key == _P95:  # no other path has it: what is to be done is said of the controller
        yield cause
    else:
        yield Cause(cause.text, f"metrics.{key}: {cause.remedy}")


def _silent(probe: Probe, key: str, outcome: _Outcome) -> Finding:
    """Registered, and nothing in the last hour."""
    what = "calls" if key == "calls" else "data"
    found = "; ".join([f"no {what} in the last hour of {join_words(outcome.silent)}", *outcome.values])
    if not probe.production:
        return ok(f"{found}: known to the controller, and no test is running")
    if key == "calls":
        return warning(found, _QUIET, _DOWN)
    if not set(outcome.silent) & set(probe.active):
        return ok(f"{found}, as of calls")

    if key in ("cpu", "memory"):
        return warning(found, _STOPPED)
    if key.endswith("errors"):
        return ok(f"{found}: there were none")
    return warning(found, _DOWN)
