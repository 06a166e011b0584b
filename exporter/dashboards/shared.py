"""Panels and texts that several boards share."""

from __future__ import annotations

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import link
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, stat, table
from exporter.dashboards.kit.query import APPLICATION, DATA_AGE, DATA_LIMIT, DATA_STATE, Query, largest

NOT_SCRAPED = "No data: Prometheus has not scraped the exporter, or no poll has ended yet. See the board Exporter."
UNSCRAPED = "exporter not scraped"
UNTESTED = "no test run found"
UNOBSERVED = "not observed"
"""The same for tiles, whose text shrinks to fit."""

NOT_OBSERVED = "No evidence: production or the PTE was not observed, or its series were withdrawn as too old."
NO_RUN = "No evidence: no test run was found in the PTE, or none is configured."
NO_ROUTES = "No evidence: production or the PTE reports no requests per route."

ROW_APPLICATION = "__data.fields.application"
SERIES_APPLICATION = "__field.labels.application"


def to_board(uid: str, title: str, *, row: bool = False) -> tuple[dict[str, object]]:
    """One data link to a board; `row` for tables, whose applications are cells and not labels."""
    application = ROW_APPLICATION if row else SERIES_APPLICATION
    return (link(uid, title, application),)


def application_key(uid: str, title: str) -> Key:
    """The table column that names the application and links to a board."""
    return Key("application", "application", link=to_board(uid, title, row=True))


def data_state(width: int, height: int = 6) -> Panel:
    """Can the data be trusted, source by source?"""
    spec = PanelSpec(
        "Is the data current?",
        "Did the last poll of each source succeed, and are its series still published? The worst replica counts.",
        UNSCRAPED,
        "none",
        (width, height),
    )

    return stat(spec, Query(DATA_STATE, "{{source}}"), value_map=value_mappings.DATA)


def data_age(width: int, height: int = 6) -> Panel:
    """The age of the data, beside the age at which it is withdrawn."""
    spec = PanelSpec(
        "Age of the data",
        "How long ago did each source last respond, and at which age are its series withdrawn (limit)?",
        UNSCRAPED,
        "s",
        (width, height),
    )

    return stat(spec, Query(DATA_AGE, "{{source}}"), Query(DATA_LIMIT, "limit, {{source}}"), decimals=0)


def alerts(title: str, question: str, size: tuple[int, int], *, own: bool = False) -> Panel:
    """Our firing alerts: those of the chosen applications, or `own` for the exporter's."""
    labels = ("severity", "alertname", "application", "signal", "method", "route", "source")
    ours = ('alertname=~"Pte.+"', 'alertname!="PteWatchdog"', 'alertstate="firing"')
    whose = 'application=""' if own else APPLICATION
    spec = PanelSpec(title, question, "No alert fires: good, if the rules are loaded.", "none", size)

    keys = [Key("severity", "severity", value_mappings.ALERT_SEVERITY), Key("alertname", "alert")]
    if not own:  # the exporter's own alerts are of no application
        keys.append(application_key("pte-certification", "Certification of this application"))
    keys += [Key(label, label) for label in labels[3:]]

    fires = largest(", ".join(labels), "ALERTS", *ours, whose)
    return table(spec, keys, [TableColumn("fires", fires, "none", value_mappings.YES)], sort="severity", desc=False)
