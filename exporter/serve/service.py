"""The running exporter: polls by the clock, publishes what they bring, and takes a new configuration while it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exporter import catalogue
from exporter.catalogue.exposition import Page, render
from exporter.config import Config, Environment
from exporter.errors import ConfigError, SourceError
from exporter.logs import fields
from exporter.model.checkup import CheckResult
from exporter.model.observation import Observation
from exporter.model.results import Snapshot
from exporter.pipeline import Pipeline
from exporter.serve.checkups import Checkups
from exporter.serve.polling import Poller
from exporter.serve.polling.schedule import Timing
from exporter.serve.self_metrics import OwnMetrics

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
    failed: tuple[CheckResult, ...] = ()
    """What failed in the last check-up."""

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
        self._asked = False
        self._round: _Round | None = None
        self._poller: Poller | None = None
        self._checkups = Checkups(own, self._refused, clock)
        self.published = Published()
        self.ready = False

    def start(self) -> None:
        """Load the configuration and begin to poll; raises ConfigError."""
        self._take(_Round(self, self._load()))
        self._poller = Poller(self._current.timings, self)
        self._checkups.start(self._current.config)  # before the first polls, whose end it waits for
        self._poller.start()

    def stop(self) -> None:
        """No poll begins after this; those in flight end with the process."""
        self._checkups.stop()
        if self._poller is not None:
            self._poller.stop()

    @property
    def statuses(self) -> tuple[Status, ...]:
        """Of every source, in the configuration's order."""
        statuses = self._round.statuses if self._round is not None else {}
        return tuple(replace(each, failed=self._checkups.failed(name)) for name, each in [*statuses.items()])

    def reload(self) -> ConfigError | None:
        """Take the configuration anew. A bad one is refused whole and the old one goes on."""
        with self._lock:
            self._asked = False
            try:
                config = self._load()
            except ConfigError as error:
                self.own.load_failed()
                for problem in error.problems:
                    logger.error("configuration refused, the old one goes on", extra=fields(problem=str(problem)))
                return error
            if config != self._current.config:
                self._replace(config)
            else:
                self.own.loaded(self.clock())
        logger.info("configuration reloaded")
        return None

    def reload_soon(self) -> None:
        """Reload in the background; one that has not begun yet serves however many times it is asked for."""
        if not self._asked:
            self._asked = True
            threading.Thread(target=self.reload, daemon=True).start()

    def poll(self, name: str) -> SourceError | None:
        return self._current.poll(name)

    def skipped(self, name: str, slots: int) -> None:
        self.own.skipped(name, slots)

    def expired(self, name: str) -> None:
        """Publish without what has grown too old."""
        self._current.publish()

    def is_current(self, candidate: _Round) -> bool:
        """Whether no newer configuration has taken over."""
        return self._round is candidate

    def show(self, snapshot: Snapshot, page: Page, seconds: float) -> None:
        """Let everyone see a snapshot, its page, and how many seconds both took."""
        self.published = Published(page, snapshot)
        self.own.published(snapshot.at, page.series, seconds)
        if not self.ready:
            self.ready = True
            self._checkups.hasten()

    def _refused(self, name: str) -> bool:
        """Whether the source's last poll ended with our being refused."""
        status = self._current.statuses.get(name)
        return status is not None and status.error is not None and status.error.reason == "auth"

    @property
    def _current(self) -> _Round:
        assert self._round is not None, "not started"
        return self._round

    def _replace(self, config: Config) -> None:
        """Everything that can fail comes before the first change."""
        assert self._poller is not None, "not started"
        old, new = self._current, _Round(self, config)

        def take() -> None:
            new.take_over(old)
            self._take(new)

        self._poller.change(new.timings, new.same(old), take)
        threading.Thread(target=old.pipeline.close, daemon=True).start()
        self._checkups.change(config)
        new.publish()

    def _take(self, taken: _Round) -> None:
        self._round = taken
        self.own.configure(taken.config.environments)
        self.own.events.configure(taken.config)
        self.own.loaded(self.clock())


