"""Default targets of the links in alerts."""

from __future__ import annotations

RUNBOOK = "https://example.com/pte-exporter/rules/RUNBOOK.md"
DASHBOARDS = "http://127.0.0.1:3000"
