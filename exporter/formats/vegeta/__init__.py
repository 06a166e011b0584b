"""vegeta: its results, one by one, and its report. docs/reference/formats.md, section "wrk, hey, vegeta"."""

from __future__ import annotations

from exporter.formats.vegeta import json, report

FORMATS = (json.FORMAT, report.FORMAT)
