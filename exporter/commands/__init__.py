"""COMMANDS: one folder or file a command of `pte-exporter`."""
