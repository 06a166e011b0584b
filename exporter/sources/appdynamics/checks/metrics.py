"""Checks of metric paths: what each gives over the last hour, and, where it gives nothing, which part of it is why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exporter.checkup import Step, failed, ok, warning
from exporter.errors import SourceError
from exporter.humanize import join_words, pluralize
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import ROLE, UNTESTED
from exporter.sources.appdynamics.checks.probe import LOOKED_AT, Probe, either, forbidden, near, some
from exporter.sources.appdynamics.reading import stars, total
from exporter.sources.appdynamics.records import Answer, Ask

ROLLED_UP = ("transaction_calls", "transaction_errors")
"""Asked for as one value of each transaction: there may be hundreds."""

_P95 = "latency_p95"

_BROWSED = 15
"""Looks into the tree of metrics, of all paths together, to find what a wrong path may mean."""

_UNITS = {"calls": " a minute", "errors": " a minute", "latency_mean": " ms", "latency_p95": " ms"} | dict.fromkeys(
    ("cpu", "memory"), " %"
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Applications by what a path gave of them."""

    told: list[str]
    unknown: list[str]
    """No such metric."""
    silent: list[str]
    """No data."""


def metric_steps(probe: Probe) -> Iterator[Step]:
    """Needs an application that was found; what follows needs `metrics` of `calls`."""
    needs = ("token",) if probe.found else ("applications",)
    rest = len(probe.found) - LOOKED_AT
    scope = f", of the first {LOOKED_AT} of {len(probe.found)} applications" if rest > 0 else ""
    for key, path in probe.options.paths.items():
        tried = f"GET .../metric-data of {path} over the last hour{scope}"
        yield Step("metrics", tried, lambda key=key, path=path: _metric(probe, key, path), needs, key)  # type: ignore[misc]


def _metric(probe: Probe, key: str, path: str) -> Finding:
    try:
        answers = _answers(probe, key, path)
    except SourceError as error:
        if forbidden(error):
            role = Cause("the role may list the application and not see its metrics", ROLE)
            update = "a fault of some SaaS versions (25.10) after an update"
            return failed(
                "refused (403)", role, Cause(update, "ask the vendor's support, with the answer to this very call")
            )
        if error.reason == "bad_query":
            return failed(str(error), Cause(f"metrics.{key} is no metric path", "copy it from the Metric Browser"))
        raise
    outcome = _outcome(key, answers)
    if outcome.unknown:
        return _unknown(probe, key, path, outcome)
    if outcome.silent:
        return _silent(probe, key, outcome)
    return ok("; ".join(outcome.told))


def _answers(probe: Probe, key: str, path: str) -> dict[str, Answer]:
    """By our name of the application; what was asked before is not asked again."""
    known = probe.traffic if key == "transaction_calls" else {}
    missing = [name for name in probe.looked_at if name not in known]
    rollup = key in ROLLED_UP
    asks = [Ask(probe.found[name].id, path, probe.recent, rollup) for name in missing]
    found = dict(zip(missing, probe.asked_all(asks), strict=True))
    answers = {name: known[name] if name in known else found[name] for name in probe.looked_at}
    if key == "calls":
        probe.active = [name for name, answer in answers.items() if any(map(total, answer.metrics))]
        probe.measured = any(answer.absence != "no_metric" for answer in answers.values())
    return answers


def _outcome(key: str, answers: dict[str, Answer]) -> _Outcome:
    outcome = _Outcome([], [], [])
    for name, answer in answers.items():
        if answer.absence == "no_metric":
            outcome.unknown.append(name)
        elif answer.absence is not None or (key == "calls" and not any(map(total, answer.metrics))):
            outcome.silent.append(name)
        else:
            outcome.told.append(f"{name}: {_values(key, answer)}")
    return outcome


