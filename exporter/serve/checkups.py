"""The checks of every source's kind while `serve` runs: one thread, one source after the other, at a slow pace.

The first check-up follows the first polls. What is being checked when the configuration changes counts only if its
source stays; if not, another thread goes on at once, and the old one ends whenever its check does. All threads are
daemons, so that a check which hangs keeps nobody from ending, and polls have threads of their own.
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
"""Seconds after which the first check-up no longer waits for the first polls: one of them hangs."""

AGAIN = 30.0
"""Seconds after which it is looked again whether the source still refuses us."""

WHILE_FAILED = 300.0
"""Seconds between check-ups while one fails, unless check_interval is shorter: what was mended is soon seen to be."""

_RANK: tuple[CheckVerdict, ...] = ("skipped", "ok", "warning", "failed")


class Checkups:
    """Makes them from `start` until `stop`; publishes what came of them, and tells of changes in the log.

    A source that `refuses` us, by its name, is left alone as long as it does: more attempts may lock the account.
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
        """The one that makes them; another that still runs has been replaced and ends after its step."""
        self._busy: Environment | None = None
        """What the thread is checking."""
        self._due: dict[str, float] = {}
        self._latest: dict[str, Checkup] = {}
        self._last_verdicts: dict[str, dict[str, CheckVerdict]] = {}
        """Source to check to its verdict when it was last made: a line is logged when that changes."""

    def start(self, config: Config) -> None:
        """Begin when the first polls have ended, of which `run_now` tells."""
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
        """Go on with another configuration: sources that are new or changed are due at once, and are known no more."""
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

            # Its check may hang for as long as the source likes: the new sources are not to wait for it.
            if self._busy is not None and self._busy not in config.environments:
                self._start_thread()
            self._changed.notify_all()

    def _forget(self, name: str) -> None:
        self._self_metrics.unchecked(name)
        self._latest.pop(name, None)
        self._last_verdicts.pop(name, None)

    def stop(self) -> None:
        """No check-up begins after this; one that is being made ends with the process."""
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

            # Without the lock: this takes seconds, and for ever where a source hangs.
            steps = tuple(check(config, environment, self._clock()))
            checkup = Checkup(environment.name, sources.kind(environment), steps)
            with self._changed:
                if self._thread is not threading.current_thread():
                    return
                self._busy = None
                self._due[environment.name] = _next_due(environment, checkup, time.monotonic())
                self._publish(checkup)

    def _put_off(self, environment: Environment) -> None:
        """Look again soon; meanwhile nothing is known of the source."""
        with self._changed:
            if self._thread is threading.current_thread():
                self._busy = None
                self._due[environment.name] = time.monotonic() + AGAIN
                self._latest.pop(environment.name, None)
                self._self_metrics.unchecked(environment.name)

    def _next(self) -> tuple[Config, Environment] | None:
        """What is to be checked now, when it is due; None when another thread does it, or none any more."""
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

        # What was skipped this time keeps the verdict of before, so that the same failure is not told twice.
        last_verdicts = self._last_verdicts.setdefault(source, {})
        for name, verdict in verdicts.items():
            if verdict != last_verdicts.get(name, "ok"):
                _log_change(source, worst_steps[name])
        last_verdicts.update(verdicts)


def _worst(steps: Sequence[CheckResult]) -> Mapping[str, CheckResult]:
    """Of each check the worst of its steps; one that was skipped tells nothing beside one that was made."""
    worst: dict[str, CheckResult] = {}
    for step in steps:
        before = worst.get(step.check)
        if before is None or _RANK.index(step.verdict) > _RANK.index(before.verdict):
            worst[step.check] = step
    return worst


def _log_change(source: str, step: CheckResult) -> None:
    """One line where a check's verdict has changed."""
    about = {"source": source, "check": step.check}
    if step.subject:
        about["subject"] = step.subject
    if step.verdict == "ok":
        logger.info("check passes", extra=fields(**about, found=step.found))
        return

    if step.causes:
        about |= {"cause": step.causes[0].text, "remedy": step.causes[0].remedy}
    message = "check failed" if step.verdict == "failed" else "check warns"
    logger.warning(message, extra=fields(**about, found=step.found))


def _next_due(environment: Environment, checkup: Checkup, now: float) -> float:
    slot = _next_slot(environment, now)
    if checkup.well:
        return slot
    return min(slot, now + WHILE_FAILED)


def _next_slot(environment: Environment, now: float) -> float:
    """On a grid of the interval, shifted by a hash of the name, and not before half of it has passed."""
    interval = environment.check_interval
    phase = zlib.crc32(environment.name.encode()) / 2**32 * interval
    return (math.floor((now + interval / 2 - phase) / interval) + 1) * interval + phase
