"""What keeps the stack from running."""

from __future__ import annotations


class StackError(Exception):
    """One line that says what keeps the stack from running."""
