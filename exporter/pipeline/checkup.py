"""The steps of one environment: its configuration, the checks of its kind, and one real observation at the end."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import structs

from exporter import sources
from exporter.checkup import Step, checked, failed, ok
from exporter.checkup.causes import FAULT, of_option, usual_causes
from exporter.config import Config, Environment
from exporter.errors import SourceError
from exporter.model.checkup import Cause, CheckContext, CheckResult, Finding
from exporter.model.observation import MINUTE
from exporter.pipeline import Pipeline, windows
from exporter.pipeline.checkup_observation import finding
from exporter.pipeline.masking import mask, secrets

CONFIGURATION = "configuration"
OBSERVATION = "observation"
"""The steps that the command adds for every kind of source, before and after those of its kind."""

_SAME_DATA = Cause(
    "both environments have the same address and the same selector or applications",
    "use another url or selector for the PTE, or other applications of the controller",
)

_REPEATED = 5
"""Maximum number of failed checks whose first cause is repeated for the poll."""

logger = logging.getLogger(__name__)


def check_context(config: Config, environment: Environment, at: float) -> CheckContext:
    """What the exporter expects of the environment's source at `at` (Unix seconds)."""
    window, pattern = windows(environment, config.analysis, math.floor(at / MINUTE) * MINUTE)
    applications = config.analysis.expected
    if environment.role == "ci":
        applications = tuple(config.analysis.test_executions.expected)

    return CheckContext(
        side=environment.name,
        role=environment.role,
        at=at,
        window=window,
        pattern=pattern,
        interval=environment.interval,
        threshold=config.analysis.test_run.threshold,
        applications=applications,
    )


def examine(
    config: Config, environment: Environment, at: float, begin: Callable[[Step], None] = lambda _: None
) -> Iterator[CheckResult]:
    """Every step of the command, as soon as it is done; calls `begin` before each step."""
    done: list[CheckResult] = []

    def steps() -> Iterator[Step]:
        yield _configuration(config, environment, check_context(config, environment, at))
        if done[0].verdict != "failed":
            yield from sources.checks(environment, check_context(config, environment, at))
        yield _observation(config, environment, at, done)

    hidden = secrets(environment.source)
    for result in guarded(_announced(steps(), begin)):
        done.append(mask(result, hidden))
        yield done[-1]


def check(config: Config, environment: Environment, at: float) -> Iterator[CheckResult]:
    """Only the steps of the environment's kind, for the background: polls observe anyway."""

    def steps() -> Iterator[Step]:
        yield from sources.checks(environment, check_context(config, environment, at))

    hidden = secrets(environment.source)
    for result in guarded(steps()):
        yield mask(result, hidden)


def guarded(steps: Iterator[Step]) -> Iterator[CheckResult]:
    """As `checked`; an error between two steps is a finding too, because other sources follow."""
    try:
        yield from checked(steps)
    except SourceError as error:
        yield _between(str(error), usual_causes(error.reason))
    except Exception as error:
        logger.debug("internal error", exc_info=True)
        yield _between(f"internal error: {error.__class__.__name__}", (FAULT,))


def _between(text: str, causes: tuple[Cause, ...]) -> CheckResult:
    return CheckResult("checks", "", "find out what to check", "failed", text, causes)


def _announced(steps: Iterator[Step], begin: Callable[[Step], None]) -> Iterator[Step]:
    for step in steps:
        begin(step)
        yield step


def _configuration(config: Config, environment: Environment, context: CheckContext) -> Step:
    def run() -> Finding:
        same_data = sources.same_data(config, environment)
        if same_data:
            return failed(f"the source {same_data}", _SAME_DATA)

        problems = sources.problems(environment)
        if not problems:
            return ok("the options are valid")

        causes = list[Cause]()
        for key, problem in problems:
            url_causes = _url_causes(environment, context) if key == "url" else ()
            causes += url_causes or of_option(key, problem)
        text = "; ".join(f"{key}: {problem}" for key, problem in problems)
        return failed(text, *dict.fromkeys(causes))

    return Step(CONFIGURATION, "read the source's options, and the files and secrets that they name", run)


def _url_causes(environment: Environment, context: CheckContext) -> tuple[Cause, ...]:
    """The causes that the kind's first step finds in a URL, more specific than a typo; often none."""
    with contextlib.suppress(ValueError):  # a URL that cannot be parsed
        for step in itertools.islice(sources.checks(environment, context), 1):
            if step.check == "url":
                result = step.run()
                return result.causes if result.verdict == "failed" else ()
    return ()


def _observation(config: Config, environment: Environment, at: float, done: list[CheckResult]) -> Step:
    """One poll. Skipped if a check of the source as a whole failed, but not for a failed application or signal."""

    def run() -> Finding:
        pipeline = Pipeline(structs.replace(config, environments=(environment,)))
        try:
            observation = pipeline.poll(environment.name, at)
        finally:
            pipeline.close()

        explained = any(result.verdict in ("failed", "warning") for result in done)
        expected = check_context(config, environment, at)
        return finding(observation, expected, explained=explained, elsewhere=_elsewhere(config, environment))

    needs = [result.check for result in done if result.verdict == "failed" and not result.subject]
    return Step(
        OBSERVATION,
        "poll the source once, as serve does",
        run,
        tuple(dict.fromkeys(needs)),
        explain=lambda error: _repeated(error, done),
    )


def _elsewhere(config: Config, environment: Environment) -> dict[str, str]:
    """The applications in the options of other environments, to those environments' names."""
    names = {}
    for other in config.environments:
        if other != environment:
            applications = getattr(other.source, "applications", None) or ()
            names.update(dict.fromkeys(applications, other.name))
    return names


def _repeated(error: SourceError, done: Sequence[CheckResult]) -> Sequence[Cause]:
    """Causes that failed checks gave for the poll's error: they are more specific than its reason alone."""
    if error.reason not in ("auth", "bad_query", "not_found"):
        return ()

    failures = [result for result in done if result.verdict == "failed" and result.causes]
    causes = []
    for result in failures[:_REPEATED]:
        check = f"{result.check} {result.subject}".rstrip()
        cause = result.causes[0]
        causes.append(Cause(f"as at {check}: {cause.text}", cause.remedy))
    return causes
