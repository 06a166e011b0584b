"""The command line: output, exit codes, and never a traceback for a user's mistake."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from exporter import __version__
from exporter.commands import parser
from exporter.commands.configuration import DEMO
from exporter.errors import PteError
from exporter.serve.web.server import bind, split
from tests.running import command, run

AT = "2025-11-20T10:00:00Z"
BAD = """\
environments:
  - {role: production, intervall: 5m, source: {kind: demo}}
  - {role: pte, source: {kind: nothing}}
"""


def written(directory: Path, text: str) -> str:
    path = directory / "exporter.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_check_prints_each_problem_and_exits_1(tmp_path: Path) -> None:
    """One line per problem, as FILE: path.to.key: reason, and nothing else."""
    path = written(tmp_path, BAD)
    done = command("check", "--config.file", path)
    assert done.returncode == 1
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith(f'{path}: environments[0].intervall: unknown key "intervall", did you mean "interval"?')
    assert second.startswith(f'{path}: environments[1].source.kind: unknown kind "nothing", expected one of: ')


def test_check_says_in_one_line_that_all_is_fine(tmp_path: Path) -> None:
    """A good configuration is one line and exit code 0."""
    path = written(tmp_path, DEMO.read_text(encoding="utf-8"))
    done = command("check", "--config.file", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: valid, 3 environments: production (production), pte (pte), ci (ci); 3 SLOs\n"


def test_check_looks_at_objectives_as_the_rules_made_of_them_do(tmp_path: Path) -> None:
    """A burn rate that no objective of the configuration can reach is rejected before any rule is generated."""
    slo = "slos: [{name: a, application: b, objective: 90, sli: {errors: {}}}]\n"
    path = written(tmp_path, BAD.replace(", intervall: 5m", "").replace("nothing", "demo") + slo)
    done = command("check", "--config.file", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{path}: slos[0].objective: the alert page_quick can never fire: ")


@pytest.mark.parametrize("head", ["version: prometheus/v1\n", "---\n", "apiVersion: openslo/v1\nkind: SLO\n---\n"])
def test_check_knows_a_spec_from_a_configuration(tmp_path: Path, head: str) -> None:
    """A spec of Sloth or OpenSLO is one line with the command that checks it, not a line for each of its keys."""
    path = written(tmp_path, head + (SPEC % "99.9"))
    done = command("check", "--config.file", path)
    assert (done.returncode, done.stdout) == (1, "")
    text = "is an SLO spec, not a configuration; check it with: pte-exporter generate rules --check --spec"
    assert done.stderr == f"pte-exporter: {path}: {text} {path}\n"


def test_check_reads_the_web_configuration_too(tmp_path: Path) -> None:
    """An error in --web.config.file is reported like any other."""
    web = tmp_path / "web.yml"
    web.write_text("basic_auth_users: {alice: secret}", encoding="utf-8")
    done = command("check", "--web.config.file", str(web))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{web}: basic_auth_users.alice: is not a bcrypt hash")
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["serve", "--nonsense"],
        ["report", "--at", "yesterday"],
        ["report", "--at", "1e400"],
        ["report", "--at", "2999-01-01"],
        ["generate", "tea"],
    ],
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    """The usage is shown, with exit code 2."""
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert "Traceback" not in done.stderr


def test_the_version_is_told() -> None:
    """--version names program and version."""
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"pte-exporter {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--config.file", "/nowhere.yml"], "/nowhere.yml: cannot be read: No such file or directory"),
        (["--web.config.file", "/nowhere.yml"], "/nowhere.yml: cannot be read: No such file or directory"),
        (
            ["--web.listen-address", "9826"],
            "pte-exporter: 9826 is not an address, expected host:port, :port or [::1]:port",
        ),
        (["--web.listen-address", "no.such.host.invalid:0"], "pte-exporter: cannot listen on no.such.host.invalid:0: "),
    ],
)
def test_a_problem_at_the_start_is_one_line(arguments: list[str], line: str) -> None:
    """A failure to start is reported in one line, with exit code 1."""
    done = command("serve", "--web.listen-address", "127.0.0.1:0", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_one_line() -> None:
    """The address that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = command("serve", "--web.listen-address", address)
    assert done.returncode == 1
    assert done.stderr == f"pte-exporter: cannot listen on {address}: Address already in use\n"


