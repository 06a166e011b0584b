"""Baselines: runs saved by name, that later runs are compared with. What a pipeline gates on."""

from exporter.commands.baseline.command import add

__all__ = ["add"]
