"""Incidents that the sources reported: how many, and since when. Their names are in the report.

Names of rules or entities are no labels, because they are unbounded; the source has them.
The start of the oldest is published beside its age, because `time() -` it stays true between two polls.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.series import Row, Series
from exporter.catalogue.signals import sides
from exporter.model.incident import INCIDENT_KINDS, INCIDENT_SEVERITIES, Incident
from exporter.model.results import Snapshot


def _reported(snapshot: Snapshot) -> Iterator[tuple[str, str, tuple[Incident, ...]]]:
    """Every side whose source reports incidents, even if there are none."""
    for application, side, observation in sides(snapshot):
        if observation.incidents is not None:
            yield application, side, observation.incidents


def _open(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, incidents in _reported(snapshot):
        for severity in INCIDENT_SEVERITIES:
            count = sum(incident.is_open and incident.severity == severity for incident in incidents)
            yield (application, side, severity), count


def _oldest(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, incidents in _reported(snapshot):
        for severity in INCIDENT_SEVERITIES:
            starts = [incident.start for incident in incidents if incident.is_open and incident.severity == severity]
            if starts:
                yield (application, side, severity), min(starts)


def _age(snapshot: Snapshot) -> Iterator[Row]:
    """A source's clock may be ahead of ours: an incident that begins after the snapshot has age 0."""
    return ((labels, max(0.0, snapshot.at - start)) for labels, start in _oldest(snapshot))


def _in_window(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, incidents in _reported(snapshot):
        for severity in INCIDENT_SEVERITIES:
            for kind in INCIDENT_KINDS:
                count = sum(incident.severity == severity and incident.kind == kind for incident in incidents)
                yield (application, side, severity, kind), count


def _evidence(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for role, observation in (("production", result.production), ("pte", result.pte)):
            is_reported = observation is not None and observation.incidents is not None
            yield (application, snapshot.sides[role]), float(is_reported)


_BY = ("application", "side", "severity")

SERIES: tuple[Series, ...] = (
    Series(
        "pte_incident_evidence",
        "1 when the side's source reported incidents; 0 when its kind has none, or they were not queried or not "
        "permitted. Polled.",
        ("application", "side"),
        _evidence,
    ),
    Series(
        "pte_incidents_open", "Open violations of the source's own rules, at the time of the poll. Polled.", _BY, _open
    ),
    Series(
        "pte_incident_oldest_start_timestamp_seconds",
        "Start of the oldest violation open at the time of the poll; absent when none was. Polled.",
        _BY,
        _oldest,
    ),
    Series(
        "pte_incident_oldest_age_seconds",
        "Age of the oldest violation open at the time of the poll; absent when none was. Polled.",
        _BY,
        _age,
    ),
    Series(
        "pte_incidents",
        "Incidents in the observed window or overlapping it, including open ones; kind is violation or event. Polled.",
        (*_BY, "kind"),
        _in_window,
    ),
)
