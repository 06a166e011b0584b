"""Who we are to the controller: an OAuth token that is reused and renewed in time, or credentials that never change.

A token is renewed before it ends: at 80 % of its life or 60 s before its end, whichever comes first, but not before
half of its life is over, as a short-lived one would be renewed for ever. One request for a token is under way at a
time; whoever else needs it meanwhile waits and shares its outcome, also when it fails; so do all whom the controller
refused the same token. The API client's secret is read from its place for each.
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
"""Seconds a token is taken to live where the controller does not say: its default."""

_SHARE = 0.8
_MARGIN = 60.0


class Credentials(Protocol):
    """Gives what goes into the header Authorization; None leaves it to the options of the session."""

    requests: int
    """How many tokens were asked for."""

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
    """A request for a token that is under way: who comes meanwhile waits for it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.refused: str | None = None
        self.grant: _Grant | None = None
        self.error: SourceError | None = None

    @property
    def outcome(self) -> str:
        """The authorization; each who waits gets an error of its own, as tracebacks grow on them."""
        if self.error is not None:
            raise self.error.reworded(str(self.error))

        assert self.grant is not None
        return self.grant.authorization


class _Body(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


class Token:
    """An API client's token; may be asked from many threads."""

    def __init__(self, session: Session, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._options = options
        self._clock = clock

        self._lock = threading.Lock()
        self._grant: _Grant | None = None
        self._pending: _TokenRequest | None = None
        self._failed: _TokenRequest | None = None
        """The request that failed after a token was refused: others who were refused it do not ask again."""
        self.requests = 0

    def renews(self) -> bool:
        return True

    def authorization(self, refused: str | None = None) -> str:
        """A token that holds, and is not the refused one. Raises SourceError."""
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
            if request.grant is None and request.error is None:  # what it is goes on up; the others are not to wait
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

        start = self._clock()  # a slow answer's token has lived a while when it comes
        self.requests += 1
        response = self._session.post(PATH, form, secrets=(value,), accept=(200, 400, 401, 403))
        if response.status != 200:
            text = f"{where} gives no token to {who} ({response.status}): check client, account and {secret.path}"
            if response.login:
                text += "; the answer is a login page: is single sign-on or a proxy before it?"
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
            text = f"{where} answered {PATH} without a token: check url"
            raise SourceError("bad_data", text, location=where) from None
        page = "an HTML page" if response.html or response.body.lstrip()[:1] == b"<" else "no JSON"
        text = f"{where} gave {page} instead of a token: check url; is there a login page (single sign-on, a proxy)?"
        raise SourceError("not_json", text, location=where) from None

    token = body.access_token
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SourceError("bad_data", f"{where} gave a token that no header can hold: check url", location=where)
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
        text = f"{where} gave a token with an expires_in that is no number of seconds above 0"
        raise SourceError("bad_data", text, location=where)
    return life
