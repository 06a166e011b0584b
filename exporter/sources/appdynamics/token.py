"""Authentication: an OAuth token that is reused and renewed in time, or credentials that never change.

A token is renewed before it ends: at 80 % of its life or 60 s before its end, whichever comes first, but not before
half of its life is over, because a short-lived one would be renewed all the time. There is one request for a token at
a time; other threads that need a token wait and share its outcome, also a failure; so do all threads with the same
refused token. The API client's secret is read again for each request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from exporter import decoding
from exporter.clients.http import HttpResponse, Session
from exporter.errors import SourceError
from exporter.sources.appdynamics.options import Options

PATH = "/controller/api/oauth/access_token"
LIFE = 300.0
"""Assumed life of a token in seconds, if the controller does not report it: its default."""

_SHARE = 0.8
_MARGIN = 60.0


class Credentials(Protocol):
    """Values of the header Authorization; None leaves it to the options of the session."""

    requests: int
    """Number of requests for a token."""

    def authorization(self, refused: str | None = None) -> str | None:
        """The header's value; another than `refused`, which the controller did not accept. Raises SourceError."""

    def renews(self) -> bool:
        """Whether another attempt after a 401 can have another outcome."""


class Fixed:
    """Basic authentication, or a token made in the controller's UI: the session sends them from their file."""

    requests = 0

    def authorization(self, refused: str | None = None) -> str | None:
        return None

    def renews(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class _Grant:
    authorization: str
    renew_at: float
    """By the monotonic clock."""


class _TokenRequest:
    """A pending request for a token, which other threads wait for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.refused: str | None = None
        self.grant: _Grant | None = None
        self.error: SourceError | None = None

    @property
    def outcome(self) -> str:
        """The authorization; each waiting thread raises its own error, because tracebacks grow on errors."""
        if self.error is not None:
            raise self.error.reworded(str(self.error))

        assert self.grant is not None
        return self.grant.authorization


class _Body(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


class Token:
    """An API client's token; thread-safe."""

    def __init__(self, session: Session, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._options = options
        self._clock = clock

        self._lock = threading.Lock()
        self._grant: _Grant | None = None
        self._pending: _TokenRequest | None = None
        self._failed: _TokenRequest | None = None
        """The failed request after a refused token: other threads with the same token do not repeat it."""
        self.requests = 0

    def renews(self) -> bool:
        return True

    def authorization(self, refused: str | None = None) -> str:
        """A valid token, other than the refused one. Raises SourceError."""
        with self._lock:
            grant = self._grant
            if grant is not None and grant.authorization != refused and self._clock() < grant.renew_at:
                return grant.authorization

            request = self._pending
            if refused is not None and self._failed is not None and self._failed.refused == refused:
                request = self._failed
            ours = request is None
            if request is None:
                request = _TokenRequest()
                self._pending = request

        if ours:
            self._renew(request, refused)
        else:
            request.done.wait()
        return request.outcome

    def _renew(self, request: _TokenRequest, refused: str | None) -> None:
        request.refused = refused
        try:
            request.grant = self._ask()
        except SourceError as error:
            request.error = error
        finally:
            if request.grant is None and request.error is None:  # another exception goes up; the others must not wait
                request.error = SourceError("internal", "the request for a token ended unexpectedly")

            with self._lock:
                self._grant = request.grant
                self._pending = None
                self._failed = request if request.grant is None else None
            request.done.set()

    def _ask(self) -> _Grant:
        where = self._session.address
        secret = self._options.client_secret
        assert secret is not None, "problems() demands it"
        value = secret.read()
        who = f"{self._options.client}@{self._options.account}"
        form = {"grant_type": "client_credentials", "client_id": who, "client_secret": value}

        start = self._clock()  # the token of a slow response is already old when it arrives
        self.requests += 1
        response = self._session.post(PATH, form, secrets=(value,), accept=(200, 400, 401, 403))
        if response.status != 200:
            text = f"{where} refuses a token for {who} ({response.status}): check client, account and {secret.path}"
            if response.login:
                text += "; the response is a login page: is single sign-on or a proxy in front of it?"
            raise SourceError("auth", text, status=response.status, location=where)

        body = _decoded(response, where)
        return _Grant(f"Bearer {body.access_token}", start + renew_after(_life(body, where)))


def renew_after(life: float) -> float:
    """After how many seconds a token that lives for `life` seconds is to be renewed."""
    return min(_SHARE * life, max(life - _MARGIN, life / 2))


def _decoded(response: HttpResponse, where: str) -> _Body:
    try:
        body = decoding.decode(response.body, _Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError):
            text = f"{where} returned no token at {PATH}: check url"
            raise SourceError("bad_data", text, location=where) from None
        page = "an HTML page" if response.html or response.body.lstrip()[:1] == b"<" else "invalid JSON"
        text = (
            f"{where} returned {page} instead of a token: check url; is there a login page (single sign-on, a proxy)?"
        )
        raise SourceError("not_json", text, location=where) from None

    token = body.access_token
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceError(
            "bad_data",
            f"{where} returned a token with characters that a header cannot contain: check url",
            location=where,
        )
    return body


def _life(body: _Body, where: str) -> float:
    """Seconds that the token lives."""
    if body.expires_in is None:
        return LIFE

    try:
        life = float(body.expires_in)
    except ValueError:
        life = -1.0
    if not 0 < life < float("inf"):
        text = f"{where} returned a token with an invalid expires_in, expected a number of seconds above 0"
        raise SourceError("bad_data", text, location=where)
    return life
