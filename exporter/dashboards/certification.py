"""Board "certification": did the test prove production's load?"""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards import budget
from exporter.dashboards.efficacy import worth
from exporter.dashboards.gap import gaps
from exporter.dashboards.incident import incidents
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments
from exporter.dashboards.kit.panels import Panel, PanelSpec, heading, stat, timeline
from exporter.dashboards.kit.query import (
    APPLICATION,
    VERDICT,
    Query,
    largest,
    limit,
    or_no_evidence,
    scalar,
)
from exporter.dashboards.load import load, run
from exporter.dashboards.next_certification import next_certification
from exporter.dashboards.reasons import reasons
from exporter.dashboards.shared import (
    NOT_SCRAPED,
    UNSCRAPED,
    UNTESTED,
    alerts,
    data_age,
    data_state,
    to_board,
)


def board(sides: Mapping[str, str]) -> Board:
    return Board(
        "pte-certification",
        "Did the performance test prove production's load, and does its certification still hold?",
        (
            *_verdict(sides),
            heading("Why? Each check with its value and its limit"),
            reasons((15, 9)),
            _history(),
            heading("Load: did the test reach production's?"),
            *load(sides),
            run(),
            heading("Gaps: where does the PTE differ from production?"),
            *gaps(sides),
            heading("Efficacy of the test, and the objectives of the next one"),
            *worth(sides),
            next_certification(sides["pte"]),
            heading("Incidents that the sources report"),
            *incidents(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications()),
        annotations=(moments("Test run ended", scalar("pte_test_run_end_timestamp_seconds"), "blue"),),
    )


def _verdict(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    again = to_board("pte-certification", "Only this application")
    holds = PanelSpec(
        "Does it hold?", "Does the certification of each application still hold?", UNSCRAPED, "none", (5, 6)
    )
    against = PanelSpec(
        "Reasons against it",
        "How many checks have failed? The table below lists them.",
        UNSCRAPED,
        "none",
        (3, 6),
    )
    reached = PanelSpec(
        "Peak load reached",
        "What share of production's peak did the test's peak reach, and what is the minimum (limit)?",
        UNTESTED,
        "percentunit",
        (3, 6),
    )
    age = PanelSpec(
        "Age of the test run",
        "How long ago did the test run end, and what is the maximum age (limit)?",
        UNTESTED,
        "s",
        (3, 6),
    )

    has_evidence = f"{scalar('pte_certification_evidence')} == 1"
    reasons_on = largest("application, reason", "pte_certification_reason", APPLICATION)
    count = or_no_evidence(f"sum by (application) ({reasons_on}) and ({has_evidence})", "pte_certification_evidence")

    return (
        stat(holds, Query(VERDICT, "{{application}}"), value_map=value_mappings.VERDICT, links=again),
        _inside(sides["production"]),
        stat(against, Query(count, "{{application}}"), value_map=value_mappings.COUNT_AGAINST, links=again),
        stat(
            reached,
            Query(scalar("pte_load_coverage_peak_ratio"), "{{application}}"),
            Query(limit("load_coverage_ratio"), "limit"),
            decimals=1,
            links=again,
        ),
        stat(
            age,
            Query(scalar("pte_test_run_age_seconds"), "{{application}}"),
            Query(limit("certification_age_seconds"), "limit"),
            decimals=1,
            links=again,
        ),
        data_state(3),
        data_age(3),
    )


def _inside(production: str) -> Panel:
    """Placed beside the certification, to show both results of an application together."""
    spec = PanelSpec(
        "Inside its budget?",
        "Does every production SLO of each application have error budget left?",
        UNSCRAPED,
        "none",
        (4, 6),
    )

    links = to_board("pte-slo", "Error budgets of this application")
    return stat(spec, Query(budget.inside(production), "{{application}}"), value_map=value_mappings.INSIDE, links=links)


def _history() -> Panel:
    spec = PanelSpec("Verdict over time", "Since when has the certification held, or not?", NOT_SCRAPED, "none", (9, 9))
    return timeline(spec, Query(VERDICT, "{{application}}"), value_map=value_mappings.VERDICT)
