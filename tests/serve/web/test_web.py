"""The exporter as its clients see it: a real process, real sockets."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import socket
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from tests.exposition import families, lint, samples
from tests.running import Running, exporter, until

OPENMETRICS = "application/openmetrics-text"
PROMETHEUS_3 = (
    f"{OPENMETRICS};version=1.0.0;escaping=allow-utf-8;q=0.5,{OPENMETRICS};version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
DEMO = """\
environments:
  - {role: production, interval: 1s, max_age: 10m, source: {kind: demo}}
  - {role: pte, name: "<b>pte</b>", interval: 1h, max_age: 2h, source: {kind: demo}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    directory = tmp_path_factory.mktemp("web")
    (directory / "exporter.yml").write_text(DEMO, encoding="utf-8")
    with exporter(directory, "--config.file", str(directory / "exporter.yml")) as running:
        yield running


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        (OPENMETRICS, True),
        (f"{OPENMETRICS}; version=1.0.0; q=0.4, text/plain; q=0.5", False),
        (f"{OPENMETRICS};q=0, */*", False),
        (f"{OPENMETRICS};version=0.0.1", False),
        (PROMETHEUS_3, True),
        ("application/json", False),
    ],
)
def test_the_format_is_negotiated(running: Running, accept: str, *, openmetrics: bool) -> None:
    """Each client gets what it prefers, whole and correct."""
    answer = running.get("/metrics", headers={"Accept": accept})
    expected = f"{OPENMETRICS}; version=1.0.0" if openmetrics else "text/plain; version=0.0.4"
    assert answer.headers["Content-Type"] == f"{expected}; charset=utf-8"
    assert answer.content.endswith(b"# EOF\n") == openmetrics
    result = {name for name, _ in samples(answer.content, openmetrics=openmetrics)}
    assert result > {"pte_certification_holds", "pte_source_up", "pte_source_polls_total", "process_cpu_seconds_total"}


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("", False),
        ("gzip", True),
        ("gzip;q=0", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("br", False),
    ],
)
def test_compression_is_negotiated(running: Running, accepted: str, *, compressed: bool) -> None:
    """Gzip goes to those who want it, and says the same as the plain page."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    connection.request("GET", "/metrics", headers={"Accept-Encoding": accepted})
    answer = connection.getresponse()
    body = answer.read()
    assert (answer.getheader("Content-Encoding") == "gzip") == compressed
    assert answer.getheader("Vary") == "Accept, Accept-Encoding"
    assert b"\npte_certification_holds{" in (gzip.decompress(body) if compressed else body)
    connection.close()


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
def test_head_answers_like_get_without_a_body(running: Running, path: str) -> None:
    """HEAD gives the same status and type, and the length that GET would have."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    connection.request("HEAD", path)
    answer = connection.getresponse()
    assert answer.read() == b""
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) > 0
    connection.close()


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_promtool_has_nothing_to_say_about_the_whole_page(running: Running, version: str) -> None:
    """What Prometheus scrapes passes its own linter."""
    assert lint(running.get("/metrics").content, version) == ""


def test_no_family_stands_twice(running: Running) -> None:
    """Results and the exporter's own series do not collide."""
    for accept in ("text/plain", OPENMETRICS):
        page = running.get("/metrics", headers={"Accept": accept}).content
        names = [family.name for family in families(page, openmetrics=accept == OPENMETRICS)]
        assert len(names) == len(set(names))


def test_what_is_not_there_is_told_in_plain_text(running: Running) -> None:
    """Unknown paths are 404, wrong methods 405 with what is allowed."""
    missing, wrong = running.get("/metrics/"), running.post("/metrics")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["Allow"] == "GET, HEAD"
    assert running.get("/-/reload").headers["Allow"] == "POST"
    for answer in (missing, wrong):
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_headers_protect_and_tell_nothing(running: Running) -> None:
    """Every answer carries the security headers and none names the server."""
    for path in ("/", "/metrics", "/nowhere"):
        headers = running.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Server" not in headers


def test_reload_needs_permission(running: Running) -> None:
    """Without authentication and without the flag POST /-/reload is refused and says how to allow it."""
    answer = running.post("/-/reload")
    assert answer.status_code == 403
    assert "--web.enable-lifecycle" in answer.text


