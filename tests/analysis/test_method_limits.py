"""docs/explanation/method/ prints the limits, weights and thresholds that the settings have."""

from __future__ import annotations

from pathlib import Path

import pytest

from exporter.model.settings import AnalysisSettings

PAGES = sorted((Path(__file__).parents[2] / "docs" / "explanation" / "method").glob("*.md"))
METHOD = " ".join(" ".join(page.read_text(encoding="utf-8") for page in PAGES).split())
"""On one line, so that a phrase is found wherever its lines break."""

SETTINGS = AnalysisSettings()
RUN = SETTINGS.test_run
ROUTES = SETTINGS.routes
EFFICACY = SETTINGS.efficacy
NEXT = SETTINGS.next_certification
CERTIFICATION = SETTINGS.certification
LOAD_RUNS = SETTINGS.load_runs
EXECUTIONS = SETTINGS.test_executions

WORDS = {2.0: "twice", 3: "three"}
"""Numbers that the page writes as words."""


def percent(ratio: float) -> str:
    return f"{points(ratio)} %"


def points(ratio: float) -> str:
    return f"{ratio * 100:g}"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min"


def days(seconds: float) -> str:
    return f"{seconds / 86400:g} d"


def number(value: float) -> str:
    return f"{value:g}"


def tenths(value: float) -> str:
    return f"{value:.1f}"


def hundredths(value: float) -> str:
    return f"{value:.2f}"


def in_words(value: float) -> str:
    return WORDS.get(value, number(value))


LATENCY = SETTINGS.gaps["latency_p95"]
ERRORS = SETTINGS.gaps["error_ratio"]
CPU_LIMIT = SETTINGS.gaps["cpu"].limit or 0.0
MEMORY_LIMIT = SETTINGS.gaps["memory"].limit or 0.0
STEPS = LOAD_RUNS.steps
ERROR_STEPS = LOAD_RUNS.error_steps

ANALYSIS = [
    f"tolerance {percent(SETTINGS.tolerance)}, `P` production's",
    f"for `confidence` ({number(SETTINGS.confidence)})",
    f"with a {percent(SETTINGS.confidence)} interval where that uses",
    f"`min_effective_samples` ({number(SETTINGS.min_effective_samples)})",
    f"From `spike_magnitude` ({number(SETTINGS.spike_magnitude)}) on",
    f"({number(LATENCY.min_difference * 1000)} ms for latency, {points(ERRORS.min_difference)} percentage points for",
    f"above `limit` (CPU {percent(CPU_LIMIT)}, memory {percent(MEMORY_LIMIT)})",
    f"`min_requests` ({number(ROUTES.min_requests)})",
    f"`max_endpoints` ({ROUTES.max_endpoints})",
]

TEST_RUN = [
    f"`test_run.threshold` ({number(RUN.threshold)} request/s)",
    f"at most `max_gap` ({minutes(RUN.max_gap)})",
    f"at least `min_duration` ({minutes(RUN.min_duration)})",
    f"last `lookback` ({days(RUN.lookback)})",
    f"`certification.max_age` ({days(CERTIFICATION.max_age)})",
    f"`spike_factor x L` ({number(RUN.spike_factor)})",
    f"`steady_tolerance` of `L` ({percent(RUN.steady_tolerance)})",
    f"request rate within {percent(RUN.steady_tolerance)} of it",
    f"stretches of 'sustained' ({minutes(RUN.sustained)})",
]

EFFICACY_AND_NEXT = [
    f"| coverage | {tenths(EFFICACY.coverage)} |",
    f"| load coverage | {tenths(EFFICACY.load_coverage)} |",
    f"| performance | {tenths(EFFICACY.performance)} |",
    f"| error validation | {tenths(EFFICACY.error_validation)} |",
    f"`full_within` ({percent(EFFICACY.full_within)})",
    f"`half_within` ({percent(EFFICACY.half_within)})",
    f"excellent from {hundredths(EFFICACY.excellent)}, good from {hundredths(EFFICACY.good)},",
    f"fair from {hundredths(EFFICACY.fair)}, else poor",
    f"| request_rate, concurrent_users, throughput | {number(NEXT.request_rate_factor)} x production's peak |",
    f"| request_rate, concurrent_users, throughput | {number(NEXT.concurrent_users_factor)} x production's peak |",
    f"| request_rate, concurrent_users, throughput | {number(NEXT.throughput_factor)} x production's peak |",
    f"| latency_mean, latency_p95, latency_p99 | {number(NEXT.latency_mean_factor)}, ",
    f", {number(NEXT.latency_p95_factor)}, {number(NEXT.latency_p99_factor)} x production's |",
    f"| cpu, memory | {hundredths(NEXT.cpu)}, {hundredths(NEXT.memory)} |",
    f"| spike_multiplier | {tenths(NEXT.spike_multiplier)} |",
    f"| sustained | {number(NEXT.sustained)} s |",
    f"| db_connections | {number(NEXT.db_connections_per_user)} x production's peak users",
]

