"""The boards as Grafana gets them: schema, layout, words, links, names."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from exporter import catalogue, dashboards, rules
from exporter.dashboards.kit import validation
from exporter.dashboards.kit.panels import PanelSpec, stat
from exporter.dashboards.kit.query import Query
from exporter.dashboards.reasons import CHECKS
from exporter.model.results import REASONS
from exporter.slo.rules import names
from tests.dashboards.grafana import Json, boards, panels, queries
from tests.servers import TOP

PANELS = [(uid, panel) for uid, board in boards().items() for panel in panels(board)]
TILES = 24

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the oracle announces its next version on import
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()


def _name(value: Any) -> str:
    return f"{value['title']}" if isinstance(value, dict) else str(value)


def _differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Values that are missing or different after the round trip."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        pairs = [(f"{path}.{key}", value, theirs.get(key, "missing")) for key, value in ours.items()]
        return [fault for at, mine, other in pairs if mine is not None for fault in _differences(mine, other, at)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{path}[{i}]", *both) for i, both in enumerate(zip(ours, theirs, strict=True))]
        return [fault for at, mine, other in pairs for fault in _differences(mine, other, at)]
    return [] if ours == theirs else [f"{path}: {ours!r} became {theirs!r}"]


@pytest.mark.parametrize("uid", boards())
def test_schema(uid: str) -> None:
    """Grafana's own schema keeps every key and value that we write, in dashboards, panels, options and queries."""
    theirs = json.loads(json.dumps(Dashboard.from_json(boards()[uid]), cls=JSONEncoder))
    assert _differences(boards()[uid], theirs) == []


def test_schema_finds_faults() -> None:
    """The oracle drops an option that a panel does not know."""
    board = json.loads(json.dumps(boards()["pte-exporter"]))
    board["panels"][0]["options"]["colourMode"] = "value"
    theirs = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert _differences(board, theirs) == [".panels[0].options.colourMode: 'value' became 'missing'"]


def test_committed() -> None:
    """The committed files equal the generated ones, and generating twice gives the same bytes."""
    files = dashboards.files(None)
    assert files == dashboards.files(None)
    assert {path: (TOP / path).read_bytes() for path in files} == files
    assert {f"dashboards/{path.name}" for path in (TOP / "dashboards").glob("*.json")} == files.keys()


@pytest.mark.parametrize("uid", boards())
def test_layout(uid: str) -> None:
    """Panels have ids of their own, stay on the grid and do not overlap."""
    everything = boards()[uid]["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    cells: list[tuple[int, int]] = []
    for panel in everything:
        position = panel["gridPos"]
        assert position["x"] + position["w"] <= TILES
        columns = range(position["x"], position["x"] + position["w"])
        rows = range(position["y"], position["y"] + position["h"])
        cells += itertools.product(columns, rows)
    assert len(set(cells)) == len(cells)
    assert set(cells) == set(itertools.product(range(TILES), range(max(y for _, y in cells) + 1))), "a hole"


@pytest.mark.parametrize("uid", boards())
def test_first_row(uid: str) -> None:
    """The first row is tiles: among them a verdict in words, the state of the data and its age."""
    first = [panel for panel in boards()[uid]["panels"] if panel["gridPos"]["y"] == 0]
    assert {panel["type"] for panel in first} == {"stat"}
    assert sum(panel["gridPos"]["w"] for panel in first) == TILES
    assert {"Is the data current?", "Age of the data"} <= {panel["title"] for panel in first}
    assert any(panel["fieldConfig"]["defaults"]["mappings"] for panel in first)


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=_name)
def test_words(uid: str, panel: Json) -> None:
    """Every panel asks its question, has a unit, and says why when there is no data."""
    defaults = panel["fieldConfig"]["defaults"]
    assert "?" in panel["description"], uid
    assert defaults["unit"]
    assert len(defaults["noValue"].split()) > (1 if panel["type"] in {"stat", "bargauge"} else 3)
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize(("uid", "panel"), PANELS, ids=_name)
def test_colours_have_words(uid: str, panel: Json) -> None:
    """A coloured cell or tile shows a word too, and no evidence has neither the colour of good nor of bad."""
    field = panel["fieldConfig"]
    lists = [field["defaults"].get("mappings", [])]
    lists += [p["value"] for o in field["overrides"] for p in o["properties"] if p["id"] == "mappings"]
    for mapping in itertools.chain(*lists):
        for result in mapping["options"].values() if mapping["type"] == "value" else ():
            assert result["text"], uid
            if result["text"].startswith(("no evidence", "too few", "not expected")):
                assert result["color"] not in {"green", "red", "orange"}
            if result["text"] in {"critical", "does not hold", "withdrawn"}:
                assert result["color"] == "red"


def test_queries_are_known() -> None:
    """Every query parses and uses only published or recorded series, or the short list of others."""
    for query in queries():
        promql_parser.parse(validation.fill_variables(query.expr))
        assert validation.series_names(query.expr) <= validation.ALLOWED
    assert len(validation.FOREIGN) < 10


