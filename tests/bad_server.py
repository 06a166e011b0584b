"""A misbehaving HTTP server on a real loopback socket; each test says in one function how it misbehaves."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

STOP_SECONDS = 60.0
"""No behaviour lasts longer, whatever the client does."""

Behave = Callable[[socket.socket], None]
"""What to do with a connection whose request has been read."""


@dataclass
class BadServer:
    """A running server; `requests` are the raw requests it got so far."""

    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def headers(self, index: int = -1) -> dict[str, str]:
        """Headers of a request, names in lower case."""
        head = self.requests[index].split(b"\r\n\r\n")[0].decode("latin-1")
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:])}


@contextlib.contextmanager
def bad_server(behave: Behave, context: ssl.SSLContext | None = None) -> Iterator[BadServer]:
    """Serve until the block ends; with a context over TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = BadServer(listener.getsockname()[1], "https" if context else "http")
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(listener, server, behave, context, threads))
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join(STOP_SECONDS)


def _accept(
    listener: socket.socket,
    server: BadServer,
    behave: Behave,
    context: ssl.SSLContext | None,
    threads: list[threading.Thread],
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        thread = threading.Thread(target=_serve, args=(connection, server, behave, context))
        threads.append(thread)
        thread.start()


def _serve(plain: socket.socket, server: BadServer, behave: Behave, context: ssl.SSLContext | None) -> None:
    plain.settimeout(STOP_SECONDS)
    with contextlib.suppress(OSError), plain:
        connection = context.wrap_socket(plain, server_side=True) if context else plain
        with connection:
            request = _read_request(connection)
            if request:
                server.requests.append(request)
                behave(connection)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
        if data[:1] == b"\x16":  # TLS, where plain HTTP is spoken
            return data
    head, body = data.split(b"\r\n\r\n", 1)
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].split(b":")[1]) - len(body) if lengths else 0
    while missing > 0:
        more = connection.recv(65536)
        data, missing = data + more, missing - len(more)
    return data


def response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole response, which closes the connection."""
    named = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Reason\r\n{lines}\r\n".encode() + body


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Behave:
    """Answer at once."""
    return lambda connection: connection.sendall(response(status, body, headers))


def reply_json(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Behave:
    """Answer with JSON."""
    return reply(status, json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})})


def success(result: object, kind: str = "vector", **beside: object) -> Behave:
    """A successful answer of the Prometheus API."""
    return reply_json({"status": "success", "data": {"resultType": kind, "result": result}, **beside})


def drip(data: bytes, at_once: int = 0) -> Behave:
    """The first bytes at once, then one every 50 ms: each read succeeds in time, the whole never does."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(data[:at_once])
        end = time.monotonic() + STOP_SECONDS
        for byte in data[at_once:]:
            if time.monotonic() > end:
                return
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    return behave


def endless(connection: socket.socket) -> None:
    """A body without a length that never ends, as fast as the client reads."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        connection.sendall(b" " * 65536)


def silent(connection: socket.socket) -> None:
    """Read the request and say nothing until the client goes."""
    connection.recv(1)


@contextlib.contextmanager
def mute_listener() -> Iterator[BadServer]:
    """Accepts TCP connections and never sends a byte, not even TLS's first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield BadServer(listener.getsockname()[1], "https")
