"""Recordings: read back as they were written, and refused in one line when they cannot be true."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exporter.errors import SourceError
from exporter.model.observation import ApplicationObservation, Observation, Samples, Summary, TestRun, Window
from exporter.sources import Activity
from exporter.sources.recorded import Options, Source, problems
from tests.seed import END
from tests.sources.test_demo import DAY, production, runs

DAY_BEFORE = Window(END - DAY, END)


def write(path: Path, content: object) -> Source:
    path.write_bytes(msgspec.json.encode(content))
    return Source(Options(file=path), "pte")


def never(_: Activity) -> Mapping[str, Window]:
    raise AssertionError("asked to choose a run that the recording names")


def both() -> dict[str, Any]:
    return {"observations": {"production": production(END), "pte": runs(END)}, "version": "1", "sides": {}}


def test_a_report_is_read_back(tmp_path: Path) -> None:
    """Both sides come back as they were recorded, under the reader's own name for the side."""
    source = write(tmp_path / "report.json", both())
    week = Window(END - 7 * DAY, END)
    assert source.observe(DAY_BEFORE, week) == replace(production(END), side="pte")
    assert source.observe_runs(DAY_BEFORE, 1.0, never) == runs(END)


def test_incidents_are_read_back(tmp_path: Path) -> None:
    """Those of the demo's production come back, open ones as open; a report from before there were any has none."""
    raw = both()
    source = write(tmp_path / "report.json", raw)
    applications = source.observe(DAY_BEFORE).applications
    assert any(incident.is_open for item in applications.values() for incident in item.incidents or ())
    assert {name: item.incidents for name, item in applications.items()} == {
        name: application.incidents for name, application in production(END).applications.items()
    }
    old = json.loads(msgspec.json.encode(raw))
    for side in old["observations"].values():
        for entry in side["applications"].values():
            del entry["incidents"]
            for summary in entry["signals"].values():
                del summary["resolution"]
    earlier = write(tmp_path / "old.json", old).observe(DAY_BEFORE).applications
    assert {item.incidents for item in earlier.values()} == {None}
    assert {summary.resolution for item in earlier.values() for summary in item.signals.values()} == {60.0}


def test_one_observation_is_read_back(tmp_path: Path) -> None:
    """A file may hold one observation alone."""
    source = write(tmp_path / "pte.json", runs(END))
    assert source.observe_runs(DAY_BEFORE, 1.0, never) == runs(END)


def test_pattern_only_when_asked_for(tmp_path: Path) -> None:
    """A round without a pattern has no five-minute rates."""
    source = write(tmp_path / "report.json", both())
    assert all(application.pattern is None for application in source.observe(DAY_BEFORE).applications.values())


@pytest.mark.parametrize("origin", [True, False])
def test_origin_of_a_run(tmp_path: Path, origin: bool) -> None:
    """A recorded run keeps its origin, and is `recorded` when none was written."""
    raw = msgspec.to_builtins(runs(END))
    if not origin:
        del raw["applications"]["shop"]["run"]["origin"]
    observation = write(tmp_path / "pte.json", raw).observe_runs(DAY_BEFORE, 1.0, never)
    run = observation.applications["shop"].run
    assert run is not None
    assert run.origin == ("detected" if origin else "recorded")


def test_window_is_the_run_where_there_are_no_minutes(tmp_path: Path) -> None:
    """Without a run and without minutes, the recorded window counts as the run."""
    application = ApplicationObservation(Window(0.0, 600.0), {"cpu": Summary(peak=0.5)})
    result = write(tmp_path / "pte.json", Observation("x", Window(0.0, 600.0), {"shop": application}))
    assert result.observe_runs(DAY_BEFORE, 1.0, never).applications == {
        "shop": replace(application, run=TestRun(Window(0.0, 600.0), "recorded"))
    }


