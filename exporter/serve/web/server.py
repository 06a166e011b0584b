"""The web server: uvicorn inside this process, on a socket of ours, ended by signals of ours."""

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
"""A connection whose first request is not there after this many seconds is closed."""

_NO_PROGRESS = 30.0
"""A connection on which nothing happened between two looks, this many seconds apart, is closed."""

_GRACE = 1
"""Seconds that responses under way get when the process is told to end."""

_BACKLOG = 1024

_NOT_HERE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""The machine does not speak this version of IP, or has none of its addresses, though its resolver names one."""


class Protocol(H11Protocol):
    """uvicorn's own, which waits for ever for the first request and for a client that does not read its response."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._state_before = self._state()
        self._look = self.loop.call_later(_FIRST_REQUEST, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look.cancel()
        super().connection_lost(exc)

    def _state(self) -> tuple[Any, int]:
        """What changes while a connection is of use: its request, and how much of the answer is still to be sent."""
        return self.cycle, self.transport.get_write_buffer_size()

    def _check(self) -> None:
        state = self._state()
        _, unsent = state
        # Then the client waits for us, as for a reload: it has read all there is, and the rest is ours to send.
        we_are_working = self.cycle is not None and not self.cycle.response_complete and not unsent
        if state == self._state_before and not we_are_working:
            self.transport.abort()  # and not close(): that would wait for what is still to be sent
            return

        self._state_before = state
        self._look = self.loop.call_later(_NO_PROGRESS, self._check)


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would raise them again at the end, and the exit code would tell of a crash."""

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
            if error.errno not in _NOT_HERE:
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
        raise PteError(f"{address} is no address, wanted host:port, :port or [::1]:port")
    return host.strip("[]"), int(port)


def run(app: Any, listening: socket.socket, tls: ssl.SSLContext | None, hang_up: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP calls `hang_up` on the event loop."""
    _allow_connections()
    settings = config(app)
    settings.load()
    settings.ssl = tls  # `load` has set it too: from files, of which it was given none
    asyncio.run(_serve(_Server(settings), listening, hang_up))


def config(app: Any) -> uvicorn.Config:
    """What every page of ours is served with."""
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
    """Use all the descriptors we may have: the usual 1024 are an invitation to silent clients."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a sandbox may refuse it; then we live with what we have
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


async def _serve(server: _Server, listening: socket.socket, hang_up: Callable[[], None]) -> None:
    """Until a signal says so: the listening socket is closed first, then responses under way get their grace.

    Nothing else is waited for. What runs in threads of ours, a poll or a reload, is left behind: it may take minutes.
    """
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await server.serve(sockets=[listening])
