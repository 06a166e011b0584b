"""`generate backfill`: its stages, and its commands run unchanged on real servers, compared with numpy."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import requests
import yaml
from numpy.typing import NDArray

from exporter.commands.generate import files, script, stages
from exporter.model.rule import Record
from exporter.model.slo import DAY, Alerting, Credit, Period, Sla, Sli, Slo, Weekly
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.fragments import duration
from tests import servers
from tests.running import PATIENCE, command

SLI = Sli(
    'sum(rate(http_requests_total{code="500"}[{{.window}}]))', "sum(rate(http_requests_total[{{.window}}]))"
)  # fmt: skip
SHOP = Slo("shop", "availability", Decimal("99.9"), SLI, Period(DAY), (), Alerting("PteSloBurn"), labels={"cost": "$1"})
RICH = replace(
    SHOP,
    service="rich",
    period=Period(30 * DAY, "month"),
    maintenance=(Weekly(5 * DAY, 7200),),
    sla=Sla(Decimal("99.5"), (Credit(Decimal("99.5"), Decimal(10)),)),
)
SPEC = """\
version: prometheus/v1
service: shop
slos:
- name: availability
  objective: 99.9
  sli:
    events:
      error_query: sum(rate(http_requests_total{code="500"}[{{.window}}]))
      total_query: sum(rate(http_requests_total[{{.window}}]))
  alerting: {name: ShopBurns, page_alert: {disable: true}, ticket_alert: {disable: true}}
