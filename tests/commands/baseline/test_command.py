"""`pte-exporter baseline`: saved files, output, and the exit codes for pipelines."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exporter import cli, formats
from exporter.formats import saved
from tests.making_runs import START, load_run, write

DAY = 86400.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate folder with runs that are the same, slower, fewer, and a baseline called main."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, latency, requests in (
        ("old", 0.1, 20_000),
        ("same", 0.1, 20_000),
        ("slow", 0.13, 20_000),
        ("few", 0.1, 60),
    ):
        run = load_run(START + DAY, latency=latency, requests=requests, failures=0.02, seed=len(name) + requests)
        write(tmp_path / f"{name}.json", replace(run, run=name))
    assert cli.main(["baseline", "save", "main", "old.json", "--application", "shop", "--commit", "abc"]) == 0
    return tmp_path


def compare(*arguments: str) -> int:
    return cli.main(["baseline", "compare", *arguments, "--application", "shop"])


def test_a_saved_run_is_read_back_as_it_was(folder: Path) -> None:
    """All of it, under its own format, with the run's and commit's names."""
    run = formats.read(folder / "baselines" / "shop" / "main.json")
    assert run == replace(formats.read(folder / "old.json"), commit="abc")


def test_git_shows_what_changed_by_endpoint(folder: Path) -> None:
    """Each endpoint has its own line, and others may read the file."""
    path = folder / "baselines" / "shop" / "main.json"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line.split('"')[3] for line in lines if line.startswith('{"name"')] == ["GET /", "Log in", "POST /cart"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [file.name for file in path.parent.iterdir()] == ["main.json"]


def test_a_baseline_is_not_replaced_unless_forced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that is there stays as it was; --force replaces it."""
    path = folder / "baselines" / "shop" / "main.json"
    before = path.read_bytes()
    assert cli.main(["baseline", "save", "main", "slow.json", "--application", "shop"]) == 1
    assert capsys.readouterr().err == "pte-exporter: baselines/shop/main.json: exists already; --force replaces it\n"
    assert path.read_bytes() == before
    assert cli.main(["baseline", "save", "main", "slow.json", "--application", "shop", "--force"]) == 0
    assert formats.read(path).run == "slow"
    assert [file.name for file in path.parent.iterdir()] == ["main.json"]


@pytest.mark.parametrize("name", ["../main", "a/b", ".hidden", "", "x" * 101, "a b", "main\n"])
def test_names_that_lead_elsewhere_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Neither a baseline nor an application may be one, and nothing is written."""
    files = sorted(folder.rglob("*"))
    assert cli.main(["baseline", "save", name, "old.json", "--application", "shop"]) == 1
    assert cli.main(["baseline", "save", "main", "old.json", "--application", name]) == 1
    message = capsys.readouterr().err
    assert "the baseline's name is " in message
    assert "--application is " in message
    assert sorted(folder.rglob("*")) == files


def test_a_run_that_was_ended_early_is_no_baseline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is saved only if forced, and is not compared at all."""
    write(folder / "early.json", replace(load_run(), complete=False))
    assert cli.main(["baseline", "save", "early", "early.json", "--application", "shop"]) == 1
    assert "was ended early" in capsys.readouterr().err
    assert cli.main(["baseline", "save", "early", "early.json", "--application", "shop", "--force"]) == 0
    assert compare("main", "early.json") == 3


