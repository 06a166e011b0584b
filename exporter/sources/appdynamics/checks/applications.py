"""Checks of applications: which our role may view, and whether each of the configured ones is among them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.errors import SourceError
from exporter.humanize import pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import API_CLIENTS, ROLE
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, choice, similar
from exporter.sources.appdynamics.checks.probe import ControllerProbe, forbidden


def application_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs `token`; later steps of an application need `applications` of the same subject."""
    yield Step("applications", "GET /controller/rest/applications", partial(_visible, probe), ("token",))
    for name in probe.options.applications:
        tried = f"search for {probe.options.there(name)!r} in that list"
        yield Step("applications", tried, partial(_configured, probe, name), ("applications",), name)


def _visible(probe: ControllerProbe) -> Finding:
    try:
        probe.visible = probe.client.applications()
    except SourceError as error:
        if error.reason != "auth":
            raise
        return _refused(authenticated=forbidden(error))

    names = [application.name for application in probe.visible]
    if names:
        return ok(f"we may view {pluralize(len(names), 'application')}: {some(names, SHORT_LIST)}")
    return failed(
        "none that we may view",
        Cause("the client or user has no role that may view an application", ROLE),
        Cause(
            f"the account {probe.options.account} has none: the agents report to another one",
            "compare account with the agents' account-name",
        ),
    )


def _refused(*, authenticated: bool) -> Finding:
    """`authenticated`: the controller accepted the token."""
    rights = Cause("the role may not even list applications", ROLE)
    expired = Cause(
        "the token was revoked, or expired earlier than announced",
        f"{API_CLIENTS}: is the client enabled, and its tokens' expiration 5 minutes or more?",
    )

    if authenticated:
        return failed("refused (403)", rights, expired)
    return failed("refused (401)", expired, rights)


def _configured(probe: ControllerProbe, name: str) -> Finding:
    theirs = probe.options.there(name)
    for application in probe.visible:
        if application.name == theirs:
            probe.applications[name] = application
            return ok(f"it has the id {application.id}")

    summary = f"no {theirs!r} among the {len(probe.visible)} that we may view"
    rights = Cause("the role may not view this application", f"{API_CLIENTS}: its role, View on the application")
    close = similar(theirs, [application.name for application in probe.visible])
    if close:
        text = f"its name there is {choice(close)}; names are case-sensitive"
        return failed(summary, Cause(text, f"applications.{name}.name: {close[0]}"), rights)

    elsewhere = Cause(
        "it has another name there, or is in another account or controller",
        f"set applications.{name}.name to the name on the page Applications",
    )
    return failed(summary, rights, elsewhere)
