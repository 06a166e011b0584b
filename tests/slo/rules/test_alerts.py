"""What an objective's alerts say and carry, by promtool on both versions, with names that templates could choke on."""

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
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


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
    """It carries all labels of its part of the objective, fills Sloth's placeholders and shows that part's figures."""
    inputs = [
        _series("slo:sli_error:ratio_rate1h", "0.02x30", cluster="eu", sloth_window="1h"),
        _series("slo:sli_error:ratio_rate5m", "0.05x30", cluster="eu", sloth_window="5m"),
        _series("slo:sli_errors:count", "5x30", cluster="eu", sloth_window="1h"),
        _series("slo:period_error_budget_remaining:ratio", "-150x30", cluster="eu", sloth_window="30d"),
        _series("slo:error_budget_exhaustion:seconds", "5400x30", cluster="eu"),
        _series("slo:sli_error:ratio_rate1h", "0.02x30", cluster="us", sloth_window="1h"),
        _series("slo:sli_error:ratio_rate5m", "0.05x30", cluster="us", sloth_window="5m"),
        _series("slo:sli_errors:count", "4.9x30", cluster="us", sloth_window="1h"),
        _series("slo:period_error_budget_remaining:ratio", "-200x30", cluster="us", sloth_window="30d"),
        _series("slo:error_budget_exhaustion:seconds", "60x30", cluster="us"),
    ]
    told = {
        "exp_labels": {
            **BASE,
            "cluster": "eu",
            "severity": "pageteam",
            "sloth_severity": "page",
            "sloth_tier": "page_quick",
        },
        "exp_annotations": {
            "summary": f"{ODD}: up (cluster eu) burns its error budget at a rate over 14.4; at 1 it just lasts",
            "title": f"(page) {ODD} up SLO error budget burn rate is too fast.",
            "description": "Value: 2% (bad events in 1h)\n"
            "Limit: 1.44%, exceeded both in 1h and in 5m (14.4 times the budget of 0.1%); fewer than 5 bad events in "
            "1h are no reason\nReason: Left of the error budget: -15000.0%. It is gone in: 1h 30m 0s.",
            "runbook_url": "https://r.test/x.md#ptesloburn",
            "dashboard_url": "https://g.test/d/pte-slo-detail?var-slo=a%22b%60c%7B%7B+d+%7D%7D%5C%C3%A9%F0%9F%98%80%3A-up",
            "sloth": f"{ODD} eu",
        },
    }
    _says(version, tmp_path, inputs, "Burning", told)


@EVERYWHERE
def test_what_lost_telemetry_says(version: str, tmp_path: Path) -> None:
    """Its alert has the objective's labels, and the severity that the spec gives to pages."""
    told = {
        "exp_labels": {**BASE, "severity": "pageteam", "sloth_severity": "page"},
        "exp_annotations": {
            "summary": f"{ODD}: nothing tells whether up is met",
            "title": f"(page) {ODD} up SLO has no data.",
            "description": "Value: none (events counted by the SLO's query)\nLimit: a series, though its value be 0\n"
            "Reason: The query of all events gives nothing, or that of bad ones fails. "
            "Burn alerts of this SLO are blind meanwhile.",
            "runbook_url": "https://r.test/x.md#pteslotelemetrybroken",
            "dashboard_url": "https://g.test/d/pte-slo-detail?var-slo=a%22b%60c%7B%7B+d+%7D%7D%5C%C3%A9%F0%9F%98%80%3A-up",
            "sloth": f"{ODD} ",
        },
    }
    inputs = [_series("slo:data_state:info", "1x30", state="broken")]
    _says(version, tmp_path, inputs, "PteSloTelemetryBroken", told)


TEXTS = ("summary", "description", "title", "message")


def test_what_a_spec_says_of_bad_events_is_not_said_of_lost_ones() -> None:
    """Its texts are those of burn alerts alone, while labels, which route, and links go to lost telemetry as well."""
    common = Text({"team": "b"}, dict.fromkeys(TEXTS, "High error rate") | {"runbook": "https://w.test/up"})
    page = Text({"severity": "pageteam"}, {"message": "Very high error rate", "channel": "#up"})
    slo = replace(SLO, alerting=Alerting("Burning", common, page))
    burn, broken = alerts(slo, "https://r.test/x.md", "https://g.test/")
    assert [burn.annotations[name] for name in TEXTS] == ["High error rate"] * 3 + ["Very high error rate"]
    assert "High" not in " ".join(broken.annotations.values())
    assert (
        broken.annotations["summary"]
        == "{{ $labels.sloth_service }}: nothing tells whether {{ $labels.sloth_slo }} is met"
    )
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
def test_alerts_over_all_objectives_rest_on_what_one_records(version: str, tmp_path: Path) -> None:
    """Half of one cluster's requests fail all period long: budget and credit alert on that one, by all its labels."""
    sla = Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)), Credit(Decimal(40), Decimal(25))))
    slo = replace(
        SLO, service="shop", labels={"team": "a"}, period=Period(6 * 3600), alerting=Alerting("Burn"), sla=sla
    )
    ((path, content),) = slo_rules.files([slo], "https://r.test", "https://g.test").items()
    (tmp_path / Path(path).name).write_bytes(content)
    counters = {'all{cluster="eu"}': 600, 'bad{cluster="eu"}': 300, 'all{cluster="us"}': 600}
    own = {**identity(slo), "cluster": "eu"}
    told: list[dict[str, str]] = [
        {"alertname": "Burn", "severity": "critical", "sloth_severity": "page", "sloth_tier": "page_quick"},
        {"alertname": "PteSloBudgetExhausted", "severity": "warning"},
        {"alertname": "PteSlaCreditDue", "severity": "warning"},
    ]
    firing = [{"__name__": "ALERTS", "alertstate": "firing", **own, **one} for one in told]
    samples = [{"labels": _selector(labels), "value": 1} for labels in firing]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"0+{step}x420"} for name, step in counters.items()],
        "promql_expr_test": [{"expr": "ALERTS", "eval_time": "415m", "exp_samples": samples}],
    }
    rules = [Path(path).name, str(TOP / "rules" / "slo.rules.yml")]
    (tmp_path / "case.yml").write_text(yaml.safe_dump({"rule_files": rules, "tests": [test]}), encoding="utf-8")
    promtool(version, "test", "rules", tmp_path / "case.yml")
