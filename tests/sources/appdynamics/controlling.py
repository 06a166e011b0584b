"""Connections to a controller stub, and to faulty servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from exporter.errors import SourceError
from exporter.model.observation import Window
from exporter.model.settings import Duration
from exporter.sources.appdynamics.client import ControllerClient
from exporter.sources.appdynamics.connection import Connection
from exporter.sources.appdynamics.options import ControllerApplication, Options
from exporter.sources.appdynamics.records import MetricQuery, MetricResult
from tests.bad_server import BadServer, Behave, bad_server
from tests.secret import SECRET

NOW = 1_795_176_000.0
"""A full hour."""

DAY = Window(NOW - 1440 * 60.0, NOW)
CALLS = "Overall Application Performance|Calls per Minute"


def options(url: str, **changed: Any) -> Options:
    """Options with a UI token (no token requests), unless they are changed."""
    values = {"url": url, "account": "demo", "applications": {"shop": ControllerApplication()}, "timeout": Duration(20)}
    return Options(**{**values, **changed})


def oauth(tmp_path: Path) -> dict[str, Any]:
    """The API client of the stub."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    return {"client": "pte-exporter", "client_secret_file": tmp_path / "secret"}


@contextmanager
def client_of(behave: Behave, budget: int = 300, **changed: Any) -> Iterator[tuple[ControllerClient, BadServer]]:
    """A client of a server that handles every request with the function."""
    with bad_server(behave) as server:
        connection = Connection(options(server.url, **changed))
        try:
            yield ControllerClient(connection, budget), server
        finally:
            connection.close()


def metric_result(behave: Behave, window: Window = DAY, path: str = CALLS, **changed: Any) -> MetricResult:
    """The answer to one ask for metric data."""
    with client_of(behave, **changed) as (client, _):
        [answer] = client.metrics([MetricQuery(7, path, window)])
        return answer


def failed(behave: Behave, path: str = CALLS, **changed: Any) -> SourceError:
    """The error of one ask for metric data, which names the server on one line, without a secret."""
    with client_of(behave, **changed) as (client, server), pytest.raises(SourceError) as caught:
        client.metrics([MetricQuery(7, path, DAY)])
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def shop(client: ControllerClient) -> int:
    """The id of the stub's application "shop"."""
    return next(application.id for application in client.applications() if application.name == "shop")


def asking(line: bytes) -> dict[str, list[str]]:
    """The query of a request."""
    return parse_qs(urlsplit(line.split(b" ")[1].decode()).query)