def test_every_published_series_is_shown() -> None:
    """Every published series is on the boards, except inputs of others."""
    on_boards = frozenset().union(*(validation.series_names(query.expr) for query in queries()))
    inputs = {series.name for series in catalogue.ALL if series.is_input}
    assert validation.PUBLISHED - on_boards <= inputs


def test_every_recorded_series_of_an_slo_is_shown() -> None:
    """Every record of an SLO is on the boards, except intermediate sums and ratios that counts replace."""
    on_boards = frozenset().union(*(validation.series_names(query.expr) for query in queries()))
    sums = {name(kind) for kind in names.KINDS for name in (names.quarter, names.partial)}
    ratios = {f"{names.RATIO}{window}" for window in ("30m", "2h", "1d", "3d", "month")}
    assert validation.OBJECTIVES - on_boards == sums | ratios | {names.INFO}


@pytest.mark.parametrize(
    "expr", ["pte_no_such_series", "sum by (", '{job="x"}', "rate(pte_source_polls[5m])", "slo:sli_error:ratio_rate30d"]
)
def test_unknown_series(expr: str) -> None:
    """The recipe "new panel": a panel cannot name an unknown series."""
    spec = PanelSpec("New", "What is new?", "Nothing is new.", "none", (6, 6))
    with pytest.raises(ValueError, match=r"unknown series|invalid|expected|unclosed|without a name|unexpected"):
        stat(spec, Query(expr))


def test_recorded_series() -> None:
    """A panel can use the records of our rules."""
    for name in rules.RECORDS:
        assert Query(name).expr == name


def _urls(panel: Json) -> list[str]:
    field = panel["fieldConfig"]
    links = list(field["defaults"].get("links", []))
    links += [link for o in field["overrides"] for p in o["properties"] if p["id"] == "links" for link in p["value"]]
    return [link["url"] for link in links]


def test_data_links() -> None:
    """Data links point to existing boards, keep time and data source, and choose the application or the SLO."""
    urls = [url for _, panel in PANELS for url in _urls(panel)]
    for url in urls:
        match = re.fullmatch(
            r"/d/([a-z-]+)\?\$\{__url_time_range\}&\$\{datasource:queryparam\}"
            r"&var-(application|slo)=\$\{__(data\.fields|field\.labels)\.(application|sloth_id):percentencode\}",
            url,
        )
        assert match, url
        assert match[1] in boards()
        assert (match[2], match[4]) == (("slo", "sloth_id") if match[1] == "pte-slo-detail" else ("application",) * 2)
    assert {url.split("?")[0].removeprefix("/d/") for url in urls} == {
        "pte-certification",
        "pte-slo",
        "pte-slo-detail",
        "pte-traffic",
        "pte-coverage",
        "pte-loadrun",
        "pte-bench",
        "pte-test-execution",
    }


def test_links_can_be_filled() -> None:
    """A link that takes the application or the SLO from a row or series exists only where queries return one."""
    for _, panel in PANELS:
        for url in _urls(panel):
            label = "sloth_id" if "sloth_id" in url else "application"
            assert all(re.search(rf"by \([^)]*{label}", target["expr"]) for target in _linked(panel)), panel["title"]


def _linked(panel: Json) -> list[Json]:
    """The queries whose results carry the links: not the limits, which have no links."""
    return [target for target in panel["targets"] if not target["legendFormat"].startswith("limit")]


@pytest.mark.parametrize("uid", boards())
def test_dashboard_links(uid: str) -> None:
    """Each board links to all others and keeps time and variables, which every board has."""
    links = boards()[uid]["links"]
    assert {link["url"] for link in links} == {f"/d/{other}" for other in boards() if other != uid}
    assert all(link["keepTime"] and link["includeVars"] for link in links)
    names = [variable["name"] for variable in boards()[uid]["templating"]["list"]]
    assert names[:2] == ["datasource", "application"]


def test_alerts_lead_here() -> None:
    """Every alert's dashboard exists."""
    assert {alert.board for alert in rules.ALERTS.values()} <= boards().keys()


def test_sides() -> None:
    """Environments with other names are compared by those names."""
    from exporter.config import Config, Environment

    config = Config((Environment("production", {}, "live"), Environment("pte", {}, "lab")))
    board = dashboards.files(config)["dashboards/pte-certification.json"].decode()
    assert 'side=\\"live\\"' in board
    assert 'side=\\"lab\\"' in board
    assert 'side=\\"production\\"' not in board


def test_checks() -> None:
    """The table of checks has a row for every reason of the analysis."""
    assert sorted(check.reason for check in CHECKS) == sorted(REASONS)


def test_readable_in_git() -> None:
    """The files end with a newline and contain no address, user or data source."""
    for path in dashboards.files(None):
        text = Path(TOP / path).read_text(encoding="utf-8")
        assert text.endswith("}\n")
        assert "http" not in text
