"""The error tree. Every error that a user can cause is one of these, and its text is one clear line.

PteError
├── ConfigError        the configuration is wrong; carries every problem, not only the first
└── SourceError        a source could not be read; carries a short machine-readable `reason`
    └── (reasons)      refused, timeout, tls, auth, not_found, rate_limited, server_error, http_error, not_json,
                       truncated, too_large, bad_query, bad_data, redirect, unreadable, internal
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

REASONS = (
    "refused",
    "timeout",
    "tls",
    "auth",
    "not_found",
    "rate_limited",
    "server_error",
    "http_error",
    "not_json",
    "truncated",
    "too_large",
    "bad_query",
    "bad_data",
    "redirect",
    "unreadable",
    "internal",
)
"""Every value that the label `reason` of pte_source_poll_failures_total can take."""


Detail = Literal[
    "missing",
    "forbidden",
    "directory",
    "unset",
    "empty",
    "several_lines",
    "byte_order_mark",
    "not_ascii",
    "control_character",
    "not_utf8",
]
"""Why exactly a file or an environment variable is `unreadable`."""

_DETAILS: dict[int, Detail] = {errno.ENOENT: "missing", errno.EACCES: "forbidden", errno.EISDIR: "directory"}


class PteError(Exception):
    """Base of all errors that are printed as one line."""


@dataclass(frozen=True)
class Problem:
    """One invalid value in a file: its location, the reason, and the allowed values."""

    file: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.text}" if self.path else f"{self.file}: {self.text}"


class ConfigError(PteError):
    """The configuration cannot be used; `problems` has one entry for each invalid value."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(PteError):
    """A source could not be read. The text never contains a secret; `reason` is one of REASONS.

    The text is for people and may change at any time: every decision of the program uses the fields.

    retry_after: seconds that the server asked us to wait (Retry-After), if any.
    status: the HTTP status from the server, or from a proxy before it, if there was a response.
    location: host:port of the server, if the text names it.
    destination: the target of a redirect, as scheme://host or scheme://host:port; else empty.
    path: the file or directory, if the text names it.
    variable: the name of the environment variable; else empty.
    user: the name of our own user, if the system denied it the file; else empty.
    detail: why exactly the file or variable is unreadable, if known.
    """

    _FIELDS = ("retry_after", "status", "location", "destination", "path", "variable", "user", "detail")

    def __init__(
        self,
        reason: str,
        text: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        location: str = "",
        destination: str = "",
        path: Path | None = None,
        variable: str = "",
        user: str = "",
        detail: Detail | None = None,
    ) -> None:
        assert reason in REASONS, reason
        self.reason = reason
        self.message = text
        """The text without the file or source that `at` put before it."""

        self.retry_after = retry_after
        self.status = status
        self.location = location
        self.destination = destination
        self.path = path
        self.variable = variable
        self.user = user
        self.detail = detail
        super().__init__(text)

    @classmethod
    def cannot_read(cls, error: OSError) -> Self:
        """The error for an OSError of a file; `at` adds the file's name."""
        return cls("unreadable", f"cannot be read: {error.strerror}", detail=detail_of(error))

    def reworded(self, text: str, **fields: Any) -> Self:
        """The same error in other words, with some fields replaced; the others stay."""
        old_fields = {name: getattr(self, name) for name in self._FIELDS}
        return type(self)(self.reason, text, **{**old_fields, **fields})

    def at(self, origin: Path | str) -> Self:
        """The same error, with a file or the name of a source before its text."""
        path = origin if isinstance(origin, Path) and self.path is None else self.path
        error = self.reworded(f"{origin}: {self}", path=path)
        error.message = self.message
        return error

    def at_server(self, location: str) -> Self:
        """The same error, with the server's host:port before its text unless the text names a server already."""
        if self.location:
            return self
        return self.reworded(f"{location}: {self}", location=location)


def detail_of(error: OSError) -> Detail | None:
    """The detail for an OSError of a file, if it is one of those that the doctor explains."""
    return _DETAILS.get(error.errno or 0)
