"""The running exporter: polls by the clock, publishes what they bring, and takes a new configuration while it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exporter import catalogue
from exporter.config import Config, Environment
from exporter.errors import ConfigError, SourceError
from exporter.logs import fields
from exporter.model.observation import Observation
from exporter.model.results import Snapshot
from exporter.own_metrics import OwnMetrics
from exporter.pipeline import Pipeline
from exporter.polling import Poller
from exporter.polling.schedule import Timing
from exporter.publish import Page, render

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How a source fares. Times are Unix seconds; None: not yet."""

    environment: Environment
    up: bool | None = None
    error: SourceError | None = None
    seen: float | None = None
    """Start of the last poll that succeeded: what is shown is as old as this."""
    warnings: tuple[str, ...] = ()

    def withdrawn(self, now: float) -> bool:
        return self.seen is not None and now - self.seen > self.environment.max_age


@dataclass(frozen=True, slots=True)
class Published:
    """What everyone sees: one snapshot and the page made of it. Replaced whole."""

    page: Page = field(default_factory=Page)
    snapshot: Snapshot | None = None


class Service:
    """Runs from `start` to `stop`; `published`, `statuses` and `ready` may be read from any thread at any time."""

    def __init__(self, load: Callable[[], Config], own: OwnMetrics, clock: Callable[[], float] = time.time) -> None:
        self._load, self.own, self.clock = load, own, clock
        self._lock = threading.Lock()
        self._round: _Round | None = None
        self.published = Published()
        self.ready = False

    def start(self) -> None:
        """Load the configuration and begin to poll; raises ConfigError."""
        self._begin(self._load())

    def stop(self) -> None:
        """No poll begins after this; those in flight end with the process."""
        if self._round is not None:
            self._round.poller.stop()

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Of every source, in the configuration's order."""
        return tuple(self._round.statuses.values()) if self._round is not None else ()

    def reload(self) -> ConfigError | None:
        """Take the configuration anew. A bad one is refused whole and the old one goes on."""
        with self._lock:
            try:
                config = self._load()
            except ConfigError as error:
                self.own.load_failed()
                for problem in error.problems:
                    logger.error("configuration refused, the old one goes on", extra=fields(problem=str(problem)))
                return error
            old = self._round
            self._begin(config)
        if old is not None:
            threading.Thread(target=old.end, daemon=True).start()
        logger.info("configuration reloaded")
        return None

    def _begin(self, config: Config) -> None:
        self._round = started = _Round(self, config, self._round)
        self.own.configure(config.environments)
        self.own.loaded(self.clock())
        started.poller.start()

    def is_current(self, candidate: _Round) -> bool:
        """Whether no newer configuration has taken over."""
        return self._round is candidate

    def show(self, snapshot: Snapshot) -> None:
        """Put a snapshot on the page."""
        page = render(snapshot, catalogue.ALL)
        self.published = Published(page, snapshot)
        self.own.published(snapshot.at, page.series)
        self.ready = True


class _Round:
    """One configuration at work: its sources, their state, and the poller that drives them."""

    def __init__(self, service: Service, config: Config, old: _Round | None) -> None:
        self._service, self._own, self._clock = service, service.own, service.clock
        self.pipeline = Pipeline(config)
        if old is not None:
            self.pipeline.take_over(old.pipeline)
        self._lock = threading.Lock()
        self._withdrawn: set[str] = set()
        self.statuses = {environment.name: Status(environment) for environment in config.environments}
        timings = {each.name: Timing(each.interval, each.max_age) for each in config.environments}
        self.poller = Poller(timings, self)

    def end(self) -> None:
        """Stop, wait for the polls in flight and give back the connections."""
        self.poller.stop()
        self.poller.join()
        self.pipeline.close()

    def poll(self, name: str) -> SourceError | None:
        """Poll a source, keep its state, and publish."""
        began, watch = self._clock(), time.monotonic()
        try:
            seen: Observation | SourceError = self.pipeline.poll(name, began)
        except SourceError as error:
            seen = error
        except Exception as error:
            logger.exception("a fault of the exporter", extra=fields(source=name))
            seen = SourceError("internal", f"a fault of the exporter: {error.__class__.__name__}, see its log")
        if not self._service.is_current(self):
            return None
        ended, seconds = self._clock(), time.monotonic() - watch
        if isinstance(seen, SourceError):
            self._own.failed(name, ended, seconds, seen.reason)
        else:
            self._own.succeeded(name, ended, seconds, seen)
        self._note(name, began, seen)
        self._publish()
        return seen if isinstance(seen, SourceError) else None

    def skipped(self, name: str, slots: int) -> None:
        self._own.skipped(name, slots)

    def expired(self, name: str) -> None:
        """Publish without what has grown too old."""
        if self._service.is_current(self):
            self._publish()

    def _note(self, name: str, began: float, seen: Observation | SourceError) -> None:
        """Keep the source's state; one log line when it changes, none per poll."""
        before = self.statuses[name]
        if isinstance(seen, SourceError):
            self.statuses[name] = replace(before, up=False, error=seen)
            if before.up is not False:
                logger.warning("source failing", extra=fields(source=name, reason=seen.reason, error=str(seen)))
            return
        self.statuses[name] = Status(before.environment, True, None, began, seen.warnings)
        if not before.up:
            logger.info("source answers", extra=fields(source=name, applications=len(seen.applications)))

    def _publish(self) -> None:
        """Render what is known, once every source was tried: half a round would read as missing evidence."""
        if any(status.up is None for status in self.statuses.values()):
            return
        with self._lock:
            now = self._clock()
            snapshot = self.pipeline.snapshot(now)
            if not self._service.is_current(self):
                return
            old = {name for name, status in self.statuses.items() if status.withdrawn(now)}
            for name in self.statuses:
                self._own.withdrawn(name, withdrawn=name in old)
            self._service.show(snapshot)
            for name in old - self._withdrawn:
                logger.warning("series withdrawn, the data is older than max_age", extra=fields(source=name))
            self._withdrawn = old
