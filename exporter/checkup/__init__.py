"""Steps of a check-up, one after the other: what depends on a failed one is skipped, and says so.

A kind of source gives its steps from a generator, and each step is made before the next is asked for: later steps may
use what earlier ones found. An error of a step is its finding, never the end of the check-up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from exporter.checkup.causes import causes_of
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckResult, Finding

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try."""

    check: str
    tried: str
    """What is done, as a person would do it by hand: a command, a request; no secret in it."""
    run: Callable[[], Finding]
    """May raise SourceError, whose reason then tells the causes."""
    needs: tuple[str, ...] = ()
    """Checks without which it makes no sense: when one failed or was skipped, so is this.

    Of a check that was made of this step's own subject, only that and the one of no subject count. Of its own check
    too: what one subject lacks says nothing of another.
    """
    subject: str = ""


def checked(steps: Iterable[Step]) -> Iterator[CheckResult]:
    """Each step's outcome, as soon as it is there."""
    made, missing = set[tuple[str, str]](), set[tuple[str, str]]()

    def lacks(need: str, step: Step) -> bool:
        if (need, step.subject) in made or need == step.check:
            return not missing.isdisjoint({(need, step.subject), (need, "")})
        return any(check == need for check, _ in missing)

    for step in steps:
        lacking = [need for need in step.needs if lacks(need, step)]
        if lacking:
            done = CheckResult(step.check, step.subject, step.tried, "skipped", f"needs {', '.join(lacking)}")
        else:
            finding = _finding(step)
            done = CheckResult(step.check, step.subject, step.tried, finding.verdict, finding.found, finding.causes)
        made.add((step.check, step.subject))
        if done.verdict in ("failed", "skipped"):
            missing.add((step.check, step.subject))
        yield done


def _finding(step: Step) -> Finding:
    try:
        return step.run()
    except SourceError as error:
        return Finding("failed", str(error), causes_of(error.reason, str(error)))
    except Exception as error:
        logger.debug("a fault of the exporter", exc_info=True)
        remedy = "please report it, with what --log.level debug shows"
        return Finding("failed", f"a fault of the exporter: {error!r}", (Cause("a fault of the exporter", remedy),))


def ok(found: str) -> Finding:
    return Finding("ok", found)


def skipped(found: str) -> Finding:
    """Nothing to look at yet, and that is no fault."""
    return Finding("skipped", found)


def warning(found: str, *causes: Cause) -> Finding:
    return Finding("warning", found, causes)


def failed(found: str, *causes: Cause) -> Finding:
    return Finding("failed", found, causes)
