"""The error tree. Every error a user can cause is one of these, and its text is one clear line.

PteError
├── ConfigError        the configuration is wrong; carries every problem found, not only the first
└── SourceError        a source could not be read; carries a short machine-readable `reason`
    └── (reasons)      refused, timeout, tls, auth, not_found, rate_limited, server_error, http_error, not_json,
                       truncated, too_large, bad_query, bad_data, redirect, unreadable, internal
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


class PteError(Exception):
    """Base of all errors that end as one line for a person."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where it is, what is wrong and what is allowed."""

    file: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {self.text}" if self.path else f"{self.file}: {self.text}"


class ConfigError(PteError):
    """The configuration cannot be used; `problems` has one entry for each thing to mend."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(PteError):
    """A source could not be read. The text never holds a secret; `reason` is one of REASONS."""

    def __init__(self, reason: str, text: str, *, retry_after: float | None = None) -> None:
        assert reason in REASONS, reason
        self.reason = reason
        self.retry_after = retry_after
        """Seconds the server asked us to wait (Retry-After), when it did."""
        super().__init__(text)
