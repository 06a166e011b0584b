"""Real Prometheus servers that hold the history; one of each version for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.dashboards import history


@pytest.fixture(scope="session")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TSDB directory with the history."""
    directory = tmp_path_factory.mktemp("history")
    history.write(directory / "pages.om")
    return servers.create_blocks("2.42", directory / "pages.om", directory / "tsdb")


@pytest.fixture(scope="session", params=["2.42", "3"])
def prometheus(request: pytest.FixtureRequest, blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server."""
    directory = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(request.param, directory, blocks=blocks) as server:
        yield server.url
