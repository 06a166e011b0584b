"""The configuration file is read whole, and every problem in it is reported with file and path."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter import config, sources
from exporter.commands.configuration import DEMO
from exporter.errors import ConfigError
from exporter.model.observation import Window
from exporter.model.settings import AnalysisSettings

TWO = """\
environments:
  - {role: production, source: {kind: demo}}
  - {role: pte, source: {kind: demo, seed: 7}}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "exporter.yml"
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(tmp_path: Path, text: str) -> list[str]:
    """Each problem of the file, without the file's name."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        sources.read(path)
    return [str(problem).removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_the_smallest_configuration(tmp_path: Path) -> None:
    """Two environments suffice; names follow the roles and the source has its options record."""
    read = sources.read(written(tmp_path, TWO))
    assert [environment.name for environment in read.environments] == ["production", "pte"]
    assert read.environment("pte").source == sources.kinds()["demo"].Options(seed=7)
    assert read.analysis == AnalysisSettings()


def test_the_embedded_demo_is_a_good_configuration() -> None:
    """The embedded configuration passes the same checks as a file."""
    assert {environment.role for environment in sources.read(DEMO).environments} == {"production", "pte", "ci"}


def test_merges_of_merges(tmp_path: Path) -> None:
    """Merges that double at each step are read as quickly as others."""
    steps = [f"x{n + 1}: &x{n + 1} {{<<: [*x{n}, *x{n}, *x{n}]}}" for n in range(40)]
    path = tmp_path / "config.yml"
    path.write_text("\n".join(["x0: &x0 {name: shop}", *steps, ""]), encoding="utf-8")
    assert config.read_yaml(path)["x40"] == {"name": "shop"}


def test_a_key_may_override_a_merged_one(tmp_path: Path) -> None:
    """A key overrides the same key merged by `<<`, and is not a duplicate."""
    text = "x: &x {role: production, source: {kind: demo}}\nenvironments: [*x, {<<: *x, role: pte}]\n"
    assert config.read_yaml(written(tmp_path, text))["environments"][1]["role"] == "pte"


def test_a_gap_rule_is_merged_into_the_default_rule(tmp_path: Path) -> None:
    """Naming one step of one signal changes that step and nothing else."""
    read = sources.read(written(tmp_path, TWO + "analysis: {gaps: {cpu: {limit: 0.7, medium: null}}}\n"))
    defaults = AnalysisSettings().gaps
    assert read.analysis.gaps["cpu"].limit == 0.7
    assert read.analysis.gaps["cpu"].medium is None
    assert read.analysis.gaps["cpu"].low == defaults["cpu"].low
    assert read.analysis.gaps["memory"] == defaults["memory"]
    assert read.analysis.gaps.keys() == defaults.keys()


def test_runs_cover_the_full_minutes_they_touched(tmp_path: Path) -> None:
    """A run's window is widened to full minutes, and an application's latest run counts."""
    text = TWO.replace("{role: pte,", "{role: pte, runs: [%s, %s],") % (
        "{application: a, start: 2016-11-20T10:00:30Z, end: 2016-11-20T11:00:01Z}",
        "{application: a, start: 2016-11-19T10:00:00Z, end: 2016-11-19T11:00:00Z}",
    )
    windows = sources.read(written(tmp_path, text)).environment("pte").windows
    assert windows == {"a": Window(1479636000.0, 1479639660.0)}


def test_problems_of_every_part_are_reported_together(tmp_path: Path) -> None:
    """A problem in one part hides none in another."""
    text = """\
environments:
  - {name: production, role: production, interval: 5, source: {kind: demoo}}
  - {name: pte, role: pte, max_age: 1m, source: {kind: demo, sed: 1}, runs: [{application: a, end: 2026-01-01}]}
  - {name: other, role: pte, interval: 100ms, source: demo}
analysis:
  timezone: Mars/Olympus
  tolerance: 5
  gaps: {cpu: {low: 0.5}, disk: {bad: lower}}
  efficacy: {coverage: 0, load_coverage: 0, performance: 0, good: 0.95}
  routes: {min_requests: -1}
