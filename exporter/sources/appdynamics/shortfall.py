"""Calls that a poll did not make, as its budget was used up: what for, of whom, and what to do about it."""

from __future__ import annotations

from collections import defaultdict

from exporter import humanize

# What calls are for, in the words of the warning.
SIGNALS = "signals"
ROUTES = "routes"
INCIDENTS = "incidents"
HISTORY = "history"
LOOK_BACK = "the look-back"
EVENTS = "events"

_ASKED_ONCE = {HISTORY, LOOK_BACK}


class Shortfall:
    """Numbers of calls by what they are for and by application."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def __bool__(self) -> bool:
        """Whether any call was not made."""
        return bool(self._calls)

    def add(self, purpose: str, application: str, calls: int = 1) -> None:
        self._calls[purpose][application] += calls

    def touches(self, application: str, *purposes: str) -> bool:
        """Whether anything of an application was left out; of these purposes, where some are given."""
        return any(application in self._calls.get(purpose, {}) for purpose in purposes or self._calls)

    def describe(self, made: int, left: int, per_poll: int) -> str:
        """What was left out for want of calls, and what to do; after so many calls, with so many left."""
        missing = sum(sum(names.values()) for names in self._calls.values())
        budget = f"calls.per_poll is {per_poll}"
        if made + left < per_poll:  # a question between polls has what the poll before it left
            budget += f", of which the poll has left {made + left}"
        budget += f", and {made + missing} are wanted"

        remedy = "the next polls go on with what was left out, raise it to have it now"
        if self._calls.keys() - _ASKED_ONCE:  # what every poll wants, in the same order
            remedy = "raise it: the next polls go on with history and test runs, and leave out the rest again"

        parts = (
            f"{sum(names.values())} for {purpose} ({humanize.join_words(list(names))})"
            for purpose, names in self._calls.items()
        )
        return f"{budget}: {remedy}: {', '.join(parts)}"
