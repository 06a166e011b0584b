"""Basic authentication, and tokens made in the controller's user interface: do they open the API, and why not?"""

from __future__ import annotations

import base64
import binascii

import msgspec

from exporter import decoding
from exporter.checkup import failed, ok, warning
from exporter.clients.http.options import request_headers
from exporter.humanize import duration, format_time
from exporter.model.checkup import Cause, Finding
from exporter.sources.appdynamics.checks.causes import API_CLIENTS, LOGIN, NO_CONTROLLER
from exporter.sources.appdynamics.checks.probe import ControllerProbe
from exporter.sources.appdynamics.options import Options

_ANY = (200, 400, 401, 403, 404)

_NEVER = 253_402_300_800.0
"""The year 10000: a later end counts as none."""

SOON = 14 * 86400.0
"""Seconds before a token's end in which there is a warning."""

_RENEW = Cause("the exporter does not renew a token made by hand", "set client and client_secret_file instead")


def login(probe: ControllerProbe) -> Finding:
    """The list of applications, of which only the status matters here."""
    response = probe.connection.get("/controller/rest/applications", {"output": "JSON"}, _ANY)
    basic = probe.options.username is not None

    if response.status in (401, 403):
        if response.login:
            return failed(f"a login page ({response.status})", *LOGIN)
        causes = _user_causes(probe.options) if basic else _token_causes(probe.options)
        return failed(f"refused ({response.status})", *causes)
    if response.status != 200:
        return failed(f"no list of applications ({response.status})", *NO_CONTROLLER)
    if response.html or response.login:
        return failed("a login page (200) instead of the list of applications", *LOGIN)

    if basic:
        return ok("user and password are accepted; unlike tokens they do not expire")
    return _lifetime(probe)


def _user_causes(options: Options) -> list[Cause]:
    user = options.username or ""
    who = user if "@" in user else f"{user}@{options.account}"

    return [
        Cause(
            f"user or password is wrong: we log in as {who}",
            "log in to the user interface with them; fix username, password_file or account",
        ),
        Cause(
            "users of SAML or LDAP cannot use the API with a password",
            f"create a local user, or better an API client ({API_CLIENTS}), and set client and client_secret_file",
        ),
        Cause(f"the account is not {who.rpartition('@')[2]!r}", "account: customer1 on premises with one tenant"),
        Cause("the user is locked after failed attempts", "unlock it in Administration > Users"),
    ]


def _token_causes(options: Options) -> list[Cause]:
    key = "bearer_token_file" if options.bearer_token_file else "bearer_token_env"
    expired_at = ""
    end = expiry(options)
    if end is not None:
        expired_at = f" at {format_time(end)}"

    return [
        Cause(
            f"the token has expired{expired_at}, or was revoked; the exporter does not renew it",
            f"{API_CLIENTS}: generate a new temporary access token, and save it where {key} points",
        ),
        Cause("it belongs to another controller", "use a token of the controller in url"),
        Cause("tokens made by hand expire again and again", "set client and client_secret_file instead"),
    ]


def _lifetime(probe: ControllerProbe) -> Finding:
    """How long a token made by hand is still valid, if it contains its end."""
    end = expiry(probe.options)
    if end is None:
        return warning("the token is accepted; it does not contain its expiry", _RENEW)

    remaining = end - probe.context.at
    summary = f"the token is accepted; it expires at {format_time(end)}, in {duration(remaining)}"
    if remaining < SOON:
        return warning(summary, _RENEW)
    return ok(summary)


class _Claims(msgspec.Struct):
    exp: float | None = None


def expiry(options: Options) -> float | None:
    """The end in the token's payload (a JWT) in Unix seconds; None without one, or if it never ends."""
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
