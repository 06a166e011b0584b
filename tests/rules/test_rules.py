"""Every rule is sound, explained and proven: names, links, runbook, and promtool on both versions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from exporter import catalogue, sources
from exporter.catalogue import exporter
from exporter.commands.generate import rules as rules_command
from exporter.commands.generate.objectives import own_objectives
from exporter.config import Config, LinkSettings
from exporter.model.results import REASONS
from exporter.rules import ALERTS, OF_EACH_SLO, RECORDS, SUBJECTS, files, reasons
from exporter.rules.render import READABLE
from exporter.rules.rule import AlertDefinition
from exporter.slo.rules import names as slo_names
from tests.servers import PROMTOOL, TOP, program

EVERYWHERE = pytest.mark.parametrize("version", sorted(PROMTOOL))
CASES = sorted(Path(__file__).parent.glob("*.test.yml"))
FOREIGN = {"prometheus_rule_evaluation_failures_total", "up"}
"""Series of other programs."""

OBJECTIVES = {
    name for name in vars(slo_names).values() if isinstance(name, str) and name.startswith(("slo:", "sloth_slo"))
}
OBJECTIVES |= {slo_names.count(kind) for kind in slo_names.KINDS}
"""Series that each objective's rules record."""

PUBLISHED = {series.name for series in catalogue.ALL} | {series.published for series in exporter.OWN}
NAMES = PUBLISHED | set(RECORDS) | FOREIGN | OBJECTIVES
RULES = [rule for rules in SUBJECTS.values() for rule in rules]
RUNBOOK = (TOP / "rules" / "RUNBOOK.md").read_text(encoding="utf-8")