class Page(HTMLParser):
    """The words and the tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.tags = "", set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_landing_page_tells_the_verdicts(running: Running) -> None:
    """Each application stands there with its verdict, its sentence and its numbers, each source with its state."""
    page = Page(running.get("/").text)
    for words in ("checkout", "✗ does not hold", "shop", "✓ holds", "? no evidence", "of production's peak"):
        assert words in page.words
    assert "<b>pte</b> (pte)" in page.words, "names are escaped"
    assert "✓ up" in page.words
    assert "data " in page.words
    assert not page.tags & {"b", "script", "img", "iframe"}


def test_silent_clients_do_not_stop_scrapes(running: Running) -> None:
    """With 300 connections that say nothing, and one that says half a request, scrapes go on."""
    silent = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(300)]
    silent[0].sendall(b"GET /metrics HTTP/1.1\r\nHost:")
    try:
        for _ in range(3):
            answer = running.get("/metrics")
            assert answer.status_code == 200
            assert answer.elapsed.total_seconds() < 5
    finally:
        for held in silent:
            held.close()


def test_nonsense_does_not_stop_scrapes(running: Running) -> None:
    """Bytes that are no HTTP get a 400, and the next client its page."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert running.get("/metrics").status_code == 200


def test_the_page_follows_the_polls(running: Running) -> None:
    """Polls go on while the exporter runs, each in its own rhythm, and say nothing while they succeed."""
    before = running.value("pte_source_polls_total", source="production")
    assert before is not None
    now = running.value("pte_snapshot_timestamp_seconds")
    assert now is not None
    until(lambda: (running.value("pte_source_polls_total", source="production") or 0) > before + 1, "two more polls")
    assert (running.value("pte_snapshot_timestamp_seconds") or 0) > now
    assert running.value("pte_source_polls_total", source="<b>pte</b>") == 1
    assert len(running.lines("source=production")) == 1


def test_the_listening_address_is_told(running: Running) -> None:
    """The first line of the log says where to look, as one who starts it needs to know."""
    assert f"url={running.url}/" in running.lines()[0]


HURRIED = (
    "import resource, sys, exporter.serve.web.server as server, exporter.cli as cli\n"
    "%s\n"
    "server._FIRST_REQUEST = 1.0\n"
    "sys.exit(cli.main())"
)


def rest(connection: socket.socket) -> int:
    """How many bytes still come before the connection ends, one way or the other."""
    count = 0
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 20):
            count += len(piece)
    return count


def test_connections_without_progress_are_closed(tmp_path: Path) -> None:
    """A client that says nothing, half a request, or reads nothing of its page is let go; one that reads on is not."""
    with exporter(tmp_path, program=("-c", HURRIED % "server._NO_PROGRESS = 1.0")) as running:
        silent, half, deaf, slow = (socket.socket() for _ in range(4))
        for held in (silent, half, deaf, slow):
            held.settimeout(20)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            held.connect(("127.0.0.1", running.port))
        half.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        deaf.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n" * 50)
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        read = 0
        for _ in range(40):
            time.sleep(0.1)
            read += len(slow.recv(200_000))
        assert silent.recv(1) == b""
        assert half.recv(1) == b""
        assert rest(deaf) < 50 * int(
            running.get("/metrics", headers={"Accept-Encoding": "identity"}).headers["Content-Length"]
        )
        assert read > 0
        assert slow.recv(1) != b""
        for held in (silent, half, deaf, slow):
            held.close()


def test_a_first_request_is_not_waited_for_long(tmp_path: Path) -> None:
    """Who says nothing from the start is let go first; a connection that was of use may rest between its requests."""
    with exporter(tmp_path, program=("-c", HURRIED % "")) as running:
        used = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
        used.request("GET", "/-/healthy")
        used.getresponse().read()
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as silent:
            assert silent.recv(1) == b""
        used.request("GET", "/-/healthy")
        assert used.getresponse().read() == b"healthy\n"
        used.close()


def test_more_silent_clients_than_descriptors(tmp_path: Path) -> None:
    """The usual limit on open files is raised as far as it goes, so that silent clients do not use it up."""
    limited = "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096)); server._FIRST_REQUEST = 30.0"
    program = HURRIED.replace("server._FIRST_REQUEST = 1.0\n", "") % limited
    with exporter(tmp_path, program=("-c", program)) as running:
        silent = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(100)]
        try:
            assert requests.get(running.url + "/metrics", timeout=20).status_code == 200
        finally:
            for held in silent:
                held.close()
