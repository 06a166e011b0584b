"""Panels on trouble that the sources themselves report: violated health rules, and events such as restarts."""

from __future__ import annotations

from exporter.dashboards import words
from exporter.dashboards.panels import About, Column, Key, Panel, table, timeseries
from exporter.dashboards.query import APPLICATION, Query, largest
from exporter.dashboards.shared import application_key

_BY = "application, side, severity"
_NOT_TOLD = "No evidence: no source tells incidents. Only some kinds do, and they need the right to read them."


def incidents() -> tuple[Panel, ...]:
    return _now(), _course()


def _now() -> Panel:
    about = About(
        "Incidents that the sources report",
        "Which sides are in trouble by their source's own rules, since when, and what lay in the observed window? "
        "Names and entities stand in the JSON report.",
        _NOT_TOLD,
        "locale",
        (15, 8),
    )
    start = largest(_BY, "pte_incident_oldest_start_timestamp_seconds", APPLICATION)
    columns = [
        Column("open", largest(_BY, "pte_incidents_open", APPLICATION), "none", words.OPEN),
        Column("oldest open for", largest(_BY, "pte_incident_oldest_age_seconds", APPLICATION), "s", empty="–"),
        Column("since", f"{start} * 1000", "dateTimeAsIso", empty="–"),
        *(
            Column(f"{kind}s", largest(_BY, "pte_incidents", APPLICATION, f'kind="{kind}"'), decimals=0)
            for kind in ("violation", "event")
        ),
    ]
    keys = [
        application_key("pte-certification", "Certification of this application"),
        Key("side", "side"),
        Key("severity", "severity", words.ALERT_SEVERITY),
    ]
    return table(about, keys, columns, sort="open")


def _course() -> Panel:
    about = About(
        "Open incidents over time",
        "When was a side in trouble by its source's own rules?",
        _NOT_TOLD,
        "short",
        (9, 8),
    )
    found = largest(_BY, "pte_incidents_open", APPLICATION)
    return timeseries(about, Query(found, "{{application}} {{side}} {{severity}}"))
