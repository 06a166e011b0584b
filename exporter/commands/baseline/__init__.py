"""Baselines: runs saved by name, to compare later runs with. Pipelines use them as gates."""

from exporter.commands.baseline.command import add

__all__ = ["add"]
