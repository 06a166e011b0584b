"""Checks of what a role may read beside metrics: violations of health rules, events, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from exporter.checkup import Step, failed, ok, warning
from exporter.errors import SourceError
from exporter.humanize import join_words, pluralize
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import ROLE
from exporter.sources.appdynamics.checks.probe import Probe, forbidden, near, some

TYPES = (
    "AGENT_CONFIGURATION_ERROR",
    "AGENT_EVENT",
    "APPLICATION_CONFIG_CHANGE",
    "APPLICATION_DEPLOYMENT",
    "APPLICATION_ERROR",
    "APP_SERVER_RESTART",
    "CUSTOM",
    "DEADLOCK",
    "DIAGNOSTIC_SESSION",
    "MEMORY",
    "MEMORY_LEAK_DIAGNOSTICS",
    "NETWORK",
    "NODE_CONFIGURATION",
    "POLICY_CLOSE_CRITICAL",
    "POLICY_CLOSE_WARNING",
    "POLICY_OPEN_CRITICAL",
    "POLICY_OPEN_WARNING",
    "RESOURCE_POOL_LIMIT",
    "SLOW",
    "STALL",
    "VERY_SLOW",
)
"""Known types of events, to name what a wrong one may have meant."""

_TRIED = 16
"""Types that are tried to find those which the controller does not know."""


def rights_steps(probe: Probe) -> Iterator[Step]:
    """Of one application, as a role's rights are seldom different for another."""
    name = next(iter([*probe.active, *probe.looked_at]), "")
    needs = ("token",) if name else ("applications",)
    of = f" of {name}" if name else ""
    tried = f"GET .../problems/healthrule-violations{of} over the last hour"
    yield Step("rights", tried, lambda: _violations(probe, name), needs, "violations")
    if probe.options.events:
        tried = f"GET .../events{of} over the last hour, of {some(probe.options.events)}"
        yield Step("rights", tried, lambda: _events(probe, name), needs, "events")
    tried = f"GET .../request-snapshots{of} over the last hour"
    yield Step("rights", tried, lambda: _snapshots(probe, name), needs, "snapshots")


def _violations(probe: Probe, name: str) -> Finding:
    try:
        found = probe.client.violations(probe.found[name].id, probe.recent)
    except SourceError as error:
        return _forbidden(error, "violations", failed)
    return ok(f"may be read; {pluralize(len(found), 'violation')} in the last hour")


def _events(probe: Probe, name: str) -> Finding:
    number, types = probe.found[name].id, probe.options.events
    try:
        found = probe.client.events(number, probe.recent, types)
    except SourceError as error:
        if error.reason != "bad_query":
            return _forbidden(error, "events", failed)
        return _refused(str(error), _unknown(probe, number, types))
    return ok(f"may be read; {pluralize(len(found), 'event')} in the last hour")


def _refused(said: str, wrong: Sequence[str]) -> Finding:
    """One unknown type makes the controller refuse them all."""
    if not wrong:
        text = "the controller takes each type alone, and not all of them together"
        return failed(said, Cause(text, "ask for fewer types in events"))
    known = {each: near(each, TYPES) for each in wrong}
    causes = [
        Cause(
            f"events: this controller knows no {each}, and refuses the whole call for it",
            f"write {' or '.join(alike)} instead, or take it away" if alike else "take it away",
        )
        for each, alike in known.items()
    ]
    return failed(
        f"refused (400): no type of event is {join_words(list(wrong))}; none of the others is read either", *causes
    )


def _unknown(probe: Probe, application: int, types: Sequence[str]) -> list[str]:
    """The types that the controller refuses, each tried by itself."""
    return [each for each in types[:_TRIED] if not _taken(probe, application, each)]


def _taken(probe: Probe, application: int, kind: str) -> bool:
    try:
        probe.client.events(application, probe.recent, (kind,))
    except SourceError as error:
        if error.reason != "bad_query":
            raise
        return False
    return True


def _snapshots(probe: Probe, name: str) -> Finding:
    try:
        probe.client.snapshots(probe.found[name].id, probe.recent)
    except SourceError as error:
        return _forbidden(error, "snapshots", warning)
    return ok("may be read")


def _forbidden(error: SourceError, what: str, verdict: Callable[..., Finding]) -> Finding:
    """A right that is missing; any other error is told as it is."""
    if not forbidden(error):
        raise error
    if what == "snapshots":
        text = "the role may not see snapshots; nothing uses them yet, so that nothing is missing for now"
        return verdict("refused (403)", Cause(text, "nothing; or give the role View on the application"))
    text = f"the role may not see {what}: incidents are then not known, all else is"
    off = "; or events: [] to ask no more" if what == "events" else ""
    return verdict("refused (403)", Cause(text, f"{ROLE}{off}"))
