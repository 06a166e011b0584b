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
from exporter.serve.self_metrics import OwnMetrics

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

    A source that `refused` us, by its name, is left alone as long as it does: more attempts may lock the account.
    """

    def __init__(self, own: OwnMetrics, refused: Callable[[str], bool], clock: Callable[[], float] = time.time) -> None:
        self._own, self._refused, self._clock = own, refused, clock
        self._changed = threading.Condition()
        self._config: Config | None = None
        self._thread: threading.Thread | None = None
        """The one that makes them; another that still runs has been replaced and ends after its step."""
        self._busy: Environment | None = None
        self._due: dict[str, float] = {}
        self._done: dict[str, Checkup] = {}
        self._told: dict[str, dict[str, CheckVerdict]] = {}

    def start(self, config: Config) -> None:
        """Begin when the first polls have ended, of which `hasten` tells."""
        with self._changed:
            self._config = config
            self._due = {each.name: time.monotonic() + PATIENCE for each in config.environments}
            self._begin()

    def hasten(self) -> None:
        """The first polls have ended."""
        with self._changed:
            now = time.monotonic()
            self._due |= {name: now for name in self._due if name not in self._done}
            self._changed.notify_all()

    def change(self, config: Config) -> None:
        """Go on with another configuration: sources that are new or changed are due at once, and are known no more."""
        with self._changed:
            if self._config is None:
                return
            kept = {each.name for each in config.environments if each in self._config.environments}
            for each in self._config.environments:
                if each.name not in kept:
                    self._own.unchecked(each.name)
            self._config = config
            now = time.monotonic()
            self._due = {each.name: self._due[each.name] if each.name in kept else now for each in config.environments}
            self._done = {name: checkup for name, checkup in self._done.items() if name in kept}
            self._told = {name: told for name, told in self._told.items() if name in kept}
            if self._busy is not None and self._busy not in config.environments:
                self._begin()
            self._changed.notify_all()

    def stop(self) -> None:
        """No check-up begins after this; one that is being made ends with the process."""
        with self._changed:
            self._thread = self._config = None
            self._changed.notify_all()

    def failed(self, name: str) -> tuple[CheckResult, ...]:
        """The steps that failed in the source's last check-up."""
        done = self._done.get(name)
        return () if done is None else tuple(step for step in done.steps if step.verdict == "failed")

    def _begin(self) -> None:
        self._busy = None
        self._thread = threading.Thread(target=self._run, name="checkups", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            config, environment = found
            if self._refused(environment.name):
                self._put_off(environment)
                continue
            kind = sources.kind(environment)
            checkup = Checkup(environment.name, kind, tuple(check(config, environment, self._clock())))
            with self._changed:
                if self._thread is not threading.current_thread():
                    return
                self._busy = None
                self._due[environment.name] = _next_due(environment, checkup, time.monotonic())
                self._finish(checkup)

    def _put_off(self, environment: Environment) -> None:
        """Look again soon; meanwhile nothing is known of the source."""
        with self._changed:
            if self._thread is threading.current_thread():
                self._busy = None
                self._due[environment.name] = time.monotonic() + AGAIN
                self._done.pop(environment.name, None)
                self._own.unchecked(environment.name)

    def _next(self) -> tuple[Config, Environment] | None:
        """What is to be checked now, when it is due; None when another thread does it, or none any more."""
        with self._changed:
            while self._thread is threading.current_thread() and self._config is not None:
                name = min(self._due, key=self._due.__getitem__)
                wait = self._due[name] - time.monotonic()
                if wait <= 0:
                    self._busy = next(each for each in self._config.environments if each.name == name)
                    return self._config, self._busy
                self._changed.wait(wait)
        return None

    def _finish(self, checkup: Checkup) -> None:
        name, worst = checkup.source, _worst(checkup.steps)
        self._done[name] = checkup
        verdicts = {each: step.verdict for each, step in worst.items() if step.verdict != "skipped"}
        warnings = sum(step.verdict == "warning" for step in checkup.steps)
        if checkup.steps:
            passed = {each: verdict != "failed" for each, verdict in verdicts.items()}
            self._own.checked(name, self._clock(), passed, warnings)
        told = self._told.setdefault(name, {})
        for each, verdict in verdicts.items():
            if verdict != told.get(each, "ok"):
                _tell(name, worst[each])
        told.update(verdicts)


def _worst(steps: Sequence[CheckResult]) -> Mapping[str, CheckResult]:
    """Of each check the worst of its steps; one that was skipped tells nothing beside one that was made."""
    worst: dict[str, CheckResult] = {}
    for step in steps:
        before = worst.get(step.check)
        if before is None or _RANK.index(step.verdict) > _RANK.index(before.verdict):
            worst[step.check] = step
    return worst


def _tell(source: str, step: CheckResult) -> None:
    """One line where a check's verdict has changed."""
    about = {"source": source, "check": step.check}
    if step.subject:
        about["subject"] = step.subject
    if step.verdict == "ok":
        logger.info("check passes", extra=fields(**about, found=step.found))
        return
    what = "check failed" if step.verdict == "failed" else "check warns"
    if step.causes:
        about |= {"cause": step.causes[0].text, "remedy": step.causes[0].remedy}
    logger.warning(what, extra=fields(**about, found=step.found))


def _next_due(environment: Environment, checkup: Checkup, now: float) -> float:
    slot = _next_slot(environment, now)
    return slot if checkup.well else min(slot, now + WHILE_FAILED)


def _next_slot(environment: Environment, now: float) -> float:
    """On a grid of the interval, shifted by a hash of the name, and not before half of it has passed."""
    interval = environment.check_interval
    phase = zlib.crc32(environment.name.encode()) / 2**32 * interval
    return (math.floor((now + interval / 2 - phase) / interval) + 1) * interval + phase
