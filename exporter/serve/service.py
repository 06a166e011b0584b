"""The running exporter: polls on a schedule, publishes the results, and reloads the configuration while it runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exporter import catalogue, sources
from exporter.catalogue.exposition import MetricsPage, render
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
from exporter.serve.self_metrics import SelfMetrics

logger = logging.getLogger(__name__)

Outcome = Observation | SourceError
"""The result of a poll."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of a source. Times are Unix seconds; None: not yet."""

    environment: Environment
    up: bool | None = None
    error: SourceError | None = None
    last_success: float | None = None
    """Start of the last successful poll: the published data is as old as this."""
    warnings: tuple[str, ...] = ()
    failed: tuple[CheckResult, ...] = ()
    """The failed checks of the last check-up."""

    def withdrawn(self, now: float) -> bool:
        return self.last_success is not None and now - self.last_success > self.environment.max_age


@dataclass(frozen=True, slots=True)
class Published:
    """The public state: one snapshot and its page. Replaced as a whole."""

    page: MetricsPage = field(default_factory=MetricsPage)
    snapshot: Snapshot | None = None


class Service:
    """Runs from `start` to `stop`; `published`, `statuses` and `ready` may be read from any thread at any time."""

    def __init__(
        self, load: Callable[[], Config], self_metrics: SelfMetrics, clock: Callable[[], float] = time.time
    ) -> None:
        self.self_metrics = self_metrics
        self.clock = clock
        self.published = Published()
        self.ready = False

        self._load = load
        self._active: _ActiveConfig | None = None
        self._poller: Poller | None = None
        self._checkups = Checkups(self_metrics, self._is_refused, clock)
        self._reload_lock = threading.Lock()
        self._reload_pending = False

    def start(self) -> None:
        """Load the configuration and begin to poll; raises ConfigError."""
        self._activate(_ActiveConfig(self, self._load()))
        self._poller = Poller(self._current.timings, self)
        self._checkups.start(self._current.config)  # before the first polls, because it waits for their end
        self._poller.start()

    def stop(self) -> None:
        """No poll begins after this; those in flight end with the process."""
        self._checkups.stop()
        if self._poller is not None:
            self._poller.stop()

    @property
    def statuses(self) -> tuple[SourceStatus, ...]:
        """The status of every source, in the configuration's order."""
        statuses = self._active.statuses if self._active is not None else {}
        # Copied first: the threads that poll replace entries meanwhile.
        items = [*statuses.items()]
        return tuple(replace(status, failed=self._checkups.failed(name)) for name, status in items)

    def reload(self) -> ConfigError | None:
        """Reload the configuration. An invalid one is rejected and the current one stays active."""
        with self._reload_lock:
            # The file is read from here on: a later change and request need another reload.
            self._reload_pending = False
            try:
                config = self._load()
            except ConfigError as error:
                self.self_metrics.load_failed()
                for problem in error.problems:
                    logger.error(
                        "configuration rejected, the current one stays active", extra=fields(problem=str(problem))
                    )
                return error

            if config != self._current.config:
                self._replace(config)
            else:
                self.self_metrics.loaded(self.clock())
        logger.info("configuration reloaded")
        return None

    def reload_soon(self) -> None:
        """Reload in the background; requests before it begins share one reload."""
        if not self._reload_pending:
            self._reload_pending = True
            threading.Thread(target=self.reload, daemon=True).start()

    def poll(self, name: str) -> SourceError | None:
        return self._current.poll(name)

    def skipped(self, name: str, slots: int) -> None:
        self.self_metrics.skipped(name, slots)

    def expired(self, name: str) -> None:
        """Publish without the data that is too old."""
        self._current.publish()

    def is_current(self, candidate: _ActiveConfig) -> bool:
        """Whether no newer configuration has taken over."""
        return self._active is candidate

    def show(self, snapshot: Snapshot, page: MetricsPage, seconds: float) -> None:
        """Publish a snapshot and its page; `seconds` is how long both took."""
        self.published = Published(page, snapshot)
        self.self_metrics.published(snapshot.at, page.series, seconds)
        if not self.ready:
            self.ready = True
            self._checkups.run_now()

    def _is_refused(self, name: str) -> bool:
        """Whether the source denied access in its last poll."""
        status = self._current.statuses.get(name)
        return status is not None and status.error is not None and status.error.reason == "auth"

    @property
    def _current(self) -> _ActiveConfig:
        assert self._active is not None, "not started"
        return self._active

    def _replace(self, config: Config) -> None:
        """Switch to a new configuration; steps that can fail come before the first change."""
        assert self._poller is not None, "not started"
        old = self._current
        new = _ActiveConfig(self, config)

        def take() -> None:
            new.take_over(old)
            self._activate(new)

        # Under the poller's lock, so that no poll begins or ends between the two: it would meet the statuses of one
        # configuration and the schedule of the other.
        self._poller.change(new.timings, new.same(old), take)

        # The old sources' connections are closed after their polls in flight have ended, which may take minutes.
        threading.Thread(target=old.pipeline.close, daemon=True).start()
        self._checkups.change(config)
        new.publish()

    def _activate(self, active: _ActiveConfig) -> None:
        self._active = active
        self.self_metrics.configure(active.config.environments)
        self.self_metrics.mark_demo(made_up=any(map(sources.made_up, active.config.environments)))
        self.self_metrics.events.configure(active.config)
        self.self_metrics.loaded(self.clock())


