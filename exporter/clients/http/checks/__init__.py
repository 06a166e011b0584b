"""Steps of a check-up that every source over HTTP begins with: from the URL to an answer of whatever kind.

What a step says of environment variables is their names, never what is in them: they may hold credentials.
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
"""Names of the steps below, in order. `tunnel` is there only with a proxy before https, `tls` only with https."""


def connection_steps(
    url: str,
    options: HttpOptions,
    appended: Sequence[str] = (),
    path: str = "/",
    more: Sequence[str] = (),
) -> Iterator[Step]:
    """From the URL to an answer. Later steps of a kind need `answer`.

    `appended`: path endings that belong to what the kind appends itself, such as /api/v1. `path`: a cheap page below
    the URL; its status does not matter. `more`: options of the kind that hold credentials.
    """
    route = ConnectionProbe(url, options)
    credentials = [*route.credentials, *more]
    yield Step("url", f"read {url}", partial(address, route, appended, credentials))
    yield Step("proxy", "look at `proxy:` and at the environment", partial(proxy, route, credentials))

    host, port = route.near
    role = ", the proxy" if options.proxy else ""
    yield Step("dns", f"resolve {host}", partial(dns, route), ("url",))
    yield Step("tcp", f"connect to {host}:{port}{role}", partial(tcp, route), ("dns",))

    before = "tcp"
    if route.secure and options.proxy is not None:
        tried = f"CONNECT {route.host}:{route.port} through {host}:{port}"
        yield Step("tunnel", tried, partial(tunnel, route), (before,))
        before = "tunnel"
    if route.secure:
        tried = f"openssl s_client -connect {route.host}:{route.port} -servername {route.host}"
        yield Step("tls", tried, partial(tls, route), (before,))
        before = "tls"

    tried = f"GET {url.rstrip('/')}{path}"
    yield Step("answer", tried, partial(answer, route, path), (before,), explain=partial(explained, route, path))
    yield Step("clock", "compare the Date header of that answer with our clock", partial(clock, route), ("answer",))
