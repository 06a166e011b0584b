"""Start, reload and end of the real process, with sources that fail or hang."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import command, exporter, until

DEMO = "{kind: demo}"
TWO = """\
environments:
  - {role: production, interval: 1s, max_age: %s, source: %s}
  - {role: pte, interval: 1s, max_age: 1h, source: %s}
"""


def written(directory: Path, production: str = DEMO, pte: str = DEMO, max_age: str = "1h") -> str:
    path = directory / "exporter.yml"
    path.write_text(TWO % (max_age, production, pte), encoding="utf-8")
    return str(path)


def prometheus(port: int) -> str:
    return f'{{kind: prometheus, preset: prometheus, url: "http://127.0.0.1:{port}"}}'


def report(path: Path) -> None:
    """A round of the demo, written atomically."""
    done = command("report", "--format", "json", "--at", "2025-11-20T10:00:00Z")
    assert done.returncode == 0, done.stderr
    path.with_suffix(".new").write_text(done.stdout, encoding="utf-8")
    path.with_suffix(".new").replace(path)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Accepts connections and never answers; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepted = list[socket.socket]()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted.append(listening.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def test_a_failing_source_loses_only_its_own_series(tmp_path: Path, closed_port: int) -> None:
    """One side is refused: it is down with a reason, the other side is published, and the change is one log line."""
    with exporter(tmp_path, "--config.file", written(tmp_path, pte=prometheus(closed_port))) as running:
        until(lambda: (running.value("pte_source_polls_total", source="pte") or 0) >= 2, "two polls")
        assert running.value("pte_source_up", source="pte") == 0
        assert running.value("pte_source_up", source="production") == 1
        failures = running.value("pte_source_poll_failures_total", source="pte", reason="refused")
        assert failures is not None
        assert failures >= 2
        assert running.value("pte_source_last_success_timestamp_seconds", source="pte") is None
        assert running.value("pte_requests_per_second", application="shop", side="production", stat="peak") is not None
        assert running.value("pte_certification_evidence", application="shop") == 0
        (line,) = running.lines("source failing")
        assert "source=pte reason=refused" in line
        assert "✗ failing" in running.get("/").text
        assert "refused: " in running.get("/").text
        assert "Failing source: pte" in running.get("/").text
        assert "none found" not in running.get("/").text, "an unseen PTE is no evidence of a missing run"


def test_a_source_that_comes_back_is_told_once(tmp_path: Path) -> None:
    """From failing to answering is one log line, and up follows."""
    good = tmp_path / "good.json"
    report(good)
    recorded = tmp_path / "recorded.json"
    recorded.write_text("{", encoding="utf-8")
    source = f"{{kind: recorded, file: {recorded}}}"
    with exporter(tmp_path, "--config.file", written(tmp_path, pte=source)) as running:
        assert running.value("pte_source_up", source="pte") == 0
        assert len(running.lines("source failing")) == 1
        good.replace(recorded)
        until(lambda: running.value("pte_source_up", source="pte") == 1, "the source to answer")
        assert len([line for line in running.lines("source is up") if "source=pte" in line]) == 1


def test_series_that_are_too_old_are_withdrawn(tmp_path: Path) -> None:
    """After max_age without success the side's series leave the page, with one log line, and a gauge says so."""
    recorded = tmp_path / "recorded.json"
    report(recorded)
    stays = tmp_path / "stays.json"
    shutil.copy(recorded, stays)
    source = "{{kind: recorded, file: {}}}"
    config = Path(written(tmp_path, source.format(recorded), source.format(stays), max_age="15s"))
    # The PTE's polls are none of this, and on a busy machine they would hold up those of production.
    seldom = config.read_text(encoding="utf-8").replace("role: pte, interval: 1s", "role: pte, interval: 30m")
    config.write_text(seldom, encoding="utf-8")

    with exporter(tmp_path, "--config.file", str(config)) as running:
        peak = {"application": "shop", "side": "production", "stat": "peak"}
        assert running.value("pte_requests_per_second", **peak) is not None
        assert running.value("pte_source_withdrawn", source="production") == 0

        recorded.unlink()
        until(lambda: running.value("pte_source_withdrawn", source="production") == 1, "withdrawal")
        assert running.value("pte_source_up", source="production") == 0
        assert running.value("pte_requests_per_second", **peak) is None
        assert running.value("pte_source_up", source="pte") == 1
        until(lambda: running.lines("series withdrawn"), "the log line")
        assert len(running.lines("series withdrawn")) == 1
        assert "series withdrawn" in running.get("/").text


def test_not_ready_until_every_source_was_tried(tmp_path: Path) -> None:
    """While a source hangs on its first poll the exporter is healthy, not ready, and names the pending source."""
    with silent_server() as port:
        config = written(tmp_path, pte=prometheus(port))
        with exporter(tmp_path, "--config.file", config, wait=False) as running:
            until(lambda: running.value("pte_source_up", source="production") == 1, "production")
            assert running.get("/-/healthy").status_code == 200
            answer = running.get("/-/ready")
            assert answer.status_code == 503
            assert answer.text == "not ready: first poll not finished: pte\n"
            assert running.value("pte_snapshot_series") is None
            assert "the first poll of every source is still running" in running.get("/").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_comes_within_two_seconds(tmp_path: Path, number: signal.Signals) -> None:
    """With a poll, a request and idle connections in flight the process ends soon, with code 0 and no traceback."""
    with silent_server() as port:
        config = written(tmp_path, pte=prometheus(port))
        with exporter(tmp_path, "--config.file", config, wait=False) as running:
            connections = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(20)]
            connections[0].sendall(b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
            assert running.get("/-/healthy").status_code == 200
            began = time.monotonic()
            running.process.send_signal(number)
            assert running.process.wait(timeout=20) == 0
            assert time.monotonic() - began < 2.0
            for connection in connections:
                connection.close()
            assert not running.lines("Traceback")
            assert running.lines("msg=ended")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.4, 0.8])
