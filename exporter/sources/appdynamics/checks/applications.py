"""Checks of applications: which our role may view, and whether each of the configured ones is among them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from exporter.checkup import Step, failed, ok
from exporter.errors import SourceError
from exporter.humanize import pluralize, some
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import PLACE, ROLE
from exporter.sources.appdynamics.checks.naming import SHORT_LIST, choice, similar
from exporter.sources.appdynamics.checks.probe import Probe, forbidden


def application_steps(probe: Probe) -> Iterator[Step]:
    """Needs `token`; what follows of an application needs `applications` of the same subject."""
    yield Step("applications", "GET /controller/rest/applications", partial(_visible, probe), ("token",))
    for name in probe.options.applications:
        tried = f"look for {probe.options.there(name)!r} in that list"
        yield Step("applications", tried, partial(_configured, probe, name), ("applications",), name)


def _visible(probe: Probe) -> Finding:
    try:
        probe.visible = probe.client.applications()
    except SourceError as error:
        if error.reason != "auth":
            raise
        return _refused(known=forbidden(error))

    names = [application.name for application in probe.visible]
    if names:
        return ok(f"we may view {pluralize(len(names), 'application')}: {some(names, SHORT_LIST)}")
    return failed(
        "none that we may view",
        Cause("the client or user has no role that may view an application", ROLE),
        Cause(
            f"the account {probe.options.account} holds none: it is not the one that the agents report to",
            "compare account with the agents' account-name",
        ),
    )


def _refused(*, known: bool) -> Finding:
    """`known`: the controller knows who we are."""
    rights = Cause("the role may not even list applications", ROLE)
    expired = Cause(
        "the token was taken back, or expired sooner than it said",
        f"{PLACE}: is the client enabled, and its tokens' expiration 5 minutes or more?",
    )

    if known:  # so the token is good
        return failed("refused (403)", rights, expired)
    return failed("refused (401)", expired, rights)


def _configured(probe: Probe, name: str) -> Finding:
    theirs = probe.options.there(name)
    for application in probe.visible:
        if application.name == theirs:
            probe.applications[name] = application
            return ok(f"it has the id {application.id}")

    found = f"no {theirs!r} among the {len(probe.visible)} that we may view"
    rights = Cause("the role may not view this application", f"{PLACE}: its role, View on the application")
    close = similar(theirs, [application.name for application in probe.visible])
    if close:
        text = f"it is called {choice(close)} there; upper and lower case differ"
        return failed(found, Cause(text, f"applications.{name}.name: {close[0]}"), rights)

    elsewhere = Cause(
        "it is called otherwise there, or is in another account or controller",
        f"set applications.{name}.name to what stands on the page Applications",
    )
    return failed(found, rights, elsewhere)
