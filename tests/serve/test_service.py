"""The running exporter without its web server: faults, reloads, and what outlives them. Real sources, real clock."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from exporter.config import Config
from exporter.model.observation import Window
from exporter.model.slo_settings import ErrorSli, SliSettings, SloSettings
from exporter.serve.self_metrics import SelfMetrics
from exporter.serve.service import Service, SourceStatus
from exporter.sources import demo, read
from tests.bad_server import STOP_SECONDS, BadServer, bad_server, response
from tests.exposition import samples
from tests.running import until

CONFIG = """\
environments:
  - {name: %s, role: production, interval: 1s, max_age: %s, source: %s}
  - {role: pte, interval: 1s, source: {kind: demo}}
"""
DEMO = "{kind: demo}"
RECORDED = "{kind: recorded, file: %s}"


class Held:
    """Answers 401, but only when it is let go."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self.lock = threading.Lock()
        self.now = self.most = 0

    def __call__(self, connection: socket.socket) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.gone.wait(STOP_SECONDS)
        with self.lock:
            self.now -= 1
        connection.sendall(response(401, b"no"))


def configured(directory: Path, source: str = DEMO, name: str = "production", max_age: str = "1h") -> Config:
    path = directory / "exporter.yml"
    path.write_text(CONFIG % (name, max_age, source), encoding="utf-8")
    return read(path)


def prometheus(server: BadServer) -> str:
    return f'{{kind: prometheus, preset: prometheus, url: "{server.url}"}}'


def faulty(config: Config) -> Config:
    """Analysing anything by this configuration is an error that no check foresaw."""
    analysis = msgspec.structs.replace(config.analysis, timezone="Gone/Missing")
    return msgspec.structs.replace(config, analysis=analysis)


