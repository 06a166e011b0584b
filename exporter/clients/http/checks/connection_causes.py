"""Why a server is not reached, with what to do about it: words that fit any server, likely causes first."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from exporter.clients.http.checks.reach import ConnectionProbe, is_loopback
from exporter.model.checkup import Cause

NO_PROXY = Cause("what listens there is no HTTP proxy", "check host and port of proxy.url with whoever runs the proxy")


def typo(probe: ConnectionProbe) -> Cause:
    """Of a name that cannot be resolved."""
    host, _ = probe.near
    return Cause("the name is mistyped", f"check {_option(probe)} with `nslookup {host}`")


def dns_causes(probe: ConnectionProbe, error: socket.gaierror) -> Iterator[Cause]:
    """Of a name that the resolver does not know."""
    host, _ = probe.near
    if error.errno == socket.EAI_AGAIN:
        yield Cause("the resolver is not to be reached just now", "check nameserver in /etc/resolv.conf")

    yield typo(probe)
    if "." not in host:
        yield Cause(
            "a short name is known only with a search domain (in Kubernetes: only in its own namespace)",
            f"use the full name, such as {host}.NAMESPACE.svc or {host}.example.com",
        )
    yield Cause(
        "the name is known only inside another network, or only to a proxy",
        "run the exporter where the name is known, or set `proxy:`",
    )


def tcp_causes(probe: ConnectionProbe, error: OSError, variable: str | None) -> Iterator[Cause]:
    """Of a connection that is not made; `variable` of the environment names a proxy that we do not use."""
    host, port = probe.near
    option = _option(probe)
    allow = f"allow TCP from here to {host}:{port}; try `nc -vz {host} {port}` on both sides of it"
    if probe.options.proxy is None and variable is not None:
        yield Cause(
            f"only a proxy gets out of here: {variable} is set, and not used by us",
            "add to the source `proxy: {url: http://PROXY:PORT}`",
        )
    if isinstance(error, TimeoutError) or not isinstance(error, ConnectionError):
        yield Cause("a firewall or network policy drops what we send", allow)
        yield Cause(
            "nobody has this address any more, or there is no way to it",
            f"check {option} and the DNS entry of {host}; is a VPN needed?",
        )
        return

    # Somebody has refused us at once: the machine is there, or something that speaks for it.
    yield Cause("it is not running", f"start it; on its machine `ss -ltn` must list port {port}")
    yield Cause(
        "it listens on another port",
        f"compare {option} with its own configuration, or `ss -ltnp` on its machine",
    )
    if not is_loopback(host):
        yield Cause("a firewall or network policy rejects us", allow)
        yield Cause(
            "it listens on the loopback of its machine only",
            f"let it listen on its address there too, port {port}",
        )
    elif _contained():
        yield Cause(
            f"inside a container {host} is the container itself",
            f"{option}: the service's name, or host.docker.internal for the machine outside",
        )


def _option(probe: ConnectionProbe) -> str:
    """The option that names whom we connect to."""
    return "proxy.url" if probe.options.proxy else "url"


def _contained() -> bool:
    """Whether we run in a container."""
    marks = (Path("/.dockerenv"), Path("/run/.containerenv"))
    return any(mark.exists() for mark in marks) or "KUBERNETES_SERVICE_HOST" in os.environ


def tunnel_causes(probe: ConnectionProbe, status: int) -> list[Cause]:
    """Of a proxy's answer; 0 for what is none."""
    if status == 407:
        username = probe.options.proxy is not None and probe.options.proxy.username
        text = "the proxy wants other credentials" if username else "the proxy wants credentials"
        return [Cause(text, "set proxy.username and proxy.password_file or proxy.password_env")]
    if status in (403, 405):
        server = f"{probe.host}:{probe.port}"
        return [Cause(f"the proxy does not allow {server}", f"have {server} allowed there, port included")]
    if status in (502, 503, 504):
        return [
            Cause(
                "the proxy cannot reach or resolve the server",
                f"check url; where {probe.host} is in our own network, take `proxy:` away",
            ),
            Cause("the proxy is overloaded", "look at the proxy's log"),
        ]

    text = "the proxy refuses CONNECT" if status else "something else listens at proxy.url"
    return [Cause(text, "check host and port of proxy.url with the proxy's documentation or PAC file")]


def redirected(probe: ConnectionProbe, destination: str, path: str) -> list[Cause]:
    """By where it leads: to the server itself, spoken to in another way, or to somebody else; empty: it is not said."""
    if destination and urlsplit(destination).hostname == probe.host:
        url = f"{destination}{urlsplit(probe.url).path.rstrip('/')}"
        return [Cause("the server wants another scheme or port", f"url: {url}")]

    return [
        Cause(
            "it leads to a login page: single sign-on or a gateway stands before the server",
            f"have what the exporter asks for, such as {path}, exempted from it",
        ),
        Cause("it has moved there, or that is before it", "set url to that address, if the server is there"),
    ]


def encrypted(probe: ConnectionProbe) -> Cause:
    """Of plain HTTP that is not understood."""
    return Cause("TLS is spoken there", f"url: {probe.elsewhere('https', probe.port)}")
