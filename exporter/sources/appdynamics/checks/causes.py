"""The usual causes of failures between exporter and controller, likely ones first, in AppDynamics' own words."""

from __future__ import annotations

from exporter.checkup import failed
from exporter.checkup.causes import causes_of
from exporter.errors import SourceError
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.probe import forbidden

API_CLIENTS = "Administration > API Clients"
"""The page with API clients in the controller's user interface."""

ROLE = f"{API_CLIENTS}: give the client a role that may view applications, such as Applications & Dashboards Viewer"

LOGIN = (
    Cause(
        "single sign-on or a gateway is in front of the API",
        "exempt /controller/api/* and /controller/rest/* for the exporter",
    ),
    Cause("url points to a portal, not to the controller", "url: the address that the agents report to"),
)

NO_CONTROLLER = (
    Cause(
        "another server responds there, or a proxy that does not forward /controller",
        "open url/controller in a browser",
    ),
    Cause("the controller is below another path, or older than 4.5", "url: the address that the agents report to"),
)

REDIRECTED = (
    LOGIN[0],
    Cause("url is not the controller's final address", "url: the address that it points to, if that is a controller"),
)
"""Of later pages. The first one was served there, so the address is seldom the cause."""

UNTESTED = Cause("no test has called it yet", "test it, or remove it from applications of this side")
"""For an application of the PTE that the controller lists, but without calls."""

_BUSY = Cause(
    "the controller has ten threads for all users of its API, and other clients keep them busy",
    "calls.parallel: 2, and a longer `interval`; ask who else reads the API",
)

_CAUSES: dict[str, tuple[Cause, ...]] = {
    "rate_limited": (
        Cause(
            "this exporter and other clients send more requests than the controller accepts",
            "calls.parallel: 2, or fewer metrics",
        ),
        _BUSY,
    ),
    "server_error": (
        Cause(
            "the controller is starting, is being updated, or has lost its database",
            "wait 15 minutes; then check its server.log, on SaaS the vendor's status page",
        ),
        Cause("the load balancer in front of it has no healthy controller", "check the load balancer's health checks"),
        _BUSY,
    ),
    "timeout": (
        _BUSY,
        Cause("a firewall or proxy in between drops our packets", "allow TCP from here to it; check the proxy's log"),
        Cause("the controller needs longer than `timeout`", "raise `timeout`"),
    ),
    "auth": (
        Cause("the token was revoked, or expired earlier than announced", f"{API_CLIENTS}: is the client enabled?"),
        Cause("the role may not read this", ROLE),
    ),
    "not_json": LOGIN,
    "redirect": REDIRECTED,
    "not_found": NO_CONTROLLER,
}


def usual(error: SourceError) -> tuple[Cause, ...]:
    """Why a call may have failed, by the error's reason."""
    return _CAUSES.get(error.reason) or causes_of(error)


def refused(error: SourceError, *causes: Cause) -> Finding:
    """A missing right and its causes; any other error is raised again, for its usual causes."""
    if not forbidden(error):
        raise error
    return failed("refused (403)", *causes)
