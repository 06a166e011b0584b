"""`pte-exporter slo`: its output for the series on a real server, and the exit codes for pipelines."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path

import pytest

from exporter.clients.http import Session
from exporter.clients.http.options import HttpOptions
from exporter.clients.prometheus import PrometheusClient
from exporter.commands.configuration import DEMO
from exporter.commands.slo import text as slo_text
from exporter.commands.slo import verdict
from exporter.commands.slo.text import sli
from exporter.slo import rules as slo_rules
from exporter.slo.rules.series import identity
from exporter.slo.status import query
from tests import servers
from tests.commands.slo.conftest import SHOP
from tests.running import command


def slo(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    return command("slo", *arguments, "--prometheus.url", url)


def test_list_has_a_line_for_each_budget_the_worst_first(recorded: str) -> None:
    """Lost telemetry comes before an exhausted budget, and unknown values are words."""
    done = slo("list", url=recorded)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    nothing = " ".join(["no evidence"] * 5)
    assert rows == [
        "SLO side objective SLI budget left burn 1h burn 6h runs out in credit state",
        f"search-results production 99 % {nothing} no SLA broken",
        "checkout-payments{cluster=b} production 99 % 98.8 % -20 % 0.1 0.025 exhausted no SLA ok",
        "checkout-payments{cluster=a} production 99 % 99.374 % 37.4 % 0.1 0.025 1 day no SLA ok",
        "shop-availability production 99.95 % 99.9687 % 37.4 % 2 0.5 1 day SLA met ok",
        "shop-availability-pte pte 99.95 % 99.9687 % 37.4 % 2 0.5 not in sight no SLA young",
    ]
    assert "\x1b" not in done.stdout


def test_list_may_be_of_one_side(recorded: str) -> None:
    """Only that side's budgets are listed, and the message for a side without any names the others."""
    pte = slo("list", "--side", "pte", url=recorded)
    assert [line.split()[0] for line in pte.stdout.splitlines()] == ["SLO", "shop-availability-pte"]
    none = slo("list", "--side", "qa", url=recorded)
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr.endswith(": no SLO has side qa, only production and pte\n")


def test_list_as_json_has_null_for_unknown_values(recorded: str) -> None:
    """The same budgets in the same order, in ratios without the noise of floats."""
    statuses = json.loads(slo("list", "--format", "json", url=recorded).stdout)
    assert [(status["id"], status["labels"], status["state"]) for status in statuses][:3] == [
        ("search-results", {}, "broken"),
        ("checkout-payments", {"cluster": "b"}, "ok"),
        ("checkout-payments", {"cluster": "a"}, "ok"),
    ]
    broken, exhausted, _, good, *_ = statuses
    assert broken["sli"] is None
    assert broken["budget_remaining"] is None
    assert (exhausted["sli"], exhausted["budget_remaining"], exhausted["period"]) == (0.988, -0.2, "month")
    assert (good["objective"], good["burn_rate_1h"], good["sla_credit"]) == (0.9995, 2.0, 0.0)
    assert "windows" not in broken


def test_show_has_one_objective_in_full(recorded: str) -> None:
    """Windows with counts and the limits of tiers, firing alerts, and the forecast."""
    done = slo("show", "--slo", "shop-availability", url=recorded)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "shop-availability (production): 99.95 % over 30d, ok\n"
        "  SLI            99.9687 %\n"
        "  coverage       100 % of the period\n"
        "  budget left    37.4 % (1234 more bad events allowed)\n"
        "  runs out in    1 day at the last hour's rate\n"
        "  forecast       at the rate of the last three days, the budget is exhausted at 2026-11-25 09:46 UTC; "
        "the period's SLI will be 99.4 %\n"
        "  SLA            99.5 %; credit due now: none; at the forecast: 10 %\n"
        "  alerts         PteSloBurn page_quick critical firing\n"
        "\n"
        "  window  bad    all  error ratio   burn  limit\n"
        "  1h       36  36000        0.1 %      2  14.4 page_quick\n"
        "  6h        -      -      0.025 %    0.5  1 ticket_slow\n"
        "  30d       -      -     0.0313 %  0.626  -\n"
    )


def test_show_marks_unknown_values(recorded: str) -> None:
    """Without evidence there is no number at all, and a missing forecast has a reason."""
    broken = slo("show", "--slo", "search-results", url=recorded).stdout
    assert not set("0123456789") & set("".join(broken.splitlines()[1:]))
    young = slo("show", "--slo", "shop-availability", "--side", "pte", url=recorded).stdout
    assert young.startswith("shop-availability-pte (pte): 99.95 % over 30d, young\n")
    assert "  coverage       30 % of the period\n" in young
    assert "  forecast       no evidence (too little data, or too few bad events in the last three days)\n" in young


