"""`pte-exporter slo`: what it says of the series on a real server, and the exit codes that pipelines go by."""

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
from exporter.slo.status import query as reading
from tests import servers
from tests.commands.slo.conftest import SHOP
from tests.running import command


def slo(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    return command("slo", *arguments, "--prometheus.url", url)


def test_list_has_a_line_for_each_budget_the_worst_first(recorded: str) -> None:
    """Lost telemetry comes before a budget that is gone, and what is unknown is said in words."""
    done = slo("list", url=recorded)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    nothing = " ".join(["no evidence"] * 5)
    assert rows == [
        "SLO side objective SLI budget left burn 1h burn 6h gone in credit state",
        f"search-results production 99 % {nothing} no SLA broken",
        "checkout-payments{cluster=b} production 99 % 98.8 % -20 % 0.1 0.025 gone no SLA ok",
        "checkout-payments{cluster=a} production 99 % 99.374 % 37.4 % 0.1 0.025 1 day no SLA ok",
        "shop-availability production 99.95 % 99.9687 % 37.4 % 2 0.5 1 day kept ok",
        "shop-availability-pte pte 99.95 % 99.9687 % 37.4 % 2 0.5 not in sight no SLA young",
    ]
    assert "\x1b" not in done.stdout


def test_list_may_be_of_one_side(recorded: str) -> None:
    """Only that side's budgets are listed, and a side that has none is told with those that have."""
    pte = slo("list", "--side", "pte", url=recorded)
    assert [line.split()[0] for line in pte.stdout.splitlines()] == ["SLO", "shop-availability-pte"]
    none = slo("list", "--side", "qa", url=recorded)
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr.endswith(": no SLO is of qa, only of production and pte\n")


def test_list_as_json_has_null_for_what_is_unknown(recorded: str) -> None:
    """The same budgets in the same order, in ratios without the noise of floats."""
    found = json.loads(slo("list", "--format", "json", url=recorded).stdout)
    assert [(one["id"], one["labels"], one["state"]) for one in found][:3] == [
        ("search-results", {}, "broken"),
        ("checkout-payments", {"cluster": "b"}, "ok"),
        ("checkout-payments", {"cluster": "a"}, "ok"),
    ]
    assert found[0]["sli"] is None
    assert found[0]["budget_remaining"] is None
    assert (found[1]["sli"], found[1]["budget_remaining"], found[1]["period"]) == (0.988, -0.2, "month")
    assert (found[3]["objective"], found[3]["burn_rate_1h"], found[3]["sla_credit"]) == (0.9995, 2.0, 0.0)
    assert "windows" not in found[0]


def test_show_tells_one_objective_in_full(recorded: str) -> None:
    """Windows with counts and the limits of tiers, what fires, and the forecast."""
    done = slo("show", "--slo", "shop-availability", url=recorded)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "shop-availability (production): 99.95 % over 30d, ok\n"
        "  SLI            99.9687 %\n"
        "  known          100 % of the period\n"
        "  budget left    37.4 % (1234 more bad events allowed)\n"
        "  gone in        1 day at the rate of the last hour\n"
        "  forecast       the budget is gone at 2026-11-25 09:46 UTC if the last three days go on; "
        "the period's SLI will be 99.4 %\n"
        "  SLA            99.5 %; credit due now: none; at the forecast: 10 %\n"
        "  alerts         PteSloBurn page_quick critical firing\n"
        "\n"
        "  window  bad    all  error ratio   burn  limit\n"
        "  1h       36  36000        0.1 %      2  14.4 page_quick\n"
        "  6h        -      -      0.025 %    0.5  1 ticket_slow\n"
        "  30d       -      -     0.0313 %  0.626  -\n"
    )


def test_show_says_what_nobody_knows(recorded: str) -> None:
    """Without evidence there is no number at all, and an unsure forecast says why there is none."""
    broken = slo("show", "--slo", "search-results", url=recorded).stdout
    assert not set("0123456789") & set("".join(broken.splitlines()[1:]))
    young = slo("show", "--slo", "shop-availability", "--side", "pte", url=recorded).stdout
    assert young.startswith("shop-availability-pte (pte): 99.95 % over 30d, young\n")
    assert "  known          30 % of the period\n" in young
    assert "  forecast       no evidence (too little data, or too few bad events in the last three days)\n" in young