links: {runbook: "javascript:alert(1)"}
anlysis: {}
"""
    problems = problems_of(tmp_path, text)
    assert problems == [
        'anlysis: unknown key "anlysis", did you mean "analysis"? expected one of: environments, analysis, links, slos',
        "environments[0].interval: expected a duration such as 90s, 5m, 1h30m or 7d, got a number",
        "environments[1].runs[0].start: missing, expected a time with its zone such as 2026-11-20T10:00:00Z",
        "environments[1].runs[0].end: expected a time with its zone such as 2026-11-20T10:00:00Z, got a date",
        *problems[4:7],
        "environments: expected exactly one environment with role pte, got 2",
        "environments[2].interval: must be at least 1s",
        "analysis.tolerance: must be between 0 and 1, got 5",
        "analysis.routes.min_requests: must be at least 0, got -1",
        'analysis.timezone: unknown time zone "Mars/Olympus", expected an IANA name such as Europe/Berlin or UTC',
        "analysis.gaps.cpu.medium: must be above low (0.5), got 0.25",
        f'analysis.gaps.disk: unknown signal "disk", expected one of: {", ".join(AnalysisSettings().gaps)}',
        "analysis.efficacy: all weights are 0, at least one must be above 0: coverage, load_coverage, performance, "
        "error_validation",
        "analysis.efficacy: expected fair < good < excellent",
        "links.runbook: expected a URL that starts with https:// or http://, without spaces, quotes or braces",
    ]
    kinds = ", ".join(sources.kinds())
    assert problems[4:7] == [
        f'environments[0].source.kind: unknown kind "demoo", did you mean "demo"? expected one of: {kinds}',
        'environments[1].source.sed: unknown key "sed", did you mean "seed"? expected one of: seed',
        "environments[2].source: expected a mapping with the key kind",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty, expected a mapping"),
        (
            "a:\n- b: 2026-13-20T10:00:00Z",
            "line 2, column 6: is not YAML: the timestamp cannot be read: month must be in",
        ),
        (f"a: 0x{'f' * 5000}", "line 1, column 4: is not YAML: the int cannot be read: must have at most 64 bits"),
        (
            f"a: {{0x{'f' * 900}: 1}}",
            "line 1, column 5: is not YAML: the int cannot be read: must have at most 64 bits",
        ),
        (f"a: {'9' * 5000}", "line 1, column 4: is not YAML: the int cannot be read: Exceeds the limit"),
        ("a: !!bool maybe", "line 1, column 4: is not YAML: the bool cannot be read"),
        ("links: {runbook: https://a b}", "links.runbook: expected a URL"),
        ("links: {dashboards: 'https://a/{{ $labels.x }}'}", "links.dashboards: expected a URL"),
        ("links: {dashboards: https://}", "links.dashboards: expected a URL"),
        (
            TWO + "analysis: {certification: {load_coverage: 90}}",
            "analysis.certification.load_coverage: must be between 0 and 10, got 90; did you mean 0.9?",
        ),
        (
            TWO + "analysis: {test_run: {lookback: 8d}, certification: {max_age: 8d}}",
            "analysis.test_run.lookback: must be above certification.max_age, or a run that is too old "
            "would not be found",
        ),
        ("[" * 10000, "is nested too deeply to be a configuration"),
        ("[1]", "expected a mapping, got a list"),
        ("environments: []", "environments: expected exactly one environment with role production, got 0"),
        (
            TWO.replace("role: pte", "role: production"),
            "environments: expected exactly one environment with role production, got 2",
        ),
        (
            TWO.replace("role: pte", "role: pte, name: production"),
            'environments[1].name: duplicate name "production" (also environments[0])',
        ),
        ("a: 1\nb: [\n", "line 3, column 1: is not YAML: "),
        ("a: \t- b", "line 1, column 4: is not YAML: "),
        ("a: {b: 1}\nc: {d: 1, d: 2}\na: 3", "c.d: duplicate key (lines 2 and 2)"),
        ("a: 1\nb: 2\na: 3", "a: duplicate key (lines 1 and 3)"),
        ("a: !!python/object:os.system x", "line 1, column 4: is not YAML: could not determine a constructor"),
        (TWO.replace("{kind: demo}", "{}"), "environments[0].source.kind: missing, expected one of "),
        (TWO.replace("{kind: demo}", "{kind: [demo]}"), "environments[0].source.kind: unknown kind "),
        (TWO.replace("{role: pte,", "{role: pte, max_age: 5m,"), "environments[1].max_age: must be above the interval"),
        (
            TWO.replace("{role: pte,", "{role: pte, check_interval: 59s,"),
            "environments[1].check_interval: must be between 1m and 366d",
        ),
    ],
)
def test_each_problem_has_its_message(tmp_path: Path, text: str, problem: str) -> None:
    """Each kind of problem has its message."""
    assert any(line.startswith(problem) for line in problems_of(tmp_path, text)), problems_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("admin: *hunter2", "line 1, column 8: is not YAML: found undefined alias"),
        ("admin: !hunter2 x", "line 1, column 8: is not YAML: could not determine a constructor for the tag"),
        ("admin: !hunter2!x y", "line 1, column 8: is not YAML: found undefined tag handle"),
        (
            "admin: !!int hunter2",
            "line 1, column 8: is not YAML: the int cannot be read: invalid literal for int() with",
        ),
        ("admin: !!float hunter2", "line 1, column 8: is not YAML: the float cannot be read: could not convert string"),
        ("admin: %hunter2", "line 1, column 8: is not YAML: found character '%' that cannot start any token"),
        ("[hunter2 }", "line 1, column 10: is not YAML: expected ',' or ']', but got '}'"),
    ],
)
def test_a_yaml_problem_repeats_nothing_of_the_file(tmp_path: Path, text: str, problem: str) -> None:
    """Line and column point to the problem; the text there may be a secret, but YAML's own marks are not."""
    (line,) = problems_of(tmp_path, text)
    assert line.startswith(problem)
    assert "hunter2" not in line


