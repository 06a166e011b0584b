"""What the doctor says of reports of test runners: one golden transcript per failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.model.checkup import CheckVerdict
from tests.commands.doctor.making import examined, step
from tests.doctoring import assert_golden, transcript
from tests.making_runs import touch

SUITE = "<testsuites><testsuite name='unit'>%s</testsuite></testsuites>"
CASE = "<testcase name='a' time='1'/>"


def report(folder: Path, text: str = SUITE % CASE, age: float = 3600.0, name: str = "a.xml") -> None:
    path = folder / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    touch(path, age)


def _old(folder: Path) -> None:
    report(folder, age=8 * 86400.0)


CASES: dict[str, tuple[Callable[[Path], None], str, str, CheckVerdict, str, str]] = {
    "no-folder": (lambda _: None, "configuration", "", "failed", "a typo in the path", "absolute path"),
    "no-file": (
        lambda folder: report(folder, name="a.txt"),
        "found", "shop", "failed", "a typo in the path", "try it with ls",
    ),
    "other-xml": (
        lambda folder: report(folder, "<coverage/>"),
        "format", "shop", "failed", "only logs or other files", "narrow the globs",
    ),
    "no-xml": (
        lambda folder: report(folder, "{}"),
        "format", "shop", "failed", "a log or another file", "narrow the globs",
    ),
    "cut-off": (
        lambda folder: report(folder, (SUITE % CASE)[:50]),
        "complete", "shop", "failed", "another kind or version", "docs/reference/sources.md",
    ),
    "waiting": (
        lambda folder: report(folder, age=2),
        "complete", "shop", "warning", "still being written", "wait",
    ),
    "no-test": (
        lambda folder: report(folder, SUITE % ""),
        "complete", "shop", "warning", "the runner found no test", "test selection",
    ),
    "old": (_old, "fresh", "shop", "failed", "nothing ran since", "run it again"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_failure_has_its_cause_and_remedy(name: str, tmp_path: Path) -> None:
    """Each failure is in the right step, names its likeliest cause first, and reads as the golden file."""
    make, check, subject, verdict, cause, remedy = CASES[name]
    make(tmp_path / "reports")
    done = examined(tmp_path, "ci", kind="junit", folder=tmp_path / "reports")
    result = step(done, check, subject)
    assert result.verdict == verdict
    assert cause in result.causes[0].text
    assert remedy in result.causes[0].remedy
    assert done.well == (verdict == "warning")
    assert_golden(f"junit-{name}", transcript(done, tmp_path))


def test_all_is_well(tmp_path: Path) -> None:
    """A report that is there, known, whole and new leaves nothing to say; coverage beside it is passed by."""
    report(tmp_path / "reports")
    report(tmp_path / "reports", "<coverage/>", 60.0, "coverage.xml")
    done = examined(tmp_path, "ci", kind="junit", folder=tmp_path / "reports")
    assert {result.verdict for result in done.steps} == {"ok"}
    assert_golden("junit-well", transcript(done, tmp_path))