class _Round:
    """One configuration at work: its sources and their state."""

    def __init__(self, service: Service, config: Config) -> None:
        self._service, self._own, self._clock = service, service.own, service.clock
        self.config = config
        self.pipeline = Pipeline(config, service.own.events)
        self._lock = threading.Lock()
        self.timings = {each.name: Timing(each.interval, each.max_age) for each in config.environments}
        self.statuses = {environment.name: Status(environment) for environment in config.environments}
        self._withdrawn = set[str]()

    def same(self, other: _Round) -> set[str]:
        """The sources that are configured alike in both."""
        return {each.name for each in self.config.environments if each in other.config.environments}

    def take_over(self, old: _Round) -> None:
        """Go on with what is known of the sources that stay the same."""
        same = self.same(old)
        self.pipeline.take_over(old.pipeline)
        self.statuses |= {name: old.statuses[name] for name in same}
        self._withdrawn = old._withdrawn & same

    def poll(self, name: str) -> SourceError | None:
        """Poll a source, publish what it brought, and keep its state."""
        if name not in self.statuses:
            return None  # it was due before the configuration changed
        began, watch = self._clock(), time.monotonic()
        seen: Observation | SourceError
        try:
            seen = self.pipeline.poll(name, began)
        except SourceError as error:
            seen = error
        except Exception as error:
            logger.exception("a fault of the exporter", extra=fields(source=name))
            seen = _internal(error)
        ended, seconds = self._clock(), time.monotonic() - watch
        if not self._service.is_current(self):
            return None
        before = self.statuses[name]
        self.statuses[name] = _after(before, began, seen)
        fault = self.publish()
        if fault is not None:
            seen = fault
            self.statuses[name] = _after(before, began, fault)
        if isinstance(seen, SourceError):
            self._own.failed(name, ended, seconds, seen.reason)
        else:
            self._own.succeeded(name, ended, seconds, seen)
        _tell(before, seen)
        return seen if isinstance(seen, SourceError) else None

    def publish(self) -> SourceError | None:
        """Show what is known; a fault in it leaves what is shown as it is, but never for longer than data may stay."""
        with self._lock:
            try:
                self._publish(self.pipeline.snapshot)
            except Exception as error:
                logger.exception("a fault of the exporter, what is shown stays until it is too old")
                fault = _internal(error)
            else:
                return None
            shown, shortest = self._service.published.snapshot, min(each.max_age for each in self.config.environments)
            if shown is None or self._clock() - shown.at > shortest:
                self._publish(self.pipeline.nothing, nothing=True)
            return fault

    def _publish(self, look: Callable[[float], Snapshot], *, nothing: bool = False) -> None:
        """Render and show, once every source was tried: half a round would read as missing evidence.

        With `nothing` to show every source is withdrawn, however young what it brought.
        """
        if any(status.up is None for status in self.statuses.values()):
            return
        now, watch = self._clock(), time.monotonic()
        snapshot = look(now)
        page = render(snapshot, catalogue.ALL)
        old = {name for name, status in self.statuses.items() if nothing or status.withdrawn(now)}
        if not self._service.is_current(self):
            return
        for name in self.statuses:
            self._own.withdrawn(name, withdrawn=name in old)
        self._own.events.show({name for name, status in self.statuses.items() if status.seen is not None} - old)
        self._service.show(snapshot, page, time.monotonic() - watch)
        for name in old - self._withdrawn:
            logger.warning("series withdrawn, the data is older than max_age", extra=fields(source=name))
        self._withdrawn = old


def _after(before: Status, began: float, seen: Observation | SourceError) -> Status:
    """A source's state after a poll."""
    if isinstance(seen, SourceError):
        return replace(before, up=False, error=seen)
    return Status(before.environment, True, None, began, seen.warnings)


def _tell(before: Status, seen: Observation | SourceError) -> None:
    """One log line when a source's state changes, none per poll."""
    name = before.environment.name
    if isinstance(seen, SourceError):
        if before.up is not False:
            logger.warning("source failing", extra=fields(source=name, reason=seen.reason, error=str(seen)))
    elif not before.up:
        logger.info("source answers", extra=fields(source=name, applications=len(seen.applications)))


def _internal(error: Exception) -> SourceError:
    return SourceError("internal", f"a fault of the exporter: {error.__class__.__name__}, see its log")
