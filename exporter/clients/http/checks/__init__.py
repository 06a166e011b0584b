"""Steps of a check-up that every source over HTTP begins with: from the URL to an answer of whatever kind.

What a step says of environment variables is their names, never what is in them: they may hold credentials.
"""

from __future__ import annotations

import netrc
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import should_bypass_proxies

from exporter.checkup import Step, failed, ok, warning
from exporter.checkup.causes import usual_causes
from exporter.clients.http import Session
from exporter.clients.http.checks.connection_causes import (
    NO_PROXY,
    encrypted,
    loopback,
    redirected,
    tcp_causes,
    tunnel_causes,
)
from exporter.clients.http.checks.reach import Route, TunnelError
from exporter.clients.http.checks.tls import tls
from exporter.clients.http.options import HttpOptions
from exporter.errors import SourceError
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding

CHECKS = ("url", "proxy", "dns", "tcp", "tunnel", "tls", "answer", "clock")
"""Names of the steps below, in order. `tunnel` is there only with a proxy before https, `tls` only with https."""

SKEW = 30.0
"""Seconds between the clocks that are worth a warning."""

_WANTS_TLS = (b"HTTP request to an HTTPS server", b"plain HTTP request was sent to HTTPS port")
"""What Go's server and nginx say to plain HTTP where they speak TLS."""

_ANY = (*range(200, 300), *range(400, 600))
"""Statuses that show that somebody is there; a redirect says where to go instead."""


def connection_steps(
    url: str, options: HttpOptions, appended: Sequence[str] = (), path: str = "/", more: Sequence[str] = ()
) -> Iterator[Step]:
    """From the URL to an answer. Later steps of a kind need `answer`.

    `appended`: path endings that belong to what the kind appends itself, such as /api/v1. `path`: a cheap page below
    the URL; its status does not matter. `more`: options of the kind that hold credentials.
    """
    route = Route(url, options)
    yield Step("url", f"read {url}", lambda: _url(route, appended, _credentials(options, more)))
    yield Step("proxy", "look at `proxy:` and at the environment", lambda: _proxy(route, _credentials(options, more)))
    yield Step("dns", f"resolve {route.near[0]}", lambda: _dns(route), ("url",))
    near = f"{route.near[0]}:{route.near[1]}"
    tried = f"connect to {near}" + (", the proxy" if options.proxy else "")
    yield Step("tcp", tried, lambda: _tcp(route), ("dns",))
    below = "tcp"
    if route.secure:
        if options.proxy is not None:
            yield Step("tunnel", f"CONNECT {route.host}:{route.port} through {near}", lambda: _tunnel(route), ("tcp",))
            below = "tunnel"
        tried = f"openssl s_client -connect {route.host}:{route.port} -servername {route.host}"
        yield Step("tls", tried, lambda: tls(route), (below,))
        below = "tls"
    yield Step("answer", f"GET {url.rstrip('/')}{path}", lambda: _answer(route, path), (below,))
    yield Step("clock", "compare the Date header of that answer with our clock", lambda: _clock(route), ("answer",))


def _credentials(options: HttpOptions, more: Sequence[str]) -> list[str]:
    names = ["bearer_token_file", "bearer_token_env", "password_file", "password_env", "headers_files"]
    return [name for name in names if getattr(options, name)] + list(more)


def _url(route: Route, appended: Sequence[str], credentials: Sequence[str]) -> Finding:
    found, causes = [], []
    path = urlsplit(route.url).path.rstrip("/")
    ending = next((end for end in sorted(appended, key=len, reverse=True) if path.endswith(end)), None)
    if ending is not None:
        found.append(f"it ends in {ending}, which is no base URL")
        wanted = route.url.rstrip("/").removesuffix(ending)
        causes.append(Cause(f"{ending} belongs to a page or is appended by us", f"url: {wanted}"))
    if credentials and not route.secure and not loopback(route.host):
        found.append(f"credentials ({', '.join(credentials)}) travel in clear text")
        causes.append(Cause("http:// is not encrypted", "use https://, or reach it over a network that nobody reads"))
    if (route.port, route.secure) in ((443, False), (80, True)):
        found.append(f"{'https' if route.secure else 'http'} on port {route.port}, which is the other's")
        there = route.elsewhere("http" if route.secure else "https").removesuffix(ending or "")
        causes.append(Cause("scheme and port do not fit", f"url: {there}"))
    if causes:
        return warning("; ".join(found), *causes)
    kind = "https" if route.secure else "http, not encrypted" + (", on this machine" if loopback(route.host) else "")
    return ok(f"{kind}; {route.host}:{route.port}")


def _proxy(route: Route, credentials: Sequence[str]) -> Finding:
    if route.options.proxy is not None:
        user = f" as {route.options.proxy.username}" if route.options.proxy.username else ""
        return ok(f"through {route.near[0]}:{route.near[1]}{user}")
    found, causes = [], []
    if (name := _environment_proxy(route)) is not None:
        found.append(f"{name} is set and not used: we connect directly")
        remedy = "where only the proxy gets out, add to the source `proxy: {url: http://PROXY:PORT}`; else nothing"
        causes.append(Cause("nothing is taken from the environment", remedy))
    bundles = [name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE") if os.environ.get(name)]
    if bundles and route.secure and route.options.tls.ca_file is None:
        found.append(f"{', '.join(bundles)} set and not used")
        remedy = "where step `tls` fails, set tls.ca_file to that file; else nothing"
        causes.append(Cause("authorities are those of the configuration, or the public ones", remedy))
    if not credentials and (file := _netrc_entry(route.host)) is not None:
        found.append(f"{file} has a login for {route.host}, not used")
        remedy = "where the server wants that login, set username and password_file; else nothing"
        causes.append(Cause("credentials are those of the configuration", remedy))
    return warning("; ".join(found), *causes) if causes else ok("none, and the environment asks for none")


def _environment_proxy(route: Route) -> str | None:
    """The variable that other programs would obey for this host."""
    if loopback(route.host) or should_bypass_proxies(route.url, no_proxy=None):
        return None
    scheme = "https" if route.secure else "http"
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), None)


