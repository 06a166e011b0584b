"""What one observation tells a person: which applications, which signals, and what the source warns of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from exporter import humanize
from exporter.checkup import ok, warning
from exporter.model.checkup import Cause, Finding, Wanted
from exporter.model.observation import GAUGE_SIGNALS, ApplicationObservation, Observation

_SHOWN = 5
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


def finding(
    observation: Observation, wanted: Wanted, *, explained: bool, elsewhere: Mapping[str, str] | None = None
) -> Finding:
    """Fine where every expected application was seen with its request rate, and nothing was warned of.

    `explained`: a check before has told a cause already, so that guessing at others would only hide it. `elsewhere`:
    the applications that other environments' options name, to those environments' names.
    """
    known = observation.applications
    if wanted.role == "ci":
        seen = {name for name, one in known.items() if one.reports}
        reports = humanize.pluralize(sum(len(one.reports) for one in known.values()), "report")
        told = [f"{reports} of {_names(sorted(seen))}" if seen else "no report in the look-back"]
        unrated: list[str] = []
    else:
        seen = {*known}
        unrated = sorted(name for name, one in known.items() if "request_rate" not in one.signals)
        told = [_names(sorted(known)), *_signals(known)]
    missing = [name for name in wanted.applications if name not in seen]
    causes = [] if seen else [*_NOTHING[wanted.role]]
    if missing and seen:
        told.append(f"expected and not seen: {_listed(missing)}")
        causes.append(_EXPECTED)
    if unrated:
        causes.append(_UNRATED)
    if observation.warnings:
        told.append(f"warnings: {_listed(observation.warnings, '; ')}")
        causes.append(_WARNED)
    text, twins = "; ".join(told), [*_twins(seen, elsewhere or {})]
    if not causes and not twins:
        return ok(text)
    return warning(text, *twins, *((_ABOVE,) if explained and causes else causes))


def _twins(seen: Collection[str], elsewhere: Mapping[str, str]) -> Iterator[Cause]:
    """Names that were meant to be the same as another environment's: no side has evidence for the other then."""
    for other, where in elsewhere.items():
        twin = next((name for name in sorted(seen) if name.casefold() == other.casefold()), other)
        if twin != other and other not in seen:
            text = f"{twin!r} is {other!r} in {where}: upper and lower case differ, so that nothing is compared"
            yield Cause(text, f"give it one name: {other} here too, or {twin} there")


def _names(names: Sequence[str]) -> str:
    return f"{humanize.pluralize(len(names), 'application')}: {_listed(names)}" if names else "no application"


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(" ".join(name.split()) for name in names[:_SHOWN]) + more


def _signals(known: Mapping[str, ApplicationObservation]) -> Iterator[str]:
    """Which signals all have, which some lack and which nobody has: an absent one is a question, not a fault."""
    if not known:
        return
    having = {signal: {name for name, one in known.items() if _has(one, signal)} for signal in _ALL}
    everywhere = [humanize.label(signal) for signal, names in having.items() if len(names) == len(known)]
    nowhere = [humanize.label(signal) for signal, names in having.items() if not names]
    yield f"signals: {', '.join(everywhere) or 'none that all have'}"
    for signal, names in having.items():
        if 0 < len(names) < len(known):
            yield f"no {humanize.label(signal)} of {_listed(sorted(known.keys() - names))}"
    if nowhere:
        yield f"absent: {', '.join(nowhere)}"


_ALL = (*GAUGE_SIGNALS, "latency", "endpoints")


def _has(one: ApplicationObservation, signal: str) -> bool:
    if signal == "latency":
        return one.latency is not None
    return bool(one.routes) if signal == "endpoints" else signal in one.signals