def test_show_has_each_budget_of_an_objective(recorded: str) -> None:
    """An objective whose queries keep a label has a part for each value, the worst first, also as JSON."""
    text = slo("show", "--slo", "checkout-payments", url=recorded).stdout
    assert [line.split(" ")[0] for line in text.splitlines() if "calendar month" in line] == [
        "checkout-payments{cluster=b}",
        "checkout-payments{cluster=a}",
    ]
    statuses = json.loads(slo("show", "--slo", "checkout-payments", "--format", "json", url=recorded).stdout)
    assert [status["labels"]["cluster"] for status in statuses] == ["b", "a"]
    assert statuses[1]["windows"][0] == {
        "window": "1h",
        "error_ratio": 0.001,
        "burn_rate": 0.1,
        "errors": 36.0,
        "events": 36000.0,
    }
    assert statuses[0]["tiers"][0] == {"name": "page_quick", "long": "1h", "short": "5m", "burn_rate": 14.4}


@pytest.mark.parametrize(
    ("id", "more", "text"),
    [
        (
            "shop-availabilty",
            (),
            "unknown SLO shop-availabilty, did you mean shop-availability or shop-availability-pte?",
        ),
        (
            "x",
            (),
            "unknown SLO x, expected one of: checkout-payments, search-results, shop-availability, "
            "shop-availability-pte",
        ),
        ("shop-availability", ("--side", "qa"), "shop-availability has no side qa, only production and pte"),
    ],
)
def test_an_unknown_objective_names_near_ones(recorded: str, id: str, more: tuple[str, ...], text: str) -> None:
    """One line with the server, the unknown SLO, and the existing ones."""
    done = slo("show", "--slo", id, *more, url=recorded)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pte-exporter: {recorded.removeprefix('http://')}: {text}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("shop-availability", "0.374"), 0, "shop-availability: enough budget left: 37.4 %, at least 37.4 % required"),
        (
            ("shop-availability", "0.3741"),
            1,
            "shop-availability: too little budget left: 37.4 %, at least 37.41 % required",
        ),
        (
            ("checkout-payments", "0.1"),
            1,
            "checkout-payments{cluster=b}: too little budget left: -20 %, at least 10 % required; "
            "1 of 2 budgets below that",
        ),
        (("search-results", "0"), 3, "search-results: not enough data: its telemetry is missing (state broken)"),
        (
            ("shop-availability", "0.1", "--side", "pte"),
            3,
            "shop-availability-pte: not enough data: 30 % of its period has data, at least 90 % required "
            "(--min-coverage)",
        ),
        (
            ("shop-availability-pte", "0.1", "--min-coverage", "0.3"),
            0,
            "shop-availability-pte: enough budget left: 37.4 %, at least 10 % required",
        ),
    ],
)
def test_the_gate_is_open_only_on_evidence(recorded: str, arguments: tuple[str, ...], code: int, text: str) -> None:
    """One line has the remaining and the required budget; the exit code distinguishes too little from unknown."""
    id, least, *more = arguments
    done = slo("gate", "--slo", id, "--min-remaining", least, *more, url=recorded)
    assert done.returncode == code
    assert (done.stdout or done.stderr) == f"{text}\n"


def test_the_gate_is_closed_where_the_query_fails() -> None:
    """No server, no such configuration, no SLO: 3 each, never the 1 of a verdict and never 0."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    arguments = ("slo", "gate", "--slo", "shop-availability", "--min-remaining", "0.1")
    for more in (("--prometheus.url", url), ("--config.file", "/nowhere.yml"), ()):
        done = command(*arguments, *more)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize("least", ["-0.1", "1.5", "ten", "nan"])
def test_an_invalid_share_is_wrong_usage(least: str) -> None:
    """A budget's share is between 0 and 1, and 2 means that the command was wrong."""
    done = command("slo", "gate", "--slo", "x", f"--min-remaining={least}")
    assert done.returncode == 2
    assert done.stderr.endswith(f"{least}: expected a ratio between 0 and 1, such as 0.1\n")


def test_the_help_of_the_gate_has_its_exit_codes() -> None:
    """The author of a pipeline finds the four codes in --help."""
    text = " ".join(command("slo", "gate", "--help").stdout.split())
    for code in (
        f"{verdict.PASS} pass",
        f"{verdict.BELOW} too little",
        "2 wrong usage",
        f"{verdict.UNKNOWN} no evidence",
    ):
        assert code in text