def test_a_missing_file_is_reported_in_one_line() -> None:
    """A file that does not exist, or is a directory, is a problem like any other."""
    for name, why in (("/nowhere/x.yml", "No such file or directory"), ("/", "Is a directory")):
        with pytest.raises(ConfigError) as caught:
            config.read(name)
        assert str(caught.value) == f"{name}: cannot be read: {why}"


def test_bytes_that_are_not_text_are_reported(tmp_path: Path) -> None:
    """A binary file is a problem, not a traceback."""
    path = tmp_path / "x.yml"
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="cannot be read as YAML in UTF-8"):
        config.read(path)


def test_an_alias_to_itself_ends(tmp_path: Path) -> None:
    """A document that contains itself is read in finite time."""
    raw = config.read_yaml(written(tmp_path, "&a {b: *a}"))
    assert raw["b"] is raw


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        (
            "start: 2006-11-20T10:00:00Z, end: 2016-11-20T11:00:00Z",
            ": must last at most 7 days, got 3653 days, 1:00:00",
        ),
        ("start: 2016-11-20T10:00:00Z, end: 2016-11-27T10:00:01Z", ": must last at most 7 days, got 7 days, 0:00:01"),
        (
            "start: 2999-11-20T10:00:00Z, end: 2999-11-20T11:00:00Z",
            ".end: is in the future, expected a run that has ended",
        ),
        ("start: 2016-11-20T10:00:00Z, end: 2016-11-20T10:00:00Z", ".end: must be after start"),
    ],
)
def test_a_run_that_cannot_be_is_refused(tmp_path: Path, window: str, problem: str) -> None:
    """A typo in a year is reported immediately; otherwise it keeps every poll busy with years of minutes."""
    text = TWO.replace("{role: pte,", f"{{role: pte, runs: [{{application: a, {window}}}],")
    assert problems_of(tmp_path, text)[0].startswith(f"environments[1].runs[0]{problem}")


def test_a_run_may_take_a_week_and_be_long_ago(tmp_path: Path) -> None:
    """Seven days are a long test, and an old one is judged by its age."""
    run = "{application: a, start: 2016-11-20T10:00:00Z, end: 2016-11-27T10:00:00Z}"
    config = sources.read(written(tmp_path, TWO.replace("{role: pte,", f"{{role: pte, runs: [{run}],")))
    assert config.environment("pte").windows["a"].duration == 7 * 86400


def test_a_problem_elsewhere_does_not_hide_a_duplicate_name(tmp_path: Path) -> None:
    """An unknown key and a shared name are reported together."""
    text = TWO.replace("{role: production,", "{role: production, name: x, intervall: 5m,").replace(
        "{role: pte,", "{role: pte, name: x,"
    )
    lines = problems_of(tmp_path, text)
    assert [line.split(":")[0] for line in lines] == ["environments[0].intervall", "environments[1].name"]


def test_an_age_of_centuries_is_refused(tmp_path: Path) -> None:
    """No clock could wait for it."""
    text = TWO.replace("{role: pte,", "{role: pte, max_age: 300y,")
    assert problems_of(tmp_path, text) == ["environments[1].max_age: must be at most 366d"]