def test_show_tells_each_budget_of_an_objective(recorded: str) -> None:
    """An objective whose queries keep a label has a part for each of its values, the worst first, also as JSON."""
    text = slo("show", "--slo", "checkout-payments", url=recorded).stdout
    assert [line.split(" ")[0] for line in text.splitlines() if "calendar month" in line] == [
        "checkout-payments{cluster=b}",
        "checkout-payments{cluster=a}",
    ]
    found = json.loads(slo("show", "--slo", "checkout-payments", "--format", "json", url=recorded).stdout)
    assert [one["labels"]["cluster"] for one in found] == ["b", "a"]
    assert found[1]["windows"][0] == {
        "window": "1h",
        "error_ratio": 0.001,
        "burn_rate": 0.1,
        "errors": 36.0,
        "events": 36000.0,
    }
    assert found[0]["tiers"][0] == {"name": "page_quick", "long": "1h", "short": "5m", "burn_rate": 14.4}


@pytest.mark.parametrize(
    ("id", "more", "text"),
    [
        ("shop-availabilty", (), "no SLO shop-availabilty; did you mean shop-availability or shop-availability-pte?"),
        ("x", (), "no SLO x; known: checkout-payments, search-results, shop-availability, shop-availability-pte"),
        ("shop-availability", ("--side", "qa"), "shop-availability is no SLO of qa, only of production and pte"),
    ],
)
def test_an_unknown_objective_names_near_ones(recorded: str, id: str, more: tuple[str, ...], text: str) -> None:
    """One line with the server, what is not there, and what is."""
    done = slo("show", "--slo", id, *more, url=recorded)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"pte-exporter: {recorded.removeprefix('http://')}: {text}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("shop-availability", "0.374"), 0, "shop-availability: enough: 37.4 % of the budget left, 37.4 % wanted"),
        (
            ("shop-availability", "0.3741"),
            1,
            "shop-availability: too little: 37.4 % of the budget left, 37.41 % wanted",
        ),
        (
            ("checkout-payments", "0.1"),
            1,
            "checkout-payments{cluster=b}: too little: -20 % of the budget left, 10 % wanted; "
            "1 of 2 budgets below that",
        ),
        (("search-results", "0"), 3, "search-results: no evidence: its telemetry is gone (state broken)"),
        (
            ("shop-availability", "0.1", "--side", "pte"),
            3,
            "shop-availability-pte: no evidence: 30 % of its period is known, 90 % wanted (--min-coverage)",
        ),
        (
            ("shop-availability-pte", "0.1", "--min-coverage", "0.3"),
            0,
            "shop-availability-pte: enough: 37.4 % of the budget left, 10 % wanted",
        ),
    ],
)
def test_the_gate_is_open_only_on_evidence(recorded: str, arguments: tuple[str, ...], code: int, text: str) -> None:
    """One line says what is left and what was wanted; the exit code tells too little from unknown."""
    id, least, *more = arguments
    done = slo("gate", "--slo", id, "--min-remaining", least, *more, url=recorded)
    assert done.returncode == code
    assert (done.stdout or done.stderr) == f"{text}\n"


def test_the_gate_is_closed_where_prometheus_cannot_be_asked() -> None:
    """No server, no such configuration, no SLO: 3 each, never the 1 of a verdict and never 0."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    asked = ("slo", "gate", "--slo", "shop-availability", "--min-remaining", "0.1")
    for more in (("--prometheus.url", url), ("--config.file", "/nowhere.yml"), ()):
        done = command(*asked, *more)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


@pytest.mark.parametrize("least", ["-0.1", "1.5", "ten", "nan"])
def test_a_share_that_is_none_is_wrong_usage(least: str) -> None:
    """A budget's share is between 0 and 1, and 2 says that the command was wrong."""
    done = command("slo", "gate", "--slo", "x", f"--min-remaining={least}")
    assert done.returncode == 2
    assert done.stderr.endswith(f"{least} is no ratio, wanted one between 0 and 1, such as 0.1\n")


def test_the_help_of_the_gate_has_its_exit_codes() -> None:
    """Whoever writes a pipeline finds the four codes in --help."""
    text = " ".join(command("slo", "gate", "--help").stdout.split())
    for code in ("0 enough", f"{verdict.BELOW} less", "2 wrong usage", f"{verdict.UNKNOWN} nobody knows"):
        assert code in text


