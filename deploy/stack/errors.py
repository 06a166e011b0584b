"""Errors of the stack."""

from __future__ import annotations


class StackError(Exception):
    """The reason, in one line, why the stack cannot run."""
