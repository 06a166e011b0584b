"""The first steps in the check-up of every source over HTTP: from the URL to a response with any status.

Of environment variables the steps show only the names, never the values: they may hold credentials.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from exporter.checkup import Step
from exporter.clients.http.checks.address import address, proxy
from exporter.clients.http.checks.answer import answer, clock, explained
from exporter.clients.http.checks.connection import dns, tcp, tunnel
from exporter.clients.http.checks.reach import ConnectionProbe
from exporter.clients.http.checks.tls import tls
from exporter.clients.http.options import HttpOptions

CHECKS = ("url", "proxy", "dns", "tcp", "tunnel", "tls", "answer", "clock")
"""Names of the steps below, in order. `tunnel` exists only for https through a proxy, `tls` only for https."""


def connection_steps(
    url: str,
    options: HttpOptions,
    appended: Sequence[str] = (),
    path: str = "/",
    more: Sequence[str] = (),
) -> Iterator[Step]:
    """From the URL to a response. Later steps of a kind need `answer`.

    `appended`: path endings that the kind appends itself, such as /api/v1. `path`: a cheap page below the URL; its
    status does not matter. `more`: options of the kind that hold credentials.
    """
    probe = ConnectionProbe(url, options)
    credentials = [*probe.credentials, *more]
    yield Step("url", f"read {url}", partial(address, probe, appended, credentials))
    yield Step("proxy", "read `proxy:` and the environment", partial(proxy, probe, credentials))

    host, port = probe.near
    role = ", the proxy" if options.proxy else ""
    yield Step("dns", f"resolve {host}", partial(dns, probe), ("url",))
    yield Step("tcp", f"connect to {host}:{port}{role}", partial(tcp, probe), ("dns",))

    before = "tcp"
    if probe.secure and options.proxy is not None:
        tried = f"CONNECT {probe.host}:{probe.port} through {host}:{port}"
        yield Step("tunnel", tried, partial(tunnel, probe), (before,))
        before = "tunnel"
    if probe.secure:
        tried = f"openssl s_client -connect {probe.host}:{probe.port} -servername {probe.host}"
        yield Step("tls", tried, partial(tls, probe), (before,))
        before = "tls"

    tried = f"GET {url.rstrip('/')}{path}"
    yield Step("answer", tried, partial(answer, probe, path), (before,), explain=partial(explained, probe, path))
    yield Step("clock", "compare the Date header of that response with our clock", partial(clock, probe), ("answer",))
