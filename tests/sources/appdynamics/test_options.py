"""Options of a source of the kind `appdynamics`, and their problems."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from exporter.sources.appdynamics.options import METRICS, Calls, ControllerApplication, Options, problems
from tests.secret import SECRET


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def options(secret: Path, **changed: Any) -> Options:
    """Options without a fault, changed."""
    values = {
        "url": "https://acme.saas.appdynamics.com",
        "account": "acme",
        "client": "exporter",
        "client_secret_file": secret,
        "applications": {"shop": ControllerApplication()},
    }
    return Options(**{name: value for name, value in {**values, **changed}.items() if value is not ...})


def test_nothing_wrong(secret: Path) -> None:
    """Each of the three ways to prove who we are is right alone."""
    without = {"client": None, "client_secret_file": None}
    assert problems(options(secret)) == []
    assert problems(options(secret, **without, username="me", password_file=secret)) == []
    assert problems(options(secret, **without, bearer_token_file=secret)) == []


@pytest.mark.parametrize(
    ("changed", "path", "text"),
    [
        (
            {"url": "acme.saas.appdynamics.com"},
            "url",
            "not an http or https URL; expected for example https://acme.saas",
        ),
        ({"url": "http://acme.saas.appdynamics.com"}, "url", "a SaaS controller accepts https only"),
        ({"url": "https://host/controller/rest"}, "url", "part of the controller's address; expected https://host"),
        ({"url": "https://host:8181/controller/#/location=APPS"}, "url", "expected https://host:8181: the rest"),
        ({"url": "https://host/controller/controller"}, "url", "/controller is not part"),
        ({"url": "https://host?a=1"}, "url", "expected https://host: the rest is a page"),
        ({"url": "https://[host"}, "url", "not a URL"),
        ({"account": "acme@acme"}, "account", "without @ or address, as on the controller's License page"),
        ({"account": "https://acme.saas.appdynamics.com"}, "account", "e.g. acme"),
        ({"account": "", "url": "https://host:8090"}, "account", "e.g. customer1"),
        ({"client": "exporter@acme"}, "client", "expected exporter, the API client's name without @account"),
        ({"client": ""}, "client", "without @account"),
        ({"client": None}, "client", "requires client and one of client_secret_file, client_secret_env"),
        ({"client_secret_file": None}, "client", "requires client and one of"),
        ({"client_secret_env": "HOME"}, "client_secret_env", "not both"),
        ({"client_secret_file": Path("missing")}, "client_secret_file", f"cannot read {Path.cwd()}/missing"),
        ({"client_secret_file": Path(os.devnull)}, "client_secret_file", os.devnull),
        ({"client_secret_file": None, "client": None}, "client", "missing: set client with client_secret_file, or"),
        ({"username": "me", "password_env": "HOME"}, "username", "set client or username, not both"),
        ({"bearer_token_env": "HOME"}, "bearer_token_file", "set client or bearer_token_file, not both"),
        ({"applications": {}}, "applications", "expected at least one"),
        ({"routes": {"Pay": "pay"}}, "routes.Pay", "found 'pay', expected method and path such as POST /checkout"),
        (
            {"applications": {"shop": ControllerApplication(routes={"Pay": "FETCH /pay"})}},
            "applications.shop.routes.Pay",
            "found 'FETCH /pay'",
        ),
        (
            {"applications": {"a": ControllerApplication(name="A"), "A": ControllerApplication()}},
            "applications.A",
            "duplicate application 'A' of the controller, also used by a",
        ),
        ({"metrics": {"cup": "x|y"}}, "metrics.cup", f"unknown key, expected one of: {', '.join(METRICS)}"),
        ({"metrics": {"cpu": "a||b"}}, "metrics.cpu", "expected a metric path such as"),
        ({"metrics": {"calls": None}}, "metrics.calls", "cannot be null"),
        ({"events": ("deployment",)}, "events", "found 'deployment', expected types of events"),
        ({"calls": Calls(per_poll=0)}, "calls.per_poll", "found 0, expected at least 1"),
        ({"calls": Calls(parallel=0)}, "calls.parallel", "found 0, expected 1 to 100"),
        ({"calls": Calls(parallel=101)}, "calls.parallel", "found 101, expected 1 to 100"),
    ],
)
def test_problems(changed: dict[str, Any], path: str, text: str, secret: Path) -> None:
    """Each problem is reported with its path, on one line, with the allowed values."""
    actual = {key: str(problem) for key, problem in problems(options(secret, **changed))}
    assert text in actual[path]
    assert "\n" not in actual[path]
    assert SECRET not in repr(actual)


def test_unset_variable(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in a variable that is not set is named."""
    monkeypatch.delenv("PTE_SECRET", raising=False)
    actual = problems(options(secret, client_secret_file=None, client_secret_env="PTE_SECRET"))
    assert [path for path, _ in actual] == ["client_secret_env"]
    assert "PTE_SECRET is not set" in str(actual[0][1])


@pytest.mark.parametrize("end", ["", "/", "/controller", "/controller/"])
def test_base(end: str, secret: Path) -> None:
    """The address may end with /controller or not."""
    values = options(secret, url=f"https://host:8090{end}")
    assert (values.base, problems(values)) == ("https://host:8090", [])


@pytest.mark.parametrize(
    ("url", "value", "parallel"),
    [
        ("https://acme.saas.appdynamics.com", None, 50),
        ("https://acme.saas.appdynamics.com.example", None, 10),
        ("http://controller:8090", None, 10),
        ("http://controller:8090", 3, 3),
    ],
)
def test_parallel(url: str, value: int | None, parallel: int, secret: Path) -> None:
    """A controller of the vendor's bears more calls at a time than one on premises."""
    assert options(secret, url=url, calls=Calls(parallel=value)).parallel == parallel


def test_paths(secret: Path) -> None:
    """Paths given replace the usual ones, null leaves one out."""
    paths = options(secret, metrics={"cpu": "a|b", "memory": None}).paths
    assert paths["cpu"] == "a|b"
    assert paths.keys() == METRICS.keys() - {"memory"}


def test_names_and_routes(secret: Path) -> None:
    """An application's own routes come before those of all."""
    shop = ControllerApplication(name="Web Shop", routes={"Pay": "POST /pay"})
    values = options(
        secret,
        applications={"shop": shop, "search": ControllerApplication()},
        routes={"Pay": "PUT /pay", "Find": "GET /find"},
    )
    assert (values.there("shop"), values.there("search")) == ("Web Shop", "search")
    assert [values.route_of("shop", name) for name in ("Pay", "Find", "Other")] == ["POST /pay", "GET /find", None]
    assert values.route_of("search", "Pay") == "PUT /pay"
