"""A receiver on loopback that keeps what Alertmanager sends to Slack, PagerDuty and webhooks."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERS = {"/pagerduty": (202, b'{"status": "success"}'), "/slack": (200, b"ok")}
"""Status and body that the real services give; everything else is answered 200."""


@dataclass(frozen=True)
class Message:
    """One notification."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any


@dataclass
class Receiver:
    """Where to send to, and what has come."""

    url: str
    messages: list[Message] = field(default_factory=list)

    def at(self, path: str) -> list[Any]:
        """The bodies that came to a path, oldest first."""
        return [message.body for message in list(self.messages) if message.path == path]


def _handler(keep: list[Message]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            keep.append(Message(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, answer = ANSWERS.get(self.path, (200, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """The messages are what is looked at."""

    return Handler


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""
    messages: list[Message] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(messages))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}", messages)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
