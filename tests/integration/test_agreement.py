"""The same data gives the same results, whichever way it comes: computed, from a real Prometheus, or from a recording.

Tolerances, and why they are not smaller:

* 1e-6 for what is made of one-minute values. The history holds nine decimals and rate() over one minute is exact by the
  place of its samples (exporter/demo/openmetrics.py).
* 2e-3 for what Prometheus extrapolates over more than a minute from raw counters: increase() over a day has no samples
  in the first ten and last twenty seconds and takes them for like the rest of the day, and so has a five-minute rate.
  The same holds for latency quantiles, which rest on such increases.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
import requests
import yaml

from exporter import pipeline, sources
from exporter.config import Config
from exporter.model.observation import RouteCount
from exporter.model.results import ApplicationResult, Snapshot
from exporter.report import FORMATS
from exporter.sources import demo, recorded
from tests import seed, servers

STACK = servers.TOP / "deploy" / "stack" / "exporter.yml"

EXACT = 1e-6
EXTRAPOLATED = 2e-3

VERSIONS = ("2.42", "3")


def with_sources(config: Config, options: Mapping[str, object]) -> Config:
    """The stack's configuration with other source options, by role."""
    environments = tuple(msgspec.structs.replace(e, source=options[e.role]) for e in config.environments)
    return msgspec.structs.replace(config, environments=environments)


@pytest.fixture(scope="module")
def config() -> Config:
    return sources.read(STACK)


@pytest.fixture(scope="module")
def computed(config: Config) -> Snapshot:
    """The round as the demo source gives it."""
    options = demo.Options(seed=seed.SEED)
    return pipeline.round_once(with_sources(config, {"production": options, "pte": options}), seed.END)


@pytest.fixture(scope="module", params=VERSIONS)
def queried(
    request: pytest.FixtureRequest, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Snapshot]:
    """The round as a real Prometheus gives it, filled with the demo's history."""
    directory = tmp_path_factory.mktemp("agreement")
    with servers.prometheus(request.param, directory, blocks=seed.tsdb()) as server:
        yield ask(config, server)


def ask(config: Config, server: servers.Server) -> Snapshot:
    options: dict[str, object] = {
        e.role: msgspec.structs.replace(e.source, url=server.url) for e in config.environments
    }
    return pipeline.round_once(with_sources(config, options), seed.END)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value in a result by its path."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from leaves(entry, f"{path}.{key}")
    elif isinstance(value, tuple) and value and isinstance(value[0], RouteCount):
        yield from leaves({f"{item.method} {item.route}": (item.requests, item.successes) for item in value}, path)
    elif isinstance(value, tuple):
        yield f"{path}#", len(value)
        for position, entry in enumerate(value):
            yield from leaves(entry, f"{path}[{position}]")
    else:
        yield path, value


def same(item: object, other: object, tolerance: float) -> bool:
    """Numbers within the tolerance, relative, and absolute near zero; the numbers in a text may be rounded elsewise."""
    if isinstance(item, float) and isinstance(other, float):
        return math.isclose(item, other, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
    if isinstance(item, str) and isinstance(other, str):
        return re.sub(r"[\d.]+", "#", item) == re.sub(r"[\d.]+", "#", other)
    return item == other


def differences(item: object, other: object, tolerance: float) -> list[str]:
    """Where two results differ by more than the tolerance."""
    remaining, right = dict(leaves(item)), dict(leaves(other))
    pairs = {
        path: (remaining.get(path, "absent"), right.get(path, "absent")) for path in remaining.keys() | right.keys()
    }
    return sorted(f"{path}: {a} and {b}" for path, (a, b) in pairs.items() if not same(a, b, tolerance))


def test_one_minute_signals_agree(computed: Snapshot, queried: Snapshot) -> None:
    """Summaries of one-minute values, test runs and their minutes are the same to the sixth digit."""
    for role in ("production", "pte"):
        actual, read = getattr(computed, role), getattr(queried, role)
        assert read.applications.keys() == actual.applications.keys()
        for name, application in actual.applications.items():
            other = read.applications[name]
            for part in ("window", "signals", "minutes", "run"):
                assert differences(getattr(application, part), getattr(other, part), EXACT) == [], (
                    f"{role} {name} {part}"
                )


def test_results_agree(computed: Snapshot, queried: Snapshot) -> None:
    """Every result is the same within what rate() extrapolates, except those of result files and incidents."""
    actual = {name: without_files(application) for name, application in computed.applications.items()}
    assert differences(actual, queried.applications, EXTRAPOLATED) == []


def without_files(result: ApplicationResult) -> ApplicationResult:
    """The demo has result files and incidents too, which no Prometheus holds."""
    production = result.production and dataclasses.replace(result.production, incidents=None)
    pte = result.pte and dataclasses.replace(result.pte, load_runs=(), load_baseline=None, incidents=None)
    return dataclasses.replace(result, production=production, pte=pte, load_run=None)


def test_recorded_minutes_agree(computed: Snapshot, config: Config, tmp_path: Path) -> None:
    """Production's day from the shipped recording rules is the same to the sixth digit."""
    blocks = tmp_path / "blocks"
    shutil.copytree(seed.tsdb(), blocks, copy_function=os.link)
    with servers.prometheus("3", tmp_path / "raw", blocks=blocks) as server:
        record(server, blocks, tmp_path / "production.yml")
    with servers.prometheus("3", tmp_path / "recorded", blocks=blocks) as server:
        recorded_now = f"{server.url}/api/v1/query?query=application:pte_observed_requests:rate1m&time={seed.END}"
        assert len(requests.get(recorded_now, timeout=60).json()["data"]["result"]) == len(computed.applications)
        item = ask(config, server)
    assert computed.production is not None
    assert item.production is not None
    for name, application in computed.production.applications.items():
        assert differences(application.signals, item.production.applications[name].signals, EXACT) == [], name
        assert differences(application.latency, item.production.applications[name].latency, EXACT) == [], name


def record(server: servers.Server, blocks: Path, rules: Path) -> None:
    """Record production's last day, and three minutes more, with the shipped rules."""
    groups = yaml.safe_load((servers.TOP / "rules" / "observed.rules.yml").read_text())["groups"]
    rules.write_text(yaml.safe_dump({"groups": [group for group in groups if group["name"].endswith("production")]}))
    times = ["--start", f"{seed.END - 86400 - 180:.0f}", "--end", f"{seed.END + 60:.0f}"]
    servers.create_rule_blocks("3", server, rules, times, blocks)


def test_recording_agrees(computed: Snapshot, config: Config, tmp_path: Path) -> None:
    """A report that is written and read back gives the same results to the last bit, except for absent data."""
    file = tmp_path / "report.json"
    file.write_bytes(FORMATS["json"](computed))
    options = recorded.Options(file=file)
    again = pipeline.round_once(with_sources(config, {"production": options, "pte": options}), seed.END)
    assert again.production == computed.production
    assert again.pte == computed.pte
    for name, result in computed.applications.items():
        for part in ("gaps", "load", "coverage", "capacity", "efficacy", "next_certification", "pattern", "run"):
            assert getattr(again.applications[name], part) == getattr(result, part), f"{name} {part}"
