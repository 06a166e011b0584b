"""Writes the generated files, or says which of the committed ones differ; one way for rules, dashboards and docs.

Nothing here is of use to a running exporter, and what makes the files costs memory: it is loaded when it is asked for.
"""

from exporter.commands.generate.command import add

__all__ = ["add"]
