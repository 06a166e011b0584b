"""The steps of a check-up that tell who we are to the controller: the secret, the token, and why there is none.

A controller answers a wrong secret, a wrong account and a disabled API client alike; what can be told apart is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from exporter.checkup import Step, failed, ok, warning
from exporter.checkup.causes import causes_of
from exporter.clients.http import Response, Session
from exporter.clients.http.options import Secret, request_headers
from exporter.errors import SourceError
from exporter.humanize import duration
from exporter.humanize import seconds as spent
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import LOGIN, NO_CONTROLLER, PLACE, usual
from exporter.sources.appdynamics.checks.login import login
from exporter.sources.appdynamics.checks.probe import Probe
from exporter.sources.appdynamics.connection import WORDS
from exporter.sources.appdynamics.options import SAAS, Options
from exporter.sources.appdynamics.token import LIFE, PATH, renew_after

SHORT = 60.0
"""A token that lives for less than so many seconds is worth a warning."""

_ANY = (200, 400, 401, 403, 404, 405, 406, 415)


class _Body(msgspec.Struct):
    access_token: str | None = None
    expires_in: float | str | None = None


def token_steps(probe: Probe) -> Iterator[Step]:
    """Needs `answer`; what follows needs `token`."""
    options = probe.options
    if options.client is None:
        keys = ("bearer_token_file", "bearer_token_env", "password_file", "password_env")
        key = next((name for name in keys if getattr(options, name)), "")
        yield Step("credentials", f"read {key}", lambda: _readable(options, None))
        tried = "GET /controller/rest/applications with these credentials"
        yield Step("token", tried, lambda: login(probe), ("answer", "credentials"))
        return
    secret = options.client_secret
    yield Step("credentials", f"read {secret.path if secret else ''}", lambda: _readable(options, secret))
    who = f"{options.client}@{options.account}"
    tried = f"POST {PATH} with grant_type=client_credentials, client_id={who} and the secret"
    yield Step("token", tried, lambda: _token(probe, who), ("answer", "credentials"))


def _readable(options: Options, secret: Secret | None) -> Finding:
    """Secrets as they are read for each request."""
    try:
        if secret is not None:
            secret.read()
        request_headers(options)
    except SourceError as error:
        return failed(str(error), *causes_of(error.reason, str(error)))
    odd = _odd(secret.read()) if secret is not None else ""
    if odd:
        return warning(f"read; {odd}", Cause("it was pasted with what stands around it", f"compare with {PLACE}"))
    return ok("one line of printable text")


def _odd(value: str) -> str:
    """What no secret that a controller generates has."""
    if value[:1] in "\"'" and value[-1:] == value[:1]:
        return "it stands in quotes"
    if any(each.isspace() for each in value):
        return "there is a blank inside"
    return "it holds a name and = before the secret" if "=" in value[:-2] else ""


def _token(probe: Probe, who: str) -> Finding:
    """One request of our own, so that status and page are seen as they come."""
    options = probe.patient
    secret = options.client_secret
    value = secret.read() if secret is not None else ""
    form = {"grant_type": "client_credentials", "client_id": who, "client_secret": value}
    session = Session(options.base, options, words=WORDS)
    start = time.monotonic()
    try:
        answer = session.post(PATH, form, secrets=(value,), accept=_ANY)
    except SourceError as error:
        return failed(str(error), *usual(error))
    finally:
        session.close()
    took = time.monotonic() - start
    if answer.status != 200:
        return _refused(options, answer, who)
    return _judged(answer, took)


def _refused(options: Options, answer: Response, who: str) -> Finding:
    """By status."""
    status = answer.status
    if status in (401, 403) and answer.login:
        return failed(f"a login page ({status}) instead of a token", *LOGIN)
    if status in (401, 403):
        return failed(f"no token for {who} ({status})", *_unknown(options, status))
    if status == 400:
        text = "the name of the client, or the account, is not written as the controller wants it"
        return failed(
            f"no token for {who} (400)", Cause(text, f"compare client with {PLACE}"), *_unknown(options, status)
        )
    if status == 404:
        return failed("there is no such page (404)", *NO_CONTROLLER)
    if status in (406, 415):
        text = "an old controller, which takes no form (application/x-www-form-urlencoded) but a type of its own"
        old = Cause(text, "update the controller, or set username and password_file instead of client")
        gateway = Cause("a gateway before it changes the request", "have it pass POST and Content-Type as they are")
        return failed(f"the controller does not take our kind of request ({status})", old, gateway)
    text = "a proxy or gateway before it changes the request, or lets no POST through"
    return failed(
        f"POST is not allowed there ({status})", Cause(text, "have it pass the request as it is"), *NO_CONTROLLER
    )


def _unknown(options: Options, status: int) -> Iterator[Cause]:
    """Why a controller does not take client, account and secret: all the same to it."""
    host = options.base.partition("://")[2].partition(":")[0].lower()
    saas = host.endswith(SAAS)
    secret = options.client_secret
    if saas and host.removesuffix(SAAS) != options.account.lower():
        text = f"account is {options.account}, and the host is {host.removesuffix(SAAS)}'s"
        yield Cause(text, f"account: {host.removesuffix(SAAS)}")
    odd = _odd(secret.read()) if secret is not None else ""
    if odd:
        yield Cause(f"the secret is not read as it was meant: {odd}", "write it alone into the file, without quotes")
    if status == 403:
        text = "a gateway or an allow list of addresses keeps us out"
        yield Cause(text, "have the exporter's address allowed")
    text = "the secret is not the client's: it was generated anew, or is another controller's"
    yield Cause(text, f"{PLACE}: generate a secret, save, and put it where {secret.path if secret else ''} says")
    text = f"there is no client {options.client!r}, or it is switched off; upper and lower case differ"
    yield Cause(text, f"{PLACE}: compare the name with client (without @account), and tick Enabled")
    if not saas:
        text = f"the account is not {options.account!r}"
        one = "" if options.account == "customer1" else "customer1 where the controller has one tenant, else "
        yield Cause(text, f"account: {one}the name that the page License > Account shows")


def _judged(answer: Response, took: float) -> Finding:
    """What a token is worth."""
    if answer.html or answer.body.lstrip()[:1] == b"<":
        return failed("an HTML page (200) instead of a token", *LOGIN)
    try:
        body = msgspec.json.decode(answer.body, type=_Body)
        life = None if body.expires_in is None else float(body.expires_in)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return failed("an answer that holds no token", *NO_CONTROLLER)
    if not body.access_token:
        return failed("an answer without access_token", *NO_CONTROLLER)
    if life is None:
        text = "the controller, or something before it, left expires_in out"
        cause = Cause(text, f"{PLACE}: set the token's expiration to {LIFE:.0f} s or more, so that this holds")
        return warning(f"a token; its life is not told, and taken to be {LIFE:.0f} s", cause)
    set_it = f"{PLACE}: set the default API token expiration to {LIFE:.0f} s (5 minutes)"
    if not 0 < life < float("inf"):
        return failed(f"a token that lives for {life:g} s", Cause("expires_in is no number of seconds", set_it))
    told = f"a token that lives for {life:g} s, in {spent(took)}; it is renewed after {renew_after(life):g} s"
    short = Cause("the client's tokens expire too soon", set_it)
    if renew_after(life) <= took:
        return failed(f"{told}, which is sooner than one comes", short)
    if life < SHORT:
        return warning(f"{told}: a poll needs several, and calls may come too late for theirs", short)
    return ok(told if life < 2 * 86400 else f"{told} ({duration(life)})")
