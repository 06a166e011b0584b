"""The first steps of a check-up: whether the address is a controller's, and whether that is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import SplitResult, urlsplit

import msgspec

from exporter.checkup import Remarks, Step, failed
from exporter.clients.http.checks import connection_steps
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.options import SAAS, Options

_STATUS = "/controller/rest/serverstatus"
"""A page that controllers show to everybody."""

_CREDENTIALS = ("bearer_token_file", "bearer_token_env", "password_file", "password_env")
_SECRETS = ("client_secret_file", "client_secret_env", *_CREDENTIALS)
"""Not sent to that page: each failed attempt counts where accounts are locked."""

_USUAL_SCHEME = {8090: "http", 8181: "https"}
"""By port, of a controller on premises unless it was told otherwise."""

_NOBODYS = (SAAS[1:], "www.appdynamics.com", "appdynamics.com", "accounts.appdynamics.com")
"""Hosts of the vendor that are no account's."""


def address_steps(options: Options) -> Iterator[Step]:
    """From the address to an answer; what follows needs `answer`."""
    parts = _parts(options.url)
    if parts is None or not readable(options.url):
        yield Step("url", "read `url`", _unreadable)
        return

    without_credentials = msgspec.structs.replace(options, **dict.fromkeys((*_CREDENTIALS, "username"), None))
    secrets = [name for name in _SECRETS if getattr(options, name)]
    for step in connection_steps(_base(parts), without_credentials, (), _STATUS, secrets):
        if step.check == "url":
            shown = _base(parts) if _has_login(parts) else options.url
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
        port = parts.port
    except ValueError:
        return None
    return parts if port != 0 else None


def _base(parts: SplitResult) -> str:
    """Without what should not be in it."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _has_login(parts: SplitResult) -> bool:
    return parts.username is not None or parts.password is not None


def _unreadable() -> Finding:
    return failed("it is no address", Cause("a slip in url", "url: https://ACCOUNT.saas.appdynamics.com, or your own"))


def _url(options: Options, parts: SplitResult, read: Callable[[], Finding]) -> Finding:
    """What AppDynamics adds to the usual rules of addresses."""
    wrong = _wrong(parts) or _wrong_path(parts) or _wrong_host(parts)
    if wrong is not None:
        return wrong

    remarks = Remarks()
    host = parts.hostname or ""
    account = host.removesuffix(SAAS)
    if host.endswith(SAAS) and account != options.account.lower():
        cause = Cause(
            "a SaaS controller's host begins with its account",
            f"account: {account}, or the host of {options.account} in url",
        )
        remarks.add(f"the host is {account}'s, and account is {options.account}", cause)

    scheme = _USUAL_SCHEME.get(parts.port or 0, parts.scheme)
    if scheme != parts.scheme:
        cause = Cause("scheme and port do not fit", f"url: {scheme}://{parts.netloc}")
        remarks.add(
            f"{parts.scheme} on port {parts.port}, on which controllers speak {scheme} unless told otherwise", cause
        )

    usual = read()
    if not remarks.texts:
        return usual
    remarks.add(usual.found, *usual.causes)
    return remarks.finding(usual.found)


def _wrong(parts: SplitResult) -> Finding | None:
    """What is no server's address."""
    if parts.scheme not in ("http", "https"):
        return failed("neither http nor https", Cause("a slip in url", f"url: https://{parts.netloc}"))
    if _has_login(parts):
        text = "a user or password does not belong into an address: it gets into logs"
        remedy = f"url: {_base(parts)}; client with client_secret_file"
        return failed("it holds a user or password", Cause(text, remedy))

    if parts.fragment or parts.query:
        mark = "#" if parts.fragment else "?"
        text = "it was copied from the browser: what follows is a page of the user interface"
        return failed(f"it goes on after {mark}", Cause(text, f"url: {_base(parts)}"))
    return None


def _wrong_path(parts: SplitResult) -> Finding | None:
    path = parts.path.rstrip("/")
    if path.count("/controller") > 1:
        text = "we append /controller/rest/... ourselves, and take one /controller away, not two"
        return failed("/controller is in it twice", Cause(text, f"url: {_base(parts)}"))

    if path not in ("", "/controller"):
        text = f"{path} is a page of the controller, or a path that a proxy before it does not need"
        return failed(f"{path} is no part of a controller's address", Cause(text, f"url: {_base(parts)}"))
    return None


def _wrong_host(parts: SplitResult) -> Finding | None:
    host = parts.hostname or ""
    if host in _NOBODYS:
        account = Cause("each account has a host of its own", f"url: https://ACCOUNT{SAAS}")
        return failed(f"{host} is nobody's controller", account)
    if host.endswith(SAAS) and parts.scheme == "http":
        return failed("http", Cause("a SaaS controller speaks https only", f"url: https://{host}"))
    return None
