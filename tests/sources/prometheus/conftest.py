"""Real servers with the small history that is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers, small_shop
from tests.sources.prometheus.checking import extra


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.blocks(tmp_path_factory.mktemp("small"), 3, 2, extra="\n".join(extra()))


@pytest.fixture(scope="module", params=["2.42", "3"])
def url(request: pytest.FixtureRequest, blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.prometheus(request.param, tmp_path_factory.mktemp("server"), blocks=blocks) as server:
        yield server.url
