"""Calls that a poll did not make because its budget was used up: by purpose and application, with the remedy."""

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
    """Numbers of calls by purpose and application."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def __bool__(self) -> bool:
        """Whether any call was not made."""
        return bool(self._calls)

    def add(self, purpose: str, application: str, calls: int = 1) -> None:
        self._calls[purpose][application] += calls

    def touches(self, application: str, *purposes: str) -> bool:
        """Whether calls of an application were omitted; of these purposes only, if there are any."""
        return any(application in self._calls.get(purpose, {}) for purpose in purposes or self._calls)

    def describe(self, calls: int, remaining: int, per_poll: int) -> str:
        """The omitted calls and the remedy, after `calls` of them and with `remaining` left."""
        missing = sum(sum(names.values()) for names in self._calls.values())
        budget = f"calls.per_poll is {per_poll}"
        if calls + remaining < per_poll:  # a request between polls has the rest of the previous poll
            budget += f", of which the poll left {calls + remaining}"
        budget += f", and {calls + missing} are needed"

        remedy = "the next polls fetch the rest, raise it to get everything now"
        if self._calls.keys() - _ASKED_ONCE:  # every poll needs it, in the same order
            remedy = "raise it: the next polls continue with history and test runs, and omit the rest again"

        parts = (
            f"{sum(names.values())} for {purpose} ({humanize.join_words(list(names))})"
            for purpose, names in self._calls.items()
        )
        return f"{budget}: {remedy}: {', '.join(parts)}"
