"""The configuration that a command uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes a while to load
    from exporter.config import Config

DEMO = Path(__file__).parents[1] / "demo.yml"
"""The configuration of commands without --config.file."""


def read(file: str | None) -> Config:
    """Read --config.file, or the embedded demo; raises ConfigError with every problem."""
    from exporter import sources

    return sources.read(file or DEMO)
