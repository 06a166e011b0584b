"""`pte-exporter run`: starts a load generator, looks on while it goes, and publishes what it measured."""

from exporter.commands.run.command import add

__all__ = ["add"]
