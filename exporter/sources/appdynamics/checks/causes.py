"""The usual causes of what goes wrong between us and a controller, likely ones first, in AppDynamics' own words."""

from __future__ import annotations

from exporter.checkup import failed
from exporter.checkup.causes import causes_of
from exporter.errors import SourceError
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.probe import forbidden

PLACE = "Administration > API Clients"
"""Where API clients are kept in the controller's user interface."""

ROLE = f"{PLACE}: give the client a role that may view applications, such as Applications & Dashboards Viewer"

LOGIN = (
    Cause(
        "single sign-on or a gateway stands before the API",
        "have /controller/api/* and /controller/rest/* exempted for the exporter",
    ),
    Cause("url is not the controller's, but a portal's", "url: the address at which the agents report to it"),
)

NO_CONTROLLER = (
    Cause(
        "another server answers there, or a proxy that does not pass /controller on", "open url/controller in a browser"
    ),
    Cause(
        "the controller is below another path, or older than 4.5", "url: the address at which the agents report to it"
    ),
)

REDIRECTED = (
    LOGIN[0],
    Cause("url is not the controller's final address", "url: the address that it leads to, if that is a controller"),
)
"""Of pages behind the first, which was answered there: so that the address seldom is the cause."""

UNTESTED = Cause("no test has called it yet", "test it, or take it out of applications of this side")
"""Of an application of the PTE that the controller lists and knows no calls of."""

_BUSY = Cause(
    "the controller has ten threads for all users of its API, and others keep them busy",
    "calls.parallel: 2, and a longer `interval`; ask who else reads the API",
)

_CAUSES: dict[str, tuple[Cause, ...]] = {
    "rate_limited": (
        Cause("we, or others with us, ask for more than the controller takes", "calls.parallel: 2, or fewer metrics"),
        _BUSY,
    ),
    "server_error": (
        Cause(
            "the controller is starting, is being updated, or has lost its database",
            "wait a quarter of an hour; then look into its server.log, on SaaS at the vendor's status page",
        ),
        Cause("the balancer before it has no controller that is up", "look at the balancer's health checks"),
        _BUSY,
    ),
    "timeout": (
        _BUSY,
        Cause("something on the way swallows what we send", "allow TCP from here to it; look at the proxy's log"),
        Cause("it needs longer than it is given", "raise `timeout`"),
    ),
    "auth": (
        Cause("the token was taken back, or expired sooner than it said", f"{PLACE}: is the client enabled?"),
        Cause("the role may not see this", ROLE),
    ),
    "not_json": LOGIN,
    "redirect": REDIRECTED,
    "not_found": NO_CONTROLLER,
}


def usual(error: SourceError) -> tuple[Cause, ...]:
    """Why a call may have failed, by the error's reason."""
    return _CAUSES.get(error.reason) or causes_of(error)


def refused(error: SourceError, *causes: Cause) -> Finding:
    """A right that is missing, and why that may be; any other error is raised again, for its usual causes."""
    if not forbidden(error):
        raise error
    return failed("refused (403)", *causes)
