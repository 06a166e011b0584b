"""Panels: current JSON for each kind we use, without keys that Grafana ignores.

Each function makes a panel from a title, the question it answers, its text for no data, its queries and its unit.
 Sizes are (width of 24, height in steps of 30 px).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

from exporter.dashboards.kit.query import Query
from exporter.dashboards.kit.value_mappings import PLAIN, ValueMap, mappings

Json = dict[str, Any]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
INTERVAL = "1m"
"""Minimum step of a graph: polls are minutes apart."""


TILE_TEXT = 24
"""Maximum length of a tile's text for no data."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel's JSON without its number and position, which the board adds."""

    json: Json
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """The texts of every panel: title, question, reason for missing data; its unit and size."""

    title: str
    question: str
    no_data: str
    unit: str
    size: tuple[int, int]

    def __post_init__(self) -> None:
        assert self.question.endswith("?") or "? " in self.question, f"{self.title}: the description asks a question"
        assert all((self.title, self.no_data, self.unit)), self.title


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table, from an instant query whose labels are the table's keys."""

    title: str
    expr: str
    unit: str = "locale"
    value_map: ValueMap = field(default_factory=dict)
    decimals: int | None = None
    empty: str = "no evidence"
    """The text of a cell without a value."""


@dataclass(frozen=True, slots=True)
class Key:
    """A label that names a table's rows."""

    label: str
    title: str
    value_map: ValueMap = field(default_factory=dict)
    link: tuple[Json, ...] = ()


def _targets(queries: Sequence[Query], *, instant: bool, kind: str = "time_series") -> list[Json]:
    return [
        {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "format": kind,
            "instant": instant,
            "legendFormat": query.legend,
            "range": not instant,
            "refId": letter,
        }
        for letter, query in zip(ascii_uppercase[: len(queries)], queries, strict=True)
    ]


def _panel(kind: str, spec: PanelSpec, targets: list[Json], options: Json, defaults: Json, **more: Any) -> Panel:
    thresholds = {"mode": "absolute", "steps": [{"color": PLAIN, "value": None}]}
    overrides = more.pop("overrides", [])
    json: Json = {
        "type": kind,
        "title": spec.title,
        "description": spec.question,
        "datasource": DATASOURCE,
        "targets": targets,
        "options": options,
        "fieldConfig": {
            "defaults": {"unit": spec.unit, "noValue": spec.no_data, "thresholds": thresholds, **defaults},
            "overrides": overrides,
        },
        "interval": INTERVAL,
        **more,
    }

    return Panel(json, spec.size)


def _limits(properties: list[Json]) -> Json:
    """Overrides for series named "limit…": they belong to no application, so their links would be broken."""
    return {
        "matcher": {"id": "byRegexp", "options": "/^limit/"},
        "properties": [{"id": "links", "value": []}, *properties],
    }


def heading(title: str) -> Panel:
    """A row with the title of the panels below."""
    return Panel({"type": "row", "title": title, "collapsed": False, "panels": []}, (24, 1))


def stat(
    spec: PanelSpec,
    *queries: Query,
    value_map: ValueMap | None = None,
    links: Sequence[Json] = (),
    decimals: int | None = None,
) -> Panel:
    """Tiles with the current values; a solid background when they are words."""
    assert len(spec.no_data) <= TILE_TEXT, f"{spec.title}: a tile's text shrinks until it fits"

    is_single = len(queries) == 1 and not queries[0].legend
    options = {
        "colorMode": "background" if value_map else "none",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "horizontal",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "auto" if is_single else "value_and_name",
        "wideLayout": True,
    }

    defaults: Json = {"mappings": mappings(value_map or {}), "links": list(links), "color": {"mode": "thresholds"}}
    if decimals is not None:
        defaults["decimals"] = decimals
    return _panel("stat", spec, _targets(queries, instant=True), options, defaults, overrides=[_limits([])])


def timeseries(
    spec: PanelSpec, *queries: Query, bars: bool = False, links: Sequence[Json] = (), span: str | None = None
) -> Panel:
    """Lines over time, or stacked bars; a series named "limit…" is a dashed red line.

    `span` ("30d") overrides the board's time range.
    """
    custom = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 60 if bars else 8,
        "lineWidth": 1 if bars else 2,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if bars else "none"},
    }

    options = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }

    dashed: list[Json] = [
        {"id": "color", "value": {"fixedColor": "red", "mode": "fixed"}},
        {"id": "custom.lineStyle", "value": {"dash": [8, 6], "fill": "dash"}},
        {"id": "custom.fillOpacity", "value": 0},
    ]
    overrides = [_limits(dashed)]
    defaults = {"color": {"mode": "palette-classic"}, "custom": custom, "links": list(links)}
    more: Json = {"timeFrom": span} if span else {}
    targets = _targets(queries, instant=False)
    return _panel("timeseries", spec, targets, options, defaults, overrides=overrides, **more)


