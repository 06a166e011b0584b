"""Why a server is not reached, with what to do about it: words that fit any server, likely causes first."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from exporter.clients.http.checks.reach import Route
from exporter.model.checkup import Cause

NO_PROXY = Cause("what listens there is no HTTP proxy", "check host and port of proxy.url with whoever runs the proxy")


def loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def tcp_causes(route: Route, error: OSError, variable: str | None) -> list[Cause]:
    """Of a connection that is not made; `variable` of the environment names a proxy that we do not use."""
    host, port = route.near
    option = "proxy.url" if route.options.proxy else "url"
    causes = []
    if route.options.proxy is None and variable is not None:
        text = f"only a proxy gets out of here: {variable} is set, and not used by us"
        causes.append(Cause(text, "add to the source `proxy: {url: http://PROXY:PORT}`"))
    if isinstance(error, TimeoutError) or not isinstance(error, ConnectionError):
        text = "a firewall or network policy drops what we send"
        causes.append(
            Cause(text, f"allow TCP from here to {host}:{port}; try `nc -vz {host} {port}` on both sides of it")
        )
        text = "nobody has this address any more, or there is no way to it"
        return [*causes, Cause(text, f"check {option} and the DNS entry of {host}; is a VPN needed?")]
    causes.append(Cause("it is not running", f"start it; on its machine `ss -ltn` must list port {port}"))
    text = "it listens on another port"
    causes.append(Cause(text, f"compare {option} with its own configuration, or `ss -ltnp` on its machine"))
    if not loopback(host):
        text = "a firewall or network policy rejects us"
        causes.append(
            Cause(text, f"allow TCP from here to {host}:{port}; try `nc -vz {host} {port}` on both sides of it")
        )
        text = "it listens on the loopback of its machine only"
        causes.append(Cause(text, f"let it listen on its address there too, port {port}"))
    elif _contained():
        text = f"inside a container {host} is the container itself"
        causes.append(Cause(text, f"{option}: the service's name, or host.docker.internal for the machine outside"))
    return causes


def _contained() -> bool:
    return (
        Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ
    )


def tunnel_causes(route: Route, status: int) -> list[Cause]:
    """Of a proxy's answer; 0 for what is none."""
    place = f"{route.host}:{route.port}"
    if status == 407:
        text = "the proxy wants other credentials" if route.options.proxy and route.options.proxy.username else ""
        remedy = "set proxy.username and proxy.password_file or proxy.password_env"
        return [Cause(text or "the proxy wants credentials", remedy)]
    if status in (403, 405):
        return [Cause(f"the proxy does not allow {place}", f"have {place} allowed there, port included")]
    if status in (502, 503, 504):
        text = "the proxy cannot reach or resolve the server"
        remedy = f"check url; where {route.host} is in our own network, take `proxy:` away"
        return [Cause(text, remedy), Cause("the proxy is overloaded", "look at the proxy's log")]
    text = "something else listens at proxy.url" if not status else "the proxy refuses CONNECT"
    return [Cause(text, "check host and port of proxy.url with the proxy's documentation or PAC file")]


def redirected(route: Route, destination: str, path: str) -> list[Cause]:
    """By where it leads: to the server itself, spoken to in another way, or to somebody else; empty: it is not said."""
    if destination and urlsplit(destination).hostname == route.host:
        url = f"{destination}{urlsplit(route.url).path.rstrip('/')}"
        return [Cause("the server wants another scheme or port", f"url: {url}")]
    moved = Cause("it has moved there, or that is before it", "set url to that address, if the server is there")
    login = Cause(
        "it leads to a login page: single sign-on or a gateway stands before the server",
        f"have what the exporter asks for, such as {path}, exempted from it",
    )
    return [login, moved]


def encrypted(route: Route) -> Cause:
    """Of plain HTTP that is not understood."""
    return Cause("TLS is spoken there", f"url: {route.elsewhere('https', route.port)}")
