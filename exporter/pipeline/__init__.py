"""Observe, analyse, snapshot, in plain order: the only place that calls both sources and analysis."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from msgspec import structs

from exporter.analysis import run
from exporter.analysis.assessment import analyse
from exporter.config import Config, Environment
from exporter.errors import SourceError
from exporter.model.observation import MINUTE, ApplicationObservation, Observation, Window
from exporter.model.results import Snapshot
from exporter.model.settings import AnalysisSettings
from exporter.pipeline.slo_events import EventCounts
from exporter.sources import Counting, Source, build

DAY = 86400.0
BASELINE = DAY
PATTERN = 7 * DAY


@dataclass(frozen=True, slots=True)
class TimedObservation:
    """An observation and when it was made."""

    observation: Observation
    at: float


def windows(environment: Environment, settings: AnalysisSettings, end: float) -> tuple[Window, Window | None]:
    """What a poll observes that ends at `end`, a full minute, and the pattern's window where one is asked for."""
    if environment.role == "production":
        return Window(end - BASELINE, end), Window(end - PATTERN, end)
    if environment.role == "ci":
        return Window(end - settings.test_executions.lookback, end), None
    return Window(end - settings.test_run.lookback, end), None


class Pipeline:
    """Keeps the latest observation of each side. Each source is asked by one thread at a time; others may go on.

    What sources tell of events is added to `events`, where somebody keeps such counters.
    """

    def __init__(self, config: Config, events: EventCounts | None = None) -> None:
        self._events = events
        self._settings = config.analysis
        self._slos = config.slos
        self._environments: dict[str, Environment] = {
            environment.role: environment for environment in config.environments
        }
        self._sources: dict[str, Source] = {
            role: build(environment) for role, environment in self._environments.items()
        }
        self._locks = {role: threading.Lock() for role in self._environments}
        self._given_up = frozenset[str]()
        """Roles whose source another pipeline has taken over."""

        self._answers = dict.fromkeys(self._environments, False)
        """Role to whether its last poll succeeded, and none is under way."""
        self._latest: dict[str, TimedObservation] = {}
        self._before: dict[float, Observation] = {}
        """Midnight to production as it was before that."""
        self._last: Snapshot | None = None

    @property
    def sides(self) -> Mapping[str, str]:
        """Role to the environment's name."""
        return {role: environment.name for role, environment in self._environments.items()}

    def take_over(self, old: Pipeline) -> None:
        """Go on from what an earlier pipeline saw, as far as the configuration of a side is the same as it was."""
        same = []
        for role, environment in self._environments.items():
            if old._environments.get(role) == environment:
                same.append(role)

        # With what the source keeps of the past, which may not be there to be asked for again.
        for role in same:
            self._sources[role] = old._sources[role]
            self._locks[role] = old._locks[role]
        old._given_up = frozenset(same)
        self._latest = {role: old._latest[role] for role in same if role in old._latest}
        if "production" in same:
            self._before = dict(old._before)

    def poll(self, name: str, now: float) -> Observation:
        """Observe the environment of that name; raises SourceError and then keeps what was seen before."""
        environment = next(environment for environment in self._environments.values() if environment.name == name)
        role = environment.role
        end = math.floor(now / MINUTE) * MINUTE
        with self._locks[role]:
            self._answers[role] = False
            observation = self._observe(environment, end)
            self._answers[role] = True
            observation = _warned(observation, *self._count(environment, end))
        self._latest[role] = TimedObservation(observation, now)

        # Afterwards, as it needs both sides: production is asked about the days before the runs that are known now.
        warning = self._look_back()
        if warning is not None:
            observation = _warned(observation, warning)
            self._latest[role] = TimedObservation(observation, now)
        return observation

    def snapshot(self, now: float) -> Snapshot:
        """Analyse what is known; observations older than their environment's max_age are left out."""
        current = {}
        for role, latest in self._latest.items():
            if now - latest.at <= self._environments[role].max_age:
                current[role] = latest.observation

        before = self._before_runs()
        production = current.get("production")
        if production is not None:  # so that a report of this round holds all that the round rests on
            production = replace(production, before=before)
        self._last = analyse(
            production,
            current.get("pte"),
            before,
            self._settings,
            now,
            self.sides,
            self._last,
            self._slos,
            current.get("ci"),
        )
        return self._last

    def nothing(self, now: float) -> Snapshot:
        """The snapshot of a round that knows nothing."""
        return analyse(None, None, {}, self._settings, now, self.sides)

    def close(self) -> None:
        """Give back connections, each source's when the poll of it that is in flight has ended.

        Sources that another pipeline has taken over are left to it.
        """
        for role in self._sources.keys() - self._given_up:
            source = self._sources[role]
            with self._locks[role]:
                source.close()

    def _observe(self, environment: Environment, end: float) -> Observation:
        source = self._sources[environment.role]
        window, pattern = windows(environment, self._settings, end)
        if environment.role != "pte":
            return source.observe(window, pattern=pattern)

        settings = self._settings.test_run
        choose = partial(run.choose, settings=settings, explicit=environment.windows)
        observation = source.observe_runs(window, settings.threshold, choose)
        return replace(observation, applications=_with_origin(observation.applications, environment.windows))

    def _count(self, environment: Environment, end: float) -> tuple[str, ...]:
        """Count the events up to `end`; a failure is told as a warning, and the next poll catches up."""
        source = self._sources[environment.role]
        if self._events is None or environment.role == "ci" or not isinstance(source, Counting):
            return ()

        due = self._events.due(environment.name, end)
        try:
            events = source.events(environment.role, due) if due else {}
        except SourceError as error:
            return (f"events are not counted: {error}",)
        return self._events.add(environment.name, due, events)

    def _midnights(self) -> dict[str, float]:
        """Application to the last UTC midnight before its run."""
        latest = self._latest.get("pte")
        if latest is None:
            return {}

        midnights = {}
        for name, application in latest.observation.applications.items():
            if application.run is not None:
                midnights[name] = math.floor(application.run.window.start / DAY) * DAY
        return midnights

    def _look_back(self) -> str | None:
        """See production as it was before the runs; the past does not change, so each day is read once.

        A failure costs only this evidence, is told as a warning and tried again with the next poll. While production
        does not answer, or is being asked, nobody waits for it: its own next poll comes back to this.
        """
        days = set(self._midnights().values())
        if not self._answers.get("production") or not self._locks["production"].acquire(blocking=False):
            return None

        try:
            self._before = {day: observation for day, observation in self._before.items() if day in days}
            for day in sorted(days - self._before.keys()):
                window = Window(day - BASELINE, day)
                pattern = Window(day - PATTERN, day)
                self._before[day] = self._sources["production"].observe(window, pattern=pattern)
        except SourceError as error:
            name = self._environments["production"].name
            return f"production before the run is not known, by what its source {name} says: {error}"
        finally:
            self._locks["production"].release()
        return None

    def _before_runs(self) -> dict[str, ApplicationObservation]:
        """Application to production as it was before its run."""
        latest = self._latest.get("production")
        recorded = latest.observation.before if latest is not None else {}

        before: dict[str, ApplicationObservation] = {}
        for name, day in self._midnights().items():
            observation = self._before.get(day)
            own = observation.applications.get(name) if observation is not None else None

            # A recording gives the same day whatever it is asked for; what it knows of the past it brought along.
            for application in (own, recorded.get(name)):
                if application is not None and application.window.end <= day:
                    before.setdefault(name, application)
        return before


