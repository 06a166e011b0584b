"""The controller stub follows the rules of the real API."""

from __future__ import annotations

import itertools
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import trustme

from deploy.stack.controller import Answer, Controller, Fault, Request, serve
from tests.asking_controller import INFRASTRUCTURE, OVERALL, REST, TOKEN, TRANSACTIONS, Asking, asking
from tests.seed import END

CALLS = OVERALL + "Calls per Minute"
HOUR = 3600.0
DAY = 86400.0


@pytest.fixture
def client() -> Iterator[Asking]:
    with asking(users={"reader": "word"}) as client:
        yield client


def test_xml_is_the_default(client: Asking) -> None:
    """Without output=JSON there is XML."""
    for below in ("", "/shop/tiers"):
        answer = client.session.get(f"{client.url}{REST}{below}", timeout=30)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/xml"


def test_applications_have_ids_that_stay(client: Asking) -> None:
    """Both sides of the shop are listed, by the same ids whatever the seed; either names an application in a path."""
    listed = {row["name"]: row["id"] for row in client.get().json()}
    assert {"shop", "checkout", "search", "archive", "shop-pte", "checkout-pte", "archive-pte"} <= listed.keys()
    assert client.get(f"/{listed['shop-pte']}/tiers").json() == client.get("/shop-pte/tiers").json()
    assert {(tier["name"], tier["numberOfNodes"]) for tier in client.get("/shop/tiers").json()} == {
        ("web", 4),
        ("app", 2),
    }


def test_transactions_are_the_routes_of_their_side(client: Asking) -> None:
    """Production and PTE each name routes their own way, in the tier that serves them."""
    production = {
        transaction["name"]: transaction["tierName"] for transaction in client.get("/shop/business-transactions").json()
    }
    pte = {transaction["name"] for transaction in client.get("/shop-pte/business-transactions").json()}
    assert len(production) == 45
    assert production["GET /products/{id}"] == "web"
    assert production["POST /cart/items"] == "app"
    assert "GET /products/:id" in pte
    assert "POST /test-data" in pte - production.keys()


@pytest.mark.parametrize("name", ["billing", "4711"])
def test_an_unknown_application_is_told_as_such(client: Asking, name: str) -> None:
    """400 with the words that the real one uses; so is one that the client may not see."""
    client.controller.hidden.add("shop")
    assert "shop" not in {row["name"] for row in client.get().json()}
    for request in (name, "shop", "100"):
        answer = client.get(f"/{request}/tiers")
        assert answer.status_code == 400
        assert f"Invalid application id {request} is specified" in answer.text


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"time_range_type": "YESTERDAY"},
        {"time_range_type": "BEFORE_NOW"},
        {"time_range_type": "BEFORE_TIME", "duration_in_mins": 5},
        {"time_range_type": "AFTER_TIME", "duration_in_mins": 5},
        {"time_range_type": "BETWEEN_TIMES", "start_time": 1},
        {"time_range_type": "BETWEEN_TIMES", "start_time": 2, "end_time": 1},
        {"time_range_type": "BETWEEN_TIMES", "start_time": "1.5", "end_time": 9},
    ],
)
def test_a_time_range_is_whole(client: Asking, parameters: dict[str, str | int]) -> None:
    """Whatever a range needs and lacks is refused, for metrics as for violations."""
    assert client.get("/shop/metric-data", metric_path=CALLS, **parameters).status_code == 400
    assert client.get("/shop/problems/healthrule-violations", **parameters).status_code == 400


def test_the_four_ranges_agree(client: Asking) -> None:
    """The same ten minutes are the same however they are named; the start is inside, the end is not."""
    start, end = int((END - 600) * 1000), int(END * 1000)
    ranges: list[dict[str, str | int]] = [
        {"time_range_type": "BEFORE_NOW", "duration_in_mins": 10},
        {"time_range_type": "BEFORE_TIME", "duration_in_mins": 10, "end_time": end},
        {"time_range_type": "AFTER_TIME", "duration_in_mins": 10, "start_time": start},
        {"time_range_type": "BETWEEN_TIMES", "start_time": start, "end_time": end},
    ]
    answers = [client.get("/shop/metric-data", metric_path=CALLS, rollup="false", **item).json() for item in ranges]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert [step["startTimeInMillis"] for step in answers[0][0]["metricValues"]] == list(range(start, end, 60_000))