"""
HISTORY_DAYS = 1.5
STEP = 60


def recorded(slo: Slo) -> set[str]:
    return {rule.name for rule in slo_rules.rules(slo, "", "") if isinstance(rule, Record)}


@pytest.mark.parametrize("graphs", [False, True])
def test_a_stage_depends_only_on_earlier_ones(graphs: bool) -> None:
    """No rule reads a name that its own stage or a later one records: promtool could not see it."""
    all_stages = stages.plan([RICH, SHOP], graphs=graphs)
    assert len(all_stages) >= 3
    later = set[tuple[str, str]]()
    for stage in reversed(all_stages):
        for name, branches in stage.records.items():
            later |= {(name, record.labels.get("state", "")) for _, record in branches}
        for slo, record in (branch for branches in stage.records.values() for branch in branches):
            for name, state in later:
                read = f'{name}{{sloth_id="{slo.id}"' + (f',state="{state}"' if state else "")
                assert read not in record.expr, f"{record.name} of stage {stage.number} reads {name}"


def test_graphs_need_every_recording() -> None:
    """With graphs each record of each objective is in exactly one stage; without, only the records of sums."""
    all_stages = stages.plan([RICH, SHOP], graphs=True)
    actual = [
        (slo.id, record.name, *record.labels.items())
        for stage in all_stages
        for branches in stage.records.values()
        for slo, record in branches
    ]
    expected = [
        (slo.id, rule.name, *rule.labels.items())
        for slo in (RICH, SHOP)
        for rule in slo_rules.rules(slo, "", "")
        if isinstance(rule, Record)
    ]
    assert sorted(map(str, actual)) == sorted(map(str, expected))
    few = {name for stage in stages.plan([SHOP]) for name in stage.records}
    assert few == {f"slo:sli_{kind}:{what}" for kind in names.KINDS for what in ("rate5m", "sum15m")}


def test_blocks_do_not_grow_with_the_number_of_objectives() -> None:
    """All objectives share a rule for each name, in which `or` joins a limited number of them."""
    slos = [replace(SHOP, service=f"shop{number}") for number in range(120)]
    single, many = (sum(len(stage.rules) for stage in stages.plan(some)) for some in (slos[:1], slos[:50]))
    assert single == many == 4
    assert sum(len(stage.rules) for stage in stages.plan(slos)) == 12


def test_a_start_that_is_too_late_and_an_end_too_near_are_wrong_usage(tmp_path: Path) -> None:
    """Times that would make Prometheus lose data are refused with the reason."""
    (tmp_path / "shop.yml").write_text(SPEC, encoding="utf-8")
    arguments = (
        "generate",
        "backfill",
        "--spec",
        str(tmp_path),
        "--prometheus.url",
        "http://x",
        "--output",
        str(tmp_path / "out"),
    )
    near = command(*arguments, "--start", "2026-01-01", "--end", f"{time.time() - 3600:.0f}")
    assert near.returncode == 2
    assert "argument --end: must be at least 3 h ago: younger data is still in Prometheus's memory" in near.stderr
    late = command(*arguments, "--start", f"{time.time() - 3600:.0f}")
    assert (late.returncode, "argument --start: must be before --end" in late.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


@dataclass(frozen=True)
class History:
    """Counters that begin before the past to fill in, and their true events."""

    times: NDArray[np.float64]
    bad: NDArray[np.float64]
    all: NDArray[np.float64]

    def ratio(self, at: float, seconds: float) -> float:
        """Bad of all events in a window."""
        bad, every = (
            np.interp(at, self.times, c) - np.interp(at - seconds, self.times, c) for c in (self.bad, self.all)
        )
        return float(bad / every)

    def write(self, path: Path) -> None:
        with path.open("w") as out:
            out.write("# TYPE http_requests counter\n")
            for code, values in (("500", self.bad), ("200", self.all - self.bad)):
                for at, value in zip(self.times, values, strict=True):
                    out.write(f'http_requests_total{{code="{code}"}} {value:.6f} {at:.0f}\n')
            out.write("# EOF\n")


def history(start: float, end: float) -> History:
    """Traffic that swings with the hour, few errors, and one bad hour in the last day.

    By day it is 2.4 times that of the night, as docs/explanation/method.md assumes for the precision of windows. Its
    hours count from the end, so the test is the same at any hour.
    """
    times = np.arange(start - 900, end + 900, STEP)
    rate = 20 + 8.2 * np.sin((times - end) / DAY * 2 * np.pi)
    bad = rate * 0.0004
    bad[(times > end - DAY / 2) & (times < end - DAY / 2 + 3600)] *= 25
    return History(times, np.cumsum(bad * STEP), np.cumsum(rate * STEP))


@contextlib.contextmanager
def restartable(version: str, directory: Path) -> Iterator[tuple[str, str]]:
    """URL of a server on `directory`/data, and the command that restarts it."""
    port, pid = servers.free_port(), directory / "pid"
    (directory / "prometheus.yml").write_text("{}")
    script = directory / "restart.sh"
    script.write_text(
        f"if [ -f {pid} ]; then kill $(cat {pid}); while kill -0 $(cat {pid}) 2>/dev/null; do sleep 0.1; done; fi\n"
        f"{servers.program(servers.PROMETHEUS[version])} --config.file={directory}/prometheus.yml"
        f" --storage.tsdb.path={directory}/data --storage.tsdb.retention.time=3650d"
        f" --web.listen-address=127.0.0.1:{port} >>{directory}/log 2>&1 &\necho $! >{pid}\n",
        encoding="utf-8",
    )
    restart = f"sh {script}"
    subprocess.run(["sh", "-c", restart], check=True)
    try:
        yield f"http://127.0.0.1:{port}", restart
    finally:
        os.kill(int(pid.read_text()), signal.SIGTERM)


def values(url: str, query: str, at: float) -> list[float]:
    response = requests.get(f"{url}/api/v1/query", params={"query": query, "time": str(at)}, timeout=30)
    return [float(series["value"][1]) for series in response.json()["data"]["result"]]


def ready(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{url}/-/ready", timeout=5).status_code == 200
    return False


def follow(version: str, script: str, directory: Path, restart: str) -> subprocess.CompletedProcess[str]:
    """Run the printed commands unchanged, with the version's promtool on the path."""
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (programs / "promtool").symlink_to(servers.program(servers.PROMTOOL[version]))
    path = directory / "backfill.sh"
    path.write_text(script, encoding="utf-8")
    environment = {
        **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "DATA": str(directory / "data"), "RELOAD": restart
    }  # fmt: skip
    return subprocess.run(["sh", str(path)], env=environment, capture_output=True, text=True, check=False, timeout=800)


