"""The exporter's own series, declared in the catalogue. prometheus_client stores them, except the counted events."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterable, Mapping
from typing import Any, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter import __version__
from exporter.catalogue.exporter import BAD_EVENTS, EVENTS, OWN, SelfSeries
from exporter.catalogue.exposition import counters
from exporter.config import Environment
from exporter.errors import REASONS
from exporter.model.observation import Observation
from exporter.pipeline.slo_events import EventCounts

_KINDS = {"gauge": Gauge, "counter": Counter}
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Seconds; each request of a poll ends at its source's deadline."""


class SelfMetrics:
    """Every series of OWN, beside process_* and python_info. Safe to use from any thread."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]

        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.events = EventCounts()
        self._series = {series.name: self._create(series) for series in OWN if series not in {EVENTS, BAD_EVENTS}}

        self._sources = set[str]()
        self._changing = threading.Lock()
        """Held while series of sources are set, started or removed."""
        self._checks: dict[str, set[str]] = {}
        """Source to its published checks."""
        self._registered = set[str]()
        """The series without labels that have been set."""
        self._lock = threading.Lock()

        self._series["pte_exporter_build_info"].labels(__version__, platform.python_version()).set(1)

    def _create(self, series: SelfSeries) -> Any:
        if series.kind == "histogram":
            return Histogram(series.name, series.help, series.labels, registry=self.registry, buckets=_BUCKETS)

        # prometheus_client publishes an unmeasured 0 for a gauge without labels: it joins when it is first set.
        registry = self.registry if series.labels else None
        return _KINDS[series.kind](series.name, series.help, series.labels, registry=registry)

    def render(self, *, openmetrics: bool) -> bytes:
        """The lines that end every page."""
        page = generate_openmetrics(self.registry) if openmetrics else generate_latest(self.registry)  # type: ignore[no-untyped-call]
        # Events first: the end of an OpenMetrics page, # EOF, comes from prometheus_client.
        return self._render_events(openmetrics=openmetrics) + cast("bytes", page)

    def _render_events(self, *, openmetrics: bool) -> bytes:
        """Rendered like the page: there may be thousands of them, and prometheus_client takes 30 us for each."""
        rows = self.events.rows()
        events = [(labels, total.events) for labels, total in rows]
        bad_events = [(labels, total.bad) for labels, total in rows]
        page = counters(EVENTS, events, openmetrics=openmetrics)
        return page + counters(BAD_EVENTS, bad_events, openmetrics=openmetrics)

    def configure(self, environments: Iterable[Environment]) -> None:
        """Start the series of new sources at 0, and drop those of removed sources."""
        environments = tuple(environments)
        names = {environment.name for environment in environments}
        with self._changing:
            for name in self._sources - names:
                for series in OWN:
                    if "source" in series.labels:
                        self._series[series.name].remove_by_labels({"source": name})

            self._sources = names
            for environment in environments:
                self._start(environment)

    def mark_demo(self, *, made_up: bool) -> None:
        """Whether the data of a source is made up."""
        if made_up:
            self._set("pte_demo", 1)
        else:
            self._withdraw("pte_demo")

    def _start(self, environment: Environment) -> None:
        name = environment.name
        for counter in ("pte_source_polls", "pte_source_skipped_polls", "pte_source_poll_duration_seconds"):
            self._series[counter].labels(name)
        for reason in REASONS:
            self._series["pte_source_poll_failures"].labels(name, reason)

        self._set("pte_source_interval_seconds", environment.interval, name)
        self._set("pte_source_max_age_seconds", environment.max_age, name)

        tls = getattr(environment.source, "tls", None)
        if tls is not None and str(getattr(environment.source, "url", "")).startswith("https:"):
            self._set("pte_source_tls_verification", not getattr(tls, "insecure_skip_verify", False), name)

    def succeeded(self, name: str, at: float, seconds: float, observation: Observation) -> None:
        """A poll of the source ended well at `at` (Unix time) after `seconds`."""
        with self._changing:
            # A poll may end while a reload removes its source: its series would then stay for ever.
            if name not in self._sources:
                return
            self._polled(name, at, seconds)
            self._set("pte_source_up", 1, name)
            self._set("pte_source_last_success_timestamp_seconds", at, name)
            self._set("pte_source_queries", observation.queries, name)
            self._set("pte_source_warnings", len(observation.warnings), name)
            if observation.clock_skew is not None:
                self._set("pte_source_clock_skew_seconds", observation.clock_skew, name)

    def failed(self, name: str, at: float, seconds: float, reason: str) -> None:
        """A poll of the source failed at `at` (Unix time) after `seconds`."""
        with self._changing:
            if name not in self._sources:
                return
            self._polled(name, at, seconds)
            self._set("pte_source_up", 0, name)
            self._series["pte_source_poll_failures"].labels(name, reason).inc()

    def skipped(self, name: str, slots: int) -> None:
        """Slots of the source passed while a poll was still in flight."""
        with self._changing:
            if name in self._sources:
                self._series["pte_source_skipped_polls"].labels(name).inc(slots)

    def withdrawn(self, name: str, *, withdrawn: bool) -> None:
        """Whether the source's series are withdrawn as too old."""
        with self._changing:
            if name in self._sources:
                self._set("pte_source_withdrawn", withdrawn, name)

    def checked(self, name: str, at: float, passed: Mapping[str, bool], warnings: int) -> None:
        """A check-up of the source ended at `at` (Unix time); a check that is not in `passed` was skipped."""
        for check in self._checks.get(name, set()) - passed.keys():
            self._series["pte_source_check"].remove(name, check)
        self._checks[name] = {*passed}

        for check, is_passed in passed.items():
            self._set("pte_source_check", is_passed, name, check)
        self._set("pte_source_check_warnings", warnings, name)
        self._set("pte_source_check_timestamp_seconds", at, name)

    def unchecked(self, name: str) -> None:
        """The source was replaced or removed: its checks no longer apply."""
        self._checks.pop(name, None)
        for series in ("pte_source_check", "pte_source_check_warnings", "pte_source_check_timestamp_seconds"):
            self._series[series].remove_by_labels({"source": name})

    def published(self, at: float, series: int, seconds: float) -> None:
        """A snapshot of that time with that many series is on the page; analysis and rendering took so many seconds."""
        self._set("pte_snapshot_timestamp_seconds", at)
        self._set("pte_snapshot_duration_seconds", seconds)
        self._set("pte_snapshot_series", series)

    def loaded(self, at: float) -> None:
        """The running configuration was loaded at `at` (Unix time)."""
        self._set("pte_config_last_reload_successful", 1)
        self._set("pte_config_last_reload_success_timestamp_seconds", at)

    def load_failed(self) -> None:
        """A new configuration was rejected; the current one stays active."""
        self._set("pte_config_last_reload_successful", 0)

    def _polled(self, name: str, at: float, seconds: float) -> None:
        self._set("pte_source_last_poll_timestamp_seconds", at, name)
        self._series["pte_source_polls"].labels(name).inc()
        self._series["pte_source_poll_duration_seconds"].labels(name).observe(seconds)

    def _set(self, name: str, value: float, *labels: str) -> None:
        series = self._series[name]
        if labels:
            series.labels(*labels).set(value)
            return

        series.set(value)
        with self._lock:
            if name not in self._registered:
                self._registered.add(name)
                self.registry.register(series)

    def _withdraw(self, name: str) -> None:
        with self._lock:
            if name in self._registered:
                self._registered.remove(name)
                self.registry.unregister(self._series[name])