def _warned(observation: Observation, *warnings: str) -> Observation:
    return replace(observation, warnings=(*observation.warnings, *warnings))


def _with_origin(
    applications: Mapping[str, ApplicationObservation], explicit: Mapping[str, Window]
) -> dict[str, ApplicationObservation]:
    """A source does not know which windows were configured; we do."""
    result = dict(applications)
    for name, application in applications.items():
        if application.run is not None and application.run.window == explicit.get(name):
            result[name] = replace(application, run=replace(application.run, origin="explicit"))
    return result


def of_run(application: str, observation: ApplicationObservation, settings: AnalysisSettings, at: float) -> Snapshot:
    """What one load test says by itself, for `publish`: nothing else is observed and nothing else is expected."""
    alone = structs.replace(settings, expected=())
    pte = Observation("pte", observation.window, {application: observation})
    return analyse(None, pte, {}, alone, at, {"production": "production", "pte": "pte"})


def round_once(config: Config, at: float) -> Snapshot:
    """One round by itself, for `report`: both sides observed at `at`.

    Raises SourceError of the first that fails, named.
    """
    pipeline = Pipeline(config)
    try:
        for name in pipeline.sides.values():
            try:
                pipeline.poll(name, at)
            except SourceError as error:
                raise error.at(name) from None
        return pipeline.snapshot(at)
    finally:
        pipeline.close()
