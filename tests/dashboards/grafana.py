"""A board as Grafana uses it: read its JSON, fill in its variables, send its queries to Prometheus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests

from exporter.dashboards import files
from exporter.dashboards.kit import validation

Json = dict[str, Any]
RANGE = 3600.0
"""How far graphs look back, in seconds; their step is a minute."""


@cache
def boards() -> dict[str, Json]:
    """The generated boards by uid, as Grafana reads them."""
    parsed = [json.loads(content) for content in files(None).values()]
    return {board["uid"]: board for board in parsed}


@dataclass(frozen=True)
class PanelQuery:
    """A query of a panel."""

    board: str
    panel: str
    ref: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.panel}: {self.ref}"


def panels(board: Json) -> list[Json]:
    """The panels with data."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> list[PanelQuery]:
    """Every query of every board: those of panels and of annotations."""
    result = []
    for uid, board in boards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                result.append(PanelQuery(uid, panel["title"], target["refId"], target["expr"], target["instant"]))
        for note in board["annotations"]["list"]:
            result.append(PanelQuery(uid, f"annotation {note['name']}", "A", note["expr"], False))
    return result


def ask(url: str, query: PanelQuery, at: float, **variables: str) -> list[Json]:
    """The server's result of a query at `at`, or over the hour before it; fails on errors and on warnings."""
    expr = validation.fill_variables(query.expr, **variables)
    if query.instant:
        path, when = "query", {"time": at}
    else:
        path, when = "query_range", {"start": at - RANGE, "end": at, "step": 60.0}
    reply = requests.post(f"{url}/api/v1/{path}", data={"query": expr, **when}, timeout=30).json()
    assert reply["status"] == "success", f"{query}: {reply}\n{expr}"
    assert not [*reply.get("warnings", ()), *reply.get("infos", ())], f"{query}: {reply}\n{expr}"
    result: list[Json] = reply["data"]["result"]
    return result


def label_values(url: str, name: str, label: str, at: float) -> list[str]:
    """The values of `label_values(name, label)`."""
    window: Json = {"match[]": name, "start": at - RANGE, "end": at}
    reply = requests.get(f"{url}/api/v1/label/{label}/values", params=window, timeout=30).json()
    values: list[str] = reply["data"]
    return values
