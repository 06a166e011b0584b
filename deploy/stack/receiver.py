"""A stub for Slack, PagerDuty and webhooks that prints their notifications.

python -m deploy.stack.receiver 127.0.0.1:9828
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_BYTES = 1 << 20


def slack(body: dict[str, Any]) -> Iterator[str]:
    """The message as in the channel."""
    for attachment in body.get("attachments", [body]):
        yield f"Slack {body.get('channel', '')}: {attachment.get('title') or attachment.get('fallback', '')}"
        yield from (f"    {line}" for line in str(attachment.get("text", "")).splitlines())


def pagerduty(body: dict[str, Any]) -> Iterator[str]:
    """The event with action, severity and key, which decide about an incident."""
    payload = body.get("payload") or {}
    yield f"PagerDuty {body.get('event_action')}: {payload.get('summary', '')}"
    yield f"    severity {payload.get('severity', '-')}, dedup key {body.get('dedup_key')}"


def webhook(body: dict[str, Any]) -> Iterator[str]:
    """One line for each alert."""
    for alert in body.get("alerts", []):
        labels = alert.get("labels", {})
        about = " ".join(labels[key] for key in ("application", "source", "severity") if key in labels)
        yield f"webhook {alert.get('status')}: {labels.get('alertname')} {about}".rstrip()


SHOW: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
    "/slack": slack,
    "/pagerduty": pagerduty,
    "/alerts": webhook,
}
"""How a message to a path is printed; /watchdog is printed only once."""


class Receiver(ThreadingHTTPServer):
    """Prints one message after the other."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], out: Callable[[str], None] = print) -> None:
        super().__init__(address, Handler)
        self._out = out
        self._lock = threading.Lock()
        self._watched = False

    def show(self, path: str, body: dict[str, Any]) -> None:
        with self._lock:
            if path == "/watchdog":
                if not self._watched:
                    self._out("watchdog received: alerts can get through (printed once, repeated every minute)")
                self._watched = True
            else:
                self._out("\n".join(SHOW[path](body)))


class Handler(BaseHTTPRequestHandler):
    """POST of JSON to one of the known paths."""

    server: Receiver

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BYTES)))
        except ValueError:
            return self.answer(400, "the body is not JSON\n")
        if self.path not in (*SHOW, "/watchdog") or not isinstance(body, dict):
            return self.answer(404, f"expected one of: {', '.join(SHOW)}, /watchdog\n")
        self.server.show(self.path, body)
        if self.path == "/pagerduty":  # what the Events API v2 answers
            return self.answer(202, json.dumps({"status": "success", "dedup_key": body.get("dedup_key")}))
        return self.answer(200, "ok")

    def do_GET(self) -> None:
        self.answer(200, "ready\n")

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No access log: only notifications are printed."""


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    Receiver((host, int(port))).serve_forever()


if __name__ == "__main__":
    main()
