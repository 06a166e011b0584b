"""docs/reference/configuration.md matches the records: every key, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter import sources
from exporter.config import ConfiguredRun, Environment, LinkSettings
from exporter.model.settings import AnalysisSettings, Duration
from exporter.model.slo_settings import (
    CreditSettings,
    EventsSli,
    LatencySli,
    MaintenanceSettings,
    SlaSettings,
    SliSettings,
    SloSettings,
    TierSettings,
)
from exporter.sources.prometheus.presets import duration
from tests.servers import TOP

PAGE = (TOP / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ROWS = {row[0]: row[1] for row in re.findall(r"(?m)^\| `([^`]+)` \| ([^|]+) \|", PAGE)}


def written(value: Any) -> str:
    """A default as the page writes it."""
    if isinstance(value, Duration):
        return duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def keys(record: type[msgspec.Struct], path: str = "") -> Iterator[tuple[str, str]]:
    """Each key with its default."""
    for field in msgspec.structs.fields(record):
        default = {} if field.default_factory is dict else field.default
        if isinstance(default, msgspec.Struct):
            yield from keys(type(default), f"{path}{field.name}.")
        elif field.name not in {"gaps", "grades"}:
            yield f"{path}{field.encode_name}", "required" if default is msgspec.NODEFAULT else written(default)


SLOS = {
    **dict(keys(SloSettings, "slos[].")),
    **dict(keys(SliSettings, "slos[].sli.")),
    **dict(keys(LatencySli, "slos[].sli.latency.")),
    **dict(keys(EventsSli, "slos[].sli.events.")),
    **dict(keys(TierSettings, "slos[].tiers[].")),
    **dict(keys(SlaSettings, "slos[].sla.")),
    **dict(keys(CreditSettings, "slos[].sla.credits[].")),
    **dict(keys(MaintenanceSettings, "slos[].maintenance[].")),
}

GRADES = "analysis.load_runs.grades."

CHOSEN = {
    "name": "the role",
    "slos[].period": "30d",
    "slos[].timezone": "`analysis.timezone`",
    "slos[].tiers": "the usual ones",
    "slos[].service": "the application",
    "slos[].alert": "PteSloBurn",
    "slos[].tiers[].for": "by `long`",
    "slos[].tiers[].keep_firing_for": "by `long`",
}
"""Defaults that no record has, because they follow from another setting."""


def test_every_key_is_there_with_its_default() -> None:
    """The tables have each key of the records, no other, and its default."""
    gaps: dict[str, str] = {f"analysis.gaps.{name}": rule.bad for name, rule in AnalysisSettings().gaps.items()}
    gaps |= {
        f"{GRADES}{name}": written(grade.success_ratio) for name, grade in AnalysisSettings().load_runs.grades.items()
    }
    environments = {
        **dict(keys(Environment)),
        **dict(keys(ConfiguredRun, "runs[].")),
        **dict(keys(LinkSettings, "links.")),
        **SLOS,
    }
    assert {**environments, **CHOSEN, **dict(keys(AnalysisSettings, "analysis.")), **gaps} == ROWS


def test_every_gap_rule_is_the_default() -> None:
    """Each signal's row has the whole rule."""
    for name, rule in AnalysisSettings().gaps.items():
        values = (written(getattr(rule, key)) for key in rule.__struct_fields__)
        assert f"\n| `analysis.gaps.{name}` | {' | '.join(values)} |\n" in PAGE


def test_every_grade_is_the_default() -> None:
    """Each grade's row has both its conditions."""
    for name, grade in AnalysisSettings().load_runs.grades.items():
        assert f"\n| `{GRADES}{name}` | {written(grade.success_ratio)} | {written(grade.latency_p95)} |\n" in PAGE


def test_the_example_is_a_good_configuration(tmp_path: Path) -> None:
    """The page's first example can be saved and used."""
    file = tmp_path / "exporter.yml"
    file.write_text(EXAMPLES[0], encoding="utf-8")
    read = sources.read(file)
    assert read.environment("pte").windows.keys() == {"shop"}
    assert read.analysis.gaps["cpu"].limit == 0.7


def test_the_example_of_slos_is_a_good_one(tmp_path: Path) -> None:
    """The first example of `slos`, below the environments of the page's first example, can be used."""
    file = tmp_path / "exporter.yml"
    environments, _, _ = EXAMPLES[0].partition("slos:")
    example = next(example for example in EXAMPLES if "name: orders" in example)
    file.write_text(environments + example, encoding="utf-8")
    assert [slo.name for slo in sources.read(file).slos] == ["availability", "fast", "orders"]


FRAGMENTS = [example for example in EXAMPLES[1:] if "basic_auth_users" not in example]


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_fragment_is_a_good_one(fragment: str, tmp_path: Path) -> None:
    """Each example of a section can be used, below the environments of the first example unless it has its own."""
    environments = "" if "environments:" in fragment else EXAMPLES[0].partition("analysis:")[0]
    (tmp_path / "results").mkdir()
    (tmp_path / "reports").mkdir()
    file = tmp_path / "exporter.yml"
    file.write_text(environments + fragment, encoding="utf-8")
    assert sources.read(file).environments


def test_the_page_begins_with_the_ten_keys_that_people_change_first() -> None:
    """Each has the same default in the first table and in the table of its section."""
    first, _, rest = PAGE.partition("```yaml")
    defaults = dict(re.findall(r"(?m)^\| `([^`]+)` \| ([^|]+) \|", first))
    assert len(defaults) == 10
    for key, default in defaults.items():
        assert f"| `{key}` | {default} |" in rest


def test_other_pages_print_the_same_defaults() -> None:
    """The page on tuning limits repeats a few keys, each with the default of this page."""
    page = (TOP / "docs" / "how-to" / "tune-limits.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `(analysis\.[\w.]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    assert len(rows) > 3
    assert {key: ROWS[key] for key, _ in rows} == dict(rows)
