"""JMeter's JTL, as CSV and as XML. docs/reference/formats.md, section "JMeter"."""

from __future__ import annotations

from exporter.formats.jmeter import csv, xml

FORMATS = (csv.FORMAT, xml.FORMAT)
