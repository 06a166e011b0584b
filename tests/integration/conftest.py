"""Tests in containers need a container engine; without one they are deselected, and the summary says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SOCKETS = (
    "/var/run/docker.sock",
    "$XDG_RUNTIME_DIR/docker.sock",
    "$XDG_RUNTIME_DIR/podman/podman.sock",
    "/run/podman/podman.sock",
)
LEFT_OUT = pytest.StashKey[int]()


def engine() -> str | None:
    """The address of a container engine that we may use, or None."""
    if address := os.environ.get("DOCKER_HOST"):
        return address
    sockets = (Path(os.path.expandvars(path)) for path in SOCKETS)
    return next((f"unix://{path}" for path in sockets if path.is_socket() and os.access(path, os.W_OK)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that need an engine if there is none; else export its address."""
    if address := engine():
        os.environ["DOCKER_HOST"] = address
        return
    left_out = [item for item in items if item.get_closest_marker("container")]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report deselected tests, also in quiet mode."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"container tests: no container engine here, {count} deselected")
