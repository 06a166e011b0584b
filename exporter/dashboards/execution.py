"""Board "test-execution": do the tests pass, and are they flaky?"""

from __future__ import annotations

from exporter.dashboards.execution_tests import failing_tests, flakiest, reliability
from exporter.dashboards.kit import value_mappings
from exporter.dashboards.kit.board import Board, applications, data_source, moments
from exporter.dashboards.kit.panels import Key, Panel, PanelSpec, TableColumn, heading, stat, table, timeseries
from exporter.dashboards.kit.query import APPLICATION, Query, largest, or_no_evidence, scalar
from exporter.dashboards.shared import UNSCRAPED, alerts, application_key, data_age, data_state, to_board

UID = "pte-test-execution"
NO_RUN = "No evidence: no report of a test runner was read or published. See docs/reference/formats.md."
_AGAIN = to_board(UID, "Only this application")
_NAMED = "{{application}}"
_EVIDENCE = "pte_test_execution_evidence"
_OUTCOMES = ("passed", "failed", "error", "skipped")


def board() -> Board:
    return Board(
        UID,
        "Do the tests pass, are they flaky, and do they run at all?",
        (
            *_tiles(),
            heading("The latest run of tests"),
            _latest(),
            *_courses(),
            heading("Where do they fail: suites and devices, each in its latest run"),
            _suites(),
            _properties(),
            heading("Which tests are flaky, which fail, and for how long?"),
            flakiest(),
            failing_tests(),
            reliability(),
            heading("How often do they run?"),
            _frequency(),
            _look_back(),
            heading("Alerts"),
            alerts("Firing alerts", "Which alerts are firing for these applications?", (24, 6)),
        ),
        (data_source(), applications(_EVIDENCE)),
        annotations=(moments("Tests ended", scalar("pte_test_execution_last_timestamp_seconds"), "blue"),),
    )


def _limit(name: str) -> str:
    """A limit of executions: each application has its own, because each may come from another page."""
    return largest("application", "pte_test_execution_limit", APPLICATION, f'limit="{name}"')


def _within(value: str, limit: str) -> str:
    """1 within the limit, 0 beyond it, -1 without evidence (value_mappings.WITHIN)."""
    return or_no_evidence(f"{scalar(value)} <= bool on (application) {_limit(limit)}", _EVIDENCE)


def _tiles() -> tuple[Panel, ...]:
    def spec(title: str, question: str, unit: str = "none", nothing: str = UNSCRAPED) -> PanelSpec:
        return PanelSpec(title, question, nothing, unit, (4, 6))

    passing = spec("Passing?", "Did no more tests of the latest run fail than allowed?")
    steady = spec("Free of flakiness?", "Were no more executions of the look-back flaky than allowed?")
    passed = spec("Passed", "What share of the latest run's executed tests passed?", "percentunit", "no tests run")
    since = spec(
        "Time since the last run", "How long ago did tests run, and what is the maximum (limit)?", "s", "no tests run"
    )
    last = f"time() - {scalar('pte_test_execution_last_timestamp_seconds')}"

    return (
        stat(
            passing,
            Query(_within("pte_test_execution_last_failure_ratio", "failure_ratio"), _NAMED),
            value_map=value_mappings.WITHIN,
            links=_AGAIN,
        ),
        stat(
            steady,
            Query(_within("pte_test_execution_flaky_ratio", "flaky_ratio"), _NAMED),
            value_map=value_mappings.WITHIN,
            links=_AGAIN,
        ),
        stat(passed, Query(scalar("pte_test_execution_last_pass_ratio"), _NAMED), decimals=1, links=_AGAIN),
        stat(
            since,
            Query(last, _NAMED),
            Query(scalar("pte_test_execution_expected_seconds"), "limit, {{application}}"),
            decimals=0,
            links=_AGAIN,
        ),
        data_state(4),
        data_age(4),
    )


def _own() -> list[Key]:
    return [application_key("pte-certification", "Certification of this application")]


def _column(title: str, name: str, unit: str = "locale", decimals: int | None = None) -> TableColumn:
    scale = " * 1000" if unit == "dateTimeAsIso" else ""
    return TableColumn(
        title, scalar(f"pte_test_execution_{name}") + scale, unit, decimals=decimals, empty="not reported"
    )


def _outcome(title: str, name: str, by: str = "application") -> TableColumn:
    value = largest(by, f"pte_test_execution_{name}", APPLICATION, f'outcome="{title}"')
    return TableColumn(title, value, decimals=0)


