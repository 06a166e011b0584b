"""The first steps of a check-up: whether the address is a controller's, and whether that is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import SplitResult, urlsplit

import msgspec

from exporter.checkup import Step, failed, warning
from exporter.clients.http.checks import connection_steps
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.options import SAAS, Options

_STATUS = "/controller/rest/serverstatus"
"""A page that controllers show to everybody."""

_CREDENTIALS = ("bearer_token_file", "bearer_token_env", "password_file", "password_env")
_KEPT = ("client_secret_file", "client_secret_env", *_CREDENTIALS)
"""Not sent to that page: each failed attempt counts where accounts are locked."""

_HTTP_PORT, _HTTPS_PORT = 8090, 8181
"""Of a controller on premises, unless it was told otherwise."""


def place_steps(options: Options) -> Iterator[Step]:
    """From the address to an answer; what follows needs `answer`."""
    parts = _parts(options.url)
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts is not None else ""
    if parts is None or not readable(options.url):
        yield Step("url", "read `url`", _unreadable)
        return
    bare = msgspec.structs.replace(options, **dict.fromkeys((*_CREDENTIALS, "username"), None))
    for step in connection_steps(base, bare, (), _STATUS, [name for name in _KEPT if getattr(options, name)]):
        if step.check == "url":
            shown = options.url if parts.username is None and parts.password is None else base
            yield replace(step, tried=f"read {shown}", run=partial(_url, options, parts, step.run))
        else:
            yield step


def readable(url: str) -> bool:
    """Whether it says at all where to connect to."""
    parts = _parts(url)
    return parts is not None and bool(parts.hostname)


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _unreadable() -> Finding:
    return failed("it is no address", Cause("a slip in url", "url: https://ACCOUNT.saas.appdynamics.com, or your own"))


def _url(options: Options, parts: SplitResult, read: Callable[[], Finding]) -> Finding:
    """What AppDynamics adds to the usual rules of addresses."""
    wrong = _wrong(parts)
    if wrong is not None:
        return wrong
    usual, host = read(), parts.hostname or ""
    found, causes = [], []
    if host.endswith(SAAS) and host.removesuffix(SAAS) != options.account.lower():
        found.append(f"the host is {host.removesuffix(SAAS)}'s, and account is {options.account}")
        text = "a SaaS controller's host begins with its account"
        causes.append(Cause(text, f"account: {host.removesuffix(SAAS)}, or the host of {options.account} in url"))
    usual_port = {_HTTP_PORT: "http", _HTTPS_PORT: "https"}.get(parts.port or 0, parts.scheme)
    if usual_port != parts.scheme:
        found.append(
            f"{parts.scheme} on port {parts.port}, on which controllers speak {usual_port} unless told otherwise"
        )
        causes.append(Cause("scheme and port do not fit", f"url: {usual_port}://{parts.netloc}"))
    if not causes:
        return usual
    return warning("; ".join([*found, usual.found]), *causes, *usual.causes)


def _wrong(parts: SplitResult) -> Finding | None:
    """What no controller's address is."""
    host, path = parts.hostname or "", parts.path.rstrip("/")
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme not in ("http", "https"):
        return failed("neither http nor https", Cause("a slip in url", f"url: https://{parts.netloc}"))
    if parts.username is not None or parts.password is not None:
        text = "a user or password does not belong into an address: it gets into logs"
        return failed("it holds a user or password", Cause(text, f"url: {base}; client with client_secret_file"))
    if parts.fragment or parts.query:
        what = "#" if parts.fragment else "?"
        text = "it was copied from the browser: what follows is a page of the user interface"
        return failed(f"it goes on after {what}", Cause(text, f"url: {base}"))
    if path.count("/controller") > 1:
        text = "we append /controller/rest/... ourselves, and take one /controller away, not two"
        return failed("/controller is in it twice", Cause(text, f"url: {base}"))
    if path not in ("", "/controller"):
        text = f"{path} is a page of the controller, or a path that a proxy before it does not need"
        return failed(f"{path} is no part of a controller's address", Cause(text, f"url: {base}"))
    if host == SAAS[1:] or host in ("www.appdynamics.com", "appdynamics.com", "accounts.appdynamics.com"):
        text = "each account has a host of its own"
        return failed(f"{host} is nobody's controller", Cause(text, f"url: https://ACCOUNT{SAAS}"))
    if host.endswith(SAAS) and parts.scheme == "http":
        return failed("http", Cause("a SaaS controller speaks https only", f"url: https://{host}"))
    return None
