"""The time range of a request, and the resolution that the controller gives it."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.stack.controller.answers import Asked, Refusal

MINUTE, TEN_MINUTES, HOUR = 60, 600, 3600

FREQUENCY = {MINUTE: "ONE_MIN", TEN_MINUTES: "TEN_MIN", HOUR: "SIXTY_MIN"}

FINE_MINUTES = 1459
"""Longest window, in minutes, that is answered minute by minute."""

MIDDLE_MINUTES = 49 * 60
"""Longest window that is answered in steps of ten minutes."""

NEEDED = {
    "BEFORE_NOW": ("duration-in-mins",),
    "BEFORE_TIME": ("duration-in-mins", "end-time"),
    "AFTER_TIME": ("duration-in-mins", "start-time"),
    "BETWEEN_TIMES": ("start-time", "end-time"),
}
"""What each time-range-type must be told; times in milliseconds."""


@dataclass(frozen=True, slots=True)
class Range:
    """Includes its start and excludes its end, both in Unix seconds."""

    start: float
    end: float


def time_range(asked: Asked, now: float) -> Range:
    """Raises Refusal (400) when something is missing or no number, or the end is not after the start."""
    kind = asked.query.get("time-range-type", "")
    if kind not in NEEDED:
        raise Refusal(400, f"Invalid value for time-range-type, expected one of {', '.join(NEEDED)}")
    given = {name: _number(asked, name) for name in NEEDED[kind]}
    minutes, start, end = (given.get(name, 0) for name in ("duration-in-mins", "start-time", "end-time"))
    if kind == "BEFORE_NOW":
        found = Range(now - minutes * MINUTE, now)
    elif kind == "BEFORE_TIME":
        found = Range(end / 1000 - minutes * MINUTE, end / 1000)
    elif kind == "AFTER_TIME":
        found = Range(start / 1000, start / 1000 + minutes * MINUTE)
    else:
        found = Range(start / 1000, end / 1000)
    if found.end <= found.start:
        raise Refusal(400, "The end of the time range must be after its start")
    return found


def _number(asked: Asked, name: str) -> int:
    text = asked.query.get(name, "")
    if not text.isascii() or not text.isdigit():
        raise Refusal(400, f"Missing or invalid value for {name}")
    return int(text)


def resolution(wanted: Range, now: float, retention: tuple[float, float] | None) -> int:
    """Seconds of a step: by the window's length, and by its age where minutes are thrown away after a while."""
    minutes = (wanted.end - wanted.start) / MINUTE
    age = now - wanted.start
    fine, middle = retention if retention is not None else (float("inf"), float("inf"))
    if minutes <= FINE_MINUTES and age <= fine:
        return MINUTE
    return TEN_MINUTES if minutes <= MIDDLE_MINUTES and age <= middle else HOUR
