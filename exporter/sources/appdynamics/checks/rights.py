"""Checks of what a role may read beside metrics: violations of health rules, events, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.errors import SourceError
from exporter.humanize import join_words, pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import ROLE, refused
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, similar
from exporter.sources.appdynamics.checks.probe import Probe, needs

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

_NO_VIOLATIONS = Cause("the role may not see violations: incidents are then not known, all else is", ROLE)
_NO_EVENTS = Cause(
    "the role may not see events: incidents are then not known, all else is", f"{ROLE}; or events: [] to ask no more"
)
_NO_SNAPSHOTS = Cause(
    "the role may not see snapshots; nothing uses them yet, so that nothing is missing for now",
    "nothing; or give the role View on the application",
)


def rights_steps(probe: Probe) -> Iterator[Step]:
    """Of one application, as a role's rights are seldom different for another."""
    name = probe.example
    required = needs("applications", well=bool(name))

    def step(subject: str, page: str, run: Callable[[Probe, str], Finding], more: str = "") -> Step:
        tried = f"GET .../{page}{probe.of_example} over the last hour{more}"
        return Step("rights", tried, partial(run, probe, name), required, subject)

    yield step("violations", "problems/healthrule-violations", _violations)
    if probe.options.events:
        yield step("events", "events", _events, f", of {some(probe.options.events, SHORT_LIST)}")
    yield step("snapshots", "request-snapshots", _snapshots)


def _violations(probe: Probe, name: str) -> Finding:
    try:
        violations = probe.client.violations(probe.applications[name].id, probe.recent)
    except SourceError as error:
        return refused(error, _NO_VIOLATIONS)
    return ok(f"may be read; {pluralize(len(violations), 'violation')} in the last hour")


def _events(probe: Probe, name: str) -> Finding:
    number = probe.applications[name].id

    try:
        events = probe.client.events(number, probe.recent, probe.options.events)
    except SourceError as error:
        if error.reason != "bad_query":
            return refused(error, _NO_EVENTS)
        types = probe.options.events[:_TRIED]
        return _unknown_types(str(error), [kind for kind in types if not _is_known(probe, number, kind)])
    return ok(f"may be read; {pluralize(len(events), 'event')} in the last hour")


def _is_known(probe: Probe, application: int, kind: str) -> bool:
    """Whether the controller takes a type of event by itself."""
    try:
        probe.client.events(application, probe.recent, (kind,))
    except SourceError as error:
        if error.reason != "bad_query":
            raise
        return False
    return True


def _unknown_types(said: str, unknown: Sequence[str]) -> Finding:
    """One unknown type makes the controller refuse them all."""
    if not unknown:
        text = "the controller takes each type alone, and not all of them together"
        return failed(said, Cause(text, "ask for fewer types in events"))

    causes = []
    for kind in unknown:
        close = similar(kind, TYPES)
        remedy = "take it away"
        if close:
            remedy = f"write {' or '.join(close)} instead, or take it away"
        text = f"events: this controller knows no {kind}, and refuses the whole call for it"
        causes.append(Cause(text, remedy))
    found = f"refused (400): no type of event is {join_words(list(unknown))}; none of the others is read either"
    return failed(found, *causes)


def _snapshots(probe: Probe, name: str) -> Finding:
    try:
        probe.client.snapshots(probe.applications[name].id, probe.recent)
    except SourceError as error:
        return replace(refused(error, _NO_SNAPSHOTS), verdict="warning")
    return ok("may be read")
