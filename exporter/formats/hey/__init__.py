"""hey: its summary, and its requests as CSV. docs/reference/formats.md, section "wrk, hey, vegeta"."""

from __future__ import annotations

from exporter.formats.hey import csv, text

FORMATS = (text.FORMAT, csv.FORMAT)