def timeline(spec: PanelSpec, *queries: Query, value_map: ValueMap) -> Panel:
    """States over time, in words."""
    options = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }

    defaults = {"color": {"mode": "thresholds"}, "mappings": mappings(value_map), "custom": {"fillOpacity": 75}}
    return _panel("state-timeline", spec, _targets(queries, instant=False), options, defaults)


def bars(spec: PanelSpec, query: Query, *, across: str, series: str) -> Panel:
    """Bars side by side: one group per value of the label `across`, in its order, one bar per value of `series`."""
    options = {
        "barRadius": 0,
        "barWidth": 0.9,
        "fullHighlight": False,
        "groupWidth": 0.8,
        "legend": {"calcs": ["max"], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "orientation": "auto",
        "showValue": "never",
        "stacking": "none",
        "tooltip": {"mode": "multi", "sort": "desc"},
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
    }
    matrix = {"columnField": series, "emptyValue": "null", "rowField": across, "valueField": "Value"}
    transformations = [
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": across}]}},
        {"id": "groupingToMatrix", "options": matrix},
    ]

    defaults = {"color": {"mode": "palette-classic"}, "custom": {"fillOpacity": 80, "lineWidth": 1}}
    targets = _targets([query], instant=True, kind="table")
    return _panel("barchart", spec, targets, options, defaults, transformations=transformations)


def bargauge(spec: PanelSpec, query: Query) -> Panel:
    """Ranked horizontal bars of current values."""
    assert len(spec.no_data) <= TILE_TEXT, spec.title
    options = {
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "left",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "text",
    }

    defaults = {"color": {"mode": "fixed", "fixedColor": "blue"}, "min": 0}
    return _panel("bargauge", spec, _targets([query], instant=True), options, defaults)


def table(
    spec: PanelSpec, keys: Sequence[Key], columns: Sequence[TableColumn], *, sort: str = "", desc: bool = True
) -> Panel:
    """Rows named by labels, one column per query; words colour their own cells only."""
    queries = [Query(column.expr) for column in columns]
    options: Json = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    if sort:
        options["sortBy"] = [{"desc": desc, "displayName": sort}]
    overrides = [_key_override(key) for key in keys] + [_column_override(column) for column in columns]
    defaults = {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}}

    return _panel(
        "table",
        spec,
        _targets(queries, instant=True, kind="table"),
        options,
        defaults,
        overrides=overrides,
        transformations=_joined(keys, columns),
    )


def _joined(keys: Sequence[Key], columns: Sequence[TableColumn]) -> list[Json]:
    """Merge the queries' rows by their labels, order and name the columns. One result alone is called "Value"."""
    labels = [key.label for key in keys]
    values = [f"Value #{letter}" for letter in ascii_uppercase[: len(columns)]]

    titles = {key.label: key.title for key in keys}
    for value, column in zip(values, columns, strict=True):
        titles[value] = column.title
    titles["Value"] = columns[0].title

    order = {name: index for index, name in enumerate([*labels, *values])}
    order["Value"] = order[values[0]]

    organize = {
        "id": "organize",
        "options": {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": titles},
    }
    if len(columns) == 1:
        return [organize]
    return [{"id": "merge", "options": {}}, organize]


def _override(title: str, properties: Mapping[str, Any]) -> Json:
    listed = [{"id": name, "value": value} for name, value in properties.items()]
    return {"matcher": {"id": "byName", "options": title}, "properties": listed}


def _key_override(key: Key) -> Json:
    properties: Json = {"unit": "string", "noValue": "–"}
    if key.value_map:
        properties["mappings"] = mappings(key.value_map)
    if key.link:
        properties["links"] = list(key.link)
    return _override(key.title, properties)


def _column_override(column: TableColumn) -> Json:
    properties: Json = {"unit": column.unit, "noValue": column.empty}
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.value_map:
        properties["mappings"] = mappings(column.value_map)
        properties["custom.cellOptions"] = {"mode": "basic", "type": "color-background"}
    return _override(column.title, properties)
