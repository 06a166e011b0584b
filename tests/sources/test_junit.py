"""Reports of test runners as a source, on real files, up to the published page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import catalogue, sources
from exporter.catalogue.exposition import render
from exporter.errors import ConfigError, SourceError
from exporter.model.observation import Observation, Window
from exporter.pipeline import Pipeline
from exporter.sources import junit
from tests.making_runs import touch

DAY = 86400.0


def write(path: Path, *cases: str, age: float = 3600.0, suite: str = 'name="unit"') -> Path:
    """A report that was written `age` seconds ago; a case is its name, with ! when it failed."""
    inside = "".join(
        f'<testcase name="{case.rstrip("!")}" time="2">{"<failure/>" if case.endswith("!") else ""}</testcase>'
        for case in cases
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<testsuites><testsuite {suite}>{inside}</testsuite></testsuites>", encoding="utf-8")
    touch(path, age)
    return path


def source(**options: Any) -> junit.Source:
    return junit.Source(junit.Options(**options), "ci")


def observe(source: junit.Source, lookback: float = 7 * DAY) -> Observation:
    now = time.time()
    return source.observe(Window(now - lookback, now))


def names(observation: Observation) -> dict[str, list[str]]:
    return {
        name: [report.name for report in application.reports] for name, application in observation.applications.items()
    }


def test_each_folder_is_an_application(tmp_path: Path) -> None:
    """Reports may be at any depth in an application's directory, and are ordered by their end."""
    write(tmp_path / "shop" / "main" / "2.xml", "a", age=100)
    write(tmp_path / "shop" / "1.xml", "a", age=7200)
    write(tmp_path / "shop" / "old.xml", "a", age=8 * DAY)
    write(tmp_path / "checkout" / "any.xml", "a", age=100)
    (tmp_path / "empty").mkdir()
    observation = observe(source(folder=tmp_path))
    assert (observation.side, observation.warnings) == ("ci", (f"empty: no file matches {tmp_path}/empty/**/*.xml",))
    assert names(observation) == {"shop": ["1", "2"], "checkout": ["any"], "empty": []}


def test_globs_name_applications(tmp_path: Path) -> None:
    """An application's reports may be anywhere, and its properties become labels."""
    write(tmp_path / "a" / "b" / "TEST-x.xml", "a", suite='name="x" device="pixel-8" hostname="rack"')
    files = junit.JunitApplication(files=(tmp_path / "a" / "**" / "TEST-*.xml",))
    observation = observe(source(applications={"shop": files}, properties=("hostname", "device")))
    [report] = observation.applications["shop"].reports
    assert report.executions[0].labels == {"hostname": "rack", "device": "pixel-8"}


def test_corrupt_reports_are_told_and_the_rest_counts(tmp_path: Path) -> None:
    """Each broken file is one warning with its place; XML of another kind is none, and nothing is lost."""
    write(tmp_path / "shop" / "good.xml", "a")
    bad = {"cut.xml": "<testsuite>\n<testcase name='a'", "empty.xml": "", "time.xml": "", "noise.xml": "\x00\x01"}
    for name, text in bad.items():
        (tmp_path / "shop" / name).write_text(text)
    (tmp_path / "shop" / "time.xml").write_text('<testsuite><testcase name="a" time="soon"/></testsuite>')
    (tmp_path / "shop" / "coverage.xml").write_text('<?xml version="1.0" ?>\n<coverage version="7"/>')
    for path in (tmp_path / "shop").iterdir():
        touch(path, 60)
    observation = observe(source(folder=tmp_path))
    assert names(observation) == {"shop": ["good"]}
    shop = tmp_path / "shop"
    assert sorted(observation.warnings) == [
        f"shop: {shop}/cut.xml: line 2, column 1: is not valid XML: unclosed token",
        f"shop: {shop}/empty.xml: is empty",
        f"shop: {shop}/noise.xml: line 1, column 1: is not valid XML: not well-formed (invalid token)",
        f"shop: {shop}/time.xml: test case 1 (a): time is soon, expected seconds, such as 1,234.5",
    ]


def test_files_are_read_once_and_when_they_have_settled(tmp_path: Path) -> None:
    """An unsettled report waits; a read one is cached until it changes or is deleted."""
    path = write(tmp_path / "shop" / "a.xml", "a", age=2)
    reports = source(folder=tmp_path)
    assert names(observe(reports)) == {"shop": []}
    touch(path, 30)
    first = observe(reports).applications["shop"].reports[0]
    assert observe(reports).applications["shop"].reports[0] is first
    write(path, "a", "b", age=20)
    assert len(observe(reports).applications["shop"].reports[0].executions) == 2
    path.unlink()
    assert names(observe(reports)) == {"shop": []}
    reports.close()


