"""What all tests of HTTP share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.secret import SECRET


@pytest.fixture(autouse=True)
def no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, no library may log the secret, not even when debugging."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    yield
    assert SECRET not in caplog.text