def test_a_range_is_rolled_up_unless_it_is_told_otherwise(client: Asking) -> None:
    """By default the whole window has one value, at its start: the mean of the minutes."""
    (rolled,) = client.metrics("shop", CALLS, END - HOUR, END, rollup="true")
    (fine,) = client.metrics("shop", CALLS, END - HOUR, END)
    default = client.get("/shop/metric-data", metric_path=CALLS, time_range_type="BEFORE_NOW", duration_in_mins=60)
    assert default.json() == [rolled]
    (value,) = rolled["metricValues"]
    assert value["startTimeInMillis"] == int((END - HOUR) * 1000)
    assert value["sum"] == sum(step["sum"] for step in fine["metricValues"])
    assert value["value"] == pytest.approx(value["sum"] / 60, abs=0.5)


@pytest.mark.parametrize(
    ("minutes", "frequency", "step"),
    [(1459, "ONE_MIN", 60), (1460, "TEN_MIN", 600), (2940, "TEN_MIN", 600), (2941, "SIXTY_MIN", 3600)],
)
def test_resolution_follows_the_window(client: Asking, minutes: int, frequency: str, step: int) -> None:
    """Beyond 1,459 minutes there are ten-minute steps, beyond 49 h hours; each with its start as time."""
    end = END // 3600 * 3600
    (metrics,) = client.metrics("shop", CALLS, end - minutes * 60, end)
    times = [value["startTimeInMillis"] // 1000 for value in metrics["metricValues"]]
    assert metrics["frequency"] == frequency
    assert {time % step for time in times} == {0}
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {step}


def test_old_minutes_are_thrown_away_where_it_is_so_set() -> None:
    """With a retention of 4 h and 48 h the same hour comes in minutes, tens of minutes or as one value."""
    with asking(retention=(4 * HOUR, 48 * HOUR)) as client:
        for back, frequency, count in ((2, "ONE_MIN", 60), (5, "TEN_MIN", 6), (50, "SIXTY_MIN", 1)):
            start = END // 3600 * 3600 - back * HOUR
            (metrics,) = client.metrics("shop", CALLS, start, start + HOUR)
            assert metrics["frequency"] == frequency
            assert len(metrics["metricValues"]) == count


def test_what_is_not_over_is_not_told(client: Asking) -> None:
    """Of the running minute there is nothing yet, nor of the future."""
    client.clock.now = END + 90.0
    (metrics,) = client.metrics("shop", CALLS, END - 60, END + HOUR)
    times = [value["startTimeInMillis"] // 1000 for value in metrics["metricValues"]]
    assert times == [int(END) - 60, int(END)]


def test_agents_may_report_late() -> None:
    """With `settling`, the newest minutes have half of their later counts."""
    with asking(settling=120.0) as client:
        (metrics,) = client.metrics("shop", CALLS, END - 240, END)
        client.clock.now += 120.0
        (later,) = client.metrics("shop", CALLS, END - 240, END)
    shares = [
        value["sum"] / then["sum"] for value, then in zip(metrics["metricValues"], later["metricValues"], strict=True)
    ]
    assert shares == pytest.approx([1.0, 1.0, 0.5, 0.5], abs=0.001)


def test_large_answers_are_packed_for_those_who_ask(client: Asking) -> None:
    """gzip where it is accepted, plain where it is not."""
    parameters: dict[str, str | int] = {"time_range_type": "BEFORE_NOW", "duration_in_mins": 60, "rollup": "false"}
    packed = client.get("/shop/metric-data", metric_path=CALLS, **parameters)
    client.session.headers["Accept-Encoding"] = "identity"
    plain = client.get("/shop/metric-data", metric_path=CALLS, **parameters)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_a_star_is_one_whole_segment(client: Asking) -> None:
    """It matches any name in its place, no part of one, and no path of another length."""
    metrics = client.metrics("shop", TRANSACTIONS + "Calls per Minute", END - 60, END)
    assert len(metrics) == 45
    tiers = client.metrics("shop", OVERALL + "*|Calls per Minute", END - 60, END)
    assert {tier["metricPath"].split("|")[1] for tier in tiers} == {"web", "app"}
    for path in (OVERALL + "Calls*", "*|Calls per Minute|*", TRANSACTIONS.replace("*|*|", "*|")):
        assert client.metrics("shop", path, END - 60, END) == []


def test_unknown_is_not_the_same_as_without_data(client: Asking) -> None:
    """An unknown path is an empty list; a known one without data has its name and id."""
    assert client.metrics("shop", OVERALL + "Calls per Hour", END - 60, END) == []
    assert client.metrics("search-pte", CALLS, END - 60, END) == []
    (before,) = client.metrics("archive", OVERALL + "Average Response Time (ms)", END - 60, END)
    assert (before["metricName"], before["metricValues"]) == ("METRIC DATA NOT FOUND", [])
    assert before["metricId"] > 0
    assert before["metricPath"] == OVERALL + "Average Response Time (ms)"


def test_a_path_is_encoded_once(client: Asking) -> None:
    """An encoded path that is encoded again is unknown."""
    assert client.metrics("shop", INFRASTRUCTURE + "CPU|%Busy", END - 60, END)
    assert not client.metrics("shop", (INFRASTRUCTURE + "CPU|%Busy").replace("|", "%7C"), END - 60, END)


def test_the_tree_can_be_walked(client: Asking) -> None:
    """One level at a time, folders and leaves."""
    top = {metric["name"]: metric["type"] for metric in client.get("/shop/metrics").json()}
    assert top["Overall Application Performance"] == "folder"
    below = client.get("/shop/metrics", metric_path="Overall Application Performance").json()
    assert {"name": "Calls per Minute", "type": "leaf"} in below


def test_one_call_too_many_is_refused() -> None:
    """Beyond the bound of parallel calls there is 429; all in flight at once are counted."""
    with asking(parallel=3) as client:
        all_there = threading.Barrier(5)

        def wait(_: Request, answer: Answer) -> Answer:
            all_there.wait(30)
            return answer

        client.controller.faults.add(Fault(wait))
        authorization = {"Authorization": str(client.session.headers["Authorization"])}

        def ask(_: int) -> int:
            return requests.get(f"{client.url}{REST}?output=JSON", headers=authorization, timeout=60).status_code

        with ThreadPoolExecutor(5) as pool:
            statuses = sorted(pool.map(ask, range(5)))
        assert statuses == [200, 200, 200, 429, 429]
        assert client.controller.most_at_once == 5


def test_what_is_asked_is_counted(client: Asking) -> None:
    """Requests are counted by method and path, for any application, and recorded unchanged."""
    client.get("/shop/tiers")
    client.get("/201/tiers")
    client.token()
    shape = "GET /controller/rest/applications/{application}/tiers"
    assert client.controller.counts == {shape: 2, f"POST {TOKEN}": 1}
    assert client.controller.token_requests == 1
    assert client.controller.rest_requests == 2
    assert [request.path for request in client.controller.requests][:2] == [f"{REST}/shop/tiers", f"{REST}/201/tiers"]


def test_a_connection_is_kept(client: Asking) -> None:
    """Many requests go over one connection, refused ones too."""
    for _ in range(5):
        client.get()
        client.get("/nobody/tiers")
    pools = client.session.get_adapter(client.url).poolmanager.pools  # type: ignore[attr-defined]
    assert sum(pools[key].num_connections for key in pools.keys()) == 1  # noqa: SIM118 - no mapping


def test_it_speaks_tls(tmp_path: Path) -> None:
    """With a context it serves https, and a client without a handshake does not block others."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(Controller(), context=context) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
            answer = requests.get(f"{url}/controller/", timeout=30, verify=str(tmp_path / "ca.pem"))
        assert url.startswith("https://")
        assert answer.status_code == 200


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    """With an address and a file that holds the secret it serves by itself."""
    secret = tmp_path / "secret"
    secret.write_text("word\n", encoding="utf-8")
    with serve(Controller()) as url:  # a port that is free once this has ended
        address = url.removeprefix("http://")
    command = [sys.executable, "-m", "deploy.stack.controller", "--listen", address, "--secret.file", str(secret)]
    process = subprocess.Popen(command)
    try:
        form = {"grant_type": "client_credentials", "client_id": "pte-exporter@demo", "client_secret": "word"}
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = requests.post(f"http://{address}{TOKEN}", data=form, timeout=30)
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.1)
        assert answer.status_code == 200
    finally:
        process.terminate()
        process.wait()
