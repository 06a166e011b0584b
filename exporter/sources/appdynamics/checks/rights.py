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
from exporter.sources.appdynamics.checks.probe import ControllerProbe, needs

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
"""Known types of events, for suggestions."""

_TRIED = 16
"""Most types that are requested alone, to find unknown ones."""

_NO_VIOLATIONS = Cause("the role may not read violations: incidents are then unknown, all else is unaffected", ROLE)
_NO_EVENTS = Cause(
    "the role may not read events: incidents are then unknown, all else is unaffected",
    f"{ROLE}; or set events: [] to skip them",
)
_NO_SNAPSHOTS = Cause(
    "the role may not read snapshots; nothing uses them yet",
    "nothing; or give the role View on the application",
)


def rights_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Of one application, because a role's rights seldom differ between applications."""
    name = probe.example
    required = needs("applications", well=bool(name))

    def step(subject: str, page: str, run: Callable[[ControllerProbe, str], Finding], more: str = "") -> Step:
        tried = f"GET .../{page}{probe.of_example} over the last hour{more}"
        return Step("rights", tried, partial(run, probe, name), required, subject)

    yield step("violations", "problems/healthrule-violations", _violations)
    if probe.options.events:
        yield step("events", "events", _events, f", of {some(probe.options.events, SHORT_LIST)}")
    yield step("snapshots", "request-snapshots", _snapshots)


def _violations(probe: ControllerProbe, name: str) -> Finding:
    try:
        violations = probe.client.violations(probe.applications[name].id, probe.recent)
    except SourceError as error:
        return refused(error, _NO_VIOLATIONS)
    return ok(f"may be read; {pluralize(len(violations), 'violation')} in the last hour")


def _events(probe: ControllerProbe, name: str) -> Finding:
    number = probe.applications[name].id

    try:
        events = probe.client.events(number, probe.recent, probe.options.events)
    except SourceError as error:
        if error.reason != "bad_query":
            return refused(error, _NO_EVENTS)
        types = probe.options.events[:_TRIED]
        return _unknown_types(str(error), [kind for kind in types if not _is_known(probe, number, kind)])
    return ok(f"may be read; {pluralize(len(events), 'event')} in the last hour")


def _is_known(probe: ControllerProbe, application: int, kind: str) -> bool:
    """Whether the controller accepts a type of event alone."""
    try:
        probe.client.events(application, probe.recent, (kind,))
    except SourceError as error:
        if error.reason != "bad_query":
            raise
        return False
    return True


def _unknown_types(message: str, unknown: Sequence[str]) -> Finding:
    """One unknown type makes the controller refuse them all."""
    if not unknown:
        text = "the controller accepts each type alone, but not all of them together"
        return failed(message, Cause(text, "list fewer types in events"))

    causes = []
    for kind in unknown:
        close = similar(kind, TYPES)
        remedy = "remove it"
        if close:
            remedy = f"write {' or '.join(close)} instead, or remove it"
        text = f"events: {kind} is unknown to this controller, which then refuses the whole call"
        causes.append(Cause(text, remedy))
    summary = f"refused (400): unknown event types {join_words(list(unknown))}; the other types are not read either"
    return failed(summary, *causes)


def _snapshots(probe: ControllerProbe, name: str) -> Finding:
    try:
        probe.client.snapshots(probe.applications[name].id, probe.recent)
    except SourceError as error:
        return replace(refused(error, _NO_SNAPSHOTS), verdict="warning")
    return ok("may be read")
