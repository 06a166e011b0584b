"""Values of arguments, for argparse's `type`: times, durations, ratios."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime

_NUMBER = re.compile(r"[0-9]{9,}(\.[0-9]+)?")
"""Unix seconds; a shorter number such as 20261120 is a date."""


def past_time(text: str) -> datetime:
    """A past time; without a zone it is UTC."""
    try:
        at = _time(text)
    except (ValueError, OverflowError, OSError):
        expected = "expected a time such as 2026-11-20T10:00:00Z, or Unix seconds"
        raise argparse.ArgumentTypeError(f"{text}: {expected}") from None

    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if at > datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the future, expected a past time")
    return at


def _time(text: str) -> datetime:
    if _NUMBER.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    return datetime.fromisoformat(text)


def duration(text: str) -> int:
    """Whole seconds of a Prometheus duration."""
    from exporter.config import conversion  # it takes a while to load

    seconds = float(conversion.duration(text) or 0)
    if seconds <= 0 or seconds != int(seconds):
        raise argparse.ArgumentTypeError(f"{text}: expected a duration such as 30s, 5m or 30d")
    return int(seconds)


def ratio(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a ratio between 0 and 1, such as 0.1")
    return value