def test_run_is_found_in_minutes(tmp_path: Path) -> None:
    """With minutes and without a run, only the chosen minutes count."""
    minutes = Samples((60.0, 120.0, 180.0, 240.0), (0.0, 5.0, 7.0, 0.5))
    application = ApplicationObservation(Window(0.0, 240.0), {"cpu": Summary(peak=0.5)}, minutes=minutes)
    source = write(
        tmp_path / "pte.json", Observation("x", Window(0.0, 240.0), {"shop": application, "idle": application})
    )

    def choose(activity: Activity) -> Mapping[str, Window]:
        assert activity["shop"] == Samples((120.0, 180.0), (5.0, 7.0))
        return {"shop": Window(60.0, 180.0)}

    applications = source.observe_runs(DAY_BEFORE, 1.0, choose).applications
    assert set(applications) == {"shop"}
    assert applications["shop"].run == TestRun(Window(60.0, 180.0), "detected")
    assert applications["shop"].minutes == Samples((120.0, 180.0), (5.0, 7.0))
    assert set(applications["shop"].signals) == {"request_rate"}
    assert applications["shop"].signals["request_rate"].peak == 7.0


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Sets the value at `path`: keys and positions joined by dots."""

    def apply(raw: dict[str, Any]) -> None:
        *variant, last = path.split(".")
        at: Any = raw
        for key in variant:
            at = at[int(key)] if isinstance(at, list) else at[key]
        at[int(last) if isinstance(at, list) else last] = value

    return apply


def incident(**changed: object) -> dict[str, object]:
    """A violation as in JSON, with changes."""
    warnings = {"kind": "violation", "name": "Errors", "entity": "web", "entity_type": "TIER", "severity": "warning"}
    return {**warnings, "start": 60, "end": 120, **changed}


SHOP = "applications.shop"
BAD = {
    "unknown field": (change(f"{SHOP}.colour", 1), "unknown field `colour` - at `$.applications.shop`"),
    "unknown signal": (change(f"{SHOP}.signals.disk", {}), "unknown signal `disk`"),
    "unknown quantile": (change(f"{SHOP}.signals.cpu.quantiles", {"0.42": 1.0}), "unknown quantile `0.42`"),
    "negative count": (change(f"{SHOP}.routes.0.requests", -1), "must be at least 0, got -1.0"),
    "negative rate": (change(f"{SHOP}.signals.request_rate.peak", -0.5), "must be at least 0, got -0.5"),
    "text for a number": (change(f"{SHOP}.latency.p95", "fast"), "Expected `float | null`, got `str`"),
    "window": (change(f"{SHOP}.window", {"start": 60, "end": 0}), "the window ends before it starts"),
    "times": (change(f"{SHOP}.minutes", {"times": [120, 60], "values": [1, 1]}), "times do not ascend"),
    "milliseconds": (
        change(f"{SHOP}.pattern", {"times": [1795168800000, 1795169100000], "values": [1, 1]}),
        "1795168800000 is after 2100, expected Unix seconds (not milliseconds) - at `$.applications.shop.pat",
    ),
    "late window": (
        change(f"{SHOP}.window", {"start": 60, "end": 1795168800000}),
        "1795168800000 is after 2100, expected",
    ),
    "bounds": (change(f"{SHOP}.latency.buckets", [[0.2, 1], [0.1, 2]]), "buckets do not ascend"),
    "buckets": (change(f"{SHOP}.latency.buckets", [[0.1, 2], [0.2, 1]]), "buckets do not ascend"),
    "negative noise": (change(f"{SHOP}.signals.latency_mean.noise", -1), "must be at least 0, got -1.0"),
    "lengths": (change(f"{SHOP}.minutes", {"times": [60, 120], "values": [1]}), "2 times and 1 values"),
    "no window": (change(f"{SHOP}.window", None), "Expected `object`, got `null`"),
    "origin": (change(f"{SHOP}.run.origin", "guessed"), "guessed"),
    "resolution": (change(f"{SHOP}.signals.cpu.resolution", 0), "a resolution of 0 seconds, must be at least 60"),
    "severity": (change(f"{SHOP}.incidents", [incident(severity="info")]), "Invalid enum value 'info'"),
    "incident": (change(f"{SHOP}.incidents", [incident(end=30)]), "the incident ends before it starts"),
    "event": (change(f"{SHOP}.incidents", [incident(kind="event", end=None)]), "an event must end at its"),
    "late incident": (change(f"{SHOP}.incidents", [incident(start=1795168800000, end=None)]), "is after 2100"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_named(tmp_path: Path, name: str) -> None:
    """Impossible values are rejected with file, location and problem, in one line."""
    apply, says = BAD[name]
    raw = json.loads(msgspec.json.encode(runs(END)))
    apply(raw)
    source = write(tmp_path / "pte.json", raw)
    with pytest.raises(SourceError) as caught:
        source.observe_runs(DAY_BEFORE, 1.0, never)
    assert caught.value.reason == "bad_data"
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'pte.json'}: ")
    assert "\n" not in str(caught.value)


def test_a_route_twice_is_named(tmp_path: Path) -> None:
    """Two counts for one route are rejected as ambiguous."""
    raw = json.loads(msgspec.json.encode(runs(END)))
    raw["applications"]["shop"]["routes"] *= 2
    with pytest.raises(SourceError, match="duplicate method and route"):
        write(tmp_path / "pte.json", raw).observe_runs(DAY_BEFORE, 1.0, never)


def test_an_application_without_a_name_is_refused(tmp_path: Path) -> None:
    """An empty label is no label to Prometheus, so its series would be those of no application."""
    raw = json.loads(msgspec.json.encode(runs(END)))
    raw["applications"][""] = raw["applications"]["shop"]
    with pytest.raises(SourceError, match=r"a name is empty - at `\$\.applications`"):
        write(tmp_path / "pte.json", raw).observe_runs(DAY_BEFORE, 1.0, never)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_json"),
        (b"<html>", "not_json"),
        (b'{"observations": {"production": null, "pte": nu', "not_json"),
        (b'{"side": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"side": "x", "clock_skew": 1e999}', "bad_data"),
        (b"[]", "bad_data"),
        (b'{"observations": {"production": null, "pte": null}}', "bad_data"),
        (b'{"observations": []}', "bad_data"),
        (b" " * 2000, "too_large"),
    ],
)
def test_bad_files_have_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    """Whatever the file holds, the error has the right reason, and one line."""
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    options = Options(file=file, max_bytes=1000 if reason == "too_large" else 10**6)
    with pytest.raises(SourceError) as caught:
        Source(options, "production").observe(DAY_BEFORE)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_unreadable(tmp_path: Path) -> None:
    """A missing file, a directory and a pipe without a writer are errors, without waiting."""
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        assert problems(Options(file=file))
        with pytest.raises(SourceError) as caught:
            Source(Options(file=file), "production").observe(DAY_BEFORE)
        assert caught.value.reason == "unreadable"


def test_a_file_that_comes_later_is_read(tmp_path: Path) -> None:
    """A failed poll leaves no state: the next one reads the current file."""
    source = Source(Options(file=tmp_path / "report.json"), "pte")
    with pytest.raises(SourceError):
        source.observe(DAY_BEFORE)
    write(tmp_path / "report.json", both())
    assert source.observe(DAY_BEFORE).applications