def _latest() -> Panel:
    spec = PanelSpec(
        "The latest run of each application",
        "How did its tests end, and did far more fail than in earlier runs (their median)?",
        NO_RUN,
        "locale",
        (24, 7),
    )

    spike = or_no_evidence(scalar("pte_test_execution_failure_spike"), "pte_test_execution_failure_spike_evidence")
    columns = [
        _column("ended", "last_timestamp_seconds", "dateTimeAsIso"),
        *(_outcome(outcome, "last_tests") for outcome in _OUTCOMES),
        _column("executed", "last_executed", decimals=0),
        _column("flaky", "last_flaky", decimals=0),
        _column("passed, share", "last_pass_ratio", "percentunit", 1),
        _column("failed, share", "last_failure_ratio", "percentunit", 1),
        TableColumn("at most", _limit("failure_ratio"), "percentunit"),
        _column("earlier, median", "failure_reference_ratio", "percentunit", 1),
        _column("of runs", "failure_reference_runs", decimals=0),
        TableColumn("spike", spike, "none", value_mappings.SPIKE),
        _column("total duration", "last_duration_seconds", "s"),
        TableColumn("evidence", scalar(_EVIDENCE), "none", value_mappings.EVIDENCE),
    ]

    return table(spec, _own(), columns, sort="failed, share")


def _courses() -> tuple[Panel, ...]:
    failed = PanelSpec(
        "Failures over time", "Is it a spike, or has it lasted for long?", NO_RUN, "percentunit", (12, 8)
    )
    flaky = PanelSpec(
        "Flakiness over time",
        "Do tests become more or less reliable (over the look-back)?",
        NO_RUN,
        "percentunit",
        (12, 8),
    )

    return (
        timeseries(
            failed,
            Query(scalar("pte_test_execution_last_failure_ratio"), _NAMED),
            Query(_limit("failure_ratio"), "limit, {{application}}"),
            links=_AGAIN,
        ),
        timeseries(
            flaky,
            Query(scalar("pte_test_execution_flaky_ratio"), _NAMED),
            Query(_limit("flaky_ratio"), "limit, {{application}}"),
            links=_AGAIN,
        ),
    )


def _grouped(of: str, by: str) -> list[TableColumn]:
    def column(
        title: str, name: str, unit: str = "locale", scale: str = "", decimals: int | None = None
    ) -> TableColumn:
        value = largest(by, f"pte_test_execution_{of}_{name}", APPLICATION)
        return TableColumn(title, value + scale, unit, decimals=decimals, empty="not reported")

    return [
        *(_outcome(outcome, f"{of}_tests", by) for outcome in _OUTCOMES),
        column("flaky", "flaky", decimals=0),
        column("passed, share", "pass_ratio", "percentunit", decimals=1),
        column("total duration", "duration_seconds", "s"),
        column("ended", "timestamp_seconds", "dateTimeAsIso", " * 1000"),
    ]


def _suites() -> Panel:
    spec = PanelSpec("Suites", "Which suite fails?", NO_RUN, "locale", (24, 8))
    keys = [application_key(UID, "Only this application"), Key("suite", "suite")]
    return table(spec, keys, _grouped("suite", "application, suite"), sort="passed, share", desc=False)


def _properties() -> Panel:
    spec = PanelSpec(
        "Suites by device, or another property",
        "Does a suite fail everywhere, or on one device (the source's `properties`)?",
        "No report contains a property that the source junit is configured for.",
        "locale",
        (24, 8),
    )

    keys = [application_key(UID, "Only this application"), Key("suite", "suite")]
    keys += [Key("property", "property"), Key("value", "value")]
    return table(
        spec, keys, _grouped("property", "application, suite, property, value"), sort="passed, share", desc=False
    )


def _frequency() -> Panel:
    spec = PanelSpec(
        "Runs of tests", "How many runs were there in the last hour, day and look-back?", NO_RUN, "locale", (10, 7)
    )

    by = "application, window"
    columns = [
        TableColumn("runs", largest(by, "pte_test_execution_runs", APPLICATION), decimals=0),
        TableColumn("per hour", largest(by, "pte_test_execution_runs_per_hour", APPLICATION), decimals=2),
    ]

    return table(spec, [application_key(UID, "Only this application"), Key("window", "window")], columns)


def _look_back() -> Panel:
    spec = PanelSpec(
        "All executions of the look-back",
        "How did they end, and how many suites and devices exceed the cap and are not shown?",
        NO_RUN,
        "locale",
        (14, 7),
    )

    columns = [
        *(_outcome(outcome, "tests") for outcome in _OUTCOMES),
        _column("executed", "executed", decimals=0),
        _column("flaky", "flaky", decimals=0),
        _column("passed, share", "pass_ratio", "percentunit", 1),
        _column("flaky, share", "flaky_ratio", "percentunit", 2),
        TableColumn("at most", _limit("flaky_ratio"), "percentunit"),
        TableColumn("look-back", _limit("lookback_seconds"), "s"),
        _column("above the cap", "other_groups", decimals=0),
    ]

    return table(spec, _own(), columns, sort="flaky, share")