def test_the_end_may_come_during_a_round(tmp_path: Path, seconds: float) -> None:
    """Whatever a poll or the analysis is doing in native code, the end is orderly."""
    with exporter(tmp_path, "--config.file", written(tmp_path), wait=False) as running:
        time.sleep(seconds)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=20) == 0
        assert all(line.startswith("ts=") for line in running.lines()), "a foreign line indicates a crash"


def test_a_reader_that_reads_nothing_does_not_delay_the_end(tmp_path: Path) -> None:
    """A client that asked for pages and reads none of them is left behind."""
    with exporter(tmp_path, "--config.file", written(tmp_path)) as running, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", running.port))
        for _ in range(50):
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        assert running.get("/metrics").status_code == 200
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=20) == 0
        assert time.monotonic() - began < 2.0


def test_a_reload_takes_the_new_configuration(tmp_path: Path) -> None:
    """After SIGHUP the new environments are polled, and nothing is left of the old ones."""
    path = written(tmp_path)
    with exporter(tmp_path, "--config.file", path) as running:
        loaded = running.value("pte_config_last_reload_success_timestamp_seconds")
        assert loaded is not None
        text = Path(path).read_text(encoding="utf-8").replace("role: pte,", "role: pte, name: staging,")
        Path(path).write_text(text, encoding="utf-8")
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.value("pte_source_up", source="staging") == 1, "the new source")
        until(lambda: running.value("pte_gap_input", application="shop", side="staging", signal="cpu"), "its series")
        assert running.value("pte_source_up", source="pte") is None
        assert running.value("pte_gap_input", application="shop", side="pte", signal="cpu") is None
        assert (running.value("pte_config_last_reload_success_timestamp_seconds") or 0) > loaded
        assert running.value("pte_config_last_reload_successful") == 1


def test_a_bad_reload_keeps_the_old_configuration_and_says_so(tmp_path: Path) -> None:
    """A wrong key is logged with file and path and counted, the polls continue, and a fix sets the gauge again."""
    path = written(tmp_path)
    arguments = ("--config.file", path, "--web.enable-lifecycle")
    with exporter(tmp_path, *arguments) as running:
        good = Path(path).read_text(encoding="utf-8")
        Path(path).write_text(good.replace("interval: 1s", "intervall: 1s", 1), encoding="utf-8")
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.value("pte_config_last_reload_successful") == 0, "the refusal")
        (line,) = running.lines("configuration rejected")
        assert f'{path}: environments[0].intervall: unknown key \\"intervall\\", did you mean \\"interval\\"?' in line
        polls = running.value("pte_source_polls_total", source="production") or 0
        until(lambda: (running.value("pte_source_polls_total", source="production") or 0) > polls, "another poll")
        answer = running.post("/-/reload")
        assert answer.status_code == 500
        assert "environments[0].intervall" in answer.text
        Path(path).write_text(good, encoding="utf-8")
        assert running.post("/-/reload").status_code == 200
        assert running.value("pte_config_last_reload_successful") == 1


def test_many_hang_ups_are_few_reloads(tmp_path: Path) -> None:
    """Signals that come while a reload waits ask for nothing more, and an equal configuration changes nothing."""
    with exporter(tmp_path, "--config.file", written(tmp_path)) as running:
        threads = Path(f"/proc/{running.process.pid}/task")
        before = len(list(threads.iterdir()))
        for _ in range(200):
            running.process.send_signal(signal.SIGHUP)
            time.sleep(0.001)
        until(lambda: running.lines("configuration reloaded"), "a reload")
        assert len(list(threads.iterdir())) <= before + 3
        assert running.value("pte_config_last_reload_successful") == 1
        assert len(running.lines("configuration reloaded")) < 200


def test_the_page_stays_while_a_reload_settles(tmp_path: Path) -> None:
    """Until every source of the new configuration was tried the old snapshot is shown, not half of a new one."""
    path = written(tmp_path)
    with exporter(tmp_path, "--config.file", path) as running, silent_server() as port:
        written(tmp_path, pte=prometheus(port))
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.lines("configuration reloaded"), "the reload")
        polls = running.value("pte_source_polls_total", source="production") or 0
        until(lambda: (running.value("pte_source_polls_total", source="production") or 0) > polls + 1, "two polls")
        assert running.value("pte_certification_evidence", application="shop") == 1
        assert running.ready()


def test_json_lines(tmp_path: Path) -> None:
    """Each log line of a run with --log.format json is one object."""
    path = tmp_path / "log"
    with path.open("wb") as output:
        arguments = [sys.executable, "-m", "exporter.cli", "serve", "--log.format", "json"]
        with subprocess.Popen([*arguments, "--web.listen-address", "127.0.0.1:0"], stderr=output) as process:
            until(lambda: path.read_text(encoding="utf-8").count("\n") >= 3, "three lines")
            process.send_signal(signal.SIGTERM)
    for line in path.read_text(encoding="utf-8").splitlines():
        assert json.loads(line).keys() >= {"ts", "level", "msg"}