def test_the_list_tells_each_with_its_grade(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table and as JSON; another application's are left out when one is asked for."""
    assert cli.main(["baseline", "save", "v1", "few.json", "--application", "checkout"]) == 0
    capsys.readouterr()
    assert cli.main(["baseline", "list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["application", "name", "run", "commit", "ended", "grade", "requests", "P95", "success"]
    assert [row.split()[:3] for row in rows] == [["checkout", "v1", "few"], ["shop", "main", "old"]]
    assert cli.main(["baseline", "list", "--application", "shop", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["grade"], row["requests"], row["commit"]) == ("main", "A", 20_000, "abc")


def test_a_broken_baseline_is_told_and_the_others_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the file, and exit code 1."""
    (folder / "baselines" / "shop" / "broken.json").write_text("nothing", encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["baseline", "list"]) == 1
    output = capsys.readouterr()
    assert "shop         main" in output.out
    assert output.err.startswith("pte-exporter: baselines/shop/broken.json: has an unknown format")
    assert len(output.err.splitlines()) == 1


def test_a_slower_run_stops_the_pipeline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, the worst change first in the table and in the reason."""
    capsys.readouterr()
    assert compare("main", "slow.json") == 1
    output = capsys.readouterr()
    assert output.err.startswith("worse: P")
    first = output.out.splitlines()[3]
    assert "worse" in first
    assert "baseline" in first


def test_a_run_like_the_baseline_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and one line says so; a file may replace a name."""
    capsys.readouterr()
    assert compare("main", "same.json") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "pass: no change for the worse of severity medium or more"
    assert compare("old.json", "same.json") == 0


def test_severity_says_what_is_let_pass(folder: Path) -> None:
    """30 % slower is high, and no reason to stop where only critical ones are."""
    assert compare("main", "slow.json", "--severity", "critical") == 0
    assert compare("main", "slow.json", "--severity", "high") == 1


def test_a_grade_may_be_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that equals the baseline fails if both are below the required grade."""
    assert compare("main", "same.json", "--min-grade", "A") == 0
    assert compare("main", "same.json", "--min-grade", "A+") == 1
    assert "the grade is A, expected A+ or better" in capsys.readouterr().err


def test_too_few_requests_are_exit_code_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """60 requests are too few to rule out a slowdown, so the pipeline must not continue."""
    write(folder / "tiny.json", load_run(requests=60, failures=0.0, duration=2.0, seed=4))
    write(folder / "tiny2.json", load_run(requests=60, failures=0.0, duration=2.0, seed=5))
    assert compare("tiny.json", "tiny2.json") == 3
    assert capsys.readouterr().err.startswith("no evidence: ")


def test_results_of_another_test_are_not_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If no name is in both, the file is wrong, and the pipeline must not continue."""
    write(folder / "other.json", load_run(START + DAY, requests=20_000, latency=0.1, names={"GET /other": 1.0}))
    assert compare("main", "other.json") == 3
    assert "no name is in both results: are they of the same test?" in capsys.readouterr().err


def test_what_a_grade_lacks_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tool without P95 has no grade, and the message says why."""
    run = load_run(START + DAY, requests=20_000)
    bare = replace(run, total=replace(run.total, latency=replace(run.total.latency, p95=None)))
    write(folder / "bare.json", bare)
    assert compare("main", "bare.json", "--min-grade", "C") == 3
    assert "the grade is unknown, because the result has no P95" in capsys.readouterr().err
    assert cli.main(["publish", "bare.json", "--application", "shop"]) == 0
    assert "grade unknown: the result has no P95" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("nothing", "same.json"),
            "nothing: no such baseline of shop, and no such file: baselines/shop/nothing.json does not exist",
        ),
        (("no/such.json", "same.json"), "no/such.json: no such file"),
        (("main", "absent.json"), "absent.json: cannot be read: No such file or directory"),
        (("main", "bad.txt"), "bad.txt: has an unknown format"),
    ],
)
def test_what_cannot_be_read_is_exit_code_3(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], text: str
) -> None:
    """One line and no verdict."""
    (folder / "bad.txt").write_text("what is this", encoding="utf-8")
    capsys.readouterr()
    assert compare(*arguments) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"pte-exporter: {text}")
    assert len(output.err.splitlines()) == 1


def test_the_runs_before_tell_how_much_runs_scatter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """13 % more than the baseline are worse on their own, and not where each run differs from the next by as much."""
    write(
        folder / "more.json",
        replace(load_run(START + 30 * DAY, latency=0.115, requests=20_000, failures=0.02, seed=8), run="more"),
    )
    chance = np.random.default_rng(2)
    for day in range(12):
        run = load_run(
            START + day * DAY,
            latency=0.1 * float(np.exp(chance.normal(0, 0.1))),
            requests=20_000,
            failures=0.02,
            seed=day,
        )
        write(folder / "past" / f"{day}.json", run)
    (folder / "past" / "notes.txt").write_text("no result", encoding="utf-8")
    assert compare("main", "more.json") == 1
    capsys.readouterr()
    assert compare("main", "more.json", "--history", "past/*", "--format", "json") == 3
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert {change["against"] for change in document["changes"]} == {"baseline", "history"}
    assert document["exit_code"] == 3
    assert [text.partition(": has an")[0] for text in document["warnings"]] == ["ignored: past/notes.txt"]


def test_history_is_what_ended_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run itself and later ones do not count as history; a warning says that none remains."""
    write(folder / "later.json", load_run(START + 9 * DAY))
    capsys.readouterr()
    assert compare("main", "same.json", "--history", "[ls]a*e*.json", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {change["against"] for change in document["changes"]} == {"baseline"}
    assert document["warnings"] == ["--history: no complete run ended before this one"]


def test_thresholds_come_from_the_configuration(folder: Path) -> None:
    """With steps ten times as large nothing is worse; the same configuration serves the exporter."""
    steps = "{low: 0.5, medium: 1, high: 2.5, critical: 5}"
    sides = ", ".join(f"{{role: {role}, source: {{kind: demo}}}}" for role in ("production", "pte"))
    text = f"environments: [{sides}]\nanalysis: {{load_runs: {{steps: {steps}}}}}\n"
    (folder / "exporter.yml").write_text(text, encoding="utf-8")
    assert compare("main", "slow.json", "--config.file", "exporter.yml") == 0


def test_a_baseline_is_never_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full the old one stays, and nothing is left beside it."""
    path = folder / "baselines" / "shop" / "main.json"
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert cli.main(["baseline", "save", "main", "slow.json", "--application", "shop", "--force"]) == 1
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["main.json"]


def test_wrong_usage_is_exit_code_2(folder: Path) -> None:
    """As with every command."""
    with pytest.raises(SystemExit) as ended:
        compare("main", "same.json", "--severity", "none")
    assert ended.value.code == 2


def test_our_own_format_is_recognised_whatever_its_lines(folder: Path) -> None:
    """What `save` writes and what `saved.write` does are one format."""
    assert saved.recognise((folder / "baselines" / "shop" / "main.json").read_bytes()[:64])