def test_the_server_may_be_that_of_the_configuration(recorded: str, tmp_path: Path) -> None:
    """Without a URL production's source is asked, and a source that is no Prometheus is refused in one line."""
    path = tmp_path / "exporter.yml"
    source = f'{{kind: prometheus, preset: prometheus, url: "{recorded}"}}'
    environments = f"environments:\n- {{role: production, source: {source}}}\n- {{role: pte, source: {{kind: demo}}}}\n"
    path.write_text(environments, encoding="utf-8")
    done = command("slo", "list", "--config.file", str(path))
    assert (done.returncode, done.stdout.splitlines()[1].split()[0]) == (0, "search-results")
    done = command("slo", "list", "--config.file", str(DEMO))
    assert done.returncode == 1
    assert done.stderr.endswith("production's source is no Prometheus: give --prometheus.url\n")


@pytest.mark.parametrize(
    ("good", "text"),
    [(0.999, "99.9 %"), (1.0, "100 %"), (0.9995, "99.95 %"), (0.99999, "99.999 %"), (0.5, "50 %"), (0.0, "0 %")],
)
def test_an_sli_has_three_digits_of_what_is_bad(good: float, text: str) -> None:
    """However many nines, an SLI is told from its objective, without the noise of floats."""
    assert sli(good) == text


def test_colours_show_trouble_only(recorded: str) -> None:
    """On a terminal a line is red where the budget or the telemetry is gone, and healthy ones have no colour."""
    client = PrometheusClient(Session(recorded, HttpOptions()))
    head, broken, gone, healthy, *_ = slo_text.table(reading.read(client, time.time()), colour=True).splitlines()
    assert client.queries == 1
    assert [line.startswith("\x1b[31m") for line in (head, broken, gone, healthy)] == [False, True, True, False]


@pytest.mark.parametrize("version", list(servers.PROMETHEUS))
def test_what_the_rules_record_is_read(version: str, tmp_path: Path) -> None:
    """On series that Prometheus has just made by the generated rules: young, with the budget of the events so far."""
    # Up to now, as Prometheus takes no samples from before the end of its blocks; the rates save waiting for a minute.
    ended = int(time.time())
    own = ",".join(f'{label}="{value}"' for label, value in identity(SHOP).items())
    text = ""
    for series, each in (
        ("http_bad_total", 1),
        ("http_all_total", 1000),
        (f'slo:sli_errors:rate5m{{{own},sloth_window="5m"}}', 0),
        (f'slo:sli_events:rate5m{{{own},sloth_window="5m"}}', 0),
    ):
        text += f"# TYPE {series.split('{')[0].removesuffix('_total')} {'counter' if each else 'gauge'}\n"
        constant = 1 if "errors" in series else 1000
        text += "".join(f"{series} {each * n or constant} {ended - 900 + 15 * n}\n" for n in range(61))
    history = tmp_path / "history.om"
    history.write_text(f"{text}# EOF\n", encoding="utf-8")
    blocks = servers.create_blocks(version, history, tmp_path / "blocks")
    (rules,) = slo_rules.files([SHOP], "https://runbook", "https://grafana").values()
    path = tmp_path / "slo.rules.yml"
    path.write_bytes(rules.replace(b"interval: 1m", b"interval: 1s"))
    with servers.prometheus(version, tmp_path, rules=[path], blocks=blocks) as server:
        asked = ("gate", "--slo", "shop-availability", "--min-remaining", "0", "--min-coverage", "0")
        servers.eventually(lambda: slo(*asked, url=server.url).returncode == verdict.BELOW, 60, "the rules evaluated")
        text = slo("list", url=server.url).stdout
        assert text.splitlines()[1].split()[:6] == ["shop-availability", "production", "99.95", "%", "99.9", "%"]
        assert text.splitlines()[1].endswith("young")
        assert slo(*asked[:-2], url=server.url).returncode == verdict.UNKNOWN


def test_a_server_without_objectives_is_told(tmp_path: Path) -> None:
    """Where no rules of objectives are loaded, that is what is said."""
    with servers.prometheus("3", tmp_path) as server:
        done = slo("list", url=server.url)
        gated = slo("gate", "--slo", "x", "--min-remaining", "0", url=server.url)
    assert (done.returncode, gated.returncode) == (1, verdict.UNKNOWN)
    assert "no SLO is recorded there: load the rules that `pte-exporter generate rules --spec` makes" in done.stderr
    assert "no SLO x, and no other is recorded there: load the rules" in gated.stderr
