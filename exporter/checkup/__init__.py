"""Steps of a check-up, one after the other: what depends on a failed one is skipped, and says so.

A kind of source gives its steps from a generator, and each step is made before the next is asked for: later steps may
use what earlier ones found. An error of a step is its finding, never the end of the check-up.
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
"""Causes of an error, the likeliest first; none where nothing is known of it."""


def _unexplained(_: SourceError) -> Sequence[Cause]:
    return ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try."""

    check: str
    tried: str
    """What is done, as a person would do it by hand: a command, a request; no secret in it."""
    run: Callable[[], Finding]
    """May raise SourceError, which is explained then."""
    needs: tuple[str, ...] = ()
    """Checks without which it makes no sense: when one failed or was skipped, so is this.

    Of a check that was made of this step's own subject, only that and the one of no subject count. Of its own check
    too: what one subject lacks says nothing of another.
    """
    subject: str = ""
    explain: Explain = _unexplained
    """Causes of an error of this very step; where it knows none, those that are usual with such errors are given."""


def checked(steps: Iterable[Step]) -> Iterator[CheckResult]:
    """Each step's outcome, as soon as it is there."""
    history = _History()
    for step in steps:
        missing = [need for need in step.needs if history.lacks(need, step)]
        finding = _finding(step, missing)
        history.add(step, finding)
        yield CheckResult(step.check, step.subject, step.tried, finding.verdict, finding.found, finding.causes)


class _History:
    """What came of the steps so far, as far as later ones depend on it."""

    def __init__(self) -> None:
        self._attempts = set[tuple[str, str]]()
        self._missing = set[tuple[str, str]]()

    def add(self, step: Step, finding: Finding) -> None:
        key = (step.check, step.subject)
        self._attempts.add(key)
        if finding.verdict in ("failed", "skipped"):
            self._missing.add(key)

    def lacks(self, need: str, step: Step) -> bool:
        """Whether a step must not be made for want of this check."""
        # Where the check was made of this very subject, it does not matter how it went with others.
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
        logger.debug("a fault of the exporter", exc_info=True)
        return failed(f"a fault of the exporter: {error!r}", FAULT)


@dataclass
class Remarks:
    """What is odd about one thing, while it is looked at from all sides."""

    texts: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def add(self, text: str, *causes: Cause) -> None:
        self.texts.append(text)
        self.causes += causes

    def finding(self, otherwise: str) -> Finding:
        """A warning of everything that is odd; where nothing is, all is well, as `otherwise` says."""
        if not self.texts:
            return ok(otherwise)
        return warning("; ".join(self.texts), *self.causes)


def ok(text: str) -> Finding:
    return Finding("ok", text)


def skipped(text: str) -> Finding:
    """Nothing to look at yet, and that is no fault."""
    return Finding("skipped", text)


def warning(text: str, *causes: Cause) -> Finding:
    return Finding("warning", text, causes)


def failed(text: str, *causes: Cause) -> Finding:
    return Finding("failed", text, causes)
