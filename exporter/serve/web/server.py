"""The web server: uvicorn inside this process, on our socket and with our signal handlers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from exporter.errors import PteError

_FIRST_REQUEST = 10.0
"""A connection without a first request after this many seconds is closed."""

_NO_PROGRESS = 30.0
"""A connection without progress between two checks, this many seconds apart, is closed."""

_GRACE = 1
"""Seconds that running responses get when the process ends."""

_BACKLOG = 1024

_NOT_AVAILABLE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""The machine lacks this version of IP, or the address that its resolver returned."""


class Protocol(H11Protocol):
    """uvicorn's protocol with time limits: it waits for ever for a first request or for a client that does not read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._state_before = self._state()
        self._look = self.loop.call_later(_FIRST_REQUEST, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def _state(self) -> tuple[Any, int]:
        """Changes while a connection makes progress: its request, and how much of the response is still unsent."""
        return self.cycle, self.transport.get_write_buffer_size()

    def _check(self) -> None:
        state = self._state()
        _, unsent = state
        # Here the client waits for us, as during a reload: it has read everything that we sent.
        we_are_working = self.cycle is not None and not self.cycle.response_complete and not unsent
        if state == self._state_before and not we_are_working:
            self.transport.abort()  # not close(), which would wait until everything is sent
            return

        self._state_before = state
        self._look = self.loop.call_later(_NO_PROGRESS, self._check)


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again at the end, and the exit code would look like a crash."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(address: str) -> socket.socket:
    """A listening socket for host:port, :port (all interfaces) or [::1]:port; raises PteError."""
    host, port = split(address)
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise PteError(f"cannot listen on {address}: {error.strerror or error}") from None

    if not host:
        # All interfaces: IPv6 first, whose socket takes both versions of IP where the machine has both.
        addresses.sort(key=lambda info: info[0] != socket.AF_INET6)
    for family, _, _, _, socket_address in addresses:
        try:
            return _listen(family, socket_address, ipv6_only=bool(host))
        except OSError as error:
            failure = error
            if error.errno not in _NOT_AVAILABLE:
                break

    raise PteError(f"cannot listen on {address}: {failure.strerror or failure}")


def _listen(family: int, address: Any, *, ipv6_only: bool) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, ipv6_only)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def split(address: str) -> tuple[str, int]:
    """Host and port of host:port, :port or [::1]:port; raises PteError."""
    host, colon, port = address.rpartition(":")
    is_port = bool(colon) and port.isdecimal() and int(port) <= 65535
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not is_port or (":" in host and not is_bracketed):
        raise PteError(f"{address} is not an address, expected host:port, :port or [::1]:port")
    return host.strip("[]"), int(port)


def run(app: Any, listening: socket.socket, tls: ssl.SSLContext | None, hang_up: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP calls `hang_up` on the event loop."""
    _allow_connections()
    settings = config(app)
    settings.load()
    settings.ssl = tls  # `load` sets it from files, and there are none
    asyncio.run(_serve(_Server(settings), listening, hang_up))


def config(app: Any) -> uvicorn.Config:
    """The settings of all our servers."""
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE,
    )


def _allow_connections() -> None:
    """Use all permitted descriptors: silent clients soon exhaust the usual 1024."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it; then the limit stays
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


async def _serve(server: _Server, listening: socket.socket, hang_up: Callable[[], None]) -> None:
    """Serve until a signal: the listening socket is closed first, then running responses get their grace period.

    Nothing else is waited for: a poll or a reload in one of our threads may take minutes and is abandoned.
    """
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await server.serve(sockets=[listening])
