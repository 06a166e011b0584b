"""Check-ups while the exporter runs: real sources, real files, real clock."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter import sources
from exporter.commands.configuration import DEMO
from exporter.config import Config
from exporter.logs import LogFormatter
from exporter.model.checkup import CheckResult, Checkup
from exporter.model.settings import Duration
from exporter.serve import checkups as background
from exporter.serve.web import landing
from tests.bad_server import STOP_SECONDS, BadServer, bad_server, reply, success
from tests.commands.doctor.making import configured
from tests.making_runs import load_run, write
from tests.running import until
from tests.serve.test_service import Started, started

ROUTES = {"Log in": "POST /login"}
OLD = 50 * 86400.0


def loadtest(directory: Path, **more: Any) -> dict[str, Any]:
    (directory / "runs").mkdir(exist_ok=True)
    return {"source": {"kind": "loadtest", "folder": str(directory / "runs"), "routes": ROUTES}, **more}


def run(directory: Path, application: str = "shop", age: float = 7200.0) -> Path:
    return write(directory / "runs" / application / "a.json", load_run(time.time() - age))


def often(config: Config, interval: float = 0.2) -> Config:
    """With check-ups more often than a configuration may ask for them."""
    environments = [
        msgspec.structs.replace(environment, check_interval=interval) for environment in config.environments
    ]
    return msgspec.structs.replace(config, environments=tuple(environments))


def check(running: Started, name: str, source: str = "pte") -> float | None:
    return running.value("pte_source_check", source=source, check=name)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.message.startswith("check ")]


def test_checks_are_published_soon_after_the_start(tmp_path: Path) -> None:
    """1 for a check that passed, 0 for a failed one, none for a skipped one; the end time and the warnings."""
    run(tmp_path, age=OLD)
    with started(configured(tmp_path, pte=loadtest(tmp_path))) as running:
        until(lambda: check(running, "fresh") is not None, "the check-up")
        assert running.service.ready
        assert [check(running, name) for name in ("found", "format", "complete", "mapped", "fresh")] == [1, 1, 1, 1, 0]
        assert (running.value("pte_source_check_timestamp_seconds", source="pte") or 0) > time.time() - 60
        assert running.value("pte_source_check_warnings", source="pte") == 0
        until(lambda: check(running, "found", "production") == 1, "the other source's check-up")
        page = landing.render(running.service.published.snapshot, running.service.statuses, time.time()).decode()
        assert "check fresh shop failed: the newest run ended" in page
        assert "likely cause: nothing ran since. What to do: run it again" in page
    assert check(running, "observation") is None
    assert check(running, "configuration") is None


def test_the_worst_subject_counts(tmp_path: Path) -> None:
    """A check of several applications fails when it fails for one of them."""
    run(tmp_path)
    run(tmp_path, "checkout", OLD)
    (tmp_path / "runs" / "empty").mkdir()
    with started(configured(tmp_path, pte=loadtest(tmp_path))) as running:
        until(lambda: check(running, "fresh") is not None, "the check-up")
        assert (check(running, "found"), check(running, "format"), check(running, "fresh")) == (0, 1, 0)


def test_a_change_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A check that begins to fail, or passes again, is logged once, with its first cause and remedy."""
    caplog.set_level("INFO")
    file = run(tmp_path)
    with started(often(configured(tmp_path, pte=loadtest(tmp_path)))) as running:
        until(lambda: check(running, "found") == 1, "the check-up")
        assert messages(caplog) == []
        file.unlink()
        until(lambda: check(running, "found") == 0, "the failure")
        assert check(running, "complete") is None
        at = running.value("pte_source_check_timestamp_seconds", source="pte") or 0
        until(lambda: (running.value("pte_source_check_timestamp_seconds", source="pte") or 0) > at + 1, "more of them")
        run(tmp_path)
        until(lambda: check(running, "found") == 1, "recovery")
        assert check(running, "complete") == 1
    assert messages(caplog) == ["check failed", "check passes"]
    line = LogFormatter("logfmt").format(next(record for record in caplog.records if record.message == "check failed"))
    assert "source=pte check=found subject=shop" in line
    assert 'cause="a typo in the path or glob" remedy="try it with ls' in line


def test_a_reload_drops_the_old_and_takes_the_new_at_once(tmp_path: Path) -> None:
    """A source that changed has no check of its former self, and the new one's come without waiting for an hour."""
    run(tmp_path)
    with started(configured(tmp_path, pte=loadtest(tmp_path))) as running:
        until(lambda: check(running, "fresh") == 1, "the check-up")
        at = running.value("pte_source_check_timestamp_seconds", source="production")
        running.reload(configured(tmp_path, pte={"source": {"kind": "demo"}}))
        assert check(running, "fresh") is None
        until(lambda: check(running, "found") == 1, "the new source's check-up")
        assert check(running, "fresh") is None
        assert running.value("pte_source_check_timestamp_seconds", source="production") == at
        running.reload(configured(tmp_path, pte={"source": {"kind": "demo"}, "name": "perf"}))
        assert check(running, "found") is None
        until(lambda: check(running, "found", "perf") == 1, "the new name's check-up")


class Hanging:
    """Answers what polls ask, with nothing, and leaves checks waiting."""

    def __init__(self) -> None:
        self.server: BadServer | None = None
        self.waiting = threading.Event()
        self.gone = threading.Event()
        self.released = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        assert self.server is not None
        if b"/status/" in self.server.requests[-1]:
            self.waiting.set()
            self.gone.wait(STOP_SECONDS)
            self.released.set()
            return
        success([])(connection)


def test_a_check_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    """Polls continue, a reload has the next source checked, and the end is not waited for."""
    hanging = Hanging()
    with bad_server(hanging) as server:
        hanging.server = server
        source = {"kind": "prometheus", "preset": "prometheus", "url": server.url}
        with started(configured(tmp_path, production={"source": source, "interval": "1s"})) as running:
            until(hanging.waiting.is_set, "the check")
            polls = running.value("pte_source_polls_total", source="production") or 0
            until(lambda: (running.value("pte_source_polls_total", source="production") or 0) > polls, "another poll")
            assert check(running, "found", "production") is None
            running.reload(configured(tmp_path))
            until(lambda: check(running, "found", "production") == 1, "the next source's check-up")
            assert not hanging.released.is_set()
        assert not hanging.released.is_set()
        hanging.gone.set()


def test_a_source_that_refuses_us_is_left_alone(tmp_path: Path) -> None:
    """After a 401 nothing more is asked by checks, as more attempts may lock the account; nothing is published."""
    with bad_server(reply(401, b"no")) as server:
        source = {"kind": "prometheus", "preset": "prometheus", "url": server.url}
        with started(often(configured(tmp_path, production={"source": source}))) as running:
            until(lambda: running.status().error, "the refusal")
            until(lambda: check(running, "found") == 1, "the other source's check-up")
            time.sleep(0.5)
            assert len(server.requests) == 1
            assert running.value("pte_source_check_timestamp_seconds", source="production") is None


def test_what_failed_is_checked_again_soon() -> None:
    """Within five minutes, not after the hour that a check-up which is well has time for."""
    environment = sources.read(DEMO).environments[0]
    ill = Checkup("production", "demo", (CheckResult("found", "", "look", "failed", "nothing"),))
    now = 1e6
    assert background._next_due(environment, ill, now) == now + background.WHILE_FAILED
    assert now + 1800 <= background._next_due(environment, Checkup("production", "demo", ()), now) <= now + 5400
    often = msgspec.structs.replace(environment, check_interval=Duration(60))
    assert background._next_due(often, ill, now) <= now + 90
