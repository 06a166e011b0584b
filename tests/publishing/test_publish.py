"""The command `publish`: textfiles, output, and rejected inputs."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest

from exporter import cli
from exporter.analysis.loadrun import as_observation, mapped
from exporter.catalogue.exposition import render
from exporter.model.loadrun import Figures, LoadRun, RunEndpoint
from exporter.model.settings import AnalysisSettings
from exporter.pipeline import of_run
from exporter.publishing import publication
from exporter.publishing.page import SERIES
from tests.exposition import lint, samples
from tests.publishing.making import START, later, load_run, request, write


def published(folder: Path, application: str = "shop") -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """Name to labels to value, from the textfile."""
    series: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for (name, labels), value in samples((folder / f"pte_exporter_{application}.prom").read_bytes()).items():
        series.setdefault(name, {})[labels] = value
    return series


def command(tmp_path: Path, *arguments: str, application: str = "shop") -> int:
    result = tmp_path / "result.json"
    if not result.exists():
        write(result, load_run())
    return cli.main(["publish", str(result), "--application", application, *arguments])


def test_a_textfile_is_whole_readable_and_replaced(tmp_path: Path) -> None:
    """The file has mode 0644, no other file remains beside it, and a new run replaces it."""
    to = request("--to", "textfile", str(tmp_path), "--run-id", "first", "--commit", "abc")
    publication.publish(load_run(), to)
    publication.publish(later(load_run(names={"GET /basket": 10}), 1), to)
    (file,) = tmp_path.iterdir()
    assert file.name == "pte_exporter_shop.prom"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    series = published(tmp_path)
    (info,) = series["pte_load_run_info"]
    assert {("run", "first"), ("commit", "abc"), ("tool", "k6")} <= info
    assert [dict(labels)["endpoint"] for labels in series["pte_load_run_endpoint_requests"]] == ["GET /basket"]


@pytest.mark.parametrize("version", ["2.42", "3"])
def test_the_page_has_nothing_to_complain_about(tmp_path: Path, version: str) -> None:
    """Promtool's lint finds no fault, and no series has a label that a scrape sets."""
    publication.publish(load_run(), request("--to", "textfile", str(tmp_path)))
    body = (tmp_path / "pte_exporter_shop.prom").read_bytes()
    assert lint(body, version) == ""
    assert all(not {"job", "instance"} & {name for name, _ in labels} for _, labels in samples(body))


def test_the_page_is_the_one_that_serve_has(tmp_path: Path) -> None:
    """The same run gives the same families and values on both ways."""
    publication.publish(load_run(), request("--to", "textfile", str(tmp_path)))
    run = mapped(load_run(), {})
    observation = dataclasses.replace(as_observation(run), load_runs=(run,))
    snapshot = of_run("shop", observation, AnalysisSettings(), run.end + 60)
    assert (tmp_path / "pte_exporter_shop.prom").read_bytes() == render(snapshot, SERIES).body


@pytest.mark.parametrize("application", ["../x", "a b", "ü", "."])
def test_no_application_leaves_the_folder(tmp_path: Path, application: str) -> None:
    """Whatever the application is called, its file lies in the folder."""
    folder = tmp_path / "inside"
    folder.mkdir()
    publication.publish(load_run(), request("--to", "textfile", str(folder), application=application))
    assert len(list(folder.glob("pte_exporter_*.prom"))) == 1
    assert list(tmp_path.iterdir()) == [folder]


def test_routes_are_taken_from_everywhere(tmp_path: Path) -> None:
    """--route wins over --routes, which wins over the configuration; other names are unmapped."""
    (tmp_path / "routes.yml").write_text("Log in: POST /from-file\nGET /cart: GET /basket\n")
    (tmp_path / "exporter.yml").write_text(
        "environments:\n- {role: production, source: {kind: demo}}\n"
        "- role: pte\n  source:\n    kind: loadtest\n"
        "    applications: {shop: {files: [x], routes: {Log in: POST /from-config, Pay: POST /pay}}}\n"
    )
    write(tmp_path / "result.json", load_run(names={"GET /cart": 10, "Log in": 10, "Pay": 10, "Look": 10}))
    arguments = ("--config.file", str(tmp_path / "exporter.yml"), "--routes", str(tmp_path / "routes.yml"))
    assert command(tmp_path, *arguments, "--route", "Log in=POST /login", "--to", "textfile", str(tmp_path)) == 0
    routes = {
        (labels["endpoint"], labels["method"], labels["route"])
        for labels in map(dict, published(tmp_path)["pte_load_run_endpoint_requests"])
    }
    assert routes == {
        ("GET /cart", "GET", "/basket"),
        ("Log in", "POST", "/login"),
        ("Pay", "POST", "/pay"),
        ("Look", "unmapped", "Look"),
    }


