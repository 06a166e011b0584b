"""Observe, analyse, snapshot, in plain order: the only place that calls both sources and analysis."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from msgspec import structs

from exporter import humanize
from exporter.analysis import run
from exporter.analysis.assessment import analyse
from exporter.config import Config, Environment
from exporter.errors import SourceError
from exporter.model.observation import MINUTE, ApplicationObservation, Observation, Window
from exporter.model.results import Snapshot
from exporter.model.settings import AnalysisSettings, TestRunSettings
from exporter.pipeline.slo_events import EventCounts
from exporter.sources import Activity, Counting, Source, build

DAY = 86400.0
BASELINE = DAY
PATTERN = 7 * DAY


@dataclass(frozen=True, slots=True)
class TimedObservation:
    """An observation and when it was made."""

    observation: Observation
    at: float


def windows(environment: Environment, settings: AnalysisSettings, end: float) -> tuple[Window, Window | None]:
    """The window of a poll that ends at `end`, a full minute, and the pattern's window if the role has one."""
    if environment.role == "production":
        return Window(end - BASELINE, end), Window(end - PATTERN, end)
    if environment.role == "ci":
        return Window(end - settings.test_executions.lookback, end), None
    return Window(end - settings.test_run.lookback, end), None


class Pipeline:
    """Keeps the latest observation of each side. One thread at a time polls a source; other sources are not blocked.

    Adds the sources' events to `events`, if such counters are kept.
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

        self._reachable = dict.fromkeys(self._environments, False)
        """Role to whether its last poll succeeded and no poll is running."""
        self._latest: dict[str, TimedObservation] = {}
        self._before: dict[float, Observation] = {}
        """Midnight to the observation of production before that midnight."""
        self._last: Snapshot | None = None

    @property
    def sides(self) -> Mapping[str, str]:
        """Role to the environment's name."""
        return {role: environment.name for role, environment in self._environments.items()}

    def take_over(self, old: Pipeline) -> None:
        """Continue with the observations of an earlier pipeline, for sides with an unchanged configuration."""
        same = []
        for role, environment in self._environments.items():
            if old._environments.get(role) == environment:
                same.append(role)

        # The source object too: it caches the past, which its server may no longer have.
        for role in same:
            self._sources[role] = old._sources[role]
            self._locks[role] = old._locks[role]
        old._given_up = frozenset(same)
        self._latest = {role: old._latest[role] for role in same if role in old._latest}
        if "production" in same:
            self._before = dict(old._before)

    def poll(self, name: str, now: float) -> Observation:
        """Observe the environment of that name; raises SourceError and then keeps the previous observation."""
        environment = next(environment for environment in self._environments.values() if environment.name == name)
        role = environment.role
        end = math.floor(now / MINUTE) * MINUTE
        with self._locks[role]:
            self._reachable[role] = False
            observation = self._observe(environment, end)
            self._reachable[role] = True
            observation = _warned(observation, *self._count(environment, end))
        self._latest[role] = TimedObservation(observation, now)

        # Afterwards, because it needs both sides: it reads production's days before the runs that are known now.
        warning = self._look_back()
        if warning is not None:
            observation = _warned(observation, warning)
            self._latest[role] = TimedObservation(observation, now)
        return observation

    def snapshot(self, now: float) -> Snapshot:
        """Analyse the latest observations; leaves out those older than their environment's max_age."""
        current = {}
        for role, latest in self._latest.items():
            if now - latest.at <= self._environments[role].max_age:
                current[role] = latest.observation

        before = self._before_runs()
        production = current.get("production")
        if production is not None:  # a report of this round then contains all its inputs
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
        """The snapshot of a round without observations."""
        return analyse(None, None, {}, self._settings, now, self.sides)

    def close(self) -> None:
        """Close connections, each source's after its running poll has ended.

        Sources that another pipeline has taken over stay open.
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
        too_short: dict[str, str] = {}

        def choose(activity: Activity) -> dict[str, Window]:
            runs = run.choose(activity, settings, environment.windows)
            for name in activity.keys() - runs.keys():
                longest = run.longest_activity(activity[name], settings)
                if longest is not None:
                    too_short[name] = _describe_too_short(longest, settings)
            return runs

        observation = source.observe_runs(window, settings.threshold, choose)
        applications = _with_origin(observation.applications, environment.windows)
        warnings = (*observation.warnings, *(f"{name}: {text}" for name, text in sorted(too_short.items())))
        return replace(observation, applications=applications, warnings=warnings)

    def _count(self, environment: Environment, end: float) -> tuple[str, ...]:
        """Count the events up to `end`; a failure becomes a warning, and the next poll catches up."""
        source = self._sources[environment.role]
        if self._events is None or environment.role == "ci" or not isinstance(source, Counting):
            return ()

        due = self._events.due(environment.name, end)
        try:
            events = source.events(environment.role, due) if due else {}
        except SourceError as error:
            return (f"cannot count events: {error}",)
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
        """Observe production on the days before the runs; the past does not change, so each day is read once.

        A failure only loses this evidence, becomes a warning, and the next poll tries again. While production does not
        respond, or another poll of it is running, nothing waits for it: its own next poll does this again.
        """
        days = set(self._midnights().values())
        if not self._reachable.get("production") or not self._locks["production"].acquire(blocking=False):
            return None

        try:
            self._before = {day: observation for day, observation in self._before.items() if day in days}
            for day in sorted(days - self._before.keys()):
                window = Window(day - BASELINE, day)
                pattern = Window(day - PATTERN, day)
                self._before[day] = self._sources["production"].observe(window, pattern=pattern)
        except SourceError as error:
            name = self._environments["production"].name
            return f"cannot observe production before the run with its source {name}: {error}"
        finally:
            self._locks["production"].release()
        return None

    def _before_runs(self) -> dict[str, ApplicationObservation]:
        """Application to its observation in production before its run."""
        latest = self._latest.get("production")
        recorded = latest.observation.before if latest is not None else {}

        before: dict[str, ApplicationObservation] = {}
        for name, day in self._midnights().items():
            observation = self._before.get(day)
            own = observation.applications.get(name) if observation is not None else None

            # A recorded report returns the same day for every window; it contains its own past.
            for application in (own, recorded.get(name)):
                if application is not None and application.window.end <= day:
                    before.setdefault(name, application)
        return before


def _warned(observation: Observation, *warnings: str) -> Observation:
    return replace(observation, warnings=(*observation.warnings, *warnings))


def _describe_too_short(longest: Window, settings: TestRunSettings) -> str:
    length = humanize.duration(longest.duration)
    end = humanize.format_time(longest.end)
    least = humanize.duration(settings.min_duration)
    return f"no test run: the longest activity lasted {length}, until {end}; expected at least {least} (min_duration)"


def _with_origin(
    applications: Mapping[str, ApplicationObservation], explicit: Mapping[str, Window]
) -> dict[str, ApplicationObservation]:
    """Sets the origin of runs with a configured window: a source does not know which windows were configured."""
    result = dict(applications)
    for name, application in applications.items():
        if application.run is not None and application.run.window == explicit.get(name):
            result[name] = replace(application, run=replace(application.run, origin="explicit"))
    return result


def of_run(application: str, observation: ApplicationObservation, settings: AnalysisSettings, at: float) -> Snapshot:
    """The results of one load test alone, for `publish`: nothing else is observed or expected."""
    alone = structs.replace(settings, expected=())
    pte = Observation("pte", observation.window, {application: observation})
    return analyse(None, pte, {}, alone, at, {"production": "production", "pte": "pte"})


def round_once(config: Config, at: float) -> Snapshot:
    """One single round, for `report`: observes both sides at `at`.

    Raises the SourceError of the first source that fails, with its name.
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
