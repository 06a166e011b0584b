"""The demo at one moment, which both reports are made of."""

from __future__ import annotations

import pytest

from exporter.commands.configuration import DEMO
from exporter.model.results import Snapshot
from exporter.pipeline import round_once
from exporter.sources import read


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return round_once(read(DEMO), 1_795_176_000.0)
