"""The controller stub injects configured faults, as often and where configured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from deploy.stack.controller import Answer, Fault, Request, faults
from tests.asking_controller import OVERALL, Asking, asking
from tests.seed import END

CALLS = OVERALL + "Calls per Minute"
RANGE: dict[str, str | int] = {"time_range_type": "BEFORE_NOW", "duration_in_mins": 60}


@pytest.fixture
def client() -> Iterator[Asking]:
    with asking() as client:
        yield client


def calls(client: Asking) -> Any:
    return client.metrics("shop", CALLS, END - 600, END)


def test_too_many_requests(client: Asking) -> None:
    """429 with Retry-After, once, and then all is well."""
    client.controller.faults.add(faults.too_many("7", times=1))
    answer = client.get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert client.get().status_code == 200
    client.controller.faults.add(faults.too_many(None))
    assert "Retry-After" not in client.get().headers


def test_unavailable(client: Asking) -> None:
    """503 without a body until the fault is removed."""
    fault = faults.unavailable()
    client.controller.faults.add(fault)
    for _ in range(2):
        answer = client.get()
        assert (answer.status_code, answer.content) == (503, b"")
    client.controller.faults.remove(fault)
    assert client.get().status_code == 200


def test_a_connection_that_ends(client: Asking) -> None:
    """No answer at all, once."""
    client.controller.faults.add(faults.hang_up(times=1))
    with pytest.raises(requests.ConnectionError):
        client.get()
    assert client.get().status_code == 200


@pytest.mark.parametrize("status", [200, 401])
def test_login_page(client: Asking, status: int) -> None:
    """A page of HTML where JSON should be."""
    client.controller.faults.add(faults.login_page(status))
    answer = client.get()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Sign in" in answer.text


def test_redirect(client: Asking) -> None:
    """302 to the configured address."""
    client.controller.faults.add(faults.redirect("https://sso.example.com/login"))
    answer = client.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://sso.example.com/login")


def test_wrong_clock(client: Asking) -> None:
    """The Date header is the controller's clock, or differs from it by the configured time."""
    assert parsedate_to_datetime(client.get().headers["Date"]).timestamp() == END
    client.controller.faults.add(faults.wrong_clock(-120.0))
    assert parsedate_to_datetime(client.get().headers["Date"]).timestamp() == END - 120
    client.controller.faults.add(faults.unavailable())
    assert "Date" in client.get().headers


def test_tokens_that_expire_early(client: Asking) -> None:
    """A token that says 300 s and lives for 60."""
    client.controller.access.lifetime, client.controller.access.announced = 60.0, 300.0
    assert client.token().json()["expires_in"] == 300
    client.enter()
    client.clock.now += 61.0
    assert client.get().status_code == 401


@pytest.mark.parametrize(("actual", "field"), [(None, {}), ("300", {"expires_in": "300"}), (-1, {"expires_in": -1})])
def test_a_life_that_is_no_number(client: Asking, actual: object, field: dict[str, object]) -> None:
    """expires_in may be missing, text or nonsense."""
    client.controller.faults.add(faults.token_says(actual))
    answer = client.token().json()
    assert answer.pop("access_token")
    assert answer == field


@pytest.mark.parametrize("status", [200, 500])
def test_a_token_endpoint_that_breaks(client: Asking, status: int) -> None:
    """HTML with 200 or 500 instead of a token; other pages work."""
    client.controller.faults.add(faults.token_fails(status))
    answer = client.token()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert client.get().status_code == 200


def test_missing_fields(client: Asking) -> None:
    """Fields that older controllers do not send are gone at every depth."""
    client.controller.faults.add(faults.without("accountGuid", "metricId", "standardDeviation", "sum"))
    assert all("accountGuid" not in row for row in client.get().json())
    (result,) = calls(client)
    assert "metricId" not in result
    assert all("sum" not in step and "value" in step for step in result["metricValues"])


def test_sentinels(client: Asking) -> None:
    """Every second value is a placeholder, as configured, with an empty range."""
    client.controller.faults.add(faults.sentinels(-2147483648))
    (result,) = calls(client)
    assert [step["value"] == -2147483648 for step in result["metricValues"]] == [True, False] * 5
    assert result["metricValues"][0]["min"] == 2147483647


@pytest.mark.parametrize("path", ["events", "problems/healthrule-violations", "request-snapshots"])
def test_rights_that_lack(client: Asking, path: str) -> None:
    """403 for one kind of question only."""
    client.controller.faults.add(faults.forbidden(f"*/{path}"))
    assert client.get(f"/shop/{path}", **RANGE).status_code == 403
    assert calls(client)


def test_no_percentiles(client: Asking) -> None:
    """The metric is unknown, the others are not; so are others, by a part of their path."""
    client.controller.faults.add(faults.without_percentiles())
    assert client.metrics("shop", OVERALL + "95th Percentile Response Time (ms)", END - 600, END) == []
    assert calls(client)
    client.controller.faults.add(faults.without_metric("|web|"))
    tiers = client.metrics("shop", OVERALL + "*|Calls per Minute", END - 600, END)
    assert [tier["metricPath"] for tier in tiers] == [OVERALL + "app|Calls per Minute"]


def test_truncated(client: Asking) -> None:
    """Half of the JSON, with a Content-Length that fits."""
    client.controller.faults.add(faults.truncated())
    answer = client.get()
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_slow(client: Asking) -> None:
    """The answer comes after the wait."""
    client.controller.faults.add(faults.slow(0.3, times=1))
    began = time.monotonic()
    client.get()
    assert time.monotonic() - began >= 0.3


def test_a_fault_of_ones_own(client: Asking) -> None:
    """Any function of request and answer is a fault; several apply one after the other, until all are cleared."""

    def teapot(request: Request, answer: Answer) -> Answer:
        return replace(answer, status=418, body=request.path.encode())

    def shout(_: Request, answer: Answer) -> Answer:
        return replace(answer, body=answer.body.upper())

    client.controller.faults.add(Fault(teapot, "*/tiers"), Fault(shout, "*/tiers"))
    answer = client.get("/shop/tiers")
    assert (answer.status_code, answer.text) == (418, "/CONTROLLER/REST/APPLICATIONS/SHOP/TIERS")
    client.controller.faults.clear()
    assert client.get("/shop/tiers").status_code == 200
