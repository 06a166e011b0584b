"""The controller stub: one for all check-ups, reset before each; one for each test of the client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from deploy.stack.controller import Controller, serve
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.connection import Connection
from tests.secret import SECRET
from tests.sources.appdynamics.checking import Stand, plain, standing
from tests.sources.appdynamics.controlling import NOW, oauth, options


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand")) as stand_fixture:
        yield stand_fixture


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own surroundings."""
    plain(monkeypatch, tmp_path)


@pytest.fixture
def stand(running: Stand, bare: None) -> Stand:
    running.clean()
    return running


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="Example", organization_unit_name="Root")


@pytest.fixture
def no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, no library may log the secret, not even when debugging."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    yield
    assert SECRET not in caplog.text


@pytest.fixture
def controller() -> Controller:
    return Controller(clock=lambda: NOW, secret=SECRET)


@pytest.fixture
def client(controller: Controller, tmp_path: Path) -> Iterator[ControllerClient]:
    with serve(controller) as url:
        connection = Connection(options(url, **oauth(tmp_path)))
        yield ControllerClient(connection, 300)
        connection.close()
