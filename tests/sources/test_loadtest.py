"""Result files as a source, on real files."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from exporter import formats, sources
from exporter.analysis import run
from exporter.errors import ConfigError, SourceError
from exporter.formats import result_files
from exporter.model.observation import Observation, Window
from exporter.model.settings import TestRunSettings
from exporter.sources import Counting, loadtest
from tests.making_runs import START, load_run, touch, write

LOOKBACK = Window(START - 86400, START + 7200)


def observe(
    source: loadtest.Source, lookback: Window = LOOKBACK, explicit: Mapping[str, Window] | None = None
) -> Observation:
    choose = partial(run.choose, settings=TestRunSettings(), explicit=explicit or {})
    return source.observe_runs(lookback, 1.0, choose)


def source(folder: Path, **options: Any) -> loadtest.Source:
    return loadtest.Source(loadtest.Options(folder=folder, **options), "perf")


def test_each_folder_is_an_application(tmp_path: Path) -> None:
    """The newest run in an application's folder is its test run, and the older ones come with it."""
    write(tmp_path / "shop" / "monday.json", load_run(START - 7200))
    write(tmp_path / "shop" / "tuesday.json", load_run(START))
    write(tmp_path / "checkout" / "any.name", load_run(START - 3600, requests=600))
    observation = observe(source(tmp_path))
    assert (observation.side, observation.window, set(observation.applications)) == (
        "perf",
        LOOKBACK,
        {"shop", "checkout"},
    )
    shop = observation.applications["shop"]
    assert shop.window == Window(START, START + 660)
    assert shop.run is not None
    assert (shop.run.window, shop.run.origin) == (shop.window, "result_file")
    assert [load_run.run for load_run in shop.load_runs] == ["monday", "tuesday"]


def test_globs_name_applications(tmp_path: Path) -> None:
    """An application's files may lie anywhere, also in folders below."""
    write(tmp_path / "a" / "b" / "1.json", load_run())
    write(tmp_path / "other.json", load_run())
    application = loadtest.LoadTestApplication(files=(tmp_path / "a/**/*.json",), routes={"Log in": "POST /login"})
    observation = observe(loadtest.Source(loadtest.Options(applications={"shop": application}), "perf"))
    assert set(observation.applications) == {"shop"}
    assert ("POST", "/login") in {(route.method, route.route) for route in observation.applications["shop"].routes}
    assert observation.warnings == ()


def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    """A file changed within `settle` is not read; the previous run counts until then."""
    write(tmp_path / "shop" / "old.json", load_run(START - 7200))
    new = write(tmp_path / "shop" / "new.json", load_run(START), age=5)
    item = source(tmp_path)
    observation = observe(item)
    assert observation.applications["shop"].load_runs[-1].run == "old"
    [warnings] = [warning for warning in observation.warnings if "settle" in warning]
    assert warnings.startswith("shop: new.json is read at the first poll after 1 minute without a write (settle)")
    touch(new, 61)
    assert observe(item).applications["shop"].load_runs[-1].run == "new"
    assert not any("settle" in warning for warning in observe(item).warnings)


def test_what_lies_beside_results_is_not_waited_for(tmp_path: Path) -> None:
    """A growing log is not a pending run, and gives no warning."""
    write(tmp_path / "shop" / "old.json", load_run(START - 7200))
    (tmp_path / "shop" / "jmeter.log").write_text("2026-11-20 10:00:00,000 INFO o.a.j.u.JMeterUtils: Setting Locale\n")
    assert not any("jmeter.log" in warning for warning in observe(source(tmp_path)).warnings)


def test_a_broken_file_costs_only_itself(tmp_path: Path) -> None:
    """It is reported with its name and problem; other runs and applications count."""
    write(tmp_path / "shop" / "good.json", load_run())
    broken = tmp_path / "shop" / "broken.json"
    broken.write_bytes(b'{"pte_load_run":1,"result":{}}')
    touch(broken, 3600)
    write(tmp_path / "checkout" / "good.json", load_run())
    observation = observe(source(tmp_path))
    assert set(observation.applications) == {"shop", "checkout"}
    warnings = [warning for warning in observation.warnings if "broken" in warning]
    assert len(warnings) == 1
    assert warnings[0] == f"shop: {broken}: Object missing required field `tool`"


def test_where_nothing_is_found_that_is_told(tmp_path: Path) -> None:
    """A directory one level too deep, an empty one, a typo in a glob: no failure, but a warning for each."""
    write(tmp_path / "deep" / "1.json", load_run())
    assert observe(source(tmp_path / "deep")).warnings == (
        f"{tmp_path}/deep has no directories: each application's files belong in its own directory",
    )
    application = loadtest.LoadTestApplication(files=(tmp_path / "deep" / "*.jtx",))
    options = loadtest.Options(applications={"shop": application})
    assert observe(loadtest.Source(options, "perf")).warnings == (f"shop: no file matches {tmp_path}/deep/*.jtx",)


