"""Board "coverage": what is never tested?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, sides
from exporter.dashboards.kit.panels import (
    Key,
    Panel,
    PanelSpec,
    TableColumn,
    bargauge,
    heading,
    stat,
    table,
    timeseries,
)
from exporter.dashboards.kit.query import (
    APPLICATION,
    SIDE,
    Query,
    largest,
    limit,
    or_no_evidence,
    per_application,
    scalar,
)
from exporter.dashboards.shared import (
    NO_ROUTES,
    UNOBSERVED,
    UNSCRAPED,
    alerts,
    application_key,
    data_age,
    data_state,
    to_board,
)

_ENDPOINT = "application, method, route"
_AGAIN = to_board("pte-coverage", "Only this application")
_UNTESTED = largest(_ENDPOINT, "pte_untested_endpoint_share_ratio", APPLICATION)


def board(names: Mapping[str, str]) -> Board:
    return Board(
        "pte-coverage",
        "Which of production's endpoints are never tested, and how much traffic goes to them?",
        (
            *_tiles(),
            heading("Never tested: ranked by share of production's traffic"),
            _untested(names),
            _ranked(),
            heading("Coverage and mix: value and limit"),
            _figures(),
            *_courses(),
            heading("All endpoints of production and the PTE"),
            _endpoints(names),
            _only_pte(names),
            _caveats(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications(), sides()),
    )


def _within(value: str, comparison: str, name: str, evidence: str) -> str:
    """1 within the limit, 0 beyond it, -1 where there is no evidence (value_mappings.WITHIN)."""
    return or_no_evidence(f"{value} {comparison} bool on () group_left () {limit(name)}", evidence)


def _tiles() -> tuple[Panel, ...]:
    enough = PanelSpec(
        "Enough traffic tested?",
        "Does the required share of production's traffic go to tested endpoints?",
        UNSCRAPED,
        "none",
        (4, 6),
    )
    alike = PanelSpec(
        "Mix similar?", "Is the test's endpoint mix close enough to production's?", UNSCRAPED, "none", (4, 6)
    )
    weighted = PanelSpec(
        "Traffic to tested endpoints",
        "What share of production's requests goes to tested endpoints, and what is the minimum (limit)?",
        UNOBSERVED,
        "percentunit",
        (5, 6),
    )
    largest_untested = PanelSpec(
        "Largest untested endpoint",
        "What share of production's traffic goes to the largest untested endpoint, and from which share on must an "
        "endpoint be tested (limit)?",
        "none, or no evidence",
        "percentunit",
        (5, 6),
    )

    share = scalar("pte_coverage_weighted_ratio")
    enough_query = _within(share, ">=", "weighted_coverage_ratio", "pte_coverage_evidence")
    distance = scalar("pte_mix_total_variation_ratio")
    alike_query = _within(distance, "<=", "mix_total_variation_ratio", "pte_mix_evidence")
    named = "{{application}}"

    return (
        stat(enough, Query(enough_query, named), value_map=value_mappings.WITHIN, links=_AGAIN),
        stat(alike, Query(alike_query, named), value_map=value_mappings.WITHIN, links=_AGAIN),
        stat(
            weighted,
            Query(share, named),
            Query(limit("weighted_coverage_ratio"), "limit"),
            decimals=1,
            links=_AGAIN,
        ),
        stat(
            largest_untested,
            Query(scalar("pte_untested_endpoint_share_ratio"), named),
            Query(limit("untested_share_ratio"), "limit"),
            decimals=1,
            links=_AGAIN,
        ),
        data_state(3),
        data_age(3),
    )


def _endpoint_keys() -> list[Key]:
    return [
        application_key("pte-coverage", "Only this application"),
        Key("method", "method"),
        Key("route", "route"),
    ]


def _requests(side: str) -> str:
    return largest(_ENDPOINT, "pte_endpoint_requests", APPLICATION, f'side="{side}"')


def _untested(names: Mapping[str, str]) -> Panel:
    spec = PanelSpec(
        "Untested endpoints",
        "Which endpoints of production did the test run miss, and how much traffic do they carry? The limit is the "
        "share of traffic from which an endpoint must be tested.",
        "Every endpoint of production is tested, or there is no evidence: see the first tile.",
        "percentunit",
        (15, 12),
    )

    bound = f"{_UNTESTED} * 0 + on () group_left () {limit('untested_share_ratio')}"
    columns = [
        TableColumn("share of production", _UNTESTED, "percentunit", decimals=2),
        TableColumn("limit", bound, "percentunit", empty="none"),
        TableColumn(
            "verdict",
            f"{_UNTESTED} >= bool on () group_left () {limit('untested_share_ratio')}",
            "none",
            value_mappings.UNTESTED,
        ),
        TableColumn("requests, production", f"{_requests(names['production'])} and {_UNTESTED}", decimals=0),
        TableColumn("requests, PTE", f"{_requests(names['pte'])} and {_UNTESTED}", decimals=0, empty="none"),
    ]

    return table(spec, _endpoint_keys(), columns, sort="share of production")


def _ranked() -> Panel:
    spec = PanelSpec(
        "Ten largest untested endpoints",
        "Which endpoints should be tested first?",
        "none, or no evidence",
        "percentunit",
        (9, 12),
    )

    return bargauge(spec, Query(f"sort_desc(topk(10, {_UNTESTED}))", "{{application}} {{method}} {{route}}"))


def _figures() -> Panel:
    spec = PanelSpec(
        "Coverage in figures",
        "How many of production's endpoints are tested, with which share of the traffic, and how different is the mix?",
        NO_ROUTES,
        "percentunit",
        (24, 6),
    )

    columns = [
        TableColumn("production endpoints", scalar("pte_coverage_production_endpoints"), decimals=0),
        TableColumn("tested", scalar("pte_coverage_tested_endpoints"), decimals=0),
        TableColumn("endpoints tested", scalar("pte_coverage_ratio"), "percentunit", decimals=1),
        TableColumn("traffic tested", scalar("pte_coverage_weighted_ratio"), "percentunit", decimals=1),
        TableColumn("at least", per_application("weighted_coverage_ratio"), "percentunit"),
        TableColumn("mix distance", scalar("pte_mix_total_variation_ratio"), "percentunit", decimals=1),
        TableColumn("at most", per_application("mix_total_variation_ratio"), "percentunit"),
        TableColumn("Jensen-Shannon, bits", scalar("pte_mix_jensen_shannon_divergence"), decimals=3),
        TableColumn("only in the PTE", scalar("pte_coverage_only_pte_endpoints"), decimals=0),
        TableColumn("evidence", scalar("pte_coverage_evidence"), "none", value_mappings.EVIDENCE),
    ]

    return table(spec, [application_key("pte-certification", "Certification of this application")], columns)


def _courses() -> tuple[Panel, ...]:
    coverage = PanelSpec(
        "Coverage over time",
        "Does coverage fall as production gets new endpoints? The limit applies to the share of traffic.",
        NO_ROUTES,
        "percentunit",
        (12, 9),
    )
    mix = PanelSpec(
        "Mix distance over time",
        "Does production's mix drift away from the test's? Total variation: 0 identical, 1 nothing in common.",
        NO_ROUTES,
        "percentunit",
        (12, 9),
    )

    return (
        timeseries(
            coverage,
            Query(scalar("pte_coverage_weighted_ratio"), "traffic, {{application}}"),
            Query(scalar("pte_coverage_ratio"), "endpoints, {{application}}"),
            Query(limit("weighted_coverage_ratio"), "limit"),
            links=_AGAIN,
        ),
        timeseries(
            mix,
            Query(scalar("pte_mix_total_variation_ratio"), "{{application}}"),
            Query(limit("mix_total_variation_ratio"), "limit"),
            links=_AGAIN,
        ),
    )


def _share(side: str) -> str:
    return largest(_ENDPOINT, "pte_endpoint_share_ratio", APPLICATION, f'side="{side}"')


def _endpoints(names: Mapping[str, str]) -> Panel:
    spec = PanelSpec(
        "All endpoints",
        "How does each endpoint's share of the traffic differ between production and the PTE, and was it tested?",
        NO_ROUTES,
        "percentunit",
        (24, 12),
    )

    production = _share(names["production"])
    pte = _share(names["pte"])
    columns = [
        TableColumn("share, production", production, "percentunit", decimals=2, empty="not observed"),
        TableColumn("share, PTE", pte, "percentunit", decimals=2, empty="not observed"),
        TableColumn("difference", f"{pte} - {production}", "percentunit", decimals=2, empty="one side only"),
        TableColumn("requests, production", _requests(names["production"]), decimals=0, empty="none"),
        TableColumn("requests, PTE", _requests(names["pte"]), decimals=0, empty="none"),
        TableColumn("tested", largest(_ENDPOINT, "pte_endpoint_tested", APPLICATION), "none", value_mappings.TESTED),
    ]

    return table(spec, _endpoint_keys(), columns, sort="share, production")


def _only_pte(names: Mapping[str, str]) -> Panel:
    spec = PanelSpec(
        "Tested, but not in production",
        "Which endpoints does the PTE serve that production does not have: retired, or not yet released?",
        "Good: every endpoint of the PTE exists in production. Or there is no evidence: see the first tile.",
        "percentunit",
        (14, 8),
    )

    only = f"{_share(names['pte'])} unless {_share(names['production'])}"
    return table(
        spec, _endpoint_keys(), [TableColumn("share of the PTE", only, "percentunit", decimals=2)], sort="route"
    )


def _caveats() -> Panel:
    by = "application, side"
    spec = PanelSpec(
        "Caveats",
        "Which share of requests exceeded the cardinality cap, and how many routes did heuristics derive from raw "
        "paths?",
        NO_ROUTES,
        "percentunit",
        (10, 8),
    )

    other = largest(by, "pte_coverage_other_share_ratio", APPLICATION, SIDE)
    heuristic = f"{other} * 0 + on (application) group_left () {scalar('pte_coverage_heuristic_endpoints')}"
    columns = [
        TableColumn("above the cap", other, "percentunit", decimals=2),
        TableColumn("routes by heuristics", heuristic, decimals=0, empty="none"),
    ]

    return table(spec, [application_key("pte-coverage", "Only this application"), Key("side", "side")], columns)
