"""`pte-exporter slo`: the state of error budgets, from Prometheus."""

from exporter.commands.slo.command import add

__all__ = ["add"]
