"""What standard output is."""

from __future__ import annotations

import os
import sys


def is_coloured() -> bool:
    """Whether a person reads it and has not asked for plain text."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
