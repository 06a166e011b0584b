"""A small HTTP proxy on a loopback socket: CONNECT, and plain requests with an absolute URL."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

STOP_SECONDS = 60.0


@dataclass
class Proxy:
    """A running proxy; `heads` are the heads of the requests it got so far."""

    port: int
    authorization: str | None
    """The Proxy-Authorization that it requires."""
    refuses: int | None
    """A status with which it answers everything; 0: with nothing at all."""
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def proxy(user: str = "", password: str = "", refuses: int | None = None) -> Iterator[Proxy]:
    """Serve until the block ends; with a user, only those who know the password."""
    expected = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Proxy(listener.getsockname()[1], expected, refuses)
        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=_accept, args=(listener, running, threads))
        accepting.start()
        try:
            yield running
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join(STOP_SECONDS)


def _accept(listener: socket.socket, running: Proxy, threads: list[threading.Thread]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threads.append(threading.Thread(target=_serve, args=(client, running)))
        threads[-1].start()


def _serve(client: socket.socket, running: Proxy) -> None:
    client.settimeout(STOP_SECONDS)
    with contextlib.suppress(OSError), client:
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        running.heads.append(head.decode("latin-1"))
        lines = running.heads[-1].split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        if running.refuses == 0:
            client.recv(1)
        elif running.refuses is not None:
            _answer(client, running.refuses)
        elif running.authorization not in (None, headers.get("proxy-authorization")):
            _answer(client, 407)
        else:
            _forward(client, lines, rest)


def _answer(client: socket.socket, status: int) -> None:
    client.sendall(f"HTTP/1.1 {status} Reason\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())


def _forward(client: socket.socket, lines: list[str], rest: bytes) -> None:
    method, target, version = lines[0].split(" ")
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    with socket.create_connection((str(parts.hostname), parts.port or 80), STOP_SECONDS) as server:
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            forwarded = [line for line in lines[1:] if not line.lower().startswith("proxy-")]
            server.sendall("\r\n".join([f"{method} {path} {version}", *forwarded, "", ""]).encode("latin-1") + rest)
        _pump(client, server)


def _pump(client: socket.socket, server: socket.socket) -> None:
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        for ready in select.select([client, server], [], [], 1.0)[0]:
            data = ready.recv(65536)
            if not data:
                return
            (server if ready is client else client).sendall(data)
