"""The login steps of a check-up: the secret, the token, and why there is none.

A controller gives the same response for a wrong secret, a wrong account and a disabled API client, so causes are many.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import msgspec

from exporter import decoding
from exporter.checkup import Step, failed, ok, warning
from exporter.clients.http import HttpResponse, Session
from exporter.clients.http.options import request_headers
from exporter.clients.http.secrets import Secret
from exporter.humanize import duration, seconds
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import API_CLIENTS, LOGIN, NO_CONTROLLER
from exporter.sources.appdynamics.checks.login import login
from exporter.sources.appdynamics.checks.probe import ControllerProbe
from exporter.sources.appdynamics.connection import WORDS
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.token import LIFE, PATH, renew_after

SHORT = 60.0
"""There is a warning for tokens with a shorter life, in seconds."""

_LONG = 2 * 86400.0
"""A longer life, in seconds, is printed in days too."""

_ANY = (200, 400, 401, 403, 404, 405, 406, 415)

_SET_LIFE = f"{API_CLIENTS}: set the default API token expiration to {LIFE:.0f} s (5 minutes)"
_SHORT_LIFE = Cause("the client's tokens expire too soon", _SET_LIFE)
_NO_LIFE = Cause(
    "the controller, or a gateway before it, omitted expires_in",
    f"{API_CLIENTS}: set the token's expiration to {LIFE:.0f} s or more",
)


class _Body(msgspec.Struct):
    access_token: str | None = None
    expires_in: float | str | None = None


def token_steps(probe: ControllerProbe) -> Iterator[Step]:
    """Needs `answer`; later steps need `token`."""
    options = probe.options
    if options.client is None:
        keys = ("bearer_token_file", "bearer_token_env", "password_file", "password_env")
        key = next((name for name in keys if getattr(options, name)), "")
        yield Step("credentials", f"read {key}", partial(_readable, options, None))
        tried = "GET /controller/rest/applications with these credentials"
        yield Step("token", tried, partial(login, probe), ("answer", "credentials"))
        return

    secret = options.client_secret
    yield Step("credentials", f"read {_path(secret)}", partial(_readable, options, secret))
    who = f"{options.client}@{options.account}"
    tried = f"POST {PATH} with grant_type=client_credentials, client_id={who} and the secret"
    yield Step("token", tried, partial(_token, probe, who), ("answer", "credentials"))


def _path(secret: Secret | None) -> str:
    return secret.path if secret is not None else ""


def _value(secret: Secret | None) -> str:
    return secret.read() if secret is not None else ""


def _readable(options: Options, secret: Secret | None) -> Finding:
    """Reads the secrets as each request does."""
    value = _value(secret)
    request_headers(options)
    odd = _odd(value)
    if odd:
        return warning(f"read; {odd}", Cause("it was pasted with surrounding text", f"compare with {API_CLIENTS}"))
    return ok("one line of printable text")


def _odd(value: str) -> str:
    """Text that a generated secret never contains."""
    if value.startswith(("'", '"')) and value.endswith(value[0]):
        return "it is in quotes"
    if any(character.isspace() for character in value):
        return "it contains a space"
    if "=" in value[:-2]:  # at the end it may be padding
        return "it contains a name and = before the secret"
    return ""


def _token(probe: ControllerProbe, who: str) -> Finding:
    """A direct request: the check needs status and page of the response."""
    options = probe.patient
    value = _value(options.client_secret)
    form = {"grant_type": "client_credentials", "client_id": who, "client_secret": value}

    session = Session(options.base, options, words=WORDS)
    start = time.monotonic()
    try:
        response = session.post(PATH, form, secrets=(value,), accept=_ANY)
    finally:
        session.close()

    took = time.monotonic() - start
    if response.status != 200:
        return _refused(options, response, who)
    return _granted(response, took)


def _refused(options: Options, response: HttpResponse, who: str) -> Finding:
    """By status."""
    status = response.status
    if status in (401, 403):
        if response.login:
            return failed(f"a login page ({status}) instead of a token", *LOGIN)
        return failed(f"no token for {who} ({status})", *_unknown_client(options, status))
    if status == 400:
        text = "the name of the client, or the account, is not written as the controller requires"
        name = Cause(text, f"compare client with {API_CLIENTS}")
        return failed(f"no token for {who} (400)", name, *_unknown_client(options, status))

    if status == 404:
        return failed("page not found (404)", *NO_CONTROLLER)
    if status in (406, 415):
        text = "an old controller, which requires another content type than application/x-www-form-urlencoded"
        old = Cause(text, "update the controller, or set username and password_file instead of client")
        gateway = Cause("a gateway before it changes the request", "have it forward POST and Content-Type unchanged")
        return failed(f"the controller does not accept our content type ({status})", old, gateway)
    text = "a proxy or gateway before it changes the request, or blocks POST"
    proxy = Cause(text, "have it forward the request unchanged")
    return failed(f"POST is not allowed there ({status})", proxy, *NO_CONTROLLER)


def _unknown_client(options: Options, status: int) -> Iterator[Cause]:
    """Why a controller rejects client, account and secret: it does not distinguish them."""
    host = options.base.partition("://")[2].partition(":")[0].lower()
    saas = host.endswith(SAAS)
    if saas and host.removesuffix(SAAS) != options.account.lower():
        account = host.removesuffix(SAAS)
        yield Cause(f"account is {options.account}, and the host is {account}'s", f"account: {account}")

    odd = _odd(_value(options.client_secret))
    if odd:
        yield Cause(f"the secret looks wrong: {odd}", "write it alone into the file, without quotes")
    if status == 403:
        yield Cause("a gateway or an allow list of addresses blocks the exporter", "allow the exporter's address")
    yield Cause(
        "the secret is not the client's: it was regenerated, or belongs to another controller",
        f"{API_CLIENTS}: generate a secret, save, and write it to {_path(options.client_secret)}",
    )
    yield Cause(
        f"the client {options.client!r} does not exist, or is disabled; names are case-sensitive",
        f"{API_CLIENTS}: compare the name with client (without @account), and tick Enabled",
    )

    if not saas:
        default = "" if options.account == "customer1" else "customer1 where the controller has one tenant, else "
        remedy = f"account: {default}the name that the page License > Account shows"
        yield Cause(f"the account is not {options.account!r}", remedy)


def _granted(response: HttpResponse, took: float) -> Finding:
    """A response with status 200, with or without a token."""
    if response.html or response.body.lstrip()[:1] == b"<":
        return failed("an HTML page (200) instead of a token", *LOGIN)
    try:
        body = decoding.decode(response.body, _Body)
        life = None if body.expires_in is None else float(body.expires_in)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return failed("a response without a token", *NO_CONTROLLER)

    if not body.access_token:
        return failed("a response without access_token", *NO_CONTROLLER)
    if life is None:
        return warning(f"a token without a lifetime; assuming {LIFE:.0f} s", _NO_LIFE)
    return _lifetime(life, took)


def _lifetime(life: float, took: float) -> Finding:
    """Whether the token's life is long enough, also compared with the time of the request."""
    if not 0 < life < float("inf"):
        return failed(f"a token valid for {life:g} s", Cause("expires_in is not a number of seconds", _SET_LIFE))

    renewed = renew_after(life)
    summary = f"a token valid for {life:g} s, in {seconds(took)}; it is renewed after {renewed:g} s"
    if renewed <= took:
        return failed(f"{summary}, which is shorter than the request took", _SHORT_LIFE)
    if life < SHORT:
        return warning(f"{summary}: a poll needs several, and calls may arrive after theirs has expired", _SHORT_LIFE)
    if life >= _LONG:
        summary += f" ({duration(life)})"
    return ok(summary)
