"""Authentication: OAuth tokens for client credentials, tokens made by hand, and users with passwords."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from deploy.stack.controller.messages import Answer, Request, as_json, refusal

FORM = "application/x-www-form-urlencoded"


class Access:
    """Issues and checks tokens."""

    def __init__(
        self, account: str, client: str, secret: str, users: Mapping[str, str], clock: Callable[[], float]
    ) -> None:
        self._client = f"{client}@{account}"
        self._users = {f"{user}@{account}": password for user, password in users.items()}
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._lock = threading.Lock()

        self.secret = secret
        self.lifetime = 300.0
        """Seconds for which a token is valid."""
        self.announced: float | None = None
        """Value of `expires_in`, for tokens with another life than announced."""

    def grant(self, request: Request) -> Answer:
        """The response to a request for a token."""
        if request.method != "POST":
            return refusal(405, "The specified HTTP method is not allowed for the requested resource.")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
            return refusal(415, "The server refused this request because the request entity is in an unknown format.")

        form = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return refusal(400, "grant_type must be client_credentials")
        right_secret = hmac.compare_digest(form.get("client_secret", "").encode(), self.secret.encode())
        if form.get("client_id") != self._client or not right_secret:
            return refusal(401, "This request requires HTTP authentication.")

        announced = self.lifetime if self.announced is None else self.announced
        return as_json({"access_token": self.issue(self.lifetime), "expires_in": int(announced)})

    def issue(self, seconds: float) -> str:
        """A token that is valid for so long, like those of the controller's UI."""
        token = "eyJ" + secrets.token_urlsafe(24)
        now = self._clock()
        with self._lock:
            # The stub may run for weeks: drop expired tokens.
            self._ends = {old: end for old, end in self._ends.items() if end > now}
            self._ends[token] = now + seconds
        return token

    def revoke(self) -> None:
        """Invalidate all tokens issued so far."""
        with self._lock:
            self._ends.clear()

    def admits(self, authorization: str) -> bool:
        """Whether an Authorization header is valid."""
        kind, _, rest = authorization.partition(" ")
        if kind == "Bearer":
            with self._lock:
                return self._ends.get(rest, 0.0) > self._clock()
        return kind == "Basic" and self._is_user(rest)

    def _is_user(self, credentials: str) -> bool:
        try:
            user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return user in self._users and hmac.compare_digest(self._users[user].encode(), password.encode())
