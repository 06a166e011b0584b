"""Basic authentication, and tokens made in the controller's user interface: whether they open the API, and why not."""

from __future__ import annotations

import base64
import binascii

import msgspec

from exporter import decoding
from exporter.checkup import failed, ok, warning
from exporter.clients.http.options import request_headers
from exporter.humanize import duration, format_time
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import LOGIN, NO_CONTROLLER, PLACE
from exporter.sources.appdynamics.checks.probe import Probe
from exporter.sources.appdynamics.options import Options

_ANY = (200, 400, 401, 403, 404)

_NEVER = 253_402_300_800.0
"""The year 10000: what ends later does not end."""

SOON = 14 * 86400.0
"""A token's end that is this near is worth a warning, in seconds."""

_RENEW = Cause("a token made by hand is not renewed by us", "set client and client_secret_file instead")


def login(probe: Probe) -> Finding:
    """The list of applications, of which only the status matters here."""
    answer = probe.connection.get("/controller/rest/applications", {"output": "JSON"}, _ANY)
    basic = probe.options.username is not None

    if answer.status in (401, 403):
        if answer.login:
            return failed(f"a login page ({answer.status})", *LOGIN)
        causes = _user_causes(probe.options) if basic else _token_causes(probe.options)
        return failed(f"refused ({answer.status})", *causes)
    if answer.status != 200:
        return failed(f"there is no list of applications ({answer.status})", *NO_CONTROLLER)
    if answer.html or answer.login:
        return failed("a login page (200) instead of the list of applications", *LOGIN)

    if basic:
        return ok("user and password are taken; they do not expire by themselves, as tokens do")
    return _lifetime(probe)


def _user_causes(options: Options) -> list[Cause]:
    user = options.username or ""
    who = user if "@" in user else f"{user}@{options.account}"

    return [
        Cause(
            f"user or password is wrong: we log in as {who}",
            "log in to the user interface with them; mend username, password_file or account",
        ),
        Cause(
            "users of SAML or LDAP cannot use the API with a password",
            f"make a local user, or better an API client ({PLACE}) and set client and client_secret_file",
        ),
        Cause(f"the account is not {who.rpartition('@')[2]!r}", "account: customer1 on premises with one tenant"),
        Cause("the user is locked after failed attempts", "unlock it in Administration > Users"),
    ]


def _token_causes(options: Options) -> list[Cause]:
    key = "bearer_token_file" if options.bearer_token_file else "bearer_token_env"
    by_itself = ""
    end = expiry(options)
    if end is not None:
        by_itself = f", by itself at {format_time(end)}"

    return [
        Cause(
            f"the token has expired{by_itself}, or was revoked; it is not renewed by us",
            f"{PLACE}: generate a new temporary access token, and put it where {key} says",
        ),
        Cause("it is another controller's", "take one of the controller in url"),
        Cause("tokens made by hand run out again and again", "set client and client_secret_file instead"),
    ]


def _lifetime(probe: Probe) -> Finding:
    """How long a token made by hand is still good, where it says so itself."""
    end = expiry(probe.options)
    if end is None:
        return warning("the token is taken; it does not say when it expires", _RENEW)

    left = end - probe.context.at
    found = f"the token is taken; it expires at {format_time(end)}, in {duration(left)}"
    if left < SOON:
        return warning(found, _RENEW)
    return ok(found)


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry(options: Options) -> float | None:
    """When the token ends, as its own payload (a JWT's) says; None where it does not, or never. Unix seconds."""
    token = request_headers(options)[0].get("Authorization", "").removeprefix("Bearer ")
    parts = token.split(".")
    if len(parts) != 3:
        return None

    padded = parts[1] + "=" * (-len(parts[1]) % 4)  # tokens leave the padding out
    try:
        end = decoding.decode(base64.urlsafe_b64decode(padded), _Claims).exp
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    if end is None or not 0 < end < _NEVER:
        return None
    return end
