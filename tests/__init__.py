"""Tests: they mirror exporter/ and run against real servers on loopback."""
