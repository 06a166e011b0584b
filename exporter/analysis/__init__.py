"""PURE functions (records, settings) -> results: no clock, no I/O.

Every formula is in docs/explanation/method.md.
"""
