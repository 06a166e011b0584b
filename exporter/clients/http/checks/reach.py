"""How a server is reached for a check-up: resolved, connected to, tunnelled to; each within a time of its own."""

from __future__ import annotations

import queue
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from exporter.clients.http.options import HttpOptions, proxy_password

PATIENCE = 10.0
"""Seconds that a step without a request may take; less where the options' timeout is less."""

Address = tuple[socket.AddressFamily, tuple[str, int]]


@dataclass
class Route:
    """From us to the server of a URL, and what earlier steps learned of the way."""

    url: str
    options: HttpOptions
    addresses: Sequence[Address] = ()
    """Of whom we connect to: the proxy where there is one."""
    answering: Address | None = None
    """That of the addresses to which a connection was made."""
    skew: float | None = None
    host: str = field(init=False)
    port: int = field(init=False)
    secure: bool = field(init=False)
    near: tuple[str, int] = field(init=False)
    """Host and port of whom we connect to."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.secure = parts.scheme == "https"
        self.host, self.port = parts.hostname or "", parts.port or (443 if self.secure else 80)
        self.near = (self.host, self.port)
        if self.options.proxy is not None:
            proxy = urlsplit(self.options.proxy.url)
            self.near = (proxy.hostname or "", proxy.port or 80)

    @property
    def seconds(self) -> float:
        """What a step may take."""
        return min(PATIENCE, self.options.timeout)

    def resolve(self) -> Sequence[Address]:
        """The addresses of whom we connect to; raises OSError, TimeoutError among them.

        In a thread of its own, as nothing can interrupt a resolver.
        """
        found: queue.SimpleQueue[Sequence[Address] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                infos = socket.getaddrinfo(*self.near, type=socket.SOCK_STREAM)
                found.put([(family, (str(address[0]), self.near[1])) for family, _, _, _, address in infos])
            except UnicodeError:  # an empty or overlong label
                found.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
            except OSError as error:
                found.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = found.get(timeout=self.seconds)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(answer, OSError):
            raise answer
        return answer

    def elsewhere(self, scheme: str, port: int | None = None) -> str:
        """The URL with another scheme, on another port or the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}{'' if port is None else f':{port}'}{urlsplit(self.url).path.rstrip('/')}"

    def connect(self, address: Address | None = None, seconds: float | None = None) -> socket.socket:
        """A TCP connection to an address, else to the one that answered; raises OSError."""
        family, place = address or self.answering or self.addresses[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.seconds if seconds is None else seconds)
            sock.connect(place)
            sock.settimeout(self.seconds)
        except OSError:
            sock.close()
            raise
        return sock

    def tunnel(self) -> socket.socket:
        """A connection on which the server itself answers; raises OSError, `TunnelError` for a proxy's refusal."""
        sock = self.connect()
        proxy = self.options.proxy
        if proxy is None:
            return sock
        try:
            sock.sendall(self._request())
            status = self._status(sock)
        except OSError:
            sock.close()
            raise
        if status != 200:
            sock.close()
            raise TunnelError(status)
        return sock

    def _request(self) -> bytes:
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        proxy = self.options.proxy
        secret = proxy_password(proxy) if proxy is not None else None
        if proxy is not None and secret is not None:
            pair = b64encode(f"{proxy.username}:{secret.read()}".encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {pair}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _status(self, sock: socket.socket) -> int:
        """The status of the proxy's answer; 0 for what is no HTTP. Byte by byte, as what follows is the server's."""
        end, head = time.monotonic() + self.seconds, b""
        while not head.endswith(b"\r\n\r\n"):
            if time.monotonic() > end:
                raise TimeoutError
            byte = sock.recv(1)
            head += byte
            if not byte or len(head) > 65536 or head[:5] != b"HTTP/"[: len(head)]:
                return 0
        word = head.split(b"\r\n")[0].split()
        return int(word[1]) if len(word) > 1 and word[1].isdigit() else 0


class TunnelError(OSError):
    """A proxy that would not lead to the server, with its status; 0: it spoke no HTTP."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"refused with {status}")