def promtool(version: str, *arguments: str | Path) -> str:
    command = [program(PROMTOOL[version]), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names(expression: Any) -> Iterator[str]:
    """Every metric name in a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name or ""
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(expression, part, None)
        if child is not None:
            yield from names(child)
    for child in getattr(expression, "args", ()):
        yield from names(child)


def queries(text: str) -> list[str]:
    """The queries inside a template, with some value for each placeholder."""
    return [query.replace("%q", '"x"').replace("%s", 'a="x",') for query in re.findall(r"printf `([^`]*)`", text)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_expression_parses_and_knows_its_names(rule: Any) -> None:
    """An expression, and each query in an alert's text, is PromQL over published or recorded names."""
    looked_up = queries(rule.description) if isinstance(rule, AlertDefinition) else []
    for expression in [rule.expr, *looked_up]:
        assert set(names(promql_parser.parse(expression))) <= NAMES


def test_the_name_check_sees_names_in_every_place() -> None:
    """The walk over expressions finds names inside functions, subqueries, aggregations and both operands."""
    text = (
        'sum by (a) (rate(one[5m])) / on (b) group_left () max_over_time((two > 1)[1h:1m]) or topk(3, {__name__="x"})'
    )
    assert {"one", "two"} <= {name for name in names(promql_parser.parse(text)) if name}


def test_every_alert_says_what_a_person_needs() -> None:
    """Each alert has severity, wait, summary, reason and action; a measured one also has value and limit."""
    for alert in ALERTS.values():
        assert alert.severity in ("critical", "warning", "info")
        assert re.fullmatch(r"\d+[smh]", alert.wait)
        for text in (alert.summary, alert.reason, alert.action):
            assert text, alert.name
        assert "\nDo: " in alert.description
        if alert.name == "PteCertificationDoesNotHold":
            assert alert.description.startswith("Reasons:")
            continue

        for text in (alert.measure, alert.value, alert.limit):
            assert text, alert.name
        assert alert.description.startswith("Value: ")
        assert "\nLimit: " in alert.description
        assert "\nReason: " in alert.description


def test_every_reason_against_a_certification_has_its_line() -> None:
    """The critical alert has a line for each reason that the exporter publishes."""
    assert set(reasons.LINES) == set(REASONS)


def test_no_alert_guesses_a_zero() -> None:
    """No expression replaces missing data by a number, and none averages a ratio."""
    for rule in RULES:
        assert not re.search(r"or\s+(on\s*\(\)\s*)?vector", rule.expr), rule.name
        assert "avg" not in rule.expr, rule.name


def test_every_comparison_of_an_application_is_guarded_by_evidence() -> None:
    """An alert about an application requires an evidence series."""
    for alert in ALERTS.values():
        if "application" in alert.expr:
            assert "_evidence" in alert.expr, alert.name


def test_every_alert_of_an_objective_is_guarded_by_evidence() -> None:
    """An alert over all objectives requires enough data in its window, and an objective that may alert."""
    for alert in SUBJECTS["slo"]:
        assert slo_names.COVERAGE in alert.expr or slo_names.FORECAST_EVIDENCE in alert.expr, alert.name
        assert f'{slo_names.INFO}{{alerting=~"page|ticket"}}' in alert.expr, alert.name


def headings() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def unexplained(alerts: Iterable[str]) -> set[str]:
    """The alerts without a heading in the runbook."""
    return set(alerts) - set(headings())


def test_the_runbook_has_each_alert_once_and_no_other() -> None:
    """The headings of the runbook are the alerts, with those of each objective."""
    alerts = [*ALERTS, *OF_EACH_SLO]
    assert unexplained(alerts) == set()
    assert sorted(headings()) == sorted(alerts)
    assert RUNBOOK.count("\n## ") == len(alerts)


@pytest.mark.parametrize("name", sorted([*ALERTS, *OF_EACH_SLO]))
def test_the_runbook_answers_five_questions(name: str) -> None:
    """Each heading has the meaning, the first look, the remedy, when to ignore it, and when to change the limit."""
    for question in ("**Means:**", "**Look first:**", "**Do:**", "**Ignore it:**", "**Change the limit:**"):
        assert question in headings()[name]
    severity = f"{ALERTS[name].severity}." if name in ALERTS else ""
    assert f"**Severity:** {severity}" in headings()[name]


def test_the_runbook_names_only_settings_and_limits_that_exist() -> None:
    """Every `analysis.…` path in the runbook is a setting."""
    from exporter.model.settings import AnalysisSettings

    for path in re.findall(r"`analysis\.([a-z_.]+)", RUNBOOK):
        record: Any = AnalysisSettings()
        for part in path.rstrip(".").split("."):
            record = record[part] if isinstance(record, dict) else getattr(record, part)


def test_the_committed_files_are_what_the_rules_say() -> None:
    """The committed files are the output of `generate rules` for the stack, whose links are the defaults."""
    path = TOP / "deploy" / "stack" / "exporter.yml"
    config = sources.read(path)
    generated = {**rules_command.make(config), **own_objectives(config, str(path))}
    rules = {f"rules/{path.name}" for path in (TOP / "rules").glob("*.rules.yml")}
    assert rules == {path for path in generated if path.startswith("rules/")}
    assert [path for path, text in generated.items() if (TOP / path).read_bytes() != text] == []
    assert files(None).items() <= generated.items()


def test_only_queries_of_a_server_are_recorded() -> None:
    """A side that is not read from a Prometheus-like server has no recording rules."""
    assert "rules/observed.rules.yml" not in rules_command.make(sources.read(TOP / "exporter" / "demo.yml"))


@pytest.mark.parametrize(
    "text", ["plain", "a: b", "'{{ x }}'", "a\nb", "  a\n b\n\nc", "\ta\nb", "1", "", "é\x07", "x " * 6000]
)
@pytest.mark.parametrize("indent", [10, 12])
def test_every_string_is_read_as_it_was(text: str, indent: int) -> None:
    """Whatever an expression or an annotation holds, Prometheus reads it from the file."""
    style = READABLE.expr if indent == 10 else READABLE.value
    key = " " * (indent - 2)
    assert yaml.safe_load(f"{key}a: {style(text)}\n{key}b: c\n") == {"a": text, "b": "c"}


def test_names_of_recorded_series_say_what_they_are() -> None:
    """A recorded series is named level:metric:operation, where the level is the remaining labels."""
    assert all(re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+", name) for name in RECORDS)


def test_files_are_stable_and_say_that_they_are_generated() -> None:
    """Two runs write the same bytes, and each file warns against editing."""
    assert files(None) == files(None)
    assert all(b"do not edit" in text.splitlines()[0] for text in files(None).values())


def test_links_come_from_the_configuration() -> None:
    """Runbook and dashboard links begin with the configured bases."""
    config = Config(environments=(), links=LinkSettings(runbook="https://r.test/x.md", dashboards="https://g.test/"))
    rendered = yaml.safe_load(files(config)["rules/load.rules.yml"])
    (alert,) = rendered["groups"][0]["rules"]
    assert alert["annotations"]["runbook_url"] == "https://r.test/x.md#pteloadgap"
    assert alert["annotations"]["dashboard_url"].startswith("https://g.test/d/pte-certification?var-application=")


def test_critical_alerts_keep_firing() -> None:
    """Only a critical alert outlives its condition for a while."""
    for text in files(None).values():
        for rule in yaml.safe_load(text)["groups"][0]["rules"]:
            if "alert" in rule:
                assert ("keep_firing_for" in rule) == (rule["labels"]["severity"] == "critical")


@EVERYWHERE
def test_prometheus_accepts_the_rules(version: str) -> None:
    """Promtool finds no problem in the rules, at its strictest."""
    paths = sorted((TOP / "rules").glob("*.rules.yml"))
    output = promtool(version, "check", "rules", "--lint=all", "--lint-fatal", *paths)
    assert output.count("SUCCESS") == len(paths)


@EVERYWHERE
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_alerts_behave(version: str, case: Path) -> None:
    """Promtool's unit tests of this subject hold."""
    promtool(version, "test", "rules", case)


def checks(name: str) -> Iterator[tuple[int, bool]]:
    """(number of the promtool test, whether it expects the alert) in order of time, for every check of an alert."""
    number = 0
    for case in CASES:
        for test in yaml.safe_load(case.read_text(encoding="utf-8"))["tests"]:
            number += 1
            cases = [check for check in test.get("alert_rule_test", ()) if check["alertname"] == name]
            for check in sorted(cases, key=lambda check: int(check["eval_time"].removesuffix("m"))):
                yield number, bool(check["exp_alerts"])


def unproven(alerts: Iterable[str]) -> dict[str, str]:
    """Alert to its missing case: one test has it pending, firing and resolved, and one has it silent throughout."""
    missing = {}
    for name in alerts:
        tests: dict[int, str] = {}
        for number, fires in checks(name):
            tests[number] = tests.get(number, "") + ("!" if fires else ".")
        if not any(re.search(r"^\.+!+\.", states) for states in tests.values()):
            missing[name] = "never fires and resolves"
        elif not any(re.fullmatch(r"\.+", states) for states in tests.values()):
            missing[name] = "never stays silent"
    return missing


def test_every_alert_is_shown_to_fire_to_stay_silent_and_to_resolve() -> None:
    """Promtool has a case for each alert; the watchdog, which cannot be silent, is only shown to fire."""
    assert unproven(set(ALERTS) - {"PteWatchdog"}) == {}
    assert [fires for _, fires in checks("PteWatchdog")] == [True]


def test_a_new_alert_needs_its_heading_and_its_case() -> None:
    """An alert that was only added as an object fails both checks."""
    assert unexplained([*ALERTS, "PteNew"]) == {"PteNew"}
    assert unproven(["PteLoadGap", "PteNew"]) == {"PteNew": "never fires and resolves"}
