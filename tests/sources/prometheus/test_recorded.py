"""Recorded one-minute signals on real servers: the same observation as from the raw data, and never a young one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from exporter.analysis import run
from exporter.model.observation import ApplicationObservation, Observation, Summary, Window
from exporter.model.settings import Duration, TestRunSettings
from exporter.rules.recordings import groups
from exporter.slo.rules import render
from exporter.sources.prometheus.presets import PRESETS, RECORDED, RECORDING
from exporter.sources.prometheus.source import Options, Source, recordings
from tests import servers, small_shop
from tests.small_shop import END

HOUR = Window(END - 3600, END)
SIGNALS: dict[str, str | None] = {
    **small_shop.USERS,
    "cpu": "count by ($application) (http_requests_total{$selector}) / 100",
}

choose = partial(
    run.choose,
    settings=TestRunSettings(min_duration=Duration(300)),
    explicit={"app0": Window(END - 3000, END - 1800), "app1": Window(END - 1200, END - 600)},
)


def options(url: str = "http://127.0.0.1", **changes: Any) -> Options:
    return Options(**{"url": url, "preset": "prometheus", "signals": SIGNALS, **changes})


def rules_file(directory: Path) -> Path:
    file = directory / "observed.rules.yml"
    file.write_bytes(render.file(groups({"production": recordings(options(), "production")})))
    return file


def record(version: str, server: servers.Server, rules: Path, start: float, blocks: Path) -> None:
    """Record into a TSDB directory what the rules give from `start` until a minute after the history's end."""
    times = ["--start", f"{start:.0f}", "--end", f"{END + 60:.0f}"]
    servers.create_rule_blocks(version, server, rules, times, blocks)


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_same_as_raw(version: str, tmp_path: Path) -> None:
    """A recording, at whatever second its group is evaluated, gives the observations that the raw data gives.

    Exactly so for one-minute values. Counts of a whole baseline differ by what rate() extrapolates at the window's
    edges, and five-minute means by how it weighs the minutes at theirs.
    """
    raw, whole, blind = observe_both(version, tmp_path, HOUR.start - 60)
    assert {name: application.signals for name, application in blind.applications.items()} == {
        name: application.signals for name, application in whole.applications.items()
    }
    assert whole.queries == raw.queries + 2  # is it recorded, over the baseline and over the pattern?
    assert raw.applications["app0"].signals["concurrent_users"].autocorrelation == pytest.approx(0.3, abs=0.05)
    for name, expected in raw.applications.items():
        compare(whole.applications[name], expected, counts=0.01, pattern=0.05)


def observe_both(version: str, directory: Path, start: float) -> tuple[Observation, Observation, Observation]:
    """The hour from raw data, with recordings since `start`, and with nothing but those recordings."""
    blocks = small_shop.blocks(directory / "history", 2, 2)
    with servers.prometheus(version, directory / "raw", blocks=blocks) as server:
        record(version, server, rules_file(directory), start, directory / "recordings")
        raw = Source(options(server.url, recorded="never"), "production").observe(HOUR, HOUR)
    with servers.prometheus(version, directory / "blind", blocks=directory / "recordings") as server:
        blind = Source(options(server.url), "production").observe(HOUR, HOUR)
    shutil.copytree(directory / "recordings", blocks, dirs_exist_ok=True)
    with servers.prometheus(version, directory / "recorded", blocks=blocks) as server:
        source = Source(options(server.url), "production")
        whole = source.observe(HOUR, HOUR)
        foreign = Source(options(server.url, selector='job="nobody"'), "production").observe(HOUR, HOUR)
        assert foreign.applications == {}, "recordings of another query are not believed"
        elsewhere = options(
            server.url, signals={**SIGNALS, "cpu": "count by ($application) (http_requests_total{$selector}) / 50"}
        )
        changed = Source(elsewhere, "production").observe(HOUR, HOUR).applications["app0"].signals
        assert changed["cpu"].mean == pytest.approx(2 * (source_cpu(whole)), rel=1e-6)
        runs = source.observe_runs(HOUR, 1.0, choose)
        raw_runs = Source(options(server.url, recorded="never"), "production").observe_runs(HOUR, 1.0, choose)
    assert runs.queries == raw_runs.queries + 3  # one for the look-back, one for each of two stretches of runs
    for name, expected in raw_runs.applications.items():
        compare(runs.applications[name], expected, counts=1e-6, pattern=0)
    return raw, whole, blind


def source_cpu(observation: Observation) -> float:
    mean = observation.applications["app0"].signals["cpu"].mean
    assert mean is not None
    return mean


