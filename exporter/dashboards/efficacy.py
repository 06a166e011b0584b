"""Panels on the value of the test: efficacy with its parts, and capacity."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table
from exporter.dashboards.kit.query import APPLICATION, any_of, largest, per_application, scalar
from exporter.dashboards.kit.units import matcher
from exporter.dashboards.shared import NOT_OBSERVED, application_key

_RATINGS = ("poor", "fair", "good", "excellent")


def _rating() -> str:
    parts = [
        f'(pte_efficacy_rating{{{APPLICATION}, rating="{rating}"}} == 1) * {rank}'
        for rank, rating in enumerate(_RATINGS, start=1)
    ]
    return f"min by (application) ({any_of(parts)})"


def _cpu(side: str) -> str:
    return f"{scalar('pte_capacity_cpu_per_request', matcher('side', side, '='))} * 1000"


def worth(sides: Mapping[str, str]) -> tuple[Panel, ...]:
    score = PanelSpec(
        "Efficacy and capacity",
        "How much does the test prove, what is the minimum, and how much CPU does a request cost in each environment?",
        NOT_OBSERVED,
        "percentunit",
        (15, 7),
    )

    columns = [
        TableColumn("efficacy", scalar("pte_efficacy_ratio"), "percentunit", decimals=1),
        TableColumn("at least", per_application("efficacy_ratio"), "percentunit"),
        TableColumn("rating", _rating(), "none", value_mappings.RATING),
        TableColumn("CPU per 1000 req/s, production", _cpu(sides["production"]), "percentunit", decimals=2),
        TableColumn("CPU per 1000 req/s, PTE", _cpu(sides["pte"]), "percentunit", decimals=2),
        TableColumn("PTE / production", scalar("pte_capacity_cpu_per_request_ratio"), decimals=2),
    ]
    parts = PanelSpec(
        "Parts of the efficacy",
        "Which part makes the score high or low, and what is its weight?",
        NOT_OBSERVED,
        "percentunit",
        (9, 7),
    )

    shares = [
        TableColumn(
            "score", largest("application, part", "pte_efficacy_part_ratio", APPLICATION), "percentunit", decimals=1
        ),
        TableColumn(
            "weight", largest("application, part", "pte_efficacy_part_weight_ratio", APPLICATION), "percentunit"
        ),
    ]
    key = application_key("pte-certification", "Only this application")
    return table(score, [key], columns), table(parts, [key, Key("part", "part")], shares, sort="weight")
