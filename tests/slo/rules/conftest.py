"""Servers of both versions whose past can be written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slo.rules.evaluation import Evaluation, evaluation


@pytest.fixture(scope="module", params=["2.42", "3"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluation]:
    """An empty server; a module's tests use separate names of services and metrics."""
    with evaluation(request.param, tmp_path_factory.mktemp("server")) as running:
        yield running