def compare(
    observation: ApplicationObservation, expected: ApplicationObservation, counts: float, pattern: float
) -> None:
    assert observation.signals.keys() == expected.signals.keys()
    for signal, summary in expected.signals.items():
        assert numbers(observation.signals[signal]) == pytest.approx(numbers(summary), rel=1e-6, abs=1e-9)
    assert expected.latency is not None
    assert observation.latency is not None
    assert observation.latency.p95 == pytest.approx(expected.latency.p95, rel=1e-6)
    assert observation.latency.mean == pytest.approx(expected.latency.mean, rel=1e-6)
    assert observation.latency.requests == pytest.approx(expected.latency.requests, rel=counts)
    assert observation.routes == expected.routes
    assert observation.minutes is None or observation.minutes.times == expected.minutes.times  # type: ignore[union-attr]
    if expected.pattern is not None:
        assert observation.pattern is not None
        assert observation.pattern.times == expected.pattern.times
        assert observation.pattern.values == pytest.approx(expected.pattern.values, rel=pattern)


def numbers(summary: Summary) -> Mapping[str, float]:
    """What is known of the summary."""
    fields = ["mean", "peak", "min", "stddev", "noise", "samples"]
    if summary.noise is not None and summary.noise > 1e-6:  # what rounding correlates with is chance
        fields.append("autocorrelation")
    actual = {field: getattr(summary, field) for field in fields if getattr(summary, field) is not None}
    return {**actual, **summary.quantiles}


def test_young_recording_is_not_used(tmp_path: Path) -> None:
    """Ten recorded minutes do not pass for an hour."""
    raw, young, blind = observe_both("3", tmp_path, END - 600)
    assert blind.applications == {}
    assert young.applications == raw.applications
    assert young.applications["app0"].signals["request_rate"].samples == 60


def test_a_recording_of_the_baseline_does_not_pass_for_the_pattern(tmp_path: Path) -> None:
    """Where the last hour is recorded, but not the one before, a pattern over both is whole and from raw data."""
    blocks = small_shop.blocks(tmp_path / "history", 2, 2)
    with servers.prometheus("3", tmp_path / "raw", blocks=blocks) as server:
        record("3", server, rules_file(tmp_path), HOUR.start - 60, blocks)
    both = Window(END - 7200, END)
    with servers.prometheus("3", tmp_path / "recorded", blocks=blocks) as server:
        observation = Source(options(server.url), "production").observe(HOUR, both)
        raw = Source(options(server.url, recorded="never"), "production").observe(HOUR, both)
    assert observation.queries == raw.queries + 2
    for name, expected in raw.applications.items():
        assert observation.applications[name].pattern == expected.pattern
        assert expected.pattern is not None
        assert len(expected.pattern.times) == 24
        compare(observation.applications[name], expected, counts=0.01, pattern=0)


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_rules_are_accepted(version: str, tmp_path: Path) -> None:
    """promtool has nothing to say about the rules of any preset, with any label for the application."""
    recorded = {preset: recordings(options(preset=preset, selector='cluster="eu"'), preset) for preset in PRESETS}
    file = tmp_path / "all.rules.yml"
    file.write_bytes(render.file(groups(recorded)))
    command = [servers.program(servers.PROMTOOL[version]), "check", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_rules_record_each_key_and_that_it_was_recorded() -> None:
    """Each key with a template is recorded on the side, with a mark for each minute, and no ratio among them."""
    text = render.file(groups({"prod-eu": recordings(options(), "prod-eu"), "pte": []}))
    [group] = yaml.safe_load(text)["groups"]
    keys = [key for key in RECORDED if key in options().templates.queries]
    assert (group["name"], group["interval"]) == ("pte-observed-prod-eu", "1m")
    assert [rule["record"] for rule in group["rules"]] == [name for key in keys for name in (RECORDED[key], RECORDING)]
    marks = [rule["labels"].pop("query") for rule in group["rules"] if rule["record"] == RECORDING]
    assert len(set(marks)) == len(keys), "each query has its own fingerprint"
    assert [rule["labels"] for rule in group["rules"]] == [
        labels for key in keys for labels in ({"side": "prod-eu"}, {"side": "prod-eu", "signal": key})
    ]
    for rule in group["rules"]:
        promql_parser.parse(rule["expr"])


def test_nothing_to_record() -> None:
    """A side that is never read from recordings has no rules, nor has one without templates."""
    assert recordings(options(recorded="never"), "production") == []
    assert recordings(options(preset="custom", signals={}), "production") == []
    assert groups({"production": []}) == []
