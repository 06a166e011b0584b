"""Connections to servers with several addresses, and the suggested address instead of a wrong one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from exporter.checkup import checked
from exporter.clients.http import Session
from exporter.clients.http.checks import connection_steps
from exporter.clients.http.options import HttpOptions
from exporter.model.checkup import CheckResult
from exporter.model.settings import Duration
from tests.bad_server import reply


def examined(url: str) -> dict[str, CheckResult]:
    return {step.check: step for step in checked(connection_steps(url, HttpOptions(timeout=Duration(2))))}


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port where the first address of each name swallows what is sent; the second is for the test to serve."""
    with socket.socket() as swallows, socket.socket() as first, socket.socket() as more:
        swallows.bind(("127.0.0.2", 0))
        swallows.listen(0)
        socket_address = swallows.getsockname()
        first.connect(socket_address)
        more.setblocking(False)
        more.connect_ex(socket_address)  # the queue is full: no further connection is accepted
        results = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, socket_address[1]))
            for host in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: results)
        yield socket_address[1]


def test_an_address_that_swallows(two_addresses: int) -> None:
    """Of a name with two addresses one that swallows what is sent costs time, and neither the check-up nor a poll."""
    with socket.create_server(("127.0.0.1", two_addresses)) as listener:
        answering = threading.Thread(target=answer_each, args=(listener,), daemon=True)
        answering.start()
        url = f"http://twice.example:{two_addresses}"
        done = examined(url)
        assert Session(url, HttpOptions(timeout=Duration(2))).get("/").status == 200
    assert done["tcp"].verdict == "warning"
    assert done["answer"].verdict == "ok"
    assert "tries it first" in done["tcp"].causes[0].text


def answer_each(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                reply(200, b"ok")(connection)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_remedy_keeps_the_path(host: str) -> None:
    """The suggested address includes the path and can be pasted."""
    url = examined(f"https://{host}:80/prometheus/")["url"]
    assert url.causes[0].remedy == f"url: http://{host}/prometheus"
