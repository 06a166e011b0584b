"""Gatling's simulation.log. docs/reference/formats.md, section "Gatling"."""

from __future__ import annotations

from exporter.formats.gatling import binary, text

FORMATS = (text.FORMAT, binary.FORMAT)