def test_only_the_newest_files_are_known(tmp_path: Path) -> None:
    """Files beyond `history` are not read, with a warning if they are in the look-back."""
    for number in range(5):
        write(tmp_path / "shop" / f"{number}.xml", "a", age=1000 - 100 * number)
    reports = source(folder=tmp_path, history=2)
    observation = observe(reports)
    assert names(observation) == {"shop": ["3", "4"]}
    assert observation.warnings == ("shop: the look-back has more than the 2 files that are read (history)",)
    assert observe(reports, lookback=790).warnings == ()


def test_it_is_no_pte_and_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """Requests for a PTE are an error, and so is an unreadable directory."""
    with pytest.raises(SourceError, match="contain nothing about a PTE"):
        source(folder=tmp_path).observe_runs(Window(0, 1), 1.0, lambda activity: {})
    with pytest.raises(SourceError, match="none: cannot be read: No such file or directory"):
        observe(source(folder=tmp_path / "none"))


def config(folder: Path, ci: dict[str, Any], **analysis: Any) -> Path:
    demo = [{"role": role, "source": {"kind": "demo"}} for role in ("production", "pte")]
    path = folder / "exporter.yml"
    environments = [*demo, {"role": "ci", "source": {"kind": "junit", **ci}}]
    path.write_text(yaml.safe_dump({"environments": environments, "analysis": analysis}))
    return path


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "folder: missing, expected a directory, or `applications` with their files"),
        ({"folder": "/none"}, "folder: /none is not a directory"),
        ({"folder": ".", "history": 0}, "history: must be at least 1"),
        ({"applications": {"a": {"files": []}}}, "applications.a.files: is empty, expected globs"),
        (
            {"folder": ".", "properties": ["a", "a"]},
            "properties[1]: expected the name of a property, without duplicates",
        ),
        (
            {"folder": ".", "timezone": "Mars"},
            'timezone: unknown time zone "Mars", expected an IANA name such as Europe/Berlin or UTC',
        ),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, options: dict[str, Any], problem: str) -> None:
    """A configuration without possible results is rejected."""
    with pytest.raises(ConfigError) as caught:
        sources.read(config(tmp_path, options))
    assert str(caught.value) == f"{tmp_path}/exporter.yml: environments[2].source.{problem}"


def test_expectations_that_cannot_be_judged(tmp_path: Path) -> None:
    """The expected interval of tests is below the look-back, and limits are ratios."""
    executions = {"lookback": "1d", "expected": {"shop": "1d", "search": "1h"}, "failure_ratio": 20}
    with pytest.raises(ConfigError) as caught:
        sources.read(config(tmp_path, {"folder": "."}, test_executions=executions))
    location = f"{tmp_path}/exporter.yml: analysis.test_executions"
    assert sorted(map(str, caught.value.problems)) == [
        f"{location}.expected.shop: must be below analysis.test_executions.lookback",
        f"{location}.failure_ratio: must be between 0 and 1, got 20",
    ]


def test_up_to_the_page(tmp_path: Path) -> None:
    """Reports beside the configuration are published; an expected application without reports has no evidence."""
    write(tmp_path / "reports" / "shop" / "1.xml", "a", "b!", "c", age=600, suite='name="unit" device="pixel-8"')
    read = sources.read(config(tmp_path, {"folder": "reports"}, test_executions={"expected": {"search": "1h"}}))
    pipeline = Pipeline(read)
    now = time.time()
    pipeline.poll("ci", now)
    page = render(pipeline.snapshot(now), catalogue.ALL).body.decode().splitlines()
    pipeline.close()
    for line in (
        'pte_test_execution_evidence{application="shop"} 1',
        'pte_test_execution_evidence{application="search"} 0',
        'pte_test_execution_expected_seconds{application="search"} 3600',
        'pte_test_execution_last_tests{application="shop",outcome="failed"} 1',
        'pte_test_execution_suite_tests{application="shop",suite="unit",outcome="passed"} 2',
        'pte_test_execution_value_failing{application="shop",property="device",value="pixel-8"} 1',
        'pte_test_execution_limit{application="shop",limit="lookback_seconds"} 604800',
        'pte_test_execution_test_failing{application="shop",suite="unit",test="b"} 1',
    ):
        assert line in page, line
    assert not [line for line in page if line.startswith("pte_test_execution_mttr_seconds{")]
    assert not [
        line for line in page if line.startswith("pte_test_execution") and 'search"' in line and "_ratio{" in line
    ]
