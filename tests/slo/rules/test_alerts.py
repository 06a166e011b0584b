"""Texts and labels of an objective's alerts, by promtool on both versions, with names that could break templates."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.model.slo import DAY, Alerting, Credit, Period, Sla, Sli, Slo, Text, Tier
from exporter.slo import rules as slo_rules
from exporter.slo.rules import render
from exporter.slo.rules.alerts import alerts
from exporter.slo.rules.series import identity
from tests.servers import PROMTOOL, TOP, program

EVERYWHERE = pytest.mark.parametrize("version", sorted(PROMTOOL))
ODD = 'a"b`c{{ d }}\\é😀:'
SLI = Sli("sum by (cluster) (rate(bad[{{.window}}]))", "sum by (cluster) (rate(all[{{.window}}]))", by=("cluster",))
SLO = Slo(
    ODD,
    "up",
    Decimal("99.9"),
    SLI,
    Period(30 * DAY),
    (Tier("page_quick", "page", 3600, 300, Decimal("14.4"), 120, 300),),
    Alerting(
        "Burning",
        Text({"team": "b"}, {"sloth": "{{ $labels.sloth_service }} {{$labels.cluster}}"}),
        Text({"severity": "pageteam"}),
    ),
    labels={"team": "a", "tier": "2", "note": "{{ .NoTemplate }}:"},
)
BASE = {**identity(SLO), "team": "b"}
"""Labels of the alerts: the spec's own for alerts win over those for all series."""


