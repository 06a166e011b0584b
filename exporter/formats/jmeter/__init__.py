"""JMeter's JTL, as CSV and as XML. docs/results.md, section "JMeter"."""

from __future__ import annotations

from exporter.formats.jmeter import csv, xml

FORMATS = (csv.FORMAT, xml.FORMAT)
