"""Board "test-execution": single tests, and how long tests and devices pass, fail and need for repair."""

from __future__ import annotations

from dataclasses import replace

from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, table
from exporter.dashboards.kit.query import APPLICATION, any_of, largest
from exporter.dashboards.shared import application_key

_TEST = "application, suite, test"


def _keys(*labels: str) -> list[Key]:
    own = application_key("pte-test-execution", "Only this application")
    return [own, *(Key(label, label) for label in labels)]


def flakiest() -> Panel:
    """Ranked by how often they were flaky."""
    spec = PanelSpec(
        "Flakiest tests",
        "Which tests failed and passed within one report, how often over the look-back, and in how many executions?",
        "No test was flaky in the look-back, or there is no evidence: see the first tiles.",
        "locale",
        (24, 9),
    )

    def column(title: str, name: str, unit: str = "locale", decimals: int = 0) -> TableColumn:
        return TableColumn(
            title, largest(_TEST, f"pte_test_execution_flakiest_{name}", APPLICATION), unit, decimals=decimals
        )

    columns = [column("flaky", "flaky"), column("executed", "executed"), column("share", "ratio", "percentunit", 1)]
    return table(spec, _keys("suite", "test"), columns, sort="flaky")


def _outages(by: str, prefix: str) -> list[TableColumn]:
    """`prefix` of the series' names: empty for applications, "test_" or "value_"."""

    def column(
        title: str, name: str, unit: str = "s", kind: value_mappings.ValueMap | None = None, empty: str = ""
    ) -> TableColumn:
        value = largest(by, f"pte_test_execution_{prefix}{name}", APPLICATION)
        decimals = 0 if unit == "locale" else None
        return TableColumn(title, value, unit, kind or {}, decimals, empty or "no evidence")

    return [
        column("now", "failing", "none", value_mappings.FAILS),
        column("between failures", "mtbf_seconds", empty="never failed"),
        column("to repair", "mttr_seconds", empty="never repaired"),
        column("passed for", "passing_seconds"),
        column("failures", "failures", "locale"),
        column("repairs", "repairs", "locale"),
        column("total repair time", "repairing_seconds"),
    ]


def failing_tests() -> Panel:
    """First those that fail now."""
    spec = PanelSpec(
        "Tests that failed",
        "Which tests fail now or failed in the look-back? How long do they pass between failures, and how long does "
        "repair take (means)?",
        "No test failed in the look-back, or there is no evidence: see the first tiles.",
        "locale",
        (24, 10),
    )

    counts = [
        TableColumn(title, largest(_TEST, f"pte_test_execution_test_{title}", APPLICATION), decimals=0)
        for title in ("failed", "executed")
    ]

    return table(spec, _keys("suite", "test"), [*_outages(_TEST, "test_"), *counts], sort="now")


def reliability() -> Panel:
    """Applications and devices: each fails while any of its tests does."""
    spec = PanelSpec(
        "Applications and devices",
        "How long do all tests of an application or device pass between failures, and how long until all pass again "
        "(means)?",
        "No evidence: no report of a test runner was read or published.",
        "locale",
        (24, 9),
    )

    whole = _outages("application", "")
    values = _outages("application, property, value", "value_")
    columns = [
        replace(column, expr=any_of([_all(column.expr), value.expr]))
        for column, value in zip(whole, values, strict=True)
    ]

    return table(spec, _keys("property", "value"), columns, sort="now")


def _all(expr: str) -> str:
    """A whole application, as a row among its devices."""
    return f'label_replace(label_replace({expr}, "property", "all", "", ""), "value", "all", "", "")'
