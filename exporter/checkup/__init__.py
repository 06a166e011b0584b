"""Runs the steps of a check-up in order; a step that depends on a failed one is skipped and says so.

A kind of source yields its steps from a generator, and each step runs before the next is requested: later steps may
use the results of earlier ones. An error in a step is its finding and never ends the check-up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from exporter.checkup.causes import FAULT, causes_of
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckResult, Finding

logger = logging.getLogger(__name__)

Explain = Callable[[SourceError], Sequence[Cause]]
"""Causes of an error, the likeliest first; none for an unknown error."""


def _unexplained(_: SourceError) -> Sequence[Cause]:
    return ()


@dataclass(frozen=True, slots=True)
class Step:
    """One check to run."""

    check: str
    tried: str
    """The command or request that a person could run by hand; without secrets."""
    run: Callable[[], Finding]
    """May raise SourceError, which `explain` explains."""
    needs: tuple[str, ...] = ()
    """Required checks: when one of them failed or was skipped, this step is skipped.

    If a required check ran for this step's subject, only that result and the one without a subject count. The same
    holds for the step's own check: a problem of one subject says nothing about another.
    """
    subject: str = ""
    explain: Explain = _unexplained
    """Causes of an error in this step; if it returns none, the usual causes of such errors apply."""


def checked(steps: Iterable[Step]) -> Iterator[CheckResult]:
    """Each step's result, as soon as it is available."""
    history = _History()
    for step in steps:
        missing = [need for need in step.needs if history.lacks(need, step)]
        finding = _finding(step, missing)
        history.add(step, finding)
        yield CheckResult(step.check, step.subject, step.tried, finding.verdict, finding.result, finding.causes)


class _History:
    """The results of earlier steps on which later ones depend."""

    def __init__(self) -> None:
        self._attempts = set[tuple[str, str]]()
        self._missing = set[tuple[str, str]]()

    def add(self, step: Step, finding: Finding) -> None:
        key = (step.check, step.subject)
        self._attempts.add(key)
        if finding.verdict in ("failed", "skipped"):
            self._missing.add(key)

    def lacks(self, need: str, step: Step) -> bool:
        """Whether a step must be skipped because this check failed or was skipped."""
        # If the check ran for this subject, its results for other subjects do not matter.
        if (need, step.subject) in self._attempts or need == step.check:
            return not self._missing.isdisjoint({(need, step.subject), (need, "")})
        return any(check == need for check, _ in self._missing)


def _finding(step: Step, missing: Sequence[str]) -> Finding:
    if missing:
        return skipped(f"needs {', '.join(missing)}")

    try:
        return step.run()
    except SourceError as error:
        return failed(str(error), *(step.explain(error) or causes_of(error)))
    except Exception as error:
        logger.debug("internal error", exc_info=True)
        return failed(f"internal error: {error!r}", FAULT)


@dataclass
class Remarks:
    """Collects the problems that one step finds."""

    texts: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def add(self, text: str, *causes: Cause) -> None:
        self.texts.append(text)
        self.causes += causes

    def finding(self, otherwise: str) -> Finding:
        """A warning with all problems; without any, ok with the text `otherwise`."""
        if not self.texts:
            return ok(otherwise)
        return warning("; ".join(self.texts), *self.causes)


def ok(text: str) -> Finding:
    return Finding("ok", text)


def skipped(text: str) -> Finding:
    """There is nothing to check yet, and that is not a failure."""
    return Finding("skipped", text)


def warning(text: str, *causes: Cause) -> Finding:
    return Finding("warning", text, causes)


def failed(text: str, *causes: Cause) -> Finding:
    return Finding("failed", text, causes)
