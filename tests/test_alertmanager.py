"""alertmanager/ loads in both versions and routes every severity to its receivers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from exporter.slo.rules import inhibition
from tests.notifying import CONFIG
from tests.servers import AMTOOL, program

EVERYWHERE = pytest.mark.parametrize("version", sorted(AMTOOL))


def amtool(version: str, *arguments: str) -> str:
    command = [program(AMTOOL[version]), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@EVERYWHERE
def test_the_configuration_loads(version: str) -> None:
    """Amtool accepts the configuration and its templates."""
    assert "1 templates" in amtool(version, "check-config", str(CONFIG))


@EVERYWHERE
@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("alertname=PteCertificationDoesNotHold", "severity=critical"), "webhook,pagerduty,slack"),
        (("alertname=PteLoadGap", "severity=warning"), "webhook,slack"),
        (("alertname=PteTlsVerificationOff", "severity=info"), "webhook,slack-info"),
        (("alertname=PteWatchdog", "severity=info"), "watchdog"),
        (("alertname=PteSloBurn", "sloth_severity=page", "severity=critical"), "webhook,pagerduty,slack"),
        (("alertname=PteSloBurn", "sloth_severity=page", "severity=pageteam"), "webhook,pagerduty,slack"),
        (("alertname=PteSloBurn", "sloth_severity=page", "severity=warning"), "webhook,slack"),
        (("alertname=PteSloBurn", "sloth_severity=ticket", "severity=warning"), "webhook,slack"),
        (("alertname=PteSloBurn", "sloth_severity=shadow", "severity=info"), "webhook,slack-info"),
        (("alertname=Other", "severity=page"), "webhook,slack"),
        (("alertname=Other",), "webhook,slack"),
    ],
)
def test_every_severity_reaches_its_receivers(version: str, labels: tuple[str, ...], receivers: str) -> None:
    """An alert goes to the receivers of its severity, and one without a known severity is not lost."""
    routed = amtool(version, "config", "routes", "test", f"--config.file={CONFIG}", "--tree", *labels)
    assert routed.splitlines()[-1] == receivers


def test_every_label_that_must_be_equal_is_required_on_both_sides() -> None:
    """An inhibition rule names each label of `equal` in both its matchers, as a missing label equals a missing one.

    Within one objective on one side a location that both alerts lack distinguishes nothing, so it need not be there.
    """
    locations = set(inhibition.LOCATIONS)
    for rule in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["inhibit_rules"]:
        for label in set(rule["equal"]) - (locations if {"sloth_id", "side"} <= set(rule["equal"]) else set()):
            assert f'{label}=~".+"' in rule["source_matchers"], rule
            assert f'{label}=~".+"' in rule["target_matchers"], rule


def test_secrets_are_read_from_files() -> None:
    """The configuration holds no key that would carry a secret itself."""
    text = CONFIG.read_text(encoding="utf-8")
    secret = ("api_url:", "routing_key:", "service_key:", "credentials:", "password:", "bearer_token:")
    assert [key for key in secret if key in text] == []


def test_the_stack_can_point_the_secrets_elsewhere() -> None:
    """Every secret is in the directory that the header names."""
    paths = [line.split(": ")[1] for line in CONFIG.read_text(encoding="utf-8").splitlines() if "_file: " in line]
    assert len(paths) == 4
    assert {str(Path(path).parent) for path in paths} == {"/etc/alertmanager/secrets"}
