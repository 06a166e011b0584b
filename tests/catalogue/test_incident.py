"""What is published of trouble that the sources report: counts and ages, and nothing where nobody told."""

from __future__ import annotations

from dataclasses import replace

from exporter import catalogue
from exporter.analysis.assessment import analyse
from exporter.catalogue.exposition import render
from exporter.model.incident import Incident, IncidentSeverity
from exporter.model.observation import ApplicationObservation
from exporter.model.settings import AnalysisSettings
from tests.analysis import making
from tests.analysis.making import AT, DAY, SIDES
from tests.exposition import samples

HOUR = 3600.0


def violation(start: float, end: float | None, severity: IncidentSeverity = "warning") -> Incident:
    return Incident("violation", "Errors", "web", "APPLICATION_COMPONENT", severity, start, end)


RESTART = Incident("event", "APP_SERVER_RESTART", "app-1", "APPLICATION_COMPONENT_NODE", "warning", AT - 60, AT - 60)


def published(
    incidents: tuple[Incident, ...] | None, pte: ApplicationObservation | None = None
) -> dict[tuple[str, ...], float]:
    """Name and label values without the application to the value, of all that is published of incidents."""
    shop = replace(making.production(), incidents=incidents)
    production = making.side("production", shop=shop)
    test = making.side("pte", shop=pte) if pte else None
    snapshot = analyse(production, test, {}, AnalysisSettings(), AT, SIDES)
    ours = [series for series in catalogue.ALL if series.name.startswith("pte_incident")]
    order = {series.name: series.labels[1:] for series in ours}
    return {
        (name, *(dict(labels)[label] for label in order[name])): value
        for (name, labels), value in samples(render(snapshot, ours).body).items()
    }


def of_production(result: dict[tuple[str, ...], float], name: str) -> dict[tuple[str, ...], float]:
    return {key[2:]: value for key, value in result.items() if key[:2] == (name, "production")}


def test_open_ones_are_counted_with_their_age() -> None:
    """Of each severity: how many are open, and when the oldest of them began, which is not the oldest of all."""
    result = published(
        (
            violation(AT - 3 * HOUR, None),
            violation(AT - HOUR, None),
            violation(AT - 9 * HOUR, AT - 8 * HOUR),
            violation(AT - 2 * HOUR, None, "critical"),
            RESTART,
        )
    )
    assert of_production(result, "pte_incidents_open") == {("warning",): 2.0, ("critical",): 1.0}
    assert of_production(result, "pte_incident_oldest_start_timestamp_seconds") == {
        ("warning",): AT - 3 * HOUR,
        ("critical",): AT - 2 * HOUR,
    }
    assert of_production(result, "pte_incident_oldest_age_seconds") == {("warning",): 3 * HOUR, ("critical",): 2 * HOUR}
    assert of_production(result, "pte_incidents") == {
        ("warning", "violation"): 3.0,
        ("critical", "violation"): 1.0,
        ("warning", "event"): 1.0,
        ("critical", "event"): 0.0,
    }


def test_asked_and_none_is_zero() -> None:
    """A source that told of no incidents gives zeros of both severities, and no age."""
    result = published(())
    assert of_production(result, "pte_incidents_open") == {("warning",): 0.0, ("critical",): 0.0}
    assert set(of_production(result, "pte_incidents").values()) == {0.0}
    assert not of_production(result, "pte_incident_oldest_age_seconds")
    assert not of_production(result, "pte_incident_oldest_start_timestamp_seconds")
    assert result["pte_incident_evidence", "production"] == 1.0


def test_not_told_is_absent() -> None:
    """A side whose source cannot tell, and one that was not observed, publish no evidence and nothing else."""
    assert published(None) == {
        ("pte_incident_evidence", "production"): 0.0,
        ("pte_incident_evidence", "pte"): 0.0,
    }


def test_both_sides_tell() -> None:
    """The PTE's incidents stand under its own side."""
    result = published(None, replace(making.run(), incidents=(violation(AT - DAY, None, "critical"),)))
    assert result["pte_incidents_open", "pte", "critical"] == 1.0
    assert result["pte_incident_evidence", "pte"] == 1.0
    assert not of_production(result, "pte_incidents_open")


def test_a_clock_ahead_of_ours_gives_no_negative_age() -> None:
    """What begins after the snapshot by the source's clock is as old as nothing."""
    result = published((violation(AT + 30, None),))
    assert of_production(result, "pte_incident_oldest_age_seconds") == {("warning",): 0.0}


def test_labels_do_not_grow_with_rules_and_entities() -> None:
    """A hundred rules on as many entities are as many series as one."""
    many = [replace(violation(AT - n, None), name=f"rule {n}", entity=f"node {n}") for n in range(100)]
    result = published(tuple(many))
    assert result.keys() == published((violation(AT - 1, None),)).keys()
    assert of_production(result, "pte_incidents_open")["warning",] == 100.0