REASONS = [
    f"| too_old | the run ended longer ago than | {days(CERTIFICATION.max_age)} |",
    f"| outgrown_peak | `peak ratio - 1` of growth is above | {percent(CERTIFICATION.peak_growth)} |",
    f"| outgrown_mix | the mix moved by more than | {percent(CERTIFICATION.mix_moved)} |",
    f"| load_coverage | peak ratio of load coverage is below | {percent(CERTIFICATION.load_coverage)} |",
    f"| weighted_coverage | weighted coverage is below | {percent(CERTIFICATION.weighted_coverage)} |",
    f"| mix | total variation between both sides is above | {percent(CERTIFICATION.mix_total_variation)} |",
    f"| latency | worst severity of mean, P95, P99 latency is at least | {CERTIFICATION.gap_severity} |",
    f"| errors | severity of the error ratio is at least | {CERTIFICATION.gap_severity} |",
    f"| efficacy | score is below | {percent(CERTIFICATION.efficacy)} |",
]

TEST_EXECUTIONS = [
    f"over the look-back ({days(EXECUTIONS.lookback)})",
    f"end within {number(EXECUTIONS.run_gap / 60)} minutes of each other",
    f"most flaky executions, at most {EXECUTIONS.max_tests};",
    f"Named are at most {EXECUTIONS.max_tests} tests",
    f"failure ratio is at least {in_words(EXECUTIONS.spike_magnitude)} the median",
    f"at least {in_words(EXECUTIONS.spike_failures)} tests more failed",
    f"no evidence with fewer than {in_words(EXECUTIONS.spike_runs)} runs before",
]

JUDGEMENT = [
    f"for the {LOAD_RUNS.max_endpoints} names with the most requests",
    f"no evidence with fewer than {LOAD_RUNS.min_history} runs",
    f"each level at least {LOAD_RUNS.confirm} runs long",
    f"Student's quantile for {number(LOAD_RUNS.significance)}/n",
    f"does not matter, below {percent(STEPS.low)} (of error ratios: below {points(ERROR_STEPS.low)} percentage points",
    f"ended within the last {LOAD_RUNS.settled} runs",
    f"After {LOAD_RUNS.settled} runs a level is what is usual",
    f"else `({percent(LOAD_RUNS.run_noise)})^2` for latency and rate",
    f"more than the assumed {percent(LOAD_RUNS.run_noise)} raise",
    f"{points(STEPS.low)}, {points(STEPS.medium)}, {points(STEPS.high)}, {points(STEPS.critical)} % of the reference",
    f"a difference of {points(ERROR_STEPS.low)}, {points(ERROR_STEPS.medium)}, ",
    f", {points(ERROR_STEPS.high)}, {points(ERROR_STEPS.critical)} percentage points",
    f"Of the last {LOAD_RUNS.settled} runs (at least {LOAD_RUNS.min_history})",
    f"beyond {percent(LOAD_RUNS.volatile)}; else volatile if the variation is above {percent(LOAD_RUNS.volatile)}",
]


def seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:g} ms"
    return f"{value:g} s"


GRADES = [
    f"| {name} | {percent(grade.success_ratio)} | {seconds(grade.latency_p95)} |"
    for name, grade in LOAD_RUNS.grades.items()
]


@pytest.mark.parametrize(
    "phrase", [*ANALYSIS, *TEST_RUN, *EFFICACY_AND_NEXT, *REASONS, *TEST_EXECUTIONS, *JUDGEMENT, *GRADES]
)
def test_a_limit_on_the_page_is_the_default(phrase: str) -> None:
    """Whoever changes a default finds the sentence of docs/explanation/method.md that names it."""
    assert phrase in METHOD
