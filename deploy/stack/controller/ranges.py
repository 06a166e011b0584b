"""The time range of a request, and the resolution of its result."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.stack.controller.messages import Refusal, Request

MINUTE = 60
TEN_MINUTES = 600
HOUR = 3600

FREQUENCY = {MINUTE: "ONE_MIN", TEN_MINUTES: "TEN_MIN", HOUR: "SIXTY_MIN"}

FINE_MINUTES = 1459
"""Longest window, in minutes, with a result minute by minute."""

MIDDLE_MINUTES = 49 * 60
"""Longest window with a result in steps of ten minutes."""

NEEDED = {
    "BEFORE_NOW": ("duration-in-mins",),
    "BEFORE_TIME": ("duration-in-mins", "end-time"),
    "AFTER_TIME": ("duration-in-mins", "start-time"),
    "BETWEEN_TIMES": ("start-time", "end-time"),
}
"""Required parameters of each time-range-type; times in milliseconds."""


@dataclass(frozen=True, slots=True)
class Range:
    """Includes its start and excludes its end, both in Unix seconds."""

    start: float
    end: float


def time_range(request: Request, now: float) -> Range:
    """Raises Refusal (400) when a parameter is missing or not a number, or the end is not after the start."""
    kind = request.query.get("time-range-type", "")
    if kind not in NEEDED:
        raise Refusal(400, f"Invalid value for time-range-type, expected one of {', '.join(NEEDED)}")

    values = {name: _number(request, name) for name in NEEDED[kind]}
    duration = values.get("duration-in-mins", 0) * MINUTE
    start = values.get("start-time", 0) / 1000
    end = values.get("end-time", 0) / 1000
    if kind == "BEFORE_NOW":
        start = now - duration
        end = now
    elif kind == "BEFORE_TIME":
        start = end - duration
    elif kind == "AFTER_TIME":
        end = start + duration

    if end <= start:
        raise Refusal(400, "The end of the time range must be after its start")
    return Range(start, end)


def _number(request: Request, name: str) -> int:
    text = request.query.get(name, "")
    if not text.isascii() or not text.isdigit():
        raise Refusal(400, f"Missing or invalid value for {name}")
    return int(text)


def resolution(window: Range, now: float, retention: tuple[float, float] | None) -> int:
    """Seconds of a step: by the window's length, and by its age if minutes are dropped after a while."""
    minutes = (window.end - window.start) / MINUTE
    age = now - window.start
    fine, middle = retention or (float("inf"), float("inf"))

    if minutes <= FINE_MINUTES and age <= fine:
        return MINUTE
    if minutes <= MIDDLE_MINUTES and age <= middle:
        return TEN_MINUTES
    return HOUR
