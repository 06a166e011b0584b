"""What the sources themselves reported as trouble: how much, and since when. Which it was stands in the report.

No names of rules or entities are labels: they are unbounded, and whoever wants them asks the source they come from.
The start of the oldest is published beside its age, since `time() -` it stays true between two polls.
"""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.series import Row, Series
from exporter.catalogue.signals import sides
from exporter.model.incident import INCIDENT_KINDS, INCIDENT_SEVERITIES, Incident
from exporter.model.results import Snapshot


def _told(snapshot: Snapshot) -> Iterator[tuple[str, str, tuple[Incident, ...]]]:
    """Every side whose source told its incidents, be it none."""
    for application, side, seen in sides(snapshot):
        if seen.incidents is not None:
            yield application, side, seen.incidents


def _open(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, found in _told(snapshot):
        for severity in INCIDENT_SEVERITIES:
            yield (application, side, severity), sum(one.is_open and one.severity == severity for one in found)


def _oldest(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, found in _told(snapshot):
        for severity in INCIDENT_SEVERITIES:
            starts = [one.start for one in found if one.is_open and one.severity == severity]
            if starts:
                yield (application, side, severity), min(starts)


def _age(snapshot: Snapshot) -> Iterator[Row]:
    """A source's clock may be ahead of ours: what begins after the snapshot is as old as nothing."""
    return ((labels, max(0.0, snapshot.at - start)) for labels, start in _oldest(snapshot))


def _seen(snapshot: Snapshot) -> Iterator[Row]:
    for application, side, found in _told(snapshot):
        for severity in INCIDENT_SEVERITIES:
            for kind in INCIDENT_KINDS:
                count = sum(one.severity == severity and one.kind == kind for one in found)
                yield (application, side, severity, kind), count


def _evidence(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for role, seen in (("production", result.production), ("pte", result.pte)):
            yield (application, snapshot.sides[role]), float(seen is not None and seen.incidents is not None)


_BY = ("application", "side", "severity")

SERIES: tuple[Series, ...] = (
    Series(
        "pte_incident_evidence",
        "1 when the side's source told its incidents; 0 when its kind has none, it was not asked or had no right. "
        "Polled.",
        ("application", "side"),
        _evidence,
    ),
    Series(
        "pte_incidents_open", "Violations of the source's own rules that were open at the poll. Polled.", _BY, _open
    ),
    Series(
        "pte_incident_oldest_start_timestamp_seconds",
        "When the oldest violation began that was open at the poll; absent when none was. Polled.",
        _BY,
        _oldest,
    ),
    Series(
        "pte_incident_oldest_age_seconds",
        "How long the oldest violation had been open at the poll; absent when none was. Polled.",
        _BY,
        _age,
    ),
    Series(
        "pte_incidents",
        "Incidents that lay in the observed window or reached into it, open ones with them; kind is violation or "
        "event. Polled.",
        (*_BY, "kind"),
        _seen,
    ),
)
