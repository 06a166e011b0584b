"""PUBLISH: a pipeline's last step. The same series as those of `serve`, on a Pushgateway or in a textfile."""

from exporter.commands.publish.command import add

__all__ = ["add"]
