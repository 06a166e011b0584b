"""The way to one controller, for as long as its source lives: sessions for parallel calls, the token they share."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from exporter.clients.http import HttpResponse, Session, Words
from exporter.clients.http.options import HttpOptions
from exporter.errors import SourceError
from exporter.sources.appdynamics.options import Options
from exporter.sources.appdynamics.token import Credentials, Fixed, Token

WORDS = Words(
    api="an AppDynamics controller",
    path="it ends before /controller/rest",
    credentials="account and credentials",
    rights="whether the role of our client or user may view this",
    narrow="narrow the metric paths",
    rate="lower calls.parallel, as others ask it too; or poll less often",
)


class Connection:
    """Sends requests of many threads, `options.parallel` at a time. Opens and reads nothing before the first."""

    def __init__(
        self,
        options: Options,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self.monotonic = monotonic
        self._clock = clock
        self._session_options = _session_options(options)

        self._slots = threading.BoundedSemaphore(options.parallel)
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._busy: set[Session] = set()

        self._tokens = self._session()
        self.place = self._tokens.address
        """host:port, for messages."""
        self.credentials: Credentials = Fixed()
        if options.client is not None:
            self.credentials = Token(self._tokens, options, monotonic)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        with self._lock:
            for session in (*self._idle, self._tokens):
                session.close()

    def abort(self) -> None:
        """End the calls that are under way: they fail at once."""
        with self._lock:
            for session in self._busy:
                session.abort()

    def get(self, path: str, query: Mapping[str, str], accept: tuple[int, ...] = (200,)) -> HttpResponse:
        """A request with our credentials, sent again once with a new token after a 401. Raises SourceError."""
        try:
            with self._lease() as session:
                authorization = self.credentials.authorization()

                if self.credentials.renews():
                    response = session.get(path, query, authorization=authorization, accept=(*accept, 401))
                    if response.status != 401 or 401 in accept:
                        return response
                    authorization = self.credentials.authorization(refused=authorization)

                return session.get(path, query, authorization=authorization, accept=accept)
        except SourceError as error:
            raise error.at_server(self.place) from None

    def redact(self, text: str) -> str:
        """One printable line of what the controller sent, without what we keep secret."""
        with self._lock:
            for session in (*self._idle, *self._busy):  # all of them, before a secret is cut in two
                text = session.hide(text)
            return self._tokens.redact(text)

    @contextlib.contextmanager
    def _lease(self) -> Iterator[Session]:
        with self._slots:
            with self._lock:
                session = self._idle.pop() if self._idle else self._session()
                self._busy.add(session)

            try:
                yield session
            finally:
                with self._lock:
                    self._busy.discard(session)
                    self._idle.append(session)

    def _session(self) -> Session:
        return Session(self.options.base, self._session_options, self._clock, WORDS)


def _session_options(options: Options) -> HttpOptions:
    """What sessions are told: with the account in the user's name; without credentials where there are tokens."""
    user = options.username
    if user is not None and "@" not in user:
        user = f"{user}@{options.account}"
    http = {name: getattr(options, name) for name in HttpOptions.__struct_fields__}
    return msgspec.structs.replace(HttpOptions(**http), username=user)
