"""Summarises one observation for a person: its applications, its signals and the source's warnings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from exporter import humanize
from exporter.checkup import ok, warning
from exporter.humanize import some
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.model.observation import GAUGE_SIGNALS, ApplicationObservation, Observation

_MAX_NAMES = 5
"""Maximum number of names or warnings to print; of more their number."""

_NOTHING = {
    "production": (
        Cause("no requests were served in the window", "check the source itself over the same window"),
        Cause("the selector matches no data", "check the steps above, and the actual labels of the data"),
    ),
    "pte": (
        Cause("no test ran in the look-back", "run one, or raise analysis.test_run.lookback"),
        Cause("tests stay below the activity threshold", "lower analysis.test_run.threshold, or name them in `runs`"),
        Cause("the selector matches no data", "check the steps above, and the actual labels of the data"),
    ),
    "ci": (
        Cause("no test ran in the look-back", "run them, or raise analysis.test_executions.lookback"),
        Cause("reports are written elsewhere", "set `folder`, or the globs of `applications`, to their location"),
    ),
}
_EXPECTED = Cause(
    "it has another name there, or its data is missing",
    "compare it with the names above, and fix analysis.expected or the source",
)
_UNRATED = Cause(
    "the query or metric of the request rate has no data there",
    "nothing is compared without it: fix it as the checks above say",
)
_WARNED = Cause("the source itself warns", "fix the cause in each warning; the landing page of serve shows them too")
_ABOVE = Cause("a step above has a problem", "fix that first, then run doctor again")

_ALL = (*GAUGE_SIGNALS, "latency", "endpoints")


def finding(
    observation: Observation, context: CheckContext, *, explained: bool, elsewhere: Mapping[str, str] | None = None
) -> Finding:
    """Ok if every expected application was observed with its request rate, and there are no warnings.

    `explained`: an earlier check has named a cause, which guesses would only hide. `elsewhere`: the applications in
    the options of other environments, to those environments' names.
    """
    observed = _reporting(observation) if context.role == "ci" else {*observation.applications}
    texts = list(_contents(observation, observed, context.role))
    causes = list[Cause]()
    if not observed:
        causes += _NOTHING[context.role]

    missing = [name for name in context.applications if name not in observed]
    if missing and observed:
        texts.append(f"expected but not observed: {some(missing, _MAX_NAMES)}")
        causes.append(_EXPECTED)
    if context.role != "ci" and _lacks_rates(observation):
        causes.append(_UNRATED)
    if observation.warnings:
        texts.append(f"warnings: {some(observation.warnings, _MAX_NAMES, '; ')}")
        causes.append(_WARNED)

    # A twin is certain, other causes are guesses: it comes first.
    twins = list(_twins(observed, elsewhere or {}))
    if not causes and not twins:
        return ok("; ".join(texts))
    if causes and explained:
        causes = [_ABOVE]
    return warning("; ".join(texts), *twins, *causes)


def _reporting(observation: Observation) -> set[str]:
    """Applications whose tests were reported."""
    return {name for name, application in observation.applications.items() if application.reports}


def _lacks_rates(observation: Observation) -> bool:
    return any("request_rate" not in application.signals for application in observation.applications.values())


def _contents(observation: Observation, observed: Collection[str], role: str) -> Iterator[str]:
    """The applications with their signals or reports."""
    applications = observation.applications
    if role != "ci":
        yield _names(sorted(applications))
        yield from _signals(applications)
    elif observed:
        reports = sum(len(application.reports) for application in applications.values())
        yield f"{humanize.pluralize(reports, 'report')} of {_names(sorted(observed))}"
    else:
        yield "no report in the look-back"


def _twins(observed: Collection[str], elsewhere: Mapping[str, str]) -> Iterator[Cause]:
    """Names that differ from another environment's only in case: neither side then has evidence for the other."""
    for other, environment in elsewhere.items():
        alike = (name for name in sorted(observed) if name.casefold() == other.casefold())
        twin = next(alike, other)
        if twin != other and other not in observed:
            text = f"{twin!r} is {other!r} in {environment}: upper and lower case differ, so nothing is compared"
            yield Cause(text, f"use one name: {other} here too, or {twin} there")


def _names(names: Sequence[str]) -> str:
    if not names:
        return "no application"
    return f"{humanize.pluralize(len(names), 'application')}: {some(names, _MAX_NAMES)}"


def _signals(applications: Mapping[str, ApplicationObservation]) -> Iterator[str]:
    """Signals that all applications have, that some lack and that none has: a missing signal may be intended."""
    if not applications:
        return

    names_by_signal = dict[str, set[str]]()
    for signal in _ALL:
        names_by_signal[signal] = {name for name, application in applications.items() if _has(application, signal)}
    everywhere = [
        humanize.label(signal) for signal, names in names_by_signal.items() if len(names) == len(applications)
    ]
    yield f"signals: {', '.join(everywhere) or 'none common to all'}"

    for signal, names in names_by_signal.items():
        if 0 < len(names) < len(applications):
            missing = sorted(applications.keys() - names)
            yield f"no {humanize.label(signal)} of {some(missing, _MAX_NAMES)}"
    nowhere = [humanize.label(signal) for signal, names in names_by_signal.items() if not names]
    if nowhere:
        yield f"absent: {', '.join(nowhere)}"


def _has(application: ApplicationObservation, signal: str) -> bool:
    if signal == "latency":
        return application.latency is not None
    if signal == "endpoints":
        return bool(application.routes)
    return signal in application.signals
