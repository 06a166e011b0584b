"""The controller on a real socket: HTTP/1.1, connections kept alive, over TLS with a context."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from deploy.stack.controller.controller import Controller
from deploy.stack.controller.messages import HUNG_UP, Request

IDLE_SECONDS = 60.0
MOST_BYTES = 1 << 20
PACK_BYTES = 2048


class Server(ThreadingHTTPServer):
    """Serves one controller; ends its connections when it is closed."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], controller: Controller, context: ssl.SSLContext | None = None) -> None:
        super().__init__(address, Handler)
        self.controller = controller
        self._open: set[socket.socket] = set()
        if context is not None:  # the connection's thread makes the handshake: a silent client must not block others
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect, or do not speak TLS."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """Any method: the controller decides which ones it allows."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = b""
        if length.isdigit():
            body = self.rfile.read(min(int(length), MOST_BYTES))
        headers = {name.lower(): value for name, value in self.headers.items()}

        answer = self.server.controller.answer(Request(self.command, self.path, headers, body))
        if answer.status == HUNG_UP:
            self.close_connection = True
            return

        sent, packed = _packed(answer.body, headers.get("accept-encoding", ""))
        usual = {"Content-Type": answer.type, "Content-Length": str(len(sent)), **packed}
        self.send_response_only(answer.status)
        for name, value in {**usual, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class names them so

    def log_message(self, *_: object) -> None:
        """No access log: the controller counts requests."""


def _packed(body: bytes, accepted: str) -> tuple[bytes, dict[str, str]]:
    """A large body is compressed for clients that accept it."""
    if len(body) < PACK_BYTES or "gzip" not in accepted.lower():
        return body, {}
    return gzip.compress(body, 1), {"Content-Encoding": "gzip"}


@contextlib.contextmanager
def serve(controller: Controller, port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on loopback until the block ends; yields the URL, without /controller."""
    server = Server(("127.0.0.1", port), controller, context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()

    scheme = "http" if context is None else "https"
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
