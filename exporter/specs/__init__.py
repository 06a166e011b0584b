"""SPECS: files of Sloth, of OpenSLO and of our own -> objectives; every problem with file, document and path."""

from __future__ import annotations

from exporter.specs.checks import Options

__all__ = ["Options"]