def test_without_a_place_the_result_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is published, and a few lines say what there is."""
    assert command(tmp_path, "--run-id", "42", "--commit", "abc") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "shop: run 42 (k6, commit abc), grade A+"
    assert lines[1:3] == ["  4000 requests in 10 minutes, 6.667 req/s", "  10 failed (0.25 %)"]
    assert lines[3].startswith("  latency mean ")
    assert "no route is known of Log in" in lines[4]


@pytest.mark.parametrize("by", ["name", "file"])
def test_a_slower_run_is_told_against_a_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str) -> None:
    """A baseline by name or by file is compared with, and changes for the worse are printed and published."""
    folder = tmp_path / "baselines" / "shop"
    folder.mkdir(parents=True)
    saved = write(folder / "release.json", load_run("old"))
    write(tmp_path / "result.json", later(load_run("new", slow=1.8), 24))
    named = ("release", "--baselines", str(tmp_path / "baselines")) if by == "name" else (str(saved),)
    assert command(tmp_path, "--baseline", *named, "--to", "textfile", str(tmp_path)) == 0
    output = capsys.readouterr().out
    assert "all requests: P95 latency +80" in output
    series = published(tmp_path)
    key = frozenset({("application", "shop"), ("against", "baseline"), ("metric", "latency_p95")})
    assert series["pte_load_run_change_ratio"][key] == pytest.approx(0.8, abs=0.02)
    assert series["pte_load_run_change_severity"][key] == 4
    worse = {dict(labels)["endpoint"] for labels in series["pte_load_run_endpoint_change_severity"]}
    assert worse == {"GET /cart", "Log in"}


def test_a_broken_file_of_the_history_is_told_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The runs before that can be read count; what cannot is a warning, and the run itself is none of them."""
    for number in range(3):
        write(tmp_path / f"old{number}.json", later(load_run(f"old{number}"), -number - 1))
    (tmp_path / "torn.json").write_text("{")
    assert command(tmp_path, "--history", str(tmp_path / "*.json")) == 0
    assert f"warning: ignored: {tmp_path / 'torn.json'}: has an unknown format" in capsys.readouterr().out


def test_endpoints_beyond_the_cap_are_added_up(tmp_path: Path) -> None:
    """Requests of omitted names count as other: the sum stays the same."""
    many = tuple(RunEndpoint(f"GET /{n}", Figures(n + 1, 0)) for n in range(30))
    run = dataclasses.replace(load_run(), endpoints=many)
    (tmp_path / "exporter.yml").write_text(
        "environments:\n- {role: production, source: {kind: demo}}\n- {role: pte, source: {kind: demo}}\n"
        "analysis: {routes: {max_endpoints: 5}}\n"
    )
    publication.publish(
        run, request("--to", "textfile", str(tmp_path), "--config.file", str(tmp_path / "exporter.yml"))
    )
    series = published(tmp_path)["pte_load_run_endpoint_requests"]
    assert len(series) == 6
    assert sum(series.values()) == sum(range(31))


def test_kinds_and_thresholds_beyond_the_cap(tmp_path: Path) -> None:
    """Errors beyond twenty kinds are added up; of more thresholds those that were not met are shown."""
    errors = {f"HTTP {400 + n}": 100 - n for n in range(30)}
    total = dataclasses.replace(load_run().total, failures=sum(errors.values()), errors=errors)
    checks = {f"a{n:02}": True for n in range(30)} | {"z": False}
    publication.publish(
        dataclasses.replace(load_run(), total=total, checks=checks), request("--to", "textfile", str(tmp_path))
    )
    series = published(tmp_path)
    kinds = series["pte_load_run_errors"]
    assert len(kinds) == 21
    assert sum(kinds.values()) == sum(errors.values())
    assert kinds[frozenset({("application", "shop"), ("kind", "other")})] == sum(100 - n for n in range(20, 30))
    met = series["pte_load_run_check_met"]
    assert len(met) == 20
    assert met[frozenset({("application", "shop"), ("check", "z")})] == 0


