"""PURE functions (records, settings) -> results: no clock, no I/O.

Every formula stands in docs/explanation/method.md.
"""
