"""The last steps that all sources over HTTP share: whether the server responds, and its clock."""

from __future__ import annotations

import time
from collections.abc import Sequence

from exporter.checkup import failed, ok, warning
from exporter.checkup.causes import usual_causes
from exporter.clients.http import Session
from exporter.clients.http.checks.connection import proxy_refused
from exporter.clients.http.checks.connection_causes import NO_PROXY, encrypted, redirected
from exporter.clients.http.checks.reach import ConnectionProbe
from exporter.errors import SourceError
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding

_SKEW = 30.0
"""Seconds between the clocks that are worth a warning."""

_TLS_EXPECTED = (b"HTTP request to an HTTPS server", b"plain HTTP request was sent to HTTPS port")
"""The responses of Go's server and nginx to plain HTTP on a TLS port."""

_ANY = (*range(200, 300), *range(400, 600))
"""Statuses that show that a server responds; a redirect points to another address."""


def answer(probe: ConnectionProbe, path: str) -> Finding:
    """A response of any status, except those that say that the address or the protocol is wrong."""
    session = Session(probe.url, probe.options)
    start = time.monotonic()
    try:
        response = session.get(path, accept=_ANY)
    finally:
        session.close()
    duration = time.monotonic() - start

    probe.skew = response.clock_skew
    if response.status == 400 and not probe.secure and any(mark in response.body for mark in _TLS_EXPECTED):
        return failed("status 400: plain HTTP was sent to a port that speaks TLS", encrypted(probe))
    if response.status == 407:
        return proxy_refused(probe, 407)
    if response.status == 401 and not probe.credentials:
        return ok(f"status 401 in {spent(duration)}, as expected without credentials")
    return ok(f"status {response.status} in {spent(duration)}")


def explained(probe: ConnectionProbe, path: str, error: SourceError) -> Sequence[Cause]:
    """Causes of an error that lie in the connection; none where the usual causes apply."""
    if error.reason == "redirect":
        return redirected(probe, error.destination, path)
    if error.reason != "truncated" or probe.secure:
        return ()
    # The server closed a plain HTTP connection: it speaks another protocol.
    other = encrypted(probe) if probe.options.proxy is None else NO_PROXY
    return (other, *usual_causes(error.reason))


def clock(probe: ConnectionProbe) -> Finding:
    """Compares the server's clock with ours."""
    if probe.skew is None:
        return ok("unknown: the response has no readable Date header")
    if abs(probe.skew) < _SKEW:
        return ok(f"within {_SKEW:g} s of our clock")

    direction = "ahead of" if probe.skew > 0 else "behind"
    cause = Cause(
        "the clock of this machine or of the server is not synchronised",
        "run `chronyc tracking` or `timedatectl` on both",
    )
    return warning(
        f"the server's clock is {abs(probe.skew):.0f} s {direction} ours: polls miss the newest minutes", cause
    )