def test_report_prints_a_round_of_the_past() -> None:
    """The console shows each application with its verdict, in plain text if it is not a terminal."""
    done = command("report", "--at", AT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2025-11-20 10:00 UTC" in done.stdout
    assert "checkout: does not hold" in done.stdout
    assert "\x1b" not in done.stdout


def test_report_prints_json() -> None:
    """The JSON is one document, the same for the same time."""
    first, second = (command("report", "--format", "json", "--at", AT) for _ in range(2))
    assert first.stdout == second.stdout
    assert json.loads(first.stdout)["applications"]["shop"]["certification"]["holds"] is True


def test_a_time_may_be_given_as_unix_seconds() -> None:
    """A number of Unix seconds is that time, and digits that are a date stay one."""
    parse = parser.create().parse_args
    assert parse(["report", "--at", "1763632800"]).at == parse(["report", "--at", AT]).at
    assert parse(["report", "--at", "20251120T100000Z"]).at == parse(["report", "--at", AT]).at
    assert parse(["report", "--at", "20251120"]).at.isoformat() == "2025-11-20T00:00:00+00:00"


def test_a_fault_of_ours_is_one_line() -> None:
    """An unexpected error (here a week that begins before the year 1) is one line; debug shows where."""
    done = command("report", "--at", "0001-01-01T00:00:00Z")
    assert done.returncode == 1
    assert done.stderr.startswith("pte-exporter: internal error, please report it: ")
    assert done.stderr.count("\n") == 1


def test_signals_are_heard_before_what_takes_long_is_loaded() -> None:
    """The command line takes SIGTERM over first, as process 1 would not hear it, and loads the rest afterwards."""
    heavy = "{'numpy', 'msgspec', 'yaml', 'uvicorn'}"
    code = f"import sys, exporter.cli as c; c.parser.create(); print(*{heavy} & {{*sys.modules}})"
    done = run([sys.executable, "-c", code])
    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.parametrize(
    ("arguments", "code"), [(["serve", "--web.listen-address", "127.0.0.1:0"], 0), (["report"], 143)]
)
def test_the_end_may_come_while_the_program_loads(arguments: list[str], code: int) -> None:
    """SIGTERM ends it by our handler at any moment, in process 1 too: `serve` well, others as ended by it."""
    ending = (
        "import os, signal, sys, exporter.cli as cli, exporter.sources as sources\n"
        "sources.read = lambda file: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    done = run([sys.executable, "-c", ending, *arguments])
    assert (done.returncode, done.stderr) == (code, "")


def test_a_source_that_fails_is_one_line(tmp_path: Path) -> None:
    """A report without its source says which environment failed and how, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    source = f'{{kind: prometheus, preset: prometheus, url: "{url}"}}'
    text = DEMO.read_text(encoding="utf-8").replace("{kind: demo}", source, 1)
    done = command("report", "--config.file", written(tmp_path, text))
    assert done.returncode == 1
    assert done.stderr.startswith("pte-exporter: production: cannot connect to 127.0.0.1:")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["rules", "dashboards", "docs"])
def test_the_committed_files_are_those_generated(kind: str) -> None:
    """Rules, dashboards and METRICS.md in the repository are what `generate` writes today."""
    done = command("generate", kind, "--check", directory=Path(__file__).parent.parent)
    assert (done.returncode, done.stderr) == (0, "")


def test_rules_with_example_links_are_told(tmp_path: Path) -> None:
    """Whoever generates rules without `links` learns where alerts lead; with them nothing is said."""
    text = DEMO.read_text(encoding="utf-8")
    generating = ("generate", "rules", "--output", str(tmp_path), "--config.file")
    path = written(tmp_path, text + "links: {dashboards: https://grafana.example}\n")
    done = command(*generating, path)
    assert done.returncode == 0
    assert done.stderr.startswith(f"{path}: links.runbook: not set, so links in alerts point to an example\n")
    both = "links: {dashboards: https://grafana.example, runbook: https://wiki.example/RUNBOOK.md}\n"
    assert "not set" not in command(*generating, written(tmp_path, text + both)).stderr


def test_generate_writes_what_its_check_accepts(tmp_path: Path) -> None:
    """Every file that differs is named with the command that fixes them, and that command fixes them."""
    check = ("generate", "docs", "--check", "--output", str(tmp_path))
    missing = command(*check)
    assert missing.returncode == 1
    *names, fix = missing.stderr.splitlines()
    pages = [f"{tmp_path}/docs/reference/{page}.md" for page in ("metrics", "cli", "exit-codes")]
    assert [name.partition(": differs from ")[0] for name in names] == pages
    assert fix.endswith(f" it with: pte-exporter generate docs --output {tmp_path}")
    assert command(*fix.partition(": pte-exporter ")[2].split()).returncode == 0
    assert command(*check).returncode == 0
    (tmp_path / "docs" / "reference" / "metrics.md").write_text("changed", encoding="utf-8")
    assert command(*check).returncode == 1


SPEC = """\
version: prometheus/v1
service: shop
slos:
- name: availability
  objective: %s
  sli:
    events:
      error_query: sum(rate(http_requests_total{job="shop",code=~"5.."}[{{.window}}]))
      total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
  alerting: {name: ShopBurns}
"""


def spec(directory: Path, objective: str = "99.9", name: str = "shop.yml") -> str:
    path = directory / name
    path.write_text(SPEC % objective, encoding="utf-8")
    return str(path)


def test_rules_of_specs_need_nothing_that_takes_long_to_load(tmp_path: Path) -> None:
    """One objective costs less than half a second of process time, start-up included, also with configured links."""
    path = written(tmp_path, DEMO.read_text(encoding="utf-8"))
    arguments = ["generate", "rules", "--spec", spec(tmp_path), "--output", str(tmp_path), "--config.file", path]
    code = (
        "import sys, time; from exporter import cli\n"
        f"assert cli.main({arguments}) == 0\n"
        "print(time.process_time(), *{'numpy', 'requests', 'grafanalib', 'uvicorn'} & {*sys.modules})"
    )
    done = run([sys.executable, "-c", code])
    seconds, *loaded = done.stdout.split()
    assert loaded == []
    assert float(seconds) < 0.5
    assert [file.name for file in (tmp_path / "rules").iterdir()] == ["slo-shop.rules.yml"]


def test_rules_of_specs_have_the_configured_links(tmp_path: Path) -> None:
    """Links come from the configuration; without one they are the defaults; without `links` a line says so."""
    out = tmp_path / "rules" / "slo-shop.rules.yml"
    generating = ("generate", "rules", "--spec", spec(tmp_path), "--output", str(tmp_path))
    summary = f"1 SLO: 2 files below {tmp_path}\n"
    assert command(*generating).stderr == summary
    assert "https://example.com/pte-exporter/rules/RUNBOOK.md#pteslo" in out.read_text(encoding="utf-8")
    text = DEMO.read_text(encoding="utf-8")
    path = written(tmp_path, text + "links: {dashboards: https://grafana.example}\n")
    warning = f"{path}: links.runbook: not set, so links in alerts point to an example\n"
    assert command(*generating, "--config.file", path).stderr == warning + summary
    assert "https://grafana.example/d/pte-slo-detail?" in out.read_text(encoding="utf-8")


def test_the_check_of_specs_names_files_that_are_left_over(tmp_path: Path) -> None:
    """A generated file of no SLO any more is named; one that somebody wrote by hand is not."""
    generating = ("generate", "rules", "--spec", spec(tmp_path), "--output", str(tmp_path))
    assert command(*generating, "--check").returncode == 1
    assert command(*generating).returncode == 0
    assert command(*generating, "--check").returncode == 0
    rules = tmp_path / "rules"
    (rules / "slo-gone.rules.yml").write_bytes((rules / "slo-shop.rules.yml").read_bytes())
    (rules / "slo-own.rules.yml").write_text("groups: []\n", encoding="utf-8")
    done = command(*generating, "--check")
    assert (done.returncode, done.stdout) == (1, "")
    stale_file = (
        f"{rules}/slo-gone.rules.yml: belongs to none of these SLOs: delete it, or pass all specs in one call\n"
    )
    assert done.stderr == stale_file
    again = command(*generating)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == f"{stale_file}1 SLO: 2 files below {tmp_path}\n"
    assert (rules / "slo-gone.rules.yml").exists()
    (rules / "slo-shop.rules.yml").write_text("changed", encoding="utf-8")
    mend = command(*generating, "--check").stderr.splitlines()[1].removeprefix("fix it with: pte-exporter ")
    assert command(*mend.split()).returncode == 0
    assert (rules / "slo-shop.rules.yml").read_text(encoding="utf-8") != "changed"


def test_every_slo_argument_counts(tmp_path: Path) -> None:
    """Paths may come one by one or together, and a later call with fewer says which SLOs it took out of a file."""
    first, second, third = (tmp_path / name for name in ("one.yml", "two.yml", "three.yml"))
    for path, name in ((first, "availability"), (second, "latency"), (third, "freshness")):
        text = (SPEC % "99.9").replace("name: availability", f"name: {name}")
        path.write_text(text.replace("shop", "shop-api.v2"), encoding="utf-8")
    out = ("--output", str(tmp_path))
    done = command("generate", "rules", "--spec", str(first), "--spec", str(second), str(third), *out)
    assert done.stderr == f"3 SLOs: 2 files below {tmp_path}\n"
    file = tmp_path / "rules" / "slo-shop-api.v2.rules.yml"
    assert file.read_text(encoding="utf-8").count("- name: ") == 3
    done = command("generate", "rules", "--spec", str(second), *out)
    gone = "shop-api.v2-availability and shop-api.v2-freshness"
    warning, summary = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (0, "")
    assert warning == f"{file}: no longer contains {gone}: pass all specs in one call"
    assert summary == f"1 SLO: 2 files below {tmp_path}"


def test_rules_need_no_more_of_a_configuration_than_its_links(tmp_path: Path) -> None:
    """A file of `links` alone will do for rules of specs and for those that all share; its problems are reported."""
    path = tmp_path / "links.yml"
    path.write_text("links: {dashboards: https://g.example, runbook: https://w.example/R.md}\n", encoding="utf-8")
    generating = ("generate", "rules", "--output", str(tmp_path), "--config.file", str(path))
    for more, file in ((("--spec", spec(tmp_path)), "slo-shop.rules.yml"), ((), "slo.rules.yml")):
        done = command(*generating, *more)
        assert (done.returncode, "not set" in done.stderr) == (0, False)
        text = (tmp_path / "rules" / file).read_text(encoding="utf-8")
        assert "https://w.example/R.md#" in text
        assert "https://g.example/d/" in text
    path.write_text("links: {runbook: w.example, dashbords: x}\n", encoding="utf-8")
    done = command(*generating, "--spec", spec(tmp_path))
    assert done.returncode == 1
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["links.dashbords"]
    path.write_text("links: {runbook: w.example}\n", encoding="utf-8")
    assert command(*generating, "--spec", spec(tmp_path)).stderr.startswith(f"{path}: links.runbook: expected a URL")


def test_a_fault_in_a_spec_is_one_line_with_its_place(tmp_path: Path) -> None:
    """File and path are named, nothing is written, and the exit code is 1."""
    path = spec(tmp_path, "120")
    done = command("generate", "rules", "--spec", path, "--output", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"{path}: ")
    assert "objective" in done.stderr
    assert not (tmp_path / "rules").exists()


@pytest.mark.parametrize("option", ["--slo-period", "--scrape-interval", "--retention"])
@pytest.mark.parametrize("value", ["30", "0s", "500ms", "soon"])
def test_a_length_of_time_is_a_duration(tmp_path: Path, option: str, value: str) -> None:
    """Lengths of time have a unit, as in Prometheus; others are wrong usage."""
    done = command("generate", "rules", "--spec", spec(tmp_path), option, value)
    assert done.returncode == 2
    assert done.stderr.endswith(f"argument {option}: {value}: expected a duration such as 30s, 5m or 30d\n")


def test_specs_are_held_against_what_prometheus_has(tmp_path: Path) -> None:
    """A retention shorter than the period is reported, because the budget could never be right."""
    done = command("generate", "rules", "--spec", spec(tmp_path), "--retention", "15d", "--output", str(tmp_path))
    assert (done.returncode, "retention" in done.stderr) == (1, True)


def test_the_configuration_s_own_objectives_have_rules_and_are_checked(tmp_path: Path) -> None:
    """`generate rules` makes files of its `slos:`, and `check` validates their queries."""
    text = DEMO.read_text(encoding="utf-8")
    done = command("generate", "rules", "--output", str(tmp_path), "--config.file", written(tmp_path, text))
    assert done.returncode == 0
    names = {path.name for path in (tmp_path / "rules").iterdir()}
    assert {"slo.rules.yml", "slo-shop.rules.yml", "slo-shop-pte.rules.yml", "gap.rules.yml"} <= names
    events = "{events: {errors: 'sum(', total: 'sum(rate(a[{{.window}}]))'}}"
    slo = f"{{name: odd, application: shop, objective: 99, sli: {events}}}"
    path = written(tmp_path, f"{text.split('slos:')[0]}slos: [{slo}]\n")
    done = command("check", "--config.file", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{path}: slos[0].sli.events")


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A file in the way is named."""
    (tmp_path / "docs").write_text("", encoding="utf-8")
    done = command("generate", "docs", "--output", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"pte-exporter: {tmp_path}/docs/reference: Not a directory\n"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:9826", ("127.0.0.1", 9826)),
        (":80", ("", 80)),
        ("[::1]:9826", ("::1", 9826)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses_are_split(address: str, parts: tuple[str, int]) -> None:
    """Every form that Prometheus's exporters take is taken."""
    assert split(address) == parts


@pytest.mark.parametrize("address", ["", "9826", "a:b", "::1:9826", "a:70000", "a:-1"])
def test_other_addresses_are_refused(address: str) -> None:
    """What is ambiguous or out of range is refused."""
    with pytest.raises(PteError, match="expected host:port"):
        split(address)


def test_all_interfaces_take_both_versions_of_ip() -> None:
    """:port is reached by IPv4, and by IPv6 where the machine has it."""
    with bind(":0") as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        if listening.family == socket.AF_INET6:
            with socket.create_connection(("::1", port), timeout=5):
                pass
