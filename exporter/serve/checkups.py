"""Check-ups of every source while `serve` runs: one thread, one source after the other, at long intervals.

The first check-up follows the first polls. A check-up that runs while the configuration changes counts only if its
source stays; if not, another thread takes over immediately, and the old one ends with its check. All threads are
daemons: a check that hangs does not block the end of the process. Polls have their own threads.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence

from exporter import sources
from exporter.config import Config, Environment
from exporter.logs import fields
from exporter.model.checkup import CheckResult, Checkup, CheckVerdict
from exporter.pipeline.checkup import check
from exporter.serve.self_metrics import SelfMetrics

logger = logging.getLogger(__name__)

PATIENCE = 120.0
"""Seconds after which the first check-up starts even if the first polls have not ended: one of them hangs."""

AGAIN = 30.0
"""Seconds after which to check again whether the source still denies access."""

WHILE_FAILED = 300.0
"""Seconds between check-ups while one fails, unless check_interval is shorter: a fix becomes visible soon."""

_RANK: tuple[CheckVerdict, ...] = ("skipped", "ok", "warning", "failed")


class Checkups:
    """Runs check-ups from `start` until `stop`; publishes the results and logs changes.

    A source that `refuses` access, by its name, is not checked meanwhile: more attempts may lock the account.
    """

    def __init__(
        self, self_metrics: SelfMetrics, refuses: Callable[[str], bool], clock: Callable[[], float] = time.time
    ) -> None:
        self._self_metrics = self_metrics
        self._refuses = refuses
        self._clock = clock

        # Everything below belongs to the lock of this condition.
        self._changed = threading.Condition()
        self._config: Config | None = None
        self._thread: threading.Thread | None = None
        """The current thread; another one that still runs has been replaced and ends after its step."""
        self._busy: Environment | None = None
        """The environment that the thread is checking."""
        self._due: dict[str, float] = {}
        self._latest: dict[str, Checkup] = {}
        self._last_verdicts: dict[str, dict[str, CheckVerdict]] = {}
        """Source to check to its last verdict: a change is logged."""

    def start(self, config: Config) -> None:
        """Start when the first polls have ended, which `run_now` reports."""
        with self._changed:
            self._config = config
            patience_ends = time.monotonic() + PATIENCE
            self._due = {environment.name: patience_ends for environment in config.environments}
            self._start_thread()

    def run_now(self) -> None:
        """The first polls have ended."""
        with self._changed:
            now = time.monotonic()
            self._due |= {name: now for name in self._due if name not in self._latest}
            self._changed.notify_all()

    def change(self, config: Config) -> None:
        """Continue with another configuration: new or changed sources are due immediately and lose their results."""
        with self._changed:
            if self._config is None:
                return

            old = self._config
            self._config = config
            same = {environment.name for environment in config.environments if environment in old.environments}
            for environment in old.environments:
                if environment.name not in same:
                    self._forget(environment.name)

            now = time.monotonic()
            due = self._due
            self._due = {environment.name: now for environment in config.environments}
            self._due |= {name: due[name] for name in same}

            # Its check may hang: the new sources must not wait for it.
            if self._busy is not None and self._busy not in config.environments:
                self._start_thread()
            self._changed.notify_all()

    def _forget(self, name: str) -> None:
        self._self_metrics.unchecked(name)
        self._latest.pop(name, None)
        self._last_verdicts.pop(name, None)

    def stop(self) -> None:
        """No check-up starts after this; a running one ends with the process."""
        with self._changed:
            self._thread = None
            self._config = None
            self._changed.notify_all()

    def failed(self, name: str) -> tuple[CheckResult, ...]:
        """The steps that failed in the source's last check-up."""
        checkup = self._latest.get(name)
        if checkup is None:
            return ()
        return tuple(step for step in checkup.steps if step.verdict == "failed")

    def _start_thread(self) -> None:
        self._busy = None
        self._thread = threading.Thread(target=self._run, name="checkups", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            config, environment = task
            if self._refuses(environment.name):
                self._put_off(environment)
                continue

            # Without the lock: this takes seconds, or for ever if a source hangs.
            steps = tuple(check(config, environment, self._clock()))
            checkup = Checkup(environment.name, sources.kind(environment), steps)
            with self._changed:
                if self._thread is not threading.current_thread():
                    return
                self._busy = None
                self._due[environment.name] = _next_due(environment, checkup, time.monotonic())
                self._publish(checkup)

    def _put_off(self, environment: Environment) -> None:
        """Check again soon; meanwhile the source has no check-up results."""
        with self._changed:
            if self._thread is threading.current_thread():
                self._busy = None
                self._due[environment.name] = time.monotonic() + AGAIN
                self._latest.pop(environment.name, None)
                self._self_metrics.unchecked(environment.name)

    def _next(self) -> tuple[Config, Environment] | None:
        """The next environment, when it is due; None when another thread has taken over, or after `stop`."""
        with self._changed:
            while self._thread is threading.current_thread() and self._config is not None:
                name = min(self._due, key=self._due.__getitem__)
                wait = self._due[name] - time.monotonic()
                if wait <= 0:
                    environments = self._config.environments
                    self._busy = next(environment for environment in environments if environment.name == name)
                    return self._config, self._busy
                self._changed.wait(wait)
        return None

    def _publish(self, checkup: Checkup) -> None:
        source = checkup.source
        self._latest[source] = checkup
        worst_steps = _worst(checkup.steps)
        verdicts = {name: step.verdict for name, step in worst_steps.items() if step.verdict != "skipped"}

        if checkup.steps:
            passed = {name: verdict != "failed" for name, verdict in verdicts.items()}
            warnings = sum(step.verdict == "warning" for step in checkup.steps)
            self._self_metrics.checked(source, self._clock(), passed, warnings)

        # A step that was skipped keeps its previous verdict, so that the same failure is not logged twice.
        last_verdicts = self._last_verdicts.setdefault(source, {})
        for name, verdict in verdicts.items():
            if verdict != last_verdicts.get(name, "ok"):
                _log_change(source, worst_steps[name])
        last_verdicts.update(verdicts)


def _worst(steps: Sequence[CheckResult]) -> Mapping[str, CheckResult]:
    """The worst step of each check; a skipped step counts only if there is no other."""
    worst: dict[str, CheckResult] = {}
    for step in steps:
        before = worst.get(step.check)
        if before is None or _RANK.index(step.verdict) > _RANK.index(before.verdict):
            worst[step.check] = step
    return worst


def _log_change(source: str, step: CheckResult) -> None:
    """Log one line when a check's verdict has changed."""
    about = {"source": source, "check": step.check}
    if step.subject:
        about["subject"] = step.subject
    if step.verdict == "ok":
        logger.info("check passes", extra=fields(**about, found=step.result))
        return

    if step.causes:
        about |= {"cause": step.causes[0].text, "remedy": step.causes[0].remedy}
    message = "check failed" if step.verdict == "failed" else "check warns"
    logger.warning(message, extra=fields(**about, found=step.result))


def _next_due(environment: Environment, checkup: Checkup, now: float) -> float:
    slot = _next_slot(environment, now)
    if checkup.well:
        return slot
    return min(slot, now + WHILE_FAILED)


def _next_slot(environment: Environment, now: float) -> float:
    """On a grid of the interval, shifted by a hash of the name, at least half an interval away."""
    interval = environment.check_interval
    phase = zlib.crc32(environment.name.encode()) / 2**32 * interval
    return (math.floor((now + interval / 2 - phase) / interval) + 1) * interval + phase
