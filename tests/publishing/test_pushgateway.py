"""What a real Pushgateway holds after `publish`, and what a real Prometheus scrapes from there."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import bcrypt
import pytest
import requests

from exporter.errors import PteError
from exporter.publishing import publication
from exporter.rules import ALERTS
from tests.exposition import samples
from tests.publishing.making import later, load_run, request, write
from tests.running import PATIENCE
from tests.servers import Server, eventually, prometheus, pushgateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pushgateway(tmp_path_factory.mktemp("gateway")) as server:
        yield server


def held(server: Server, application: str) -> dict[str, list[dict[str, str]]]:
    """Name of each of our series of the application to its labels."""
    found: dict[str, list[dict[str, str]]] = {}
    for (name, labels), _ in samples(requests.get(f"{server.url}/metrics", timeout=60).content).items():
        named = dict(labels)
        if name.startswith("pte_load_run") and named.get("application") == application:
            found.setdefault(name, []).append(named)
    return found


def endpoints(server: Server, application: str) -> set[str]:
    return {labels["endpoint"] for labels in held(server, application)["pte_load_run_endpoint_requests"]}


def test_a_new_run_replaces_the_old_one(gateway: Server) -> None:
    """After a second run nothing of the first is left, also not of names that it no longer asks for."""
    to = request("--to", "pushgateway", gateway.url)
    told = publication.publish(load_run("r1"), to)
    assert told == f"published to {gateway.url.removeprefix('http://')} (job pte-exporter, application shop)"
    assert endpoints(gateway, "shop") == {"GET /cart", "Log in"}
    publication.publish(later(load_run("r2", {"GET /basket": 500}), 1), to)
    assert endpoints(gateway, "shop") == {"GET /basket"}
    (info,) = held(gateway, "shop")["pte_load_run_info"]
    assert (info["run"], info["job"], info["instance"]) == ("r2", "pte-exporter", "")


@pytest.mark.parametrize("application", ["a/b", "..", "Füße & 50%", "x y?z#"])
def test_any_application_has_a_group_of_its_own(gateway: Server, application: str) -> None:
    """Slashes, dots and letters beyond ASCII come through, and no other application is replaced."""
    publication.publish(
        load_run("mine", {"GET /one": 100}), request("--to", "pushgateway", gateway.url, application="other")
    )
    publication.publish(load_run(), request("--to", "pushgateway", gateway.url, application=application))
    assert endpoints(gateway, application) == {"GET /cart", "Log in"}
    assert endpoints(gateway, "other") == {"GET /one"}


@pytest.mark.parametrize("version", [pytest.param("2.42", marks=pytest.mark.slow), "3"])
def test_a_prometheus_that_scrapes_it_forgets_what_was_replaced(gateway: Server, tmp_path: Path, version: str) -> None:
    """With honor_labels the series keep their job, and those of vanished names end with the next scrape."""
    application = f"scraped-{version}"
    to = request("--to", "pushgateway", gateway.url, application=application)
    publication.publish(load_run(), to)
    scrape = {
        "job_name": "pushgateway",
        "honor_labels": True,
        "scrape_interval": "1s",
        "static_configs": [{"targets": [gateway.url.removeprefix("http://")]}],
    }
    with prometheus(version, tmp_path, config={"scrape_configs": [scrape]}) as server:

        def known() -> set[str]:
            query = {"query": f'pte_load_run_endpoint_requests{{job="pte-exporter",application="{application}"}}'}
            answer = requests.get(f"{server.url}/api/v1/query", params=query, timeout=60).json()
            return {row["metric"]["endpoint"] for row in answer["data"]["result"]}

        eventually(lambda: known() == {"GET /cart", "Log in"}, PATIENCE, "both names are scraped")
        publication.publish(later(load_run("r2", {"GET /cart": 100}), 1), to)
        eventually(lambda: known() == {"GET /cart"}, PATIENCE, "the vanished name is gone")


@pytest.mark.parametrize("version", [pytest.param("2.42", marks=pytest.mark.slow), "3"])
@pytest.mark.parametrize("honor", [True, False])
def test_alerts_hold_on_what_was_pushed(gateway: Server, tmp_path: Path, version: str, honor: bool) -> None:
    """Applications with limits of their own share one Pushgateway; each is judged by its own, however it is scraped."""
    (tmp_path / "strict.yml").write_text(
        "environments:\n- {role: production, source: {kind: demo}}\n- {role: pte, source: {kind: demo}}\n"
        "analysis: {load_runs: {min_grade: A+, min_success_ratio: 0.999, alert_severity: low}}\n"
    )
    baseline = str(write(tmp_path / "old.json", load_run("old")))
    names = [f"{kind}-{version}-{honor}" for kind in ("strict", "lax")]
    run = dataclasses.replace(later(load_run("new", slow=3.5), 1), complete=False)
    for name, more in zip(names, (("--config.file", str(tmp_path / "strict.yml")), ()), strict=True):
        publication.publish(
            run, request("--to", "pushgateway", gateway.url, "--baseline", baseline, *more, application=name)
        )
    scrape = {
        "job_name": "gateway",
        "honor_labels": honor,
        "scrape_interval": "1s",
        "static_configs": [{"targets": [gateway.url.removeprefix("http://")]}],
    }
    with prometheus(version, tmp_path, config={"scrape_configs": [scrape]}) as server:

        def firing(alert: str) -> set[str]:
            query = {"query": ALERTS[alert].expr}
            answer = requests.get(f"{server.url}/api/v1/query", params=query, timeout=60).json()
            assert answer["status"] == "success", answer
            return {row["metric"]["application"] for row in answer["data"]["result"]} & set(names)

        eventually(lambda: firing("PteLoadRunRegression") == set(names), PATIENCE, "both are slower than before")
        assert firing("PteLoadRunFailed") == set(names)
        assert firing("PteLoadRunGradeLow") == {names[0]}
        assert firing("PteLoadRunSuccessLow") == {names[0]}


def test_credentials_come_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pushgateway behind basic authentication takes what --to.config.file names, and refuses without it."""
    hashed = bcrypt.hashpw(b"se/cret", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{ci: '{hashed}'}}\n")
    (tmp_path / "to.yml").write_text("username: ci\npassword_env: PUSH_PASSWORD\n")
    monkeypatch.setenv("PUSH_PASSWORD", "se/cret")
    with pushgateway(tmp_path, args=[f"--web.config.file={tmp_path / 'web.yml'}"], open_to_all=False) as server:
        with pytest.raises(PteError, match=r"access denied \(401\)"):
            publication.publish(load_run(), request("--to", "pushgateway", server.url))
        to = request("--to", "pushgateway", server.url, "--to.config.file", str(tmp_path / "to.yml"))
        assert publication.publish(load_run(), to).startswith("published to ")
        page = requests.get(f"{server.url}/metrics", auth=("ci", "se/cret"), timeout=60)
        assert "pte_load_run_requests" in page.text


