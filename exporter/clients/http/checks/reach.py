"""Reaches a server for a check-up: resolve, connect, tunnel; each with its own time limit."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from exporter.clients.http.options import HttpOptions, proxy_authorization

PATIENCE = 10.0
"""Seconds that a step without a request may take; less where the options' timeout is shorter."""

_CREDENTIALS = ("bearer_token_file", "bearer_token_env", "password_file", "password_env", "headers_files")
"""Options that hold credentials, or name their file or variable."""

Address = tuple[socket.AddressFamily, tuple[str, int]]


@dataclass
class ConnectionProbe:
    """The connection to the server of a URL, with the results of earlier steps."""

    url: str
    options: HttpOptions
    addresses: Sequence[Address] = ()
    """Addresses of the server, or of the proxy if there is one."""
    connected_address: Address | None = None
    """The address we connected to."""
    skew: float | None = None
    host: str = field(init=False)
    port: int = field(init=False)
    secure: bool = field(init=False)
    near: tuple[str, int] = field(init=False)
    """Host and port to which we connect: the server's, or the proxy's."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)

        self.near = (self.host, self.port)
        if self.options.proxy is not None:
            proxy = urlsplit(self.options.proxy.url)
            self.near = (proxy.hostname or "", proxy.port or 80)

    @property
    def scheme(self) -> str:
        return "https" if self.secure else "http"

    @property
    def credentials(self) -> list[str]:
        """The options that hold credentials."""
        return [name for name in _CREDENTIALS if getattr(self.options, name)]

    @property
    def seconds(self) -> float:
        """The time limit of a step."""
        return min(PATIENCE, self.options.timeout)

    def resolve(self) -> Sequence[Address]:
        """The addresses of the server, or of the proxy; raises OSError, also TimeoutError.

        Uses its own thread because nothing can interrupt a resolver.
        """
        host, port = self.near
        outcome: queue.SimpleQueue[Sequence[Address] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                outcome.put([(family, (str(address[0]), port)) for family, _, _, _, address in infos])
            except UnicodeError:  # an empty or overlong label
                outcome.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
            except OSError as error:
                outcome.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            result = outcome.get(timeout=self.seconds)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(result, OSError):
            raise result
        return result

    def elsewhere(self, scheme: str, port: int | None = None) -> str:
        """The URL with another scheme, on another port or on the scheme's default port."""
        path = urlsplit(self.url).path.rstrip("/")
        host = self._bracketed()
        if port is None:
            return f"{scheme}://{host}{path}"
        return f"{scheme}://{host}:{port}{path}"

    def _bracketed(self) -> str:
        """The host in the form before a port: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def connect(self, address: Address | None = None, seconds: float | None = None) -> socket.socket:
        """A TCP connection to this address, else to the address that responded; raises OSError."""
        family, socket_address = address or self.connected_address or self.addresses[0]
        if seconds is None:
            seconds = self.seconds

        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds)
            sock.connect(socket_address)
            sock.settimeout(self.seconds)
        except OSError:
            sock.close()
            raise
        return sock

    def tunnel(self) -> socket.socket:
        """A connection to the server itself, through the proxy if any; raises OSError, `TunnelError` for a refusal."""
        sock = self.connect()
        if self.options.proxy is None:
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
        destination = f"{self._bracketed()}:{self.port}"
        lines = [f"CONNECT {destination} HTTP/1.1", f"Host: {destination}"]
        authorization, _ = proxy_authorization(self.options.proxy)
        if authorization is not None:
            lines.append(f"Proxy-Authorization: {authorization}")
        return "\r\n".join([*lines, "", ""]).encode()

    def _status(self, sock: socket.socket) -> int:
        """The status of the proxy's response; 0 if it is not HTTP. Reads single bytes: the rest is the server's."""
        end = time.monotonic() + self.seconds
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if time.monotonic() > end:
                raise TimeoutError
            byte = sock.recv(1)
            head += byte
            if not byte or len(head) > 65536 or head[:5] != b"HTTP/"[: len(head)]:
                return 0

        # HTTP/1.1 407 Proxy Authentication Required
        words = head.split(b"\r\n")[0].split()
        if len(words) < 2 or not words[1].isdigit():
            return 0
        return int(words[1])


class TunnelError(OSError):
    """A proxy refused to connect to the server, with its status; 0: the response was not HTTP."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"refused with {status}")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
