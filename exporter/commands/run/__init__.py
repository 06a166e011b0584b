"""`pte-exporter run`: runs a load generator, monitors it, and publishes its result."""

from exporter.commands.run.command import add

__all__ = ["add"]