@pytest.mark.parametrize("version", [pytest.param("2.42", marks=pytest.mark.slow), "3"])
def test_the_commands_fill_in_the_past(version: str, tmp_path: Path) -> None:
    """After the commands, every window that the rules compute is within 0.5 % of the true events."""
    end = time.time() // 900 * 900 - 4 * 3600 + 420
    start = end - HISTORY_DAYS * DAY
    truth = history(start, end)
    truth.write(tmp_path / "history.om")
    servers.create_blocks(version, tmp_path / "history.om", tmp_path / "data")
    (tmp_path / "shop.yml").write_text(SPEC, encoding="utf-8")
    with restartable(version, tmp_path) as (url, restart):
        servers.eventually(lambda: ready(url), PATIENCE, "the server")
        specs = ("--spec", str(tmp_path / "shop.yml"), "--slo-period", "1d", "--prometheus.url", url)
        times = ("--start", str(start), "--end", str(end), "--output", str(tmp_path / "files"))
        printed = command("generate", "backfill", *specs, *times)
        assert (printed.returncode, printed.stderr) == (0, "")
        done = follow(version, printed.stdout, tmp_path, restart)
        assert done.returncode == 0, done.stderr
        for at in (end, end - 7 * 3600):
            for window in (6 * 3600, DAY):
                bad, every = (_count(url, kind, window, at) for kind in ("errors", "events"))
                assert bad / every == pytest.approx(truth.ratio(at, window), rel=0.005)
        twice = follow(version, printed.stdout, tmp_path, restart)
        assert (twice.returncode, twice.stdout) == (1, "")
        assert twice.stderr == "there is recorded data between --start and --end already: it would count twice\n"


def _count(url: str, kind: str, seconds: int, at: float) -> float:
    """The count of the objective's own rule in a window, evaluated on the series of the stages."""
    slo = replace(SHOP, labels={})
    rules = (rule for rule in slo_rules.rules(slo, "", "") if isinstance(rule, Record))
    key = (names.count(kind), duration(seconds))
    (expr,) = (rule.expr for rule in rules if (rule.name, rule.labels.get("sloth_window")) == key)
    return values(url, expr, at)[0]


@pytest.mark.slow
def test_budgets_of_the_past_are_recorded_too(tmp_path: Path) -> None:
    """With graphs the recorded budget of any time agrees with the counters, for each objective with its own labels."""
    end = time.time() // 900 * 900 - 4 * 3600
    start = end - 3 * 3600
    truth = history(start, end)
    truth.write(tmp_path / "history.om")
    servers.create_blocks("3", tmp_path / "history.om", tmp_path / "data")
    slos = [replace(SHOP, period=Period(2 * 3600)), replace(RICH, period=Period(DAY), maintenance=(), sla=None)]
    all_stages = stages.plan(slos, graphs=True)
    for name, content in stages.files(all_stages).items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    with restartable("3", tmp_path) as (url, restart):
        servers.eventually(lambda: ready(url), PATIENCE, "the server")
        text = script.render(all_stages, start, end, url, tmp_path)
        done = follow("3", text, tmp_path, restart)
        assert done.returncode == 0, done.stderr
        for at in (end, end - 1200):
            (remaining,) = values(url, names.REMAINING + '{cost="$1",sloth_service="shop"}', at)
            assert remaining == pytest.approx(1 - truth.ratio(at, 2 * 3600) / 0.001, rel=0.005)
        assert values(url, f'count by (sloth_window) ({names.RATIO}30m{{sloth_service="rich"}})', end) == [1.0]


