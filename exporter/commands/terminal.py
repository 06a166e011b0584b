"""Properties of standard output."""

from __future__ import annotations

import os
import sys


def is_coloured() -> bool:
    """Whether it is a terminal and NO_COLOR is not set."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
