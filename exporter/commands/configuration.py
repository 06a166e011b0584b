"""The configuration that a command works with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes a while to load
    from exporter.config import Config

DEMO = Path(__file__).parents[1] / "demo.yml"
"""What commands work with where no --config.file is given."""


def read(file: str | None) -> Config:
    """That of --config.file, or the embedded demo's; raises ConfigError with every problem."""
    from exporter import sources

    return sources.read(file or DEMO)