def test_the_server_may_be_that_of_the_configuration(recorded: str, tmp_path: Path) -> None:
    """Without a URL production's source is queried, and a source of another kind is refused in one line."""
    path = tmp_path / "exporter.yml"
    source = f'{{kind: prometheus, preset: prometheus, url: "{recorded}"}}'
    environments = f"environments:\n- {{role: production, source: {source}}}\n- {{role: pte, source: {{kind: demo}}}}\n"
    path.write_text(environments, encoding="utf-8")
    done = command("slo", "list", "--config.file", str(path))
    assert (done.returncode, done.stdout.splitlines()[1].split()[0]) == (0, "search-results")
    done = command("slo", "list", "--config.file", str(DEMO))
    assert done.returncode == 1
    assert done.stderr.endswith("production's source is not of kind prometheus: use --prometheus.url\n")


@pytest.mark.parametrize(
    ("good", "text"),
    [(0.999, "99.9 %"), (1.0, "100 %"), (0.9995, "99.95 %"), (0.99999, "99.999 %"), (0.5, "50 %"), (0.0, "0 %")],
)
def test_an_sli_has_three_digits_of_the_bad_share(good: float, text: str) -> None:
    """However many nines, an SLI differs visibly from its objective, without the noise of floats."""
    assert sli(good) == text


def test_colours_show_trouble_only(recorded: str) -> None:
    """On a terminal a line without budget or telemetry is red, and healthy lines have no colour."""
    client = PrometheusClient(Session(recorded, HttpOptions()))
    head, broken, exhausted, healthy, *_ = slo_text.table(query.read(client, time.time()), colour=True).splitlines()
    assert client.queries == 1
    assert [line.startswith("\x1b[31m") for line in (head, broken, exhausted, healthy)] == [False, True, True, False]


@pytest.mark.parametrize("version", list(servers.PROMETHEUS))
def test_the_series_of_the_rules_are_read(version: str, tmp_path: Path) -> None:
    """Series that Prometheus has just recorded by the generated rules: young, with the budget of the events so far."""
    # Up to now, because Prometheus accepts no samples before the end of its blocks; the rates save a minute's wait.
    ended = int(time.time())
    own = ",".join(f'{label}="{value}"' for label, value in identity(SHOP).items())
    text = ""
    for series, step in (
        ("http_bad_total", 1),
        ("http_all_total", 1000),
        (f'slo:sli_errors:rate5m{{{own},sloth_window="5m"}}', 0),
        (f'slo:sli_events:rate5m{{{own},sloth_window="5m"}}', 0),
    ):
        text += f"# TYPE {series.split('{')[0].removesuffix('_total')} {'counter' if step else 'gauge'}\n"
        constant = 1 if "errors" in series else 1000
        text += "".join(f"{series} {step * n or constant} {ended - 900 + 15 * n}\n" for n in range(61))
    history = tmp_path / "history.om"
    history.write_text(f"{text}# EOF\n", encoding="utf-8")
    blocks = servers.create_blocks(version, history, tmp_path / "blocks")
    (rules,) = slo_rules.files([SHOP], "https://runbook", "https://grafana").values()
    path = tmp_path / "slo.rules.yml"
    path.write_bytes(rules.replace(b"interval: 1m", b"interval: 1s"))
    with servers.prometheus(version, tmp_path, rules=[path], blocks=blocks) as server:
        gate = ("gate", "--slo", "shop-availability", "--min-remaining", "0", "--min-coverage", "0")
        servers.eventually(lambda: slo(*gate, url=server.url).returncode == verdict.BELOW, 60, "the rules evaluated")
        text = slo("list", url=server.url).stdout
        assert text.splitlines()[1].split()[:6] == ["shop-availability", "production", "99.95", "%", "99.9", "%"]
        assert text.splitlines()[1].endswith("young")
        assert slo(*gate[:-2], url=server.url).returncode == verdict.UNKNOWN


def test_a_server_without_objectives(tmp_path: Path) -> None:
    """The message for a server without rules of objectives says how to get them."""
    with servers.prometheus("3", tmp_path) as server:
        done = slo("list", url=server.url)
        gated = slo("gate", "--slo", "x", "--min-remaining", "0", url=server.url)
    assert (done.returncode, gated.returncode) == (1, verdict.UNKNOWN)
    assert "no SLO is recorded: load the rules that `pte-exporter generate rules --spec` generates" in done.stderr
    assert "unknown SLO x, and no other is recorded: load the rules" in gated.stderr