class Started:
    """A service, whose next configuration a test sets."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self.own = SelfMetrics()
        self.service = Service(lambda: self.config, self.own, clock)

    def reload(self, config: Config) -> None:
        self.config = config
        assert self.service.reload() is None

    def value(self, name: str, **labels: str) -> float | None:
        return samples(self.own.render(openmetrics=False)).get((name, frozenset(labels.items())))

    def status(self, name: str = "production") -> SourceStatus:
        return next(status for status in self.service.statuses if status.environment.name == name)

    def polling(self) -> set[str]:
        """The sources whose poll is in flight."""
        assert self.service._poller is not None
        return self.service._poller._schedule._in_flight

    @property
    def sides(self) -> tuple[bool, bool]:
        """Whether production and the PTE are among what is shown."""
        snapshot = self.service.published.snapshot
        assert snapshot is not None
        return snapshot.production is not None, snapshot.pte is not None


@contextlib.contextmanager
def started(config: Config, clock: Callable[[], float] = time.time) -> Iterator[Started]:
    running = Started(config, clock)
    running.service.start()
    try:
        yield running
    finally:
        running.service.stop()


def test_a_fault_in_analysis_is_a_failure_of_the_source(tmp_path: Path) -> None:
    """From the first round on: the sources are down as `internal`, and the exporter is ready and shows nothing."""
    with started(faulty(configured(tmp_path))) as running:
        for name in ("production", "pte"):
            labels = {"source": name, "reason": "internal"}
            until(lambda: running.value("pte_source_poll_failures_total", **labels), "the failure")  # noqa: B023
            assert running.value("pte_source_up", source=name) == 0
            assert "see the exporter's log" in str(running.status(name).error)
        assert running.service.ready
        assert running.sides == (False, False)


def test_a_fault_that_comes_later_ends_in_withdrawal(tmp_path: Path) -> None:
    """What was shown before a fault began stays as it is for max_age and no longer."""
    with started(configured(tmp_path, max_age="12s")) as running:
        until(lambda: running.service.ready, "the first round")
        running.reload(faulty(running.config))
        until(lambda: running.value("pte_source_up", source="production") == 0, "the failure")
        published = running.service.published
        assert running.sides == (True, True)
        polls = running.value("pte_source_polls_total", source="production") or 0
        until(lambda: (running.value("pte_source_polls_total", source="production") or 0) > polls, "another failure")
        assert running.service.published is published
        until(lambda: running.sides == (False, False), "withdrawal")
        until(lambda: running.value("pte_source_withdrawn", source="production") == 1, "its gauge")
        running.reload(configured(tmp_path))
        until(lambda: running.sides == (True, True), "recovery")


def test_a_result_of_an_old_configuration_counts_for_nothing(tmp_path: Path) -> None:
    """A poll that ends after its source was configured away changes no state, no series and no page."""
    held = Held()
    with bad_server(held) as server, started(configured(tmp_path, prometheus(server), "old")) as running:
        until(lambda: held.now == 1, "the poll")
        running.reload(configured(tmp_path, name="new"))
        until(lambda: running.service.ready, "the new configuration's round")
        snapshot = running.service.published.snapshot
        held.gone.set()
        until(lambda: held.now == 0, "the old poll's end")
        until(lambda: running.service.published.snapshot is not snapshot, "another round")
        assert running.sides == (True, True)
        assert running.value("pte_source_up", source="old") is None
        assert running.value("pte_source_poll_failures_total", source="old", reason="auth") is None
        assert [status.up for status in running.service.statuses] == [True, True]


def test_what_an_old_configuration_still_renders_is_not_shown(tmp_path: Path) -> None:
    """When a reload comes between a round's results and the page, the page is the new configuration's."""
    config = configured(tmp_path)
    with started(config) as running:
        until(lambda: running.service.ready, "the first round")
        old = running.service._active
        assert old is not None
        running.reload(configured(tmp_path, name="live"))
        until(lambda: running.value("pte_source_up", source="live") == 1, "the new round's page")
        old.publish()
        snapshot = running.service.published.snapshot
        assert snapshot is not None
        assert snapshot.sides["production"] == "live"


BEGAN = time.time()


def hastened() -> float:
    """A clock that goes a minute a second."""
    return BEGAN + (time.time() - BEGAN) * 60


def test_events_are_counted_while_it_runs(tmp_path: Path) -> None:
    """Counters begin at 0, grow with the polls, continue over a reload, and are absent once the source has gone."""
    file = tmp_path / "round.json"
    labels = {"application": "shop", "side": "production", "slo": "availability"}

    def count() -> float | None:
        return running.value("pte_slo_events_total", **labels)

    now = hastened() // 60 * 60
    observation = demo.Source(demo.Options(), "production").observe(Window(now - 86400, now + 3600))
    file.write_bytes(msgspec.json.encode(observation))
    slos = (SloSettings("availability", "shop", 99.9, SliSettings(errors=ErrorSli())),)
    config = configured(tmp_path, RECORDED % file, max_age="5m")
    with started(msgspec.structs.replace(config, slos=slos), hastened) as running:
        until(lambda: count() is not None, "the counter")
        assert count() == 0
        until(lambda: (count() or 0) > 0, "the first events")
        before = count() or 0
        running.reload(msgspec.structs.replace(config, slos=(msgspec.structs.replace(slos[0], objective=99.0),)))
        assert (count() or 0) >= before
        until(lambda: (count() or 0) > before, "more events")
        file.unlink()
        until(lambda: count() is None, "withdrawal")


def test_reloads_start_no_second_poll(tmp_path: Path) -> None:
    """However often the configuration changes while a poll hangs, one is in flight, with as many threads as before."""
    held = Held()
    with bad_server(held) as server, started(configured(tmp_path, prometheus(server))) as running:
        until(lambda: held.now == 1, "the poll")
        threads = threading.active_count()
        for number in range(20):
            analysis = msgspec.structs.replace(running.config.analysis, spike_magnitude=2.0 + number)
            running.reload(msgspec.structs.replace(running.config, analysis=analysis))
        assert held.most == 1
        until(lambda: threading.active_count() <= threads + 1, "old sources to be closed")
        held.gone.set()
        until(lambda: running.status().error, "the answer")
        assert running.status().error is not None
        assert held.most == 1


def seldom(config: Config) -> Config:
    """Production is polled so seldom that its next poll is none of the test, however busy the machine."""
    production, *others = config.environments
    return msgspec.structs.replace(
        config, environments=(msgspec.structs.replace(production, interval=600.0, max_age=3600.0), *others)
    )


def test_a_reload_does_not_close_the_breaker(tmp_path: Path) -> None:
    """A source that refused our credentials is not asked again sooner because something else was configured."""
    held = Held()
    held.gone.set()
    with bad_server(held) as server, started(seldom(configured(tmp_path, prometheus(server)))) as running:
        until(lambda: running.status().error, "the refusal")
        until(lambda: not running.polling(), "the end of the polls")  # one in flight over a reload is made again
        requests_before = len(server.requests)
        running.reload(running.config)
        analysis = msgspec.structs.replace(running.config.analysis, spike_magnitude=3.0)
        running.reload(msgspec.structs.replace(running.config, analysis=analysis))
        polls = running.value("pte_source_polls_total", source="pte") or 0
        until(lambda: (running.value("pte_source_polls_total", source="pte") or 0) > polls, "the other source's poll")
        assert len(server.requests) == requests_before
        assert running.status().up is False


def test_a_reload_shows_new_settings_at_once(tmp_path: Path) -> None:
    """Data that stays is analysed again without waiting for the next poll."""
    config = configured(tmp_path)
    environments = tuple(msgspec.structs.replace(environment, interval=600.0) for environment in config.environments)
    with started(msgspec.structs.replace(config, environments=environments)) as running:
        until(lambda: running.service.ready, "the first round")
        analysis = msgspec.structs.replace(running.config.analysis, spike_magnitude=3.0)
        running.reload(msgspec.structs.replace(running.config, analysis=analysis))
        snapshot = running.service.published.snapshot
        assert snapshot is not None
        assert snapshot.settings.spike_magnitude == 3.0
        assert running.sides == (True, True)


def test_what_a_failing_source_brought_grows_old_over_a_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Data taken over is shown with its age and withdrawn at max_age, and its failure is not logged a second time."""
    recorded = tmp_path / "recorded.json"
    with started(configured(tmp_path)) as running:
        until(lambda: running.service.ready, "a round to record")
        assert running.service.published.snapshot is not None
        recorded.write_bytes(msgspec.json.encode(running.service.published.snapshot.production))
    config = configured(tmp_path, RECORDED % recorded, max_age="12s")
    environments = (config.environments[0], msgspec.structs.replace(config.environments[1], interval=600.0))
    with started(msgspec.structs.replace(config, environments=environments)) as running:
        until(lambda: running.service.ready, "the first round")
        recorded.unlink()
        until(lambda: running.status().up is False, "the failure")
        last_success = running.status().last_success
        assert last_success is not None
        analysis = msgspec.structs.replace(running.config.analysis, spike_magnitude=3.0)
        running.reload(msgspec.structs.replace(running.config, analysis=analysis))
        assert (running.status().last_success, running.status().up) == (last_success, False)
        assert running.sides == (True, True)
        until(lambda: running.value("pte_source_withdrawn", source="production") == 1, "withdrawal")
        assert running.sides == (False, True)
    assert sum(record.message == "source failing" for record in caplog.records) == 1