def test_files_of_other_kinds_are_told_once(tmp_path: Path) -> None:
    """Beside results lie reports and logs: they are counted, not listed."""
    write(tmp_path / "shop" / "good.json", load_run())
    for number, name in enumerate(("index.html", "readme.txt", "run.log")):
        (tmp_path / "shop" / name).write_text("<html>nothing that is known</html>", encoding="utf-8")
        touch(tmp_path / "shop" / name, 3600 + number)
    observation = observe(source(tmp_path, routes={"Log in": "POST /login"}))
    assert observation.warnings == (f"shop: 3 files have an unknown format, such as {tmp_path}/shop/index.html",)


def test_runs_of_a_tool_that_names_none_are_told_apart_by_folder(tmp_path: Path) -> None:
    """Gatling calls every log simulation.log."""
    sample = (Path(__file__).parents[1] / "formats" / "files" / "gatling-3.4.log").read_bytes()
    path = tmp_path / "checkout-20261120" / "simulation.log"
    path.parent.mkdir()
    path.write_bytes(sample)
    assert formats.read(path).run == "checkout-20261120"


def test_a_run_that_was_ended_early_does_not_count(tmp_path: Path) -> None:
    """The newest complete run counts, and the other one gives a warning."""
    write(tmp_path / "shop" / "whole.json", load_run(START - 7200))
    write(tmp_path / "shop" / "cut.json", replace(load_run(), complete=False))
    observation = observe(source(tmp_path))
    assert [load_run.run for load_run in observation.applications["shop"].load_runs] == ["whole"]
    assert f"shop: {tmp_path}/shop/cut.json: the run was stopped early and does not count" in observation.warnings


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    """The same bytes are not read again; a file that was replaced is, and one that is gone is forgotten."""
    path = write(tmp_path / "shop" / "one.json", load_run(requests=600))
    item = source(tmp_path)
    first = observe(item).applications["shop"].load_runs[-1]
    stamp = path.stat()
    path.write_bytes(b"x" * stamp.st_size)  # as long and as old as before: taken for the same
    os.utime(path, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    assert observe(item).applications["shop"].load_runs[-1] == first
    write(path, load_run(requests=900), age=1800)
    assert observe(item).applications["shop"].load_runs[-1].total.requests == 900
    path.unlink()
    assert observe(item).applications == {}


def test_only_runs_in_the_look_back_are_test_runs(tmp_path: Path) -> None:
    """An older run is only history, and one that ends after the look-back waits for the next poll."""
    write(tmp_path / "shop" / "1.json", load_run(START - 10 * 86400))
    item = source(tmp_path)
    assert observe(item).applications == {}
    assert observe(item).warnings == ("shop: the newest run, 1, ended 2026-11-10 08:10 UTC: outside the look-back",)
    write(tmp_path / "shop" / "2.json", load_run(START))
    assert observe(item, Window(START - 86400, START + 300)).applications == {}
    assert [load_run.run for load_run in observe(item).applications["shop"].load_runs] == ["1", "2"]


def test_an_explicit_window_wins(tmp_path: Path) -> None:
    """Where a window is configured, the run in it is taken though a newer one is there."""
    write(tmp_path / "shop" / "1.json", load_run(START - 7200))
    write(tmp_path / "shop" / "2.json", load_run(START))
    window = Window(START - 7200, START - 7200 + 660)
    shop = observe(source(tmp_path), explicit={"shop": window}).applications["shop"]
    assert [load_run.run for load_run in shop.load_runs] == ["1"]
    assert shop.window == window


def test_history_is_bounded(tmp_path: Path) -> None:
    """Only as many runs are read as configured, the newest ones."""
    for number in range(8):
        write(tmp_path / "shop" / f"{number}.json", load_run(START - 3600 * number, requests=60), age=3600 + number)
    application = observe(source(tmp_path, history=3)).applications["shop"]
    assert [load_run.run for load_run in application.load_runs] == ["2", "1", "0"]


def test_the_baseline_comes_with_the_run(tmp_path: Path) -> None:
    """A saved run accompanies the newest; a missing one gives a warning."""
    write(tmp_path / "results" / "1.json", load_run())
    base = write(tmp_path / "main.json", load_run(START - 86400 * 30, latency=0.2), age=0)
    application = loadtest.LoadTestApplication(files=(tmp_path / "results/*",), baseline=base)
    source = loadtest.Source(loadtest.Options(applications={"shop": application}), "perf")
    baseline = observe(source).applications["shop"].load_baseline
    assert baseline is not None
    assert baseline.run == "main"
    base.unlink()
    observation = observe(source)
    assert observation.applications["shop"].load_baseline is None
    assert f"shop: no baseline: {base}: no such file" in observation.warnings


def test_events_are_those_of_the_runs(tmp_path: Path) -> None:
    """SLOs on the PTE's side count the requests of every run, once."""
    write(tmp_path / "shop" / "1.json", load_run(START, requests=600))
    write(tmp_path / "shop" / "2.json", load_run(START + 3600, requests=900))
    item = source(tmp_path)
    assert isinstance(item, Counting)
    result = item.events("pte", {"shop": Window(START - 3600, START + 7200), "nobody": LOOKBACK})
    assert set(result) == {"shop"}
    assert result["shop"].requests == 1500


def test_a_folder_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    """No folder is not the same as no run."""
    with pytest.raises(SourceError, match="cannot be read: No such file or directory") as caught:
        observe(source(tmp_path / "gone"))
    assert caught.value.reason == "unreadable"


def test_odd_things_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    """Directories, pipes, dangling links and hidden directories are ignored, without waiting for them."""
    write(tmp_path / "shop" / "1.json", load_run())
    (tmp_path / "shop" / "folder").mkdir()
    os.mkfifo(tmp_path / "shop" / "pipe")
    (tmp_path / "shop" / "link").symlink_to(tmp_path / "nowhere")
    write(tmp_path / ".git" / "x.json", load_run())
    began = time.monotonic()
    assert set(observe(source(tmp_path)).applications) == {"shop"}
    assert time.monotonic() - began < 60


CONFIG = """
environments:
  - role: production
    source: {kind: demo}
  - role: pte
    source: SOURCE
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{kind: loadtest}",
            "environments[1].source.folder: missing, expected a directory, or `applications` with their files",
        ),
        (
            "{kind: loadtest, folder: /nowhere/at/all}",
            "environments[1].source.folder: /nowhere/at/all is not a directory",
        ),
        (
            "{kind: loadtest, folder: /tmp, history: 0}",
            "environments[1].source.history: must be at least 1",
        ),
        (
            "{kind: loadtest, applications: {shop: {files: []}}}",
            "environments[1].source.applications.shop.files: is empty, expected globs",
        ),
        (
            "{kind: loadtest, folder: /tmp, routes: {Log in: /login}}",
            "environments[1].source.routes.Log in: /login is not a route, "
            "expected a method and a path such as GET /cart",
        ),
    ],
)
def test_what_is_wrong_with_the_options_is_told(tmp_path: Path, text: str, problem: str) -> None:
    """Problems have the path of the key, and the expected value."""
    path = tmp_path / "exporter.yml"
    path.write_text(CONFIG.replace("SOURCE", text), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        sources.read(path)
    assert str(caught.value) == f"{path}: {problem}"


def test_globs_are_looked_for_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    """As all files are, wherever the program was started."""
    write(tmp_path / "results" / "1.json", load_run())
    path = tmp_path / "exporter.yml"
    text = "{kind: loadtest, applications: {shop: {files: [results/*.json]}}}"
    path.write_text(CONFIG.replace("SOURCE", text), encoding="utf-8")
    result = sources.build(sources.read(path).environment("pte"))
    assert isinstance(result, loadtest.Source)
    assert set(observe(result).applications) == {"shop"}


def test_production_is_not_read_from_result_files(tmp_path: Path) -> None:
    """A kind says which sides it can be."""
    path = tmp_path / "exporter.yml"
    path.write_text(
        CONFIG.replace("kind: demo", "kind: loadtest, folder: /tmp").replace("SOURCE", "{kind: demo}"), encoding="utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        sources.read(path)
    expected = "expected one of appdynamics, demo, prometheus, recorded"
    text = f"environments[0].source.kind: not a source for the role production, {expected}"
    assert str(caught.value) == f"{path}: {text}"


def test_a_disk_that_failed_is_asked_again(tmp_path: Path) -> None:
    """An unreadable file is read again even if unchanged; an invalid one is not."""
    path, answers = write(tmp_path / "1.json", load_run()), ["unreadable", "bad_data"]

    def content(_: Path) -> str:
        raise SourceError(answers.pop(0), "no")

    files = result_files.Files(content, 60)
    result = [files.get(path) for _ in range(3)]
    assert [item.reason for item in result if isinstance(item, SourceError)] == ["unreadable", "bad_data", "bad_data"]