class _ActiveConfig:
    """One configuration at work: its sources and their state."""

    def __init__(self, service: Service, config: Config) -> None:
        self._service = service
        self._self_metrics = service.self_metrics
        self._clock = service.clock
        self.config = config
        self.pipeline = Pipeline(config, service.self_metrics.events)
        self.timings = {
            environment.name: Timing(environment.interval, environment.max_age) for environment in config.environments
        }
        self.statuses = {environment.name: SourceStatus(environment) for environment in config.environments}
        self._withdrawn = set[str]()
        self._publishing = threading.Lock()
        """Polls may end together: without it, the page of an older snapshot could replace a newer one."""

    def same(self, other: _ActiveConfig) -> set[str]:
        """The sources with the same configuration in both."""
        others = other.config.environments
        return {environment.name for environment in self.config.environments if environment in others}

    def take_over(self, old: _ActiveConfig) -> None:
        """Keep the state of the sources that stay the same."""
        same = self.same(old)
        self.pipeline.take_over(old.pipeline)
        self.statuses |= {name: old.statuses[name] for name in same}
        self._withdrawn = old._withdrawn & same

    def poll(self, name: str) -> SourceError | None:
        """Poll a source, publish the result, and update its state."""
        if name not in self.statuses:
            return None  # the poll was due before the configuration changed

        start = self._clock()
        stopwatch = time.monotonic()
        outcome = self._observe(name, start)
        end = self._clock()
        seconds = time.monotonic() - stopwatch

        # A poll may take minutes. Its result is dropped if another configuration has taken over: the name may belong to
        # another source by now.
        if not self._service.is_current(self):
            return None

        before = self.statuses[name]
        self.statuses[name] = _after(before, start, outcome)
        problem = self.publish()
        if problem is not None:
            outcome = problem
            self.statuses[name] = _after(before, start, problem)

        if isinstance(outcome, SourceError):
            self._self_metrics.failed(name, end, seconds, outcome.reason)
        else:
            self._self_metrics.succeeded(name, end, seconds, outcome)
        _log_change(before, outcome)
        return outcome if isinstance(outcome, SourceError) else None

    def _observe(self, name: str, at: float) -> Outcome:
        try:
            return self.pipeline.poll(name, at)
        except SourceError as error:
            return error
        except Exception as error:
            # An internal error about one source is that source's failure: the others continue.
            logger.exception("internal error, please report it", extra=fields(source=name))
            return _internal(error)

    def publish(self) -> SourceError | None:
        """Publish the current data; after an internal error the old page stays, but only until it is too old."""
        with self._publishing:
            try:
                self._publish(self.pipeline.snapshot)
            except Exception as error:
                logger.exception("internal error, please report it; the old page stays until it is too old")
                problem = _internal(error)
            else:
                return None

            snapshot = self._service.published.snapshot
            shortest = min(environment.max_age for environment in self.config.environments)
            if snapshot is None or self._clock() - snapshot.at > shortest:
                self._publish(self.pipeline.nothing, nothing=True)
            return problem

    def _publish(self, analyse: Callable[[float], Snapshot], *, nothing: bool = False) -> None:
        """Render and publish, after every source was tried: half a round would look like missing evidence.

        `nothing`: withdraw every source, however new its data.
        """
        if any(status.up is None for status in self.statuses.values()):
            return

        now = self._clock()
        stopwatch = time.monotonic()
        snapshot = analyse(now)
        page = render(snapshot, catalogue.ALL)
        withdrawn = {name for name, status in self.statuses.items() if nothing or status.withdrawn(now)}

        # Analysis takes a while too: after a reload meanwhile, the new configuration has published already.
        if not self._service.is_current(self):
            return

        self._publish_withdrawals(withdrawn)
        self._service.show(snapshot, page, time.monotonic() - stopwatch)
        for name in withdrawn - self._withdrawn:
            logger.warning("series withdrawn, the data is older than max_age", extra=fields(source=name))
        self._withdrawn = withdrawn

    def _publish_withdrawals(self, withdrawn: set[str]) -> None:
        """In the exporter's own series: the gauge of each source, and the sources whose events are published."""
        for name in self.statuses:
            self._self_metrics.withdrawn(name, withdrawn=name in withdrawn)

        with_data = {name for name, status in self.statuses.items() if status.last_success is not None}
        self._self_metrics.events.show(with_data - withdrawn)


def _after(before: SourceStatus, start: float, outcome: Outcome) -> SourceStatus:
    """A source's state after a poll."""
    if isinstance(outcome, SourceError):
        return replace(before, up=False, error=outcome)
    return SourceStatus(before.environment, True, None, start, outcome.warnings)


def _log_change(before: SourceStatus, outcome: Outcome) -> None:
    """One log line when a source's state changes, none per poll."""
    name = before.environment.name
    if isinstance(outcome, SourceError):
        if before.up is not False:
            logger.warning("source failing", extra=fields(source=name, reason=outcome.reason, error=str(outcome)))
    elif not before.up:
        logger.info("source is up", extra=fields(source=name, applications=len(outcome.applications)))


def _internal(error: Exception) -> SourceError:
    return SourceError(
        "internal", f"internal error, please report it: {error.__class__.__name__}, see the exporter's log"
    )
