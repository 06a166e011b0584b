"""An overall deadline for HTTP requests that also holds against a server that drips bytes.

`timeout=` in requests and urllib3 bounds each read, not the request: a server that sends a byte a second holds the call
for ever, in the headers as in the body. Here a timer shuts the request's sockets down when its time is up, which ends
any read or write on them immediately. Nothing can interrupt the resolution of a host name; only the resolver's own
timeout bounds it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager


class Deadline:
    """Remaining time of the current request, and the sockets to shut down when it is up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._end = 0.0
        self.passed = False

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End the block's requests within `seconds`; afterwards `passed` says whether the deadline ended them."""
        self._end = time.monotonic() + seconds
        self.passed = False
        timer = threading.Timer(seconds, self.expire)
        timer.daemon = True
        timer.start()

        try:
            yield
        finally:
            timer.cancel()
            # Only our duplicates: the connections themselves may be reused.
            with self._lock:
                while self._sockets:
                    self._sockets.pop().close()

    def watch(self, sock: socket.socket) -> None:
        """Shut this connection down at the deadline. Keeps a duplicate because TLS takes over the socket object."""
        duplicate = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            self._sockets.append(duplicate)
            if self.passed:
                _shut(duplicate)

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect over TCP to the first address that accepts; raises OSError, TimeoutError when time is up.

        Each address gets an equal share of the remaining time: one that drops packets leaves time for the others.
        """
        failure: OSError = TimeoutError("no time left")  # of a host without an address
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            remaining = self._end - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("no time left")

            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(remaining / (len(addresses) - number))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
                sock.settimeout(remaining)
                self.watch(sock)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def expire(self) -> None:
        """End the current request as if its time were up."""
        with self._lock:
            self.passed = True
            for sock in self._sockets:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have gone first
        sock.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """A connection that registers its socket with the session's deadline, when new and when reused."""

    deadline: ClassVar[Deadline]

    def _new_conn(self) -> socket.socket:
        # The only private name of urllib3 that we override: it has no public way to pass in a socket (ADR 3).
        try:
            return self.deadline.connect(self._dns_host, self.port or self.default_port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "connecting took too long") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error

    def request(self, *args: Any, **keys: Any) -> None:
        if self.sock is not None:  # reused by a request with its own deadline
            self.deadline.watch(self.sock)
        super().request(*args, **keys)


class DeadlineAdapter(HTTPAdapter):
    """Registers the connections of a requests.Session with a deadline, also those to a proxy; retries nothing."""

    def __init__(self, deadline: Deadline) -> None:
        self._classes = _pool_classes(deadline)
        self.proxy_authorization: str | None = None
        """The Proxy-Authorization of the next requests: sent to the proxy alone, never through it."""
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **keys: Any) -> None:
        super().init_poolmanager(*args, **keys)
        self.poolmanager.pool_classes_by_scheme = self._classes

    def proxy_manager_for(self, proxy: str, **keys: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **keys)
        manager.pool_classes_by_scheme = self._classes

        # Part of the key of each pool: with another password the next request opens a new connection.
        headers = cast("dict[str, str]", manager.proxy_headers)
        headers.clear()
        if self.proxy_authorization is not None:
            headers["Proxy-Authorization"] = self.proxy_authorization
        return manager


def _pool_classes(watching: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(_Watched):
        deadline = watching

    class Secure(_Watched, HTTPSConnection):
        deadline = watching

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
