"""What one observation tells a person: which applications, which signals, and what the source warns of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from exporter import humanize
from exporter.checkup import ok, warning
from exporter.humanize import some
from exporter.model.checkup import Cause, CheckContext, Finding
from exporter.model.observation import GAUGE_SIGNALS, ApplicationObservation, Observation

_MAX_NAMES = 5
"""Names or warnings that are told; of more their number."""

_NOTHING = {
    "production": (
        Cause("nothing was served in the window", "look at the source itself over the same window"),
        Cause("what selects the data matches none", "look at the checks above, and at the labels the data really has"),
    ),
    "pte": (
        Cause("no test ran in the look-back", "run one, or raise analysis.test_run.lookback"),
        Cause("tests stay below the activity threshold", "lower analysis.test_run.threshold, or name them in `runs`"),
        Cause("what selects the data matches none", "look at the checks above, and at the labels the data really has"),
    ),
    "ci": (
        Cause("no test ran in the look-back", "run them, or raise analysis.test_executions.lookback"),
        Cause("reports are written elsewhere", "set `folder`, or the globs of `applications`, to where they are"),
    ),
}
_EXPECTED = Cause(
    "it is named otherwise there, or its data does not come in",
    "compare the names with those found, and mend analysis.expected or the source",
)
_UNRATED = Cause(
    "the query or metric of the request rate finds nothing there",
    "without it nothing is compared: mend it as the checks above tell",
)
_WARNED = Cause("the source says so itself", "mend what each warning names; serve shows them on its landing page")
_ABOVE = Cause("something above is not as it should be", "mend that first, then ask the doctor again")

_ALL = (*GAUGE_SIGNALS, "latency", "endpoints")


def finding(
    observation: Observation, context: CheckContext, *, explained: bool, elsewhere: Mapping[str, str] | None = None
) -> Finding:
    """Fine where every expected application was seen with its request rate, and nothing was warned of.

    `explained`: a check before has told a cause already, so that guessing at others would only hide it. `elsewhere`:
    the applications that other environments' options name, to those environments' names.
    """
    observed = _reporting(observation) if context.role == "ci" else {*observation.applications}
    texts = list(_contents(observation, observed, context.role))
    causes = list[Cause]()
    if not observed:
        causes += _NOTHING[context.role]

    missing = [name for name in context.applications if name not in observed]
    if missing and observed:
        texts.append(f"expected and not seen: {some(missing, _MAX_NAMES)}")
        causes.append(_EXPECTED)
    if context.role != "ci" and _lacks_rates(observation):
        causes.append(_UNRATED)
    if observation.warnings:
        texts.append(f"warnings: {some(observation.warnings, _MAX_NAMES, '; ')}")
        causes.append(_WARNED)

    # A twin is sure, what else may be wrong is a guess: it comes first.
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
    """What there is of whom."""
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
    """Names that were meant to be the same as another environment's: no side has evidence for the other then."""
    for other, environment in elsewhere.items():
        alike = (name for name in sorted(observed) if name.casefold() == other.casefold())
        twin = next(alike, other)
        if twin != other and other not in observed:
            text = f"{twin!r} is {other!r} in {environment}: upper and lower case differ, so that nothing is compared"
            yield Cause(text, f"give it one name: {other} here too, or {twin} there")


def _names(names: Sequence[str]) -> str:
    if not names:
        return "no application"
    return f"{humanize.pluralize(len(names), 'application')}: {some(names, _MAX_NAMES)}"


def _signals(applications: Mapping[str, ApplicationObservation]) -> Iterator[str]:
    """Which signals all have, which some lack and which nobody has: an absent one is a question, not a fault."""
    if not applications:
        return

    names_by_signal = dict[str, set[str]]()
    for signal in _ALL:
        names_by_signal[signal] = {name for name, application in applications.items() if _has(application, signal)}
    everywhere = [
        humanize.label(signal) for signal, names in names_by_signal.items() if len(names) == len(applications)
    ]
    yield f"signals: {', '.join(everywhere) or 'none that all have'}"

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