def _netrc_entry(host: str) -> str | None:
    """The .netrc in which requests and curl would find a login for the host."""
    try:
        file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
        return str(file) if file.is_file() and netrc.netrc(str(file)).authenticators(host) else None
    except (OSError, RuntimeError, netrc.NetrcParseError, UnicodeError):
        return None


def _dns(route: Route) -> Finding:
    host = route.near[0]
    typo = Cause(
        "the name is mistyped", f"check {'proxy.url' if route.options.proxy else 'url'} with `nslookup {host}`"
    )
    try:
        route.addresses = route.resolve()
    except TimeoutError:
        silent = Cause(
            "the resolver does not answer", "check nameserver in /etc/resolv.conf, and whether port 53 is open"
        )
        return failed(f"no answer within {route.seconds:g} s", silent, typo)
    except socket.gaierror as error:
        causes = [typo]
        if "." not in host:
            text = "a short name is known only with a search domain (in Kubernetes: only in its own namespace)"
            causes.append(Cause(text, f"use the full name, such as {host}.NAMESPACE.svc or {host}.example.com"))
        text = "the name is known only inside another network, or only to a proxy"
        causes.append(Cause(text, "run the exporter where the name is known, or set `proxy:`"))
        if error.errno == socket.EAI_AGAIN:
            text, remedy = "the resolver is not to be reached just now", "check nameserver in /etc/resolv.conf"
            causes.insert(0, Cause(text, remedy))
        return failed(f"no address: {error.strerror or 'unknown name'}", *causes)
    except OSError as error:
        return failed(f"no address: {error.strerror or 'error'}", typo)
    return ok(", ".join(dict.fromkeys(place[0] for _, place in route.addresses)))


def _tcp(route: Route) -> Finding:
    said, last, share = list[str](), OSError(), route.seconds / max(1, len(route.addresses))
    for address in route.addresses:
        start = time.monotonic()
        try:
            route.connect(address, share).close()
        except OSError as error:
            said.append(f"{address[1][0]}: {_why(error, share)}")
            last = error
        else:
            route.answering = address
            said.append(f"{address[1][0]}: connected in {spent(time.monotonic() - start)}")
            if len(said) == 1:
                return ok(said[0])
            text = "an address of the name does not answer, and each new connection tries it first"
            return warning("; ".join(said), Cause(text, "mend that address, or take it out of the DNS"))
    return failed("; ".join(said), *tcp_causes(route, last, _environment_proxy(route)))


def _why(error: OSError, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g} s"
    return (error.strerror or type(error).__name__).lower()


def _tunnel(route: Route) -> Finding:
    try:
        route.tunnel().close()
    except TunnelError as refused:
        return failed(_said(refused.status), *tunnel_causes(route, refused.status))
    except OSError as error:
        causes = Cause("it is no HTTP proxy, or is overloaded", "check proxy.url, and the proxy's log")
        return failed(f"no tunnel: {_why(error, route.seconds)}", causes)
    return ok(f"the proxy leads to {route.host}:{route.port}")


def _said(status: int) -> str:
    return f"the proxy answered {status}" if status else "what answered is no HTTP proxy"


def _answer(route: Route, path: str) -> Finding:
    session = Session(route.url, route.options)
    start = time.monotonic()
    try:
        answer = session.get(path, accept=_ANY)
    except SourceError as error:
        if error.reason == "redirect":
            return failed(str(error), *redirected(route, error.destination, path))
        if error.reason == "truncated" and route.options.proxy is not None and not route.secure:
            return failed(str(error), NO_PROXY, *usual_causes(error.reason))
        if error.reason == "truncated" and not route.secure:
            return failed(str(error), encrypted(route), *usual_causes(error.reason))
        raise
    finally:
        session.close()
    route.skew = answer.clock_skew
    if answer.status == 400 and not route.secure and any(word in answer.body for word in _WANTS_TLS):
        return failed("status 400: plain HTTP was sent to a port that speaks TLS", encrypted(route))
    if answer.status == 407:
        return failed(_said(407), *tunnel_causes(route, 407))
    expected = (
        ", as it should be without credentials," if answer.status == 401 and not _credentials(route.options, ()) else ""
    )
    return ok(f"status {answer.status}{expected} in {spent(time.monotonic() - start)}")


def _clock(route: Route) -> Finding:
    if route.skew is None:
        return ok("not told: the answer has no readable Date")
    way = "ahead of" if route.skew > 0 else "behind"
    if abs(route.skew) < SKEW:
        return ok(f"within {SKEW:g} s of ours")
    ours = Cause(
        "the clock of this machine or of the server is not kept", "run `chronyc tracking` or `timedatectl` on both"
    )
    return warning(f"its clock is {abs(route.skew):.0f} s {way} ours: the newest minutes are missed", ours)
