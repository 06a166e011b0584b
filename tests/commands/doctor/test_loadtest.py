"""What the doctor says of result files: one golden transcript per failure, with its first cause and remedy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.model.checkup import CheckVerdict
from exporter.model.loadrun import LoadRun
from tests.commands.doctor.making import examined, step
from tests.doctoring import assert_golden, transcript
from tests.making_runs import load_run, touch, write

ROUTES = {"Log in": "POST /login"}
DAY = 86400.0


def run(ago: float = 2 * 3600.0, **options: float) -> LoadRun:
    return load_run(time.time() - ago, **options)  # type: ignore[arg-type]


def content(path: Path, text: bytes, age: float = 3600.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    touch(path, age)


def _empty(folder: Path) -> None:
    folder.mkdir()


def _loose(folder: Path) -> None:
    write(folder / "a.json", run())


def _no_file(folder: Path) -> None:
    (folder / "shop").mkdir(parents=True)


def _unknown(folder: Path) -> None:
    content(folder / "shop" / "jmeter.log", b"INFO o.a.j.JMeter: Version 5.6\n")


def _no_bytes(folder: Path) -> None:
    content(folder / "shop" / "results.jtl", b"")


def _damaged(folder: Path) -> None:
    content(folder / "shop" / "results.jtl", b"timeStamp,elapsed,label,responseCode,success\n1,x,GET /,200,true\n")


def _ended_early(folder: Path) -> None:
    write(folder / "shop" / "a.json", replace(run(), complete=False))


def _waiting(folder: Path) -> None:
    write(folder / "shop" / "old.json", run(3 * 3600.0))
    write(folder / "shop" / "new.json", run(), age=5)


def _first_waits(folder: Path) -> None:
    write(folder / "shop" / "new.json", run(), age=5)


def _no_name_mapped(folder: Path) -> None:
    write(folder / "shop" / "a.json", load_run(time.time() - 7200, names={"Log in": 0.5, "Search": 0.5}))


def _some_unmapped(folder: Path) -> None:
    write(folder / "shop" / "a.json", load_run(time.time() - 7200, names={"GET /": 0.5, "Search": 0.5}))


def _old(folder: Path) -> None:
    write(folder / "shop" / "a.json", run(40 * DAY))


def _ahead(folder: Path) -> None:
    write(folder / "shop" / "a.json", run(-7200.0))


CASES: dict[str, tuple[Callable[[Path], None], str, str, CheckVerdict, str, str]] = {
    "no-folder": (lambda _: None, "configuration", "", "failed", "a typo in the path", "absolute path"),
    "empty-folder": (_empty, "found", "", "failed", "nothing was written yet", "check where the load generator"),
    "no-folders": (_loose, "found", "", "failed", "in the directory itself", "its own directory"),
    "no-file": (_no_file, "found", "shop", "failed", "a typo in the path", "try it with ls"),
    "unknown-format": (_unknown, "format", "shop", "failed", "a log or another file", "narrow the globs"),
    "empty-file": (_no_bytes, "format", "shop", "failed", "being written, or was cut off", "free space"),
    "damaged": (_damaged, "complete", "shop", "failed", "another kind or version", "docs/reference/sources.md"),
    "ended-early": (_ended_early, "complete", "shop", "failed", "ended it", "run it again"),
    "waiting": (_waiting, "complete", "shop", "warning", "still being written", "the run before it counts"),
    "first-waits": (_first_waits, "complete", "shop", "warning", "still being written", "wait"),
    "no-name-mapped": (_no_name_mapped, "mapped", "shop", "failed", "names requests freely", "add them to `routes`"),
    "some-unmapped": (_some_unmapped, "mapped", "shop", "warning", "names requests freely", "add them to `routes`"),
    "old": (_old, "fresh", "shop", "failed", "nothing ran since", "run it again"),
    "ahead": (_ahead, "fresh", "shop", "warning", "is ahead", "NTP"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_its_cause_and_remedy(name: str, tmp_path: Path) -> None:
    """Each failure is in the right step, names its likeliest cause first, and reads as the golden file."""
    make, check, subject, verdict, cause, remedy = CASES[name]
    make(tmp_path / "runs")
    routes = {} if name == "no-name-mapped" else ROUTES
    done = examined(tmp_path, "pte", kind="loadtest", folder=tmp_path / "runs", routes=routes)
    result = step(done, check, subject)
    assert result.verdict == verdict
    assert cause in result.causes[0].text
    assert remedy in result.causes[0].remedy
    assert done.well == (verdict == "warning")
    assert_golden(f"loadtest-{name}", transcript(done, tmp_path))


def test_all_is_well(tmp_path: Path) -> None:
    """A run that is there, known, whole, mapped and new leaves nothing to say."""
    write(tmp_path / "runs" / "shop" / "a.json", run())
    done = examined(tmp_path, "pte", kind="loadtest", folder=tmp_path / "runs", routes=ROUTES)
    assert {result.verdict for result in done.steps} == {"ok"}
    assert [result.check for result in done.steps] == [
        "configuration", "found", "found", "format", "complete", "mapped", "fresh", "observation",
    ]  # fmt: skip
    assert_golden("loadtest-well", transcript(done, tmp_path))


def test_one_application_s_failure_is_its_own(tmp_path: Path) -> None:
    """Steps of another application are not skipped, and the rest of the source is observed."""
    write(tmp_path / "runs" / "shop" / "a.json", run())
    _unknown(tmp_path / "other")
    files = {"files": [str(tmp_path / "other" / "shop" / "*")]}
    done = examined(
        tmp_path, "pte", kind="loadtest", folder=tmp_path / "runs", routes=ROUTES, applications={"other": files}
    )
    assert step(done, "complete", "other").verdict == "skipped"
    assert step(done, "complete", "shop").verdict == "ok"
    assert "1 application: shop" in step(done, "observation").found
    assert_golden("loadtest-one-of-two", transcript(done, tmp_path))


def test_files_beside_a_run_are_passed_by(tmp_path: Path) -> None:
    """The newest run is looked at, also where the tool wrote another file of the same run after it."""
    write(tmp_path / "runs" / "shop" / "a.json", run())
    content(tmp_path / "runs" / "shop" / "stats_failures.csv", b"Method,Name,Error,Occurrences\n", age=100)
    done = examined(tmp_path, "pte", kind="loadtest", folder=tmp_path / "runs", routes=ROUTES)
    assert step(done, "format", "shop").found == "a.json is in the format pte-exporter"
