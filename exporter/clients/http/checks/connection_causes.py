"""Causes and remedies of a failed connection, for any kind of server, likely causes first."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from exporter.clients.http.checks.reach import ConnectionProbe, is_loopback
from exporter.model.checkup import Cause

NO_PROXY = Cause(
    "the server at proxy.url is not an HTTP proxy", "check host and port of proxy.url with the proxy's operator"
)


def typo(probe: ConnectionProbe) -> Cause:
    """The cause for a name that cannot be resolved."""
    host, _ = probe.near
    return Cause("a typo in the name", f"check {_option(probe)} with `nslookup {host}`")


def dns_causes(probe: ConnectionProbe, error: socket.gaierror) -> Iterator[Cause]:
    """Causes for a name that DNS does not know."""
    host, _ = probe.near
    if error.errno == socket.EAI_AGAIN:
        yield Cause("the DNS server cannot be reached at the moment", "check nameserver in /etc/resolv.conf")

    yield typo(probe)
    if "." not in host:
        yield Cause(
            "a short name needs a search domain (in Kubernetes: it works only in its own namespace)",
            f"use the full name, such as {host}.NAMESPACE.svc or {host}.example.com",
        )
    yield Cause(
        "the name exists only in another network, or only a proxy can resolve it",
        "run the exporter where the name can be resolved, or set `proxy:`",
    )


def tcp_causes(probe: ConnectionProbe, error: OSError, variable: str | None) -> Iterator[Cause]:
    """Causes of a failed connection; `variable` of the environment names a proxy that we do not use."""
    host, port = probe.near
    option = _option(probe)
    allow = f"allow TCP from here to {host}:{port}; try `nc -vz {host} {port}` on both sides of it"
    if probe.options.proxy is None and variable is not None:
        yield Cause(
            f"only a proxy has access from here: {variable} is set, and the exporter does not use it",
            "add to the source `proxy: {url: http://PROXY:PORT}`",
        )
    if isinstance(error, TimeoutError) or not isinstance(error, ConnectionError):
        yield Cause("a firewall or network policy drops our packets", allow)
        yield Cause(
            "no machine has this address any more, or there is no route to it",
            f"check {option} and the DNS entry of {host}; is a VPN needed?",
        )
        return

    # An immediate refusal: the machine is up, or a firewall responds for it.
    yield Cause("the server is not running", f"start it; on its machine `ss -ltn` must list port {port}")
    yield Cause(
        "the server listens on another port",
        f"compare {option} with its own configuration, or `ss -ltnp` on its machine",
    )
    if not is_loopback(host):
        yield Cause("a firewall or network policy rejects the connection", allow)
        yield Cause(
            "the server listens only on the loopback interface of its machine",
            f"configure it to listen on its network address too, port {port}",
        )
    elif _contained():
        yield Cause(
            f"in a container, {host} is the container itself",
            f"{option}: the service's name, or host.docker.internal for the machine outside",
        )


def _option(probe: ConnectionProbe) -> str:
    """The option that names the server, or the proxy, to which we connect."""
    return "proxy.url" if probe.options.proxy else "url"


def _contained() -> bool:
    """Whether the exporter runs in a container."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    return any(mark.exists() for mark in marks) or "KUBERNETES_SERVICE_HOST" in os.environ


def tunnel_causes(probe: ConnectionProbe, status: int) -> list[Cause]:
    """Causes of a proxy's status; 0: the response is not HTTP."""
    if status == 407:
        username = probe.options.proxy is not None and probe.options.proxy.username
        text = "the proxy requires other credentials" if username else "the proxy requires credentials"
        return [Cause(text, "set proxy.username and proxy.password_file or proxy.password_env")]
    if status in (403, 405):
        server = f"{probe.host}:{probe.port}"
        return [Cause(f"the proxy does not allow {server}", f"allow {server} there, including the port")]
    if status in (502, 503, 504):
        return [
            Cause(
                "the proxy cannot reach or resolve the server",
                f"check url; if {probe.host} is in our own network, remove `proxy:`",
            ),
            Cause("the proxy is overloaded", "check the proxy's log"),
        ]

    text = "the proxy refuses CONNECT" if status else "another kind of server listens at proxy.url"
    return [Cause(text, "check host and port of proxy.url with the proxy's documentation or PAC file")]


def redirected(probe: ConnectionProbe, destination: str, path: str) -> list[Cause]:
    """By the target: the server itself with another scheme or port, or another server; empty: not stated."""
    if destination and urlsplit(destination).hostname == probe.host:
        url = f"{destination}{urlsplit(probe.url).path.rstrip('/')}"
        return [Cause("the server requires another scheme or port", f"url: {url}")]

    return [
        Cause(
            "it points to a login page: single sign-on or a gateway is in front of the server",
            f"exempt the exporter's paths from it, such as {path}",
        ),
        Cause(
            "the server, or a gateway in front of it, has moved to that address",
            "set url to it, if the server is there",
        ),
    ]


def encrypted(probe: ConnectionProbe) -> Cause:
    """The cause for plain HTTP to a TLS port."""
    return Cause("the server speaks TLS", f"url: {probe.elsewhere('https', probe.port)}")
