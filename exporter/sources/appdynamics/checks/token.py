"""The steps of a check-up that tell who we are to the controller: the secret, the token, and why there is none.

A controller answers a wrong secret, a wrong account and a disabled API client alike; what can be told apart is.
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
from exporter.sources.appdynamics.checks.causes import LOGIN, NO_CONTROLLER, PLACE
from exporter.sources.appdynamics.checks.login import login
from exporter.sources.appdynamics.checks.probe import Probe
from exporter.sources.appdynamics.connection import WORDS
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.token import LIFE, PATH, renew_after

SHORT = 60.0
"""A token that lives for less than so many seconds is worth a warning."""

_LONG = 2 * 86400.0
"""Seconds from which on a life is told in days too."""

_ANY = (200, 400, 401, 403, 404, 405, 406, 415)

_SET_LIFE = f"{PLACE}: set the default API token expiration to {LIFE:.0f} s (5 minutes)"
_SHORT_LIFE = Cause("the client's tokens expire too soon", _SET_LIFE)
_NO_LIFE = Cause(
    "the controller, or something before it, left expires_in out",
    f"{PLACE}: set the token's expiration to {LIFE:.0f} s or more, so that this holds",
)


class _Body(msgspec.Struct):
    access_token: str | None = None
    expires_in: float | str | None = None


def token_steps(probe: Probe) -> Iterator[Step]:
    """Needs `answer`; what follows needs `token`."""
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
    """Secrets as they are read for each request."""
    value = _value(secret)
    request_headers(options)
    odd = _odd(value)
    if odd:
        return warning(f"read; {odd}", Cause("it was pasted with what stands around it", f"compare with {PLACE}"))
    return ok("one line of printable text")


def _odd(value: str) -> str:
    """What no secret that a controller generates has."""
    if value.startswith(("'", '"')) and value.endswith(value[0]):
        return "it stands in quotes"
    if any(character.isspace() for character in value):
        return "there is a blank inside"
    if "=" in value[:-2]:  # at the end it may be padding
        return "it holds a name and = before the secret"
    return ""


def _token(probe: Probe, who: str) -> Finding:
    """One request of our own, so that status and page are seen as they come."""
    options = probe.patient
    value = _value(options.client_secret)
    form = {"grant_type": "client_credentials", "client_id": who, "client_secret": value}

    session = Session(options.base, options, words=WORDS)
    start = time.monotonic()
    try:
        answer = session.post(PATH, form, secrets=(value,), accept=_ANY)
    finally:
        session.close()

    took = time.monotonic() - start
    if answer.status != 200:
        return _refused(options, answer, who)
    return _granted(answer, took)


def _refused(options: Options, answer: HttpResponse, who: str) -> Finding:
    """By status."""
    status = answer.status
    if status in (401, 403):
        if answer.login:
            return failed(f"a login page ({status}) instead of a token", *LOGIN)
        return failed(f"no token for {who} ({status})", *_unknown_client(options, status))
    if status == 400:
        text = "the name of the client, or the account, is not written as the controller wants it"
        name = Cause(text, f"compare client with {PLACE}")
        return failed(f"no token for {who} (400)", name, *_unknown_client(options, status))

    if status == 404:
        return failed("there is no such page (404)", *NO_CONTROLLER)
    if status in (406, 415):
        text = "an old controller, which takes no form (application/x-www-form-urlencoded) but a type of its own"
        old = Cause(text, "update the controller, or set username and password_file instead of client")
        gateway = Cause("a gateway before it changes the request", "have it pass POST and Content-Type as they are")
        return failed(f"the controller does not take our kind of request ({status})", old, gateway)
    text = "a proxy or gateway before it changes the request, or lets no POST through"
    proxy = Cause(text, "have it pass the request as it is")
    return failed(f"POST is not allowed there ({status})", proxy, *NO_CONTROLLER)


def _unknown_client(options: Options, status: int) -> Iterator[Cause]:
    """Why a controller does not take client, account and secret: all the same to it."""
    host = options.base.partition("://")[2].partition(":")[0].lower()
    saas = host.endswith(SAAS)
    if saas and host.removesuffix(SAAS) != options.account.lower():
        account = host.removesuffix(SAAS)
        yield Cause(f"account is {options.account}, and the host is {account}'s", f"account: {account}")

    odd = _odd(_value(options.client_secret))
    if odd:
        yield Cause(f"the secret is not read as it was meant: {odd}", "write it alone into the file, without quotes")
    if status == 403:
        yield Cause("a gateway or an allow list of addresses keeps us out", "have the exporter's address allowed")
    yield Cause(
        "the secret is not the client's: it was generated anew, or is another controller's",
        f"{PLACE}: generate a secret, save, and put it where {_path(options.client_secret)} says",
    )
    yield Cause(
        f"there is no client {options.client!r}, or it is switched off; upper and lower case differ",
        f"{PLACE}: compare the name with client (without @account), and tick Enabled",
    )

    if not saas:
        default = "" if options.account == "customer1" else "customer1 where the controller has one tenant, else "
        remedy = f"account: {default}the name that the page License > Account shows"
        yield Cause(f"the account is not {options.account!r}", remedy)


def _granted(answer: HttpResponse, took: float) -> Finding:
    """What came with status 200, be it a token or not."""
    if answer.html or answer.body.lstrip()[:1] == b"<":
        return failed("an HTML page (200) instead of a token", *LOGIN)
    try:
        body = decoding.decode(answer.body, _Body)
        life = None if body.expires_in is None else float(body.expires_in)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return failed("an answer that holds no token", *NO_CONTROLLER)

    if not body.access_token:
        return failed("an answer without access_token", *NO_CONTROLLER)
    if life is None:
        return warning(f"a token; its life is not told, and taken to be {LIFE:.0f} s", _NO_LIFE)
    return _lifetime(life, took)


def _lifetime(life: float, took: float) -> Finding:
    """Whether a token that lives for so long, and took so long, is of use."""
    if not 0 < life < float("inf"):
        return failed(f"a token that lives for {life:g} s", Cause("expires_in is no number of seconds", _SET_LIFE))

    renewed = renew_after(life)
    found = f"a token that lives for {life:g} s, in {seconds(took)}; it is renewed after {renewed:g} s"
    if renewed <= took:
        return failed(f"{found}, which is sooner than one comes", _SHORT_LIFE)
    if life < SHORT:
        return warning(f"{found}: a poll needs several, and calls may come too late for theirs", _SHORT_LIFE)
    if life >= _LONG:
        found += f" ({duration(life)})"
    return ok(found)
