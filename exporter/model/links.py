"""Where links of alerts lead when nobody configured it."""

from __future__ import annotations

RUNBOOK = "https://example.com/pte-exporter/rules/RUNBOOK.md"
DASHBOARDS = "http://127.0.0.1:3000"