@pytest.mark.parametrize("version", list(servers.PROMTOOL))
def test_no_minute_is_missing(version: str, tmp_path: Path) -> None:
    """All stages are evaluated at the same second of a minute, not at the one where promtool omits minutes."""
    (content,) = stages.files(stages.plan([SHOP])[:1]).values()
    group = yaml.safe_load(content)["groups"][0]
    group["rules"] = [{"record": "now:seconds", "expr": "vector(time())"}]
    rules = tmp_path / Path(stages.plan([SHOP])[0].file).name
    rules.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
    assert len({Path(stage.file).name for stage in stages.plan([RICH], graphs=True)}) == 1
    start = 1795000000 // script.BLOCK * script.BLOCK
    with servers.prometheus(version, tmp_path / "queried") as server:
        times = (f"--start={start}", f"--end={start + 2 * script.BLOCK - 1}")
        servers.create_rule_blocks(version, server, rules, times, tmp_path / "blocks")
    with servers.prometheus(version, tmp_path / "filled", blocks=tmp_path / "blocks") as server:
        end = start + 2 * script.BLOCK
        assert values(server.url, f"count_over_time(now:seconds[{2 * script.BLOCK}s])", end) == [240]
        assert values(server.url, "now:seconds % 60 < 59", end) != []


def script_files(script: str, directory: Path, files: str = "") -> subprocess.CompletedProcess[str]:
    """The script's directory and server; its other commands do not run."""
    path = directory / "backfill.sh"
    path.write_text(script, encoding="utf-8")
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
    path.write_text(f'{script.split("has_result() {")[0]}echo "$FILES $URL"\n', encoding="utf-8")
    environment = {**os.environ, "DATA": str(directory), "FILES": files}
    return subprocess.run(["sh", str(path)], env=environment, cwd="/", capture_output=True, text=True, check=False)


def test_the_script_is_valid_shell_with_any_names(tmp_path: Path) -> None:
    """Quotes, dollars and spaces in names and directories stay unchanged."""
    odd = replace(SHOP, service="it's $HOME", labels={"a": '"`$(x)`"'})
    all_stages, directory = stages.plan([odd]), tmp_path / "some/odd dir's $HOME"
    files.write(stages.files(all_stages), directory)
    text = script.render(all_stages, 1.7e9, 1.7e9 + DAY, "http://x:9090/a b", directory)
    assert script_files(text, tmp_path).stdout == f"{directory} http://x:9090/a b\n"


def test_the_script_finds_its_files_beside_itself(tmp_path: Path) -> None:
    """Script and files work when copied together; otherwise FILES has their path, and the message says so."""
    all_stages = stages.plan([SHOP])
    text = script.render(all_stages, 1.7e9, 1.7e9 + DAY, "http://x", Path("some files"))
    missing = script_files(text, tmp_path)
    message = f"{tmp_path}/some files does not contain stage-1/rules.yml: set FILES=/path/to/them\n"
    assert (missing.returncode, missing.stderr) == (1, message)
    files.write(stages.files(all_stages), tmp_path / "some files")
    assert script_files(text, tmp_path).stdout == f"{tmp_path}/some files http://x\n"
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "some files").rename(elsewhere)
    assert script_files(text, tmp_path, str(elsewhere)).stdout == f"{elsewhere} http://x\n"


def test_files_of_another_script_are_not_overwritten(tmp_path: Path) -> None:
    """Another backfill into the same directory is refused, because the first script would use its rules."""
    (tmp_path / "a.yml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "b.yml").write_text(SPEC.replace("service: shop", "service: other"), encoding="utf-8")
    arguments = (
        "generate",
        "backfill",
        "--prometheus.url",
        "http://x",
        "--start",
        "2026-01-01",
        "--output",
        str(tmp_path / "out"),
    )
    assert [command(*arguments, "--spec", str(tmp_path / "a.yml")).returncode for _ in range(2)] == [0, 0]
    file = tmp_path / "out" / "stage-1" / "rules.yml"
    before = file.read_bytes()
    done = command(*arguments, "--spec", str(tmp_path / "a.yml"), "--spec", str(tmp_path / "b.yml"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"pte-exporter: {file}: belongs to another backfill, whose script needs it: ")
    assert file.read_bytes() == before
