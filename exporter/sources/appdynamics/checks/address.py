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
"""A page that controllers serve without login."""

_CREDENTIALS = ("bearer_token_file", "bearer_token_env", "password_file", "password_env")
_SECRETS = ("client_secret_file", "client_secret_env", *_CREDENTIALS)
"""Not sent to that page: failed attempts may lock the account."""

_USUAL_SCHEME = {8090: "http", 8181: "https"}
"""By port: the defaults of a controller on premises."""

_NOBODYS = (SAAS[1:], "www.appdynamics.com", "appdynamics.com", "accounts.appdynamics.com")
"""Hosts of the vendor that belong to no account."""


def address_steps(options: Options) -> Iterator[Step]:
    """From the address to a response; later steps need `answer`."""
    parts = _parts(options.url)
    if parts is None or not readable(options.url):
        yield Step("url", "read `url`", _unreadable)
        return

    without_credentials = msgspec.structs.replace(options, **dict.fromkeys((*_CREDENTIALS, "username"), None))
    secrets = [name for name in _SECRETS if getattr(options, name)]
    for step in connection_steps(_base(parts), without_credentials, (), _STATUS, secrets):
        if step.check == "url":
            url = _base(parts) if _has_login(parts) else options.url
            yield replace(step, tried=f"read {url}", run=partial(_url, options, parts, step.run))
        else:
            yield step


def readable(url: str) -> bool:
    """Whether the URL names a host to connect to."""
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
    """Scheme, host and port alone."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _has_login(parts: SplitResult) -> bool:
    return parts.username is not None or parts.password is not None


def _unreadable() -> Finding:
    return failed(
        "it is not an address", Cause("a typo in url", "url: https://ACCOUNT.saas.appdynamics.com, or your own")
    )


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
        remarks.add(f"{parts.scheme} on port {parts.port}, where controllers use {scheme} by default", cause)

    usual = read()
    if not remarks.texts:
        return usual
    remarks.add(usual.result, *usual.causes)
    return remarks.finding(usual.result)


def _wrong(parts: SplitResult) -> Finding | None:
    """Errors that make the address useless for any server."""
    if parts.scheme not in ("http", "https"):
        return failed("neither http nor https", Cause("a typo in url", f"url: https://{parts.netloc}"))
    if _has_login(parts):
        text = "a user or password in an address ends up in logs"
        remedy = f"url: {_base(parts)}; client with client_secret_file"
        return failed("it contains a user or password", Cause(text, remedy))

    if parts.fragment or parts.query:
        mark = "#" if parts.fragment else "?"
        text = "it was copied from the browser: the rest is a page of the user interface"
        return failed(f"it continues after {mark}", Cause(text, f"url: {_base(parts)}"))
    return None


def _wrong_path(parts: SplitResult) -> Finding | None:
    path = parts.path.rstrip("/")
    if path.count("/controller") > 1:
        text = "the exporter appends /controller/rest/... itself, and removes one /controller, not two"
        return failed("/controller is in it twice", Cause(text, f"url: {_base(parts)}"))

    if path not in ("", "/controller"):
        text = f"{path} is a page of the controller, or a path that a proxy before it does not need"
        return failed(f"{path} is not part of a controller's address", Cause(text, f"url: {_base(parts)}"))
    return None


def _wrong_host(parts: SplitResult) -> Finding | None:
    host = parts.hostname or ""
    if host in _NOBODYS:
        account = Cause("each account has its own host", f"url: https://ACCOUNT{SAAS}")
        return failed(f"{host} is not an account's controller", account)
    if host.endswith(SAAS) and parts.scheme == "http":
        return failed("http", Cause("a SaaS controller accepts https only", f"url: https://{host}"))
    return None
