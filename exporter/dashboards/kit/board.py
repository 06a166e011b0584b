"""The container of a board: variables, links to its siblings, layout, encoding. grafanalib writes the container."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from grafanalib import core

from exporter.dashboards.kit.panels import DATASOURCE, Json, Panel

SCHEMA = 41
WIDTH = 24
BOARDS: Mapping[str, str] = {
    "pte-certification": "Certification",
    "pte-slo": "Error budgets",
    "pte-slo-detail": "Error budget of one SLO",
    "pte-traffic": "Traffic",
    "pte-coverage": "Coverage",
    "pte-loadrun": "Load run",
    "pte-bench": "Bench",
    "pte-test-execution": "Test execution",
    "pte-exporter": "Exporter",
}
"""uid to short title, in the order of the links."""

_OBSOLETE_KEYS = ("__inputs", "gnetId", "hideControls", "rows", "sharedCrosshair", "style", "id")
"""Keys that grafanalib writes and current Grafana versions ignore."""


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    question: str
    panels: Sequence[Panel]
    variables: Sequence[Json]
    span: str = "now-24h"
    annotations: Sequence[Json] = field(default=())


def link(uid: str, title: str, value: str, variable: str = "application") -> Json:
    """A data link to a board that keeps time and data source and chooses the clicked row's application or SLO.

    `value` is Grafana's path to it: `__data.fields.application` in tables, `__field.labels.application` elsewhere.
    """
    assert uid in BOARDS, uid
    query = f"${{__url_time_range}}&${{datasource:queryparam}}&var-{variable}=${{{value}:percentencode}}"
    return {"title": title, "url": f"/d/{uid}?{query}", "targetBlank": False}


def data_source() -> Json:
    """The variable that selects the Prometheus."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "description": "The Prometheus that scrapes the exporter.",
        "query": "prometheus",
        "refresh": 1,
        "regex": "",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "current": {},
    }


def labels(name: str, title: str, description: str, query: str, *, single: bool = False) -> Json:
    """A variable over the values of a label, several or all of them, or a `single` one."""
    choice: Json = {
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }
    if single:
        choice = {"multi": False, "includeAll": False, "current": {}}

    return {
        "type": "query",
        "name": name,
        "label": title,
        "description": description,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "hide": 0,
        "options": [],
        **choice,
    }


def applications(series: str = "pte_certification_expected") -> Json:
    """The applications that a series has."""
    return labels("application", "Application", "Which applications to show.", f"label_values({series}, application)")


def sides(series: str = "pte_observation_evidence") -> Json:
    """The sides that a series has."""
    return labels("side", "Side", "Production, the PTE or both.", f"label_values({series}, side)")


def moments(name: str, expr: str, colour: str) -> Json:
    """Marks on every graph at the times (Unix seconds) that a query gives as its values."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": f"({expr}) * 1000",  # with useValueForTime, Grafana takes values for milliseconds
        "titleFormat": name,
        "textFormat": "{{application}}{{instance}}",
        "step": "60s",
        "useValueForTime": True,
    }


def _links(board: Board) -> list[core.DashboardLink]:
    return [
        core.DashboardLink(
            type="link", title=title, uri=f"/d/{uid}", icon="dashboard", includeVars=True, keepTime=True, tooltip=title
        )
        for uid, title in BOARDS.items()
        if uid != board.uid
    ]


def lay_out(panels: Sequence[Panel]) -> list[Json]:
    """The panels numbered and laid out from left to right; a new line begins when the next panel does not fit."""
    placed: list[Json] = []
    x = 0
    y = 0
    line_height = 0

    for number, panel in enumerate(panels, start=1):
        width, height = panel.size
        if x + width > WIDTH:
            x = 0
            y += line_height
            line_height = 0

        position = {"h": height, "w": width, "x": x, "y": y}
        placed.append({**panel.json, "id": number, "gridPos": position})
        x += width
        line_height = max(line_height, height)

    return placed


class _GrafanalibObject(Protocol):
    """Every class of grafanalib."""

    def to_json_data(self) -> object: ...


def _encode(value: _GrafanalibObject) -> object:
    """The fallback of `json` for unknown objects."""
    return value.to_json_data()


def render(board: Board) -> bytes:
    """The board as JSON, the same bytes each time."""
    dashboard = core.Dashboard(
        title=f"PTE / {BOARDS[board.uid]}",
        uid=board.uid,
        description=board.question,
        tags=["pte-exporter"],
        timezone="browser",
        schemaVersion=SCHEMA,
        graphTooltip=1,
        refresh="1m",
        version=1,
        time=core.Time(board.span, "now"),
        links=_links(board),
        templating=core.Templating(list=list(board.variables)),
        annotations=core.Annotations(list=list(board.annotations)),
        panels=lay_out(board.panels),
    )

    data: Json = {key: value for key, value in dashboard.to_json_data().items() if key not in _OBSOLETE_KEYS}
    data["timepicker"] = {}
    text = json.dumps(data, default=_encode, sort_keys=True, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()