def promtool(version: str, *arguments: str | Path) -> None:
    command = [program(PROMTOOL[version]), *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr


def _series(name: str, values: str, **labels: str) -> dict[str, str]:
    every = {**identity(SLO), **labels}
    return {"series": name + _selector(every), "values": values}


def _selector(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{label}={_quoted(value)}" for label, value in labels.items()) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _says(version: str, directory: Path, inputs: list[dict[str, str]], name: str, *expected: dict[str, Any]) -> None:
    """Asserts which alerts of that name fire after twenty minutes, with all labels and annotations."""
    rules = render.file([slo_rules.group(SLO, alerts(SLO, "https://r.test/x.md", "https://g.test/"))])
    (directory / "slo.rules.yml").write_bytes(rules)
    check = {"alertname": name, "eval_time": "20m", "exp_alerts": list(expected)}
    test = {"interval": "1m", "input_series": inputs, "alert_rule_test": [check]}
    case = directory / "case.yml"
    case.write_text(yaml.safe_dump({"rule_files": ["slo.rules.yml"], "tests": [test]}), encoding="utf-8")
    promtool(version, "test", "rules", case)


@EVERYWHERE
def test_what_a_burn_alert_says(version: str, tmp_path: Path) -> None:
    """It has all labels of its part of the objective, fills Sloth's placeholders and shows that part's figures."""
    inputs = [
        *_burning(remaining="-150x30", consumed="151x30"),
        _series("slo:error_budget_exhaustion:seconds", "0x30", cluster="eu"),
        _series("slo:sli_error:ratio_rate1h", "0.02x30", cluster="us", sloth_window="1h"),
        _series("slo:sli_error:ratio_rate5m", "0.05x30", cluster="us", sloth_window="5m"),
        _series("slo:sli_errors:count", "4.9x30", cluster="us", sloth_window="1h"),
        _series("slo:period_error_budget_remaining:ratio", "-200x30", cluster="us", sloth_window="30d"),
        _series("slo:period_error_budget_consumed:ratio", "201x30", cluster="us", sloth_window="30d"),
        _series("slo:error_budget_exhaustion:seconds", "60x30", cluster="us"),
    ]
    _says(version, tmp_path, inputs, "Burning", _burn("Error budget exhausted: 151.0 times the allowed errors so far."))


def _burning(**budget: str) -> list[dict[str, str]]:
    """Series with which the alert fires for one cluster, and those of its budget."""
    inputs = [
        _series("slo:sli_error:ratio_rate1h", "0.02x30", cluster="eu", sloth_window="1h"),
        _series("slo:sli_error:ratio_rate5m", "0.05x30", cluster="eu", sloth_window="5m"),
        _series("slo:sli_errors:count", "5x30", cluster="eu", sloth_window="1h"),
    ]
    for kind, values in budget.items():
        inputs.append(_series(f"slo:period_error_budget_{kind}:ratio", values, cluster="eu", sloth_window="30d"))
    return inputs


def _burn(reason: str) -> dict[str, Any]:
    """The burn alert of that cluster."""
    return {
        "exp_labels": {
            **BASE,
            "cluster": "eu",
            "severity": "pageteam",
            "sloth_severity": "page",
            "sloth_tier": "page_quick",
        },
        "exp_annotations": {
            "summary": f"{ODD}: up (cluster eu) is using its error budget more than 14.4 times too fast",
            "title": f"(page) {ODD} up SLO error budget burn rate is too fast.",
            "description": "Value: 2% (bad events in 1h)\n"
            "Limit: 1.44%, exceeded in both 1h and 5m (14.4 times the error budget of 0.1%), with at least 5 bad "
            f"events in 1h\nReason: {reason}\n"
            "Do: find the cause of the bad events and stop it, such as by rolling back the last release.",
            "runbook_url": "https://r.test/x.md#ptesloburn",
            "dashboard_url": "https://g.test/d/pte-slo-detail?var-slo=a%22b%60c%7B%7B+d+%7D%7D%5C%C3%A9%F0%9F%98%80%3A-up",
            "sloth": f"{ODD} eu",
        },
    }


@EVERYWHERE
@pytest.mark.parametrize(
    ("remaining", "consumed", "seconds", "reason"),
    [
        ("0.321", "0.679", "5400", "Error budget left: 32.1%. At the last hour's rate it is exhausted in 1h 30m 0s."),
        ("0.321", "0.679", None, "Error budget left: 32.1%. The last hour has too few bad events for a forecast."),
        ("0.0004", "0.9996", "60", "Error budget left: 0.0%. At the last hour's rate it is exhausted in 1m 0s."),
        ("0", "1", "0", "Error budget exhausted: 1.0 times the allowed errors so far."),
        ("-3.207", "4.207", "0", "Error budget exhausted: 4.2 times the allowed errors so far."),
        ("-3.207", "4.207", None, "Error budget exhausted: 4.2 times the allowed errors so far."),
        ("-3.207", None, "0", "Error budget exhausted: more than the allowed errors so far."),
        (None, None, None, "Error budget left: unknown."),
    ],
)
def test_the_reason_of_a_burn_alert(
    version: str, tmp_path: Path, remaining: str | None, consumed: str | None, seconds: str | None, reason: str
) -> None:
    """It reads well while budget remains, once it is exhausted, and where one of its series is missing."""
    budget = {"remaining": remaining, "consumed": consumed}
    inputs = _burning(**{kind: f"{value}x30" for kind, value in budget.items() if value is not None})
    if seconds is not None:
        inputs.append(_series("slo:error_budget_exhaustion:seconds", f"{seconds}x30", cluster="eu"))
    _says(version, tmp_path, inputs, "Burning", _burn(reason))


@pytest.mark.parametrize(
    ("factor", "summary"),
    [
        ("3", "is using its error budget more than 3 times too fast"),
        ("1", "is using its error budget too fast to last for the period"),
        ("0.9333", "is using its error budget at more than 0.9333 times the rate at which it lasts"),
    ],
)
def test_the_summary_names_the_burn_rate(factor: str, summary: str) -> None:
    """A tier whose limit is a burn rate of 1 or less, as over 28 days, does not claim a multiple."""
    tier = replace(SLO.tiers[0], factor=Decimal(factor))
    burn, _ = alerts(replace(SLO, tiers=(tier,)), "https://r.test/x.md", "https://g.test/")
    assert burn.annotations["summary"].endswith(summary)


def test_a_short_period_has_no_forecast() -> None:
    """Over up to three days nothing is recorded about when the budget runs out, and the text does not mention it."""
    burn, _ = alerts(replace(SLO, period=Period(3 * DAY)), "https://r.test/x.md", "https://g.test/")
    assert "exhaustion" not in burn.annotations["description"]
    assert "last hour" not in burn.annotations["description"]


@EVERYWHERE
def test_what_lost_telemetry_says(version: str, tmp_path: Path) -> None:
    """Its alert has the objective's labels, and the severity that the spec gives to pages."""
    broken = {
        "exp_labels": {**BASE, "severity": "pageteam", "sloth_severity": "page"},
        "exp_annotations": {
            "summary": f"{ODD}: no data for the SLO up",
            "title": f"(page) {ODD} up SLO has no data.",
            "description": "Value: no data (results of the SLO's queries)\n"
            "Limit: at least one series, even with the value 0\n"
            "Reason: The query for all events returns no data, or the query for bad events fails. "
            "Until this is fixed, this SLO's burn alerts cannot fire.\n"
            "Do: check whether the application is down, then its targets in Prometheus, then the SLO's queries.",
            "runbook_url": "https://r.test/x.md#pteslotelemetrybroken",
            "dashboard_url": "https://g.test/d/pte-slo-detail?var-slo=a%22b%60c%7B%7B+d+%7D%7D%5C%C3%A9%F0%9F%98%80%3A-up",
            "sloth": f"{ODD} ",
        },
    }
    inputs = [_series("slo:data_state:info", "1x30", state="broken")]
    _says(version, tmp_path, inputs, "PteSloTelemetryBroken", broken)


TEXTS = ("summary", "description", "title", "message")


def test_a_spec_s_texts_are_for_burn_alerts_alone() -> None:
    """Labels, which route, and links also apply to the alert for lost telemetry."""
    common = Text({"team": "b"}, dict.fromkeys(TEXTS, "High error rate") | {"runbook": "https://w.test/up"})
    page = Text({"severity": "pageteam"}, {"message": "Very high error rate", "channel": "#up"})
    slo = replace(SLO, alerting=Alerting("Burning", common, page))
    burn, broken = alerts(slo, "https://r.test/x.md", "https://g.test/")
    assert [burn.annotations[name] for name in TEXTS] == ["High error rate"] * 3 + ["Very high error rate"]
    assert "High" not in " ".join(broken.annotations.values())
    assert broken.annotations["summary"] == "{{ $labels.sloth_service }}: no data for the SLO {{ $labels.sloth_slo }}"
    for alert in (burn, broken):
        assert alert.annotations.items() >= {"runbook": "https://w.test/up", "channel": "#up"}.items()
        assert alert.labels.items() >= {"team": "b", "severity": "pageteam", "sloth_severity": "page"}.items()


@EVERYWHERE
def test_odd_names_break_no_rule(version: str, tmp_path: Path) -> None:
    """Promtool reads all rules of an objective whose names and labels hold quotes, braces, colons and an emoji."""
    for path, content in slo_rules.files([SLO], "https://r.test", "https://g.test").items():
        file = tmp_path / Path(path).name
        file.write_bytes(content)
        promtool(version, "check", "rules", file)


@EVERYWHERE
def test_alerts_over_all_objectives_use_the_series_of_one(version: str, tmp_path: Path) -> None:
    """Half of one cluster's requests fail all period long: budget and credit alert on that one, by all its labels."""
    sla = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(40), Decimal(25))))
    slo = replace(
        SLO, service="shop", labels={"team": "a"}, period=Period(6 * 3600), alerting=Alerting("Burn"), sla=sla
    )
    ((path, content),) = slo_rules.files([slo], "https://r.test", "https://g.test").items()
    (tmp_path / Path(path).name).write_bytes(content)
    counters = {'all{cluster="eu"}': 600, 'bad{cluster="eu"}': 300, 'all{cluster="us"}': 600}
    own = {**identity(slo), "cluster": "eu"}
    alert_labels: list[dict[str, str]] = [
        {"alertname": "Burn", "severity": "critical", "sloth_severity": "page", "sloth_tier": "page_quick"},
        {"alertname": "PteSloBudgetExhausted", "severity": "warning"},
        {"alertname": "PteSlaCreditDue", "severity": "warning"},
    ]
    firing = [{"__name__": "ALERTS", "alertstate": "firing", **own, **labels} for labels in alert_labels]
    samples = [{"labels": _selector(labels), "value": 1} for labels in firing]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"0+{step}x420"} for name, step in counters.items()],
        "promql_expr_test": [{"expr": "ALERTS", "eval_time": "415m", "exp_samples": samples}],
    }
    rules = [Path(path).name, str(TOP / "rules" / "slo.rules.yml")]
    (tmp_path / "case.yml").write_text(yaml.safe_dump({"rule_files": rules, "tests": [test]}), encoding="utf-8")
    promtool(version, "test", "rules", tmp_path / "case.yml")
