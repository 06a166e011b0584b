"""Panels on incidents that the sources report: violated health rules, and events such as restarts."""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, largest
from exporter.dashboards.shared import application_key

_BY = "application, side, severity"
_NOT_REPORTED = "No evidence: no source reports incidents. Only some kinds do, and they need permission to read them."


def incidents() -> tuple[Panel, ...]:
    return _now(), _course()


def _now() -> Panel:
    spec = PanelSpec(
        "Incidents that the sources report",
        "Which environments have incidents by their source's rules, since when, and how many in the observed window? "
        "Names and entities are in the JSON report.",
        _NOT_REPORTED,
        "locale",
        (15, 8),
    )

    start = largest(_BY, "pte_incident_oldest_start_timestamp_seconds", APPLICATION)
    columns = [
        TableColumn("open", largest(_BY, "pte_incidents_open", APPLICATION), "none", value_mappings.OPEN),
        TableColumn("oldest open for", largest(_BY, "pte_incident_oldest_age_seconds", APPLICATION), "s", empty="–"),
        TableColumn("since", f"{start} * 1000", "dateTimeAsIso", empty="–"),
        *(
            TableColumn(f"{kind}s", largest(_BY, "pte_incidents", APPLICATION, f'kind="{kind}"'), decimals=0)
            for kind in ("violation", "event")
        ),
    ]
    keys = [
        application_key("pte-certification", "Certification of this application"),
        Key("side", "side"),
        Key("severity", "severity", value_mappings.ALERT_SEVERITY),
    ]

    return table(spec, keys, columns, sort="open")


def _course() -> Panel:
    spec = PanelSpec(
        "Open incidents over time",
        "When did an environment have incidents by its source's rules?",
        _NOT_REPORTED,
        "short",
        (9, 8),
    )

    incidents_open = largest(_BY, "pte_incidents_open", APPLICATION)
    return timeseries(spec, Query(incidents_open, "{{application}} {{side}} {{severity}}"))
