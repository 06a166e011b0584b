"""The steps of one environment: its configuration, what its kind checks, and one real observation at the end."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from exporter import sources
from exporter.checkup import Step, checked, failed, ok
from exporter.checkup.causes import causes_of, of_option
from exporter.config import Config, Environment
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckContext, CheckResult, Finding
from exporter.model.observation import MINUTE
from exporter.pipeline import Pipeline, windows
from exporter.pipeline import checkup_observation as seen
from exporter.pipeline.masking import mask, secrets

CONFIGURATION, OBSERVATION = "configuration", "observation"
"""The steps that every kind of source has in the command, before and after those of its kind."""

_TOLD = 5
"""Failed checks whose first cause is told again of the poll."""

logger = logging.getLogger(__name__)


def wanted(config: Config, environment: Environment, at: float) -> CheckContext:
    """What the exporter wants of the environment's source at `at` (Unix seconds)."""
    window, pattern = windows(environment, config.analysis, math.floor(at / MINUTE) * MINUTE)
    executions = config.analysis.test_executions.expected
    return CheckContext(
        side=environment.name,
        role=environment.role,
        at=at,
        window=window,
        pattern=pattern,
        interval=environment.interval,
        threshold=config.analysis.test_run.threshold,
        applications=tuple(executions) if environment.role == "ci" else config.analysis.expected,
    )


def examine(
    config: Config, environment: Environment, at: float, begin: Callable[[Step], None] = lambda _: None
) -> Iterator[CheckResult]:
    """Every step of the command, as soon as it is done; `begin` is told of each before it is made."""
    done: list[CheckResult] = []

    def steps() -> Iterator[Step]:
        yield _configuration(environment, wanted(config, environment, at))
        if done[0].verdict != "failed":
            yield from sources.checks(environment, wanted(config, environment, at))
        yield _observation(config, environment, at, done)

    hidden = secrets(environment.source)
    for each in guarded(_told(steps(), begin)):
        done.append(mask(each, hidden))
        yield done[-1]


def check(config: Config, environment: Environment, at: float) -> Iterator[CheckResult]:
    """The steps of the environment's kind alone, for the background: polls observe anyway."""

    def steps() -> Iterator[Step]:
        yield from sources.checks(environment, wanted(config, environment, at))

    hidden = secrets(environment.source)
    for each in guarded(steps()):
        yield mask(each, hidden)


def guarded(steps: Iterator[Step]) -> Iterator[CheckResult]:
    """As `checked`; a fault between two steps is a finding too, since the next source still waits."""
    try:
        yield from checked(steps)
    except SourceError as error:
        yield CheckResult("checks", "", "find out what to check", "failed", str(error), causes_of(error.reason))
    except Exception as error:
        logger.debug("a fault of the exporter", exc_info=True)
        fault = Cause("a fault of the exporter", "please report it, with what --log.level debug shows")
        text = f"a fault of the exporter: {error.__class__.__name__}"
        yield CheckResult("checks", "", "find out what to check", "failed", text, (fault,))


def _told(steps: Iterator[Step], begin: Callable[[Step], None]) -> Iterator[Step]:
    for step in steps:
        begin(step)
        yield step


def _configuration(environment: Environment, wants: CheckContext) -> Step:
    def run() -> Finding:
        problems = sources.problems(environment)
        if not problems:
            return ok("nothing is wrong with them")
        known = {"url": _of_url(environment, wants)} if "url" in dict(problems) else {}
        causes = [cause for path, text in problems for cause in known.get(path) or of_option(path, text)]
        return failed("; ".join(f"{path}: {text}" for path, text in problems), *dict.fromkeys(causes))

    return Step(CONFIGURATION, "read the source's options, with the files and secrets that they name", run)


def _of_url(environment: Environment, wants: CheckContext) -> tuple[Cause, ...]:
    """What the kind's own first step says of an address, which is more than that it has a slip; often nothing."""
    with contextlib.suppress(ValueError):  # an address that cannot be taken apart
        for step in itertools.islice(sources.checks(environment, wants), 1):
            if step.check == "url" and (found := step.run()).verdict == "failed":
                return found.causes
    return ()


def _told_before(error: SourceError, done: Sequence[CheckResult]) -> Sequence[Cause]:
    """What failed checks said of an answer that the poll got too: they know better than its reason alone."""
    if error.reason not in ("auth", "bad_query", "not_found"):
        return ()
    ill = [each for each in done if each.verdict == "failed" and each.causes]
    return [
        Cause(f"as at {each.check} {each.subject}".rstrip() + f": {each.causes[0].text}", each.causes[0].remedy)
        for each in ill[:_TOLD]
    ]


def _observation(config: Config, environment: Environment, at: float, done: list[CheckResult]) -> Step:
    """One poll. A failed check of the source as a whole makes it useless; one of an application or a signal does not:

    then it shows what is left.
    """

    def run() -> Finding:
        pipeline = Pipeline(structs.replace(config, environments=(environment,)))
        try:
            found = pipeline.poll(environment.name, at)
        except SourceError as error:
            return failed(str(error), *(_told_before(error, done) or causes_of(error.reason, str(error))))
        finally:
            pipeline.close()
        explained = any(each.verdict in ("failed", "warning") for each in done)
        others = {
            name: other.name
            for other in config.environments
            for name in (getattr(other.source, "applications", None) or ())
            if other != environment
        }
        return seen.finding(found, wanted(config, environment, at), explained=explained, elsewhere=others)

    needs = tuple(dict.fromkeys(each.check for each in done if each.verdict == "failed" and not each.subject))
    return Step(OBSERVATION, "poll the source once, as serve does", run, needs)