def _values(key: str, answer: Answer) -> str:
    """How much there is, and what stood for nothing."""
    metrics = answer.metrics
    sentinels = sum(one.sentinels for one in metrics)
    left_out = f", {sentinels} more left out that stand for none (2147483647)" if sentinels else ""
    if key in ROLLED_UP:
        return f"{pluralize(len(metrics), 'transaction')} with values{left_out}"
    wild = stars(answer.ask.path)
    names = [one.path[wild[0]] for one in metrics if wild and wild[0] < len(one.path)]
    minutes = np.unique(np.concatenate([one.times for one in metrics])).size
    mean = float(np.concatenate([one.values for one in metrics]).mean())
    tiers = f" of {some(names)}" if names else ""
    return f"{pluralize(minutes, 'value')}{tiers}, their mean {mean:.0f}{_UNITS.get(key, '')}{left_out}"


def _unknown(probe: Probe, key: str, path: str, outcome: _Outcome) -> Finding:
    """The path stands for nothing in some applications."""
    own = key in probe.options.metrics
    if not probe.production and key == "calls" and (outcome.told or not own):
        probe.untested = outcome.unknown
    rest = [name for name in outcome.unknown if name not in probe.untested]
    found = "; ".join([f"no such metric of {join_words(outcome.unknown)}", *outcome.told])
    if not rest:
        return warning(found, UNTESTED, *_NO_AGENT) if key == "calls" else ok(f"{found}; as of calls")
    where = _nearest(probe, rest[0], path)
    causes = [] if where is None else [where if key == _P95 else Cause(where.text, f"metrics.{key}: {where.remedy}")]
    if own and where is None:
        causes.append(Cause("a slip in the path", f"metrics.{key}: copy it from the Metric Browser (Copy Full Path)"))
    causes += _USUAL.get(key, _NO_AGENT)
    if key == "calls" or (own and not outcome.told):
        return failed(found, *causes)
    return warning(found, *causes)


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


def _silent(probe: Probe, key: str, outcome: _Outcome) -> Finding:
    """Registered, and nothing in the last hour."""
    what = "calls" if key == "calls" else "data"
    found = "; ".join([f"no {what} in the last hour of {join_words(outcome.silent)}", *outcome.told])
    if not probe.production:
        return ok(f"{found}: known to the controller, and no test is running")
    if key != "calls" and not set(outcome.silent) & set(probe.active):
        return ok(f"{found}, as of calls")
    if key in ("cpu", "memory"):
        return warning(
            found, Cause("the machine agents have stopped, or report to another tier", "look into their logs")
        )
    if key.endswith("errors"):
        return ok(f"{found}: there were none")
    quiet = Cause("nothing was called in that time", "look at the application's page over the last hour")
    down = Cause(
        "the agents are down, or cannot reach the controller", "look at Tiers & Nodes, and into the agents' logs"
    )
    return warning(found, quiet, down) if key == "calls" else warning(found, down)


def _nearest(probe: Probe, application: str, path: str) -> Cause | None:
    """The first part of a path that is not in the tree, and what is there instead; None where that was not found."""
    above: list[str] = []
    for part in (re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\|", path)):
        if probe.browsed >= _BROWSED:
            return None
        try:
            names = probe.children(application, above)
        except SourceError:
            return None
        if not names:
            text = f"there is nothing below {'|'.join(above)}"
            return Cause(text, "copy a path from the Metric Browser") if above else None
        if part == "*":
            above.append(names[0])
            continue
        if part not in names:
            return _instead(part, names, "|".join(above) or "the root")
        above.append(part)
    return None


def _instead(part: str, names: list[str], above: str) -> Cause | None:
    """What may have been meant; of a percentile nothing but a percentile, and no other one can take its place."""
    text = f"below {above} there is no {part!r}"
    if "Percentile" in part:
        others = [each for each in names if "Percentile" in each]
        remedy = "add 95 under Configuration > Slow Transaction Thresholds; another percentile is no P95"
        return Cause(f"{text}, but {some(others)}", remedy) if others else None
    alike = near(part, names)
    if alike:
        return Cause(f"{text}, but {either(alike)}", f"write {either(alike)} there")
    return Cause(f"{text}, but {some(names)}", "copy a path from the Metric Browser")
