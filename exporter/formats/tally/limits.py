"""What no measurement can be: beyond these a number is in another unit, of a clock that went wrong, or a mistake."""

from __future__ import annotations

LONGEST_LATENCY = 86400.0
"""Seconds."""

LONGEST_RUN = 7 * 86400.0
"""Seconds; requests further apart are not of one run."""

EARLIEST = 946684800.0
"""2000, Unix seconds."""

LATEST = 4102444800.0
"""2100, Unix seconds."""

MOST = 2.0**60
"""Of anything that is counted, such as bytes."""
