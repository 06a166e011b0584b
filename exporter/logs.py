"""Log lines on stderr as logfmt or JSON: one line per event, whatever it contains."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

FORMATS = ("logfmt", "json")
LEVELS = ("debug", "info", "warn", "error")


def fields(**values: object) -> dict[str, Mapping[str, object]]:
    """The `extra` of a log call that adds the values as fields to the line."""
    return {"fields": values}


class LogFormatter(logging.Formatter):
    """Formats a record as one line."""

    def __init__(self, format: Literal["logfmt", "json"]) -> None:
        super().__init__()
        self._format = format

    def format(self, record: logging.LogRecord) -> str:
        values = self._values(record)
        if self._format == "json":
            return json.dumps(values, default=str)
        return " ".join(f"{key}={_quoted(str(value))}" for key, value in values.items())

    def _values(self, record: logging.LogRecord) -> dict[str, Any]:
        level = record.levelname.lower()
        if level == "warning":
            level = "warn"

        values: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "msg": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return values


def _quoted(value: str) -> str:
    """Unchanged where a reader cannot misread it, else as a JSON string."""
    if value and value.isprintable() and not set(value) & set(' "='):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def set_up(level: str, format: Literal["logfmt", "json"]) -> None:
    """Send every log line of the process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter(format))
    name = "WARNING" if level == "warn" else level.upper()
    logging.basicConfig(level=name, handlers=[handler], force=True)

    # These two only add noise: a line for every connection, and for clients that do not speak HTTP.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