def test_what_is_not_told_is_absent(tmp_path: Path) -> None:
    """A summary without failures, percentiles, users and bytes gives none of these, no grade, and says so."""
    bare = LoadRun("hey", "hey", START, START + 60, Figures(600), run="bare")
    publication.publish(bare, request("--to", "textfile", str(tmp_path)))
    series = published(tmp_path)
    assert series["pte_load_run_grade_evidence"] == {frozenset({("application", "shop")}): 0}
    names = {name.removeprefix("pte_load_run_") for name in series}
    absent = {
        "failures",
        "success_ratio",
        "errors",
        "latency_seconds",
        "users",
        "received_bytes",
        "sent_bytes",
        "grade",
    }
    assert not names & (absent | {"grade_level", "check_met", "usage_cpu_cores", "endpoint_requests"})
    assert {"requests", "requests_per_second", "complete", "info"} <= names


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--to", "pushgateway", "ftp://x"), "--to pushgateway: url: not an http or https URL"),
        (("--to", "pushgateway", "http://u:p@x"), "contains a user or password; use --to.config.file"),
        (("--to", "textfile", "/no/such/folder"), "is not a directory"),
        (
            ("--baseline", "gone"),
            "gone: no such baseline of shop, and no such file: baselines/shop/gone.json does not exist",
        ),
        (("--baseline", "../../x"), "../../x: no such file"),
        (("--routes", "/no/such.yml"), "/no/such.yml: cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong argument is reported with the expected value, and nothing is published."""
    assert command(tmp_path, *arguments) == 1
    said = capsys.readouterr()
    assert text in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--to", "mail", "x"), "--to mail: unknown kind, expected one of: pushgateway, textfile"),
        (("--to", "textfile"), "--to: expected 2 arguments"),
        (("--route", "Log in"), "--route: Log in: expected NAME=METHOD PATH"),
        (("--route", "Log in=login"), "--route: Log in=login: expected NAME=METHOD PATH"),
    ],
)
def test_wrong_usage_is_told_as_such(
    tmp_path: Path, arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be seen from the arguments alone is exit code 2."""
    with pytest.raises(SystemExit) as ended:
        command(tmp_path, *arguments)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_a_run_without_requests_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would replace the last run that there was by nothing."""
    write(tmp_path / "result.json", dataclasses.replace(load_run(), total=Figures(0), endpoints=()))
    assert command(tmp_path, "--to", "textfile", str(tmp_path)) == 1
    assert "contains no requests" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.prom"))


def report(path: Path, *cases: str) -> Path:
    """JUnit XML; a case is its name, with ! when it failed."""
    inside = "".join(
        f'<testcase name="{case.rstrip("!")}" time="2">{"<failure/>" if case.endswith("!") else ""}</testcase>'
        for case in cases
    )
    path.write_text(f'<testsuite name="{path.stem}">{inside}</testsuite>', encoding="utf-8")
    return path


def test_reports_of_test_runners_are_published_beside_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JUnit XML is recognised; the files of one run of tests go together into a file of their own."""
    first, second = report(tmp_path / "one.xml", "a", "b!"), report(tmp_path / "two.xml", "c")
    to = ("--application", "shop", "--to", "textfile", str(tmp_path))
    assert command(tmp_path, *to[2:]) == 0
    capsys.readouterr()
    assert cli.main(["publish", str(first), str(second), *to]) == 0
    output = capsys.readouterr().out
    assert output.startswith("shop: 3 tests: 2 passed, 1 failed\n  failing: one: b\npublished to ")
    series = samples((tmp_path / "pte_exporter_shop.tests.prom").read_bytes())
    names = {name for name, _ in series}
    assert names
    assert all(name.startswith("pte_test_execution_") for name in names)
    assert "pte_load_run_requests" in published(tmp_path)


def test_results_and_reports_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two results, or a result among reports, would be two things under one name."""
    result = write(tmp_path / "result.json", load_run())
    junit_file = report(tmp_path / "one.xml", "a")
    assert cli.main(["publish", str(junit_file), str(result), "--application", "shop"]) == 1
    assert capsys.readouterr().err == (
        f"pte-exporter: {result}: is not JUnit XML: expected one load test result, or only JUnit XML files\n"
    )


@pytest.mark.parametrize("application", ["", " ", "a\nb"])
def test_an_application_has_a_name(tmp_path: Path, application: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty label is none: neither alerts nor boards would know whose the run is."""
    file = write(tmp_path / "r.json", load_run())
    with pytest.raises(SystemExit) as ended:
        cli.main(["publish", str(file), "--application", application, "--to", "textfile", str(tmp_path)])
    assert (ended.value.code, "expected a printable name" in capsys.readouterr().err) == (2, True)


def test_the_history_of_an_older_run_is_what_was_before_it(tmp_path: Path) -> None:
    """Runs that ended after it take no place of the newest 30."""
    for hours in range(60):
        write(tmp_path / f"h{hours}.json", later(load_run(f"h{hours}"), hours))
    publication.publish(
        later(load_run("old"), 20.5),
        request("--history", str(tmp_path / "h*.json"), "--to", "textfile", str(tmp_path)),
    )
    page = samples((tmp_path / "pte_exporter_shop.prom").read_bytes())
    evidence = {"application": "shop", "against": "history"}
    assert page["pte_load_run_change_evidence", frozenset(evidence.items())] == 1
