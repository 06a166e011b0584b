"""Writes the generated files, or reports which committed ones differ; shared by rules, dashboards and docs.

A running exporter does not need the generators, and they cost memory: they are loaded only when used.
"""

from exporter.commands.generate.command import add

__all__ = ["add"]
