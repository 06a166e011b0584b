"""The controller's stand-in for check-ups: one for all of them, cleaned before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.appdynamics.checking import Stand, plain, standing


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("stand")) as one:
        yield one


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
