"""Locust's statistics, and the files beside them. docs/reference/formats.md, section "Locust"."""

from __future__ import annotations

from exporter.formats.locust import statistics

FORMATS = (statistics.FORMAT,)