def test_reports_of_tests_do_not_replace_the_run(gateway: Server, tmp_path: Path) -> None:
    """A run and the reports of an application lie in groups of their own."""
    to = request("--to", "pushgateway", gateway.url, application="both")
    report = tmp_path / "unit.xml"
    report.write_text('<testsuite name="unit"><testcase name="a" time="2"/></testsuite>')
    publication.publish(load_run(), to)
    told = publication.publish_files([report], to)
    assert told.endswith("(job pte-exporter-tests, application both)")
    assert endpoints(gateway, "both") == {"GET /cart", "Log in"}
    page = requests.get(f"{gateway.url}/metrics", timeout=60).text
    assert 'application="both"' in next(line for line in page.splitlines() if line.startswith("pte_test_execution_"))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "refused the page: pushed metrics are invalid"),
        (413, r"bytes \(413\): raise its limit"),
        (404, "is no Pushgateway"),
        (405, "is no Pushgateway"),
        (500, r"server error \(500\)"),
        (302, "redirect"),
    ],
)
def test_a_refusal_is_one_line(status: int, text: str) -> None:
    """Whatever the server answers, the error says where and what to look at."""
    with (
        answering(status, b"pushed metrics are invalid\nor inconsistent\n") as url,
        pytest.raises(PteError, match=text) as caught,
    ):
        publication.publish(load_run(), request("--to", "pushgateway", url))
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """No connection is an error, and each other place has the page all the same."""
    to = request("--to", "pushgateway", "http://127.0.0.1:1", "--to", "textfile", str(tmp_path))
    with pytest.raises(PteError, match=r"^cannot connect to 127.0.0.1:1: .* \(but published to .*shop.prom\)$"):
        publication.publish_files([write(tmp_path / "result.json", load_run())], to)
    assert (tmp_path / "pte_exporter_shop.prom").is_file()


def test_a_login_page_is_no_publication() -> None:
    """Proxies answer 200 to whom they do not know: nothing was published, and that is told."""
    with (
        answering(200, b"\n<!doctype html><title>Log in</title>") as url,
        pytest.raises(PteError, match="is no Pushgateway: it answered with a web page"),
    ):
        publication.publish(load_run("r1"), request("--to", "pushgateway", url))
