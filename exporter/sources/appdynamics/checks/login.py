"""Basic authentication, and tokens made in the controller's user interface: whether they open the API, and why not."""

from __future__ import annotations

import base64
import binascii

import msgspec

from exporter.checkup import failed, ok, warning
from exporter.clients.http.options import request_headers
from exporter.errors import SourceError
from exporter.humanize import duration, format_time
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import LOGIN, NO_CONTROLLER, PLACE, usual
from exporter.sources.appdynamics.checks.probe import Probe
from exporter.sources.appdynamics.options import Options

_ANY = (200, 400, 401, 403, 404)

_NEVER = 253_402_300_800.0
"""The year 10000: what ends later does not end."""

SOON = 14 * 86400.0
"""A token's end that is this near is worth a warning, in seconds."""


def login(probe: Probe) -> Finding:
    """The list of applications, of which only the status matters here."""
    try:
        answer = probe.connection.get("/controller/rest/applications", {"output": "JSON"}, _ANY)
    except SourceError as error:
        return failed(str(error), *usual(error))
    basic = probe.options.username is not None
    if answer.status in (401, 403):
        if answer.login:
            return failed(f"a login page ({answer.status})", *LOGIN)
        return failed(f"refused ({answer.status})", *(_user(probe.options) if basic else _token(probe.options)))
    if answer.status != 200:
        return failed(f"there is no list of applications ({answer.status})", *NO_CONTROLLER)
    if answer.html or answer.login:
        return failed("a login page (200) instead of the list of applications", *LOGIN)
    if basic:
        return ok("user and password are taken; they do not expire by themselves, as tokens do")
    return _lasting(probe)


def _user(options: Options) -> list[Cause]:
    user = options.username or ""
    who = user if "@" in user else f"{user}@{options.account}"
    text = f"user or password is wrong: we log in as {who}"
    sso = "users of SAML or LDAP cannot use the API with a password"
    return [
        Cause(text, "log in to the user interface with them; mend username, password_file or account"),
        Cause(sso, f"make a local user, or better an API client ({PLACE}) and set client and client_secret_file"),
        Cause(f"the account is not {who.rpartition('@')[2]!r}", "account: customer1 on premises with one tenant"),
        Cause("the user is locked after failed attempts", "unlock it in Administration > Users"),
    ]


def _token(options: Options) -> list[Cause]:
    name = "bearer_token_file" if options.bearer_token_file else "bearer_token_env"
    end = expiry(options)
    ended = f", by itself at {format_time(end)}" if end is not None else ""
    text = f"the token has expired{ended}, or was revoked; it is not renewed by us"
    return [
        Cause(text, f"{PLACE}: generate a new temporary access token, and put it where {name} says"),
        Cause("it is another controller's", "take one of the controller in url"),
        Cause("tokens made by hand run out again and again", "set client and client_secret_file instead"),
    ]


def _lasting(probe: Probe) -> Finding:
    """How long a token made by hand is still good, where it says so itself."""
    end = expiry(probe.options)
    renew = Cause("a token made by hand is not renewed by us", "set client and client_secret_file instead")
    if end is None:
        return warning("the token is taken; it does not say when it expires", renew)
    left = end - probe.wanted.at
    told = f"the token is taken; it expires at {format_time(end)}, in {duration(left)}"
    return warning(told, renew) if left < SOON else ok(told)


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry(options: Options) -> float | None:
    """When the token ends, as its own payload (a JWT's) says; None where it does not, or never. Unix seconds."""
    token = request_headers(options)[0].get("Authorization", "").removeprefix("Bearer ")
    parts = token.split(".")
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)) if len(parts) == 3 else b"{}"
        end = msgspec.json.decode(payload, type=_Claims).exp
        return end if end is not None and 0 < end < _NEVER else None
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
