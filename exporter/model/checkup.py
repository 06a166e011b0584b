"""The checks of a source, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exporter.model.observation import Window

CheckVerdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The exporter's requirements of a source, for the checks. Seconds, Unix time."""

    side: str
    """The environment's configured name."""
    role: str
    at: float
    """When the checks are made; windows end on the full minute before."""
    window: Window
    """What a poll observes: production's baseline, or the look-back in which test runs or reports are searched."""
    pattern: Window | None
    """Production's pattern; None on other sides."""
    interval: float
    """Between polls."""
    threshold: float
    """Requests/s above which a minute counts as activity."""
    applications: tuple[str, ...] = ()
    """Those for which evidence is expected; empty: whatever there is."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a check may have failed, and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The response, without secrets, and its verdict."""

    verdict: CheckVerdict
    """Skipped if there is nothing to check yet."""
    result: str
    causes: tuple[Cause, ...] = ()
    """Likely ones first; given unless all is well, or the step was skipped."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One step of a check-up."""

    check: str
    """Its name, from a fixed set for each kind: the label `check`."""
    subject: str
    """What of, where a check is made of several things: an application, a signal, a file. Else empty."""
    tried: str
    verdict: CheckVerdict
    result: str
    """For a skipped step: which failed check it depends on, or what is not there yet."""
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkup:
    """All steps of one source, in the order in which they were made."""

    source: str
    """The environment's configured name."""
    kind: str
    steps: tuple[CheckResult, ...]

    @property
    def well(self) -> bool:
        """Nothing failed; a skipped step depends on one that failed, or could not be tried."""
        return all(step.verdict != "failed" for step in self.steps)
