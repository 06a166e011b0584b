"""Which file an objective's rules go to."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.model.slo import DAY, Alerting, Period, Sli, Slo, Tier
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from tests.servers import PROMTOOL, program


def _slo(service: str, name: str, side: str = "production") -> Slo:
    sli = Sli("sum(rate(bad_total[{{.window}}]))", "sum(rate(all_total[{{.window}}]))")
    return Slo(service, name, Decimal("99.9"), sli, Period(30 * DAY), (), Alerting("Burn"), side=side)


def _groups(slos: Sequence[Slo]) -> dict[str, int]:
    """The number of groups in each file."""
    files = slo_rules.files(slos, "https://runbook", "https://grafana")
    for content in files.values():
        assert content.decode().count("\ngroups:\n") == 1
    return {name: content.decode().count("\n  - name: ") for name, content in files.items()}


def test_a_service_with_many_objectives_has_several_files() -> None:
    """A file has a hundred objectives, which promtool checks in a second or two."""
    assert _groups([_slo("shop", f"slo-{n}") for n in range(201)]) == {
        "rules/slo-shop.rules.yml": 100,
        "rules/slo-shop-2.rules.yml": 100,
        "rules/slo-shop-3.rules.yml": 1,
    }


@pytest.mark.parametrize(("days", "window"), [(30, "30d"), (28, "4w"), (7, "1w")])
def test_a_period_is_called_as_sloth_calls_it(days: int, window: str) -> None:
    """The name of the period's ratio and its label are in weeks, as boards for Sloth expect."""
    rules = slo_rules.rules(replace(_slo("shop", "a"), period=Period(days * DAY)), "https://r", "https://g")
    ratios = {rule.name: rule.labels["sloth_window"] for rule in rules if rule.name.startswith(names.RATIO)}
    assert ratios[names.RATIO + window] == window


def test_each_service_and_each_side_has_its_file() -> None:
    """Files differ by the service and by a side that is not production."""
    slos = [_slo("shop", "a"), _slo("till/1", "a"), _slo("shop", "a-pte", "pte"), _slo("shop", "b")]
    assert _groups(slos) == {
        "rules/slo-shop.rules.yml": 2,
        "rules/slo-till_1.rules.yml": 1,
        "rules/slo-shop-pte.rules.yml": 1,
    }


def test_a_service_named_like_a_second_file_loses_nothing() -> None:
    """The first service's second file and the file of a service with that name are shared, with the groups of both."""
    slos = [*(_slo("shop", f"slo-{n}") for n in range(101)), _slo("shop-2", "a")]
    assert _groups(slos) == {"rules/slo-shop.rules.yml": 100, "rules/slo-shop-2.rules.yml": 2}


@pytest.mark.parametrize("promtool", PROMTOOL.values(), ids=PROMTOOL)
def test_promtool_finds_no_duplicate_in_a_service_with_two_objectives(tmp_path: Path, promtool: str) -> None:
    """Alerts of two objectives with the same name differ in their id."""
    tier = Tier("page_quick", "page", 3600, 300, Decimal("14.4"), 120, 300)
    slos = [replace(_slo("shop", name), tiers=(tier,)) for name in ("a", "b")]
    ((_, content),) = slo_rules.files(slos, "https://runbook", "https://grafana").items()
    path = tmp_path / "slo.rules.yml"
    path.write_bytes(content)
    command = [program(promtool), "check", "rules", "--lint=all", "--lint-fatal", str(path)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
