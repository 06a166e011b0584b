"""k6: its points, one by one, and its summaries. docs/reference/formats.md, section "k6"."""

from __future__ import annotations

from exporter.formats.k6 import csv, json, machine_summary, summary

FORMATS = (csv.FORMAT, json.FORMAT, machine_summary.FORMAT, summary.FORMAT)
