"""Does the certification still hold, and if not, why? docs/explanation/method.md, section "Certification"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter import humanize
from exporter.analysis.arithmetic import coarse, finite, has_traffic
from exporter.model.observation import ApplicationObservation, TestRun
from exporter.model.results import REASONS, Certification, Coverage, Efficacy, Gap, Growth, LoadCoverage, Objective
from exporter.model.settings import AnalysisSettings, CertificationSettings
from exporter.model.verdict import SEVERITIES

LATENCIES = ("latency_mean", "latency_p95", "latency_p99")
"""Latencies with an objective; the median says little, and P99.9 of a short run rests on few requests."""

SERIOUS = (
    "no_test_run",
    "load_coverage",
    "outgrown_peak",
    "objective",
    "errors",
    "latency",
    "weighted_coverage",
    "outgrown_mix",
    "mix",
    "too_old",
    "efficacy",
)
"""The order in which a sentence names the reasons: untested load first, the score made of the others last."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether one reason speaks against the certification."""

    applies: bool
    text: str
    """The facts, in words and numbers."""
    limit: str = ""
    """Which value is allowed: at least 90 %."""
    used: float = 0.0
    """How much of the limit is used up; 1 at the limit."""
    short: str = ""
    """What "the test" did, for the sentence of a certification that holds."""
    of: str = ""
    """What the limit is a share of, to follow the limit beside `short`."""

    def __str__(self) -> str:
        if not self.limit:
            return self.text
        return f"{self.text} (limit: {self.limit})"


@dataclass(frozen=True, slots=True)
class Findings:
    """The results that the verdict rests on."""

    production: ApplicationObservation | None
    pte: ApplicationObservation | None
    run: TestRun | None
    run_age: float | None
    searched: bool
    """Whether the PTE was observed; only then does a missing run mean that there was none."""
    gaps: tuple[Gap, ...]
    load: LoadCoverage
    coverage: Coverage
    efficacy: Efficacy
    growth: Growth
    objectives: tuple[Objective, ...] = ()


def certification(findings: Findings, settings: AnalysisSettings) -> Certification:
    """No evidence without production's traffic or a run with data; otherwise it holds unless a reason applies.

    It holds only if the load could be judged. A reason that could not be judged has no key.
    """
    judged = dict(_judge(findings, settings.certification))
    reasons = {reason: judgement.applies for reason, judgement in judged.items()}

    missing = _missing(findings)
    if missing is None and any(reasons.values()):
        against = "; ".join(str(judged[reason]) for reason in SERIOUS if reasons.get(reason))
        return Certification(False, reasons, f"The certification does not hold: {against}.")

    if missing is None and "load_coverage" not in judged:
        missing = _unknown_load(findings)
    if missing is not None:
        return Certification(None, reasons, f"The certification cannot be judged: {missing}.")
    return Certification(True, reasons, _holds(judged, _judgeable(findings)))


def _judgeable(findings: Findings) -> tuple[str, ...]:
    """The reasons that evidence could decide: objectives only if some are configured."""
    return tuple(reason for reason in REASONS if reason != "objective" or findings.objectives)


def _holds(judged: Mapping[str, Judgement], judgeable: tuple[str, ...]) -> str:
    """What the test showed, which limit is nearest, and which reasons lack data."""
    limited = [judgement for judgement in judged.values() if judgement.limit]
    nearest = max(limited, key=lambda judgement: judgement.used)

    facts = []
    for judgement in judged.values():
        if judgement is nearest and judgement.short:
            facts.append(f"{judgement.short} (the nearest limit: {judgement.limit}{judgement.of})")
        elif judgement.short:
            facts.append(judgement.short)

    text = f"The certification holds: the test {humanize.join_words(facts)}"
    if not nearest.short:  # otherwise it is among the facts
        text += f"; nearest to its limit: {nearest}"
    text += "."

    unknown = [reason.replace("_", " ") for reason in judgeable if reason not in judged]
    if unknown:
        text += f" Not judged because data is missing: {', '.join(unknown)}."
    return text


def _missing(findings: Findings) -> str | None:
    """Which observation is missing without which nothing can be judged."""
    if findings.production is None:
        return "production was not observed"
    if not has_traffic(findings.production):
        if "request_rate" in findings.production.signals or findings.production.latency is not None:
            return "production had no traffic"
        return "production's request rate is unknown"
    if not findings.searched:
        return "the test environment was not observed"
    if findings.run is None:
        return "no test run was found"
    if not has_traffic(findings.pte):
        return "the test run left no data"
    return None


def _unknown_load(findings: Findings) -> str:
    """Why the load could not be judged: no data, or only values coarser than a minute."""
    for owner, observation in (("production's", findings.production), ("the test's", findings.pte)):
        steps = coarse(observation, "request_rate")
        if steps is not None:
            return f"{owner} request rate has only means over {humanize.duration(steps)}, which hide shorter peaks"
    return "the test's request rate is unknown"


def _judge(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judgement]]:
    """Each reason that can be judged, in the order of results.REASONS."""
    if findings.searched:
        yield "no_test_run", Judgement(findings.run is None, "no test run was found")

    if findings.run_age is not None:
        age = f"is {humanize.duration(findings.run_age)} old"
        limit = f"at most {humanize.duration(limits.max_age)}"
        used = _share(findings.run_age, limits.max_age)
        yield "too_old", Judgement(findings.run_age > limits.max_age, f"the test {age}", limit, used, short=age)

    yield from _judge_growth(findings.growth, limits)
    yield from _judge_scores(findings, limits)
    yield from _judge_gaps("latency", [gap for gap in findings.gaps if gap.signal in LATENCIES], limits)
    yield from _judge_gaps("errors", [gap for gap in findings.gaps if gap.signal == "error_ratio"], limits)
    yield from _judge_objectives(findings.objectives)

    score = finite(findings.efficacy.score)
    if score is not None:
        yield "efficacy", _at_least(score, limits.efficacy, f"the test's efficacy is {humanize.percent(score)}")


def _judge_growth(growth: Growth, limits: CertificationSettings) -> Iterator[tuple[str, Judgement]]:
    if growth.peak_ratio is not None:
        change = growth.peak_ratio - 1
        text = f"production's peak {humanize.describe_change(change)}"
        yield "outgrown_peak", _at_most(change, limits.peak_growth, text)
    if growth.mix_moved is not None:
        text = f"production's traffic mix moved by {humanize.percent(growth.mix_moved)} since the test"
        yield "outgrown_mix", _at_most(growth.mix_moved, limits.mix_moved, text)


def _judge_scores(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judgement]]:
    peak = findings.load.peak_ratio
    if peak is not None:
        reached = f"reached {humanize.percent(peak)} of production's peak"
        yield "load_coverage", _at_least(peak, limits.load_coverage, f"the test {reached}", reached, " of the peak")

    weighted = findings.coverage.weighted_ratio
    if weighted is not None:
        share = humanize.percent(weighted)
        text = f"{share} of production's requests go to tested endpoints"
        covered = f"covered {share} of its requests"
        yield "weighted_coverage", _at_least(weighted, limits.weighted_coverage, text, covered, " of requests covered")

    apart = findings.coverage.total_variation
    if apart is not None:
        text = f"the test's traffic mix differs from production's by {humanize.percent(apart)}"
        yield "mix", _at_most(apart, limits.mix_total_variation, text)


def _judge_gaps(reason: str, gaps: list[Gap], limits: CertificationSettings) -> Iterator[tuple[str, Judgement]]:
    """One reason, from the worst of these gaps."""
    ranked = [(SEVERITIES.index(gap.severity), gap) for gap in gaps if gap.severity is not None]
    if not ranked:
        return
    level, worst = max(ranked, key=lambda pair: (pair[0], abs(pair[1].ratio or 0.0)))

    most = SEVERITIES.index(limits.gap_severity)
    if level >= most:
        yield reason, Judgement(True, describe_gap(worst))
        return
    yield reason, Judgement(False, describe_gap(worst), f"below {limits.gap_severity}", level / most)


def describe_gap(gap: Gap) -> str:
    """The larger side first: P99 latency in production (1.58 s) is 2.6 times what the test showed (607 ms)."""
    label = humanize.label(gap.signal)
    if gap.production is None or gap.pte is None:
        return f"{label} has a gap of severity {gap.severity}"

    production = humanize.quantity(gap.signal, gap.production, humanize.SENTENCE_DIGITS)
    pte = humanize.quantity(gap.signal, gap.pte, humanize.SENTENCE_DIGITS)
    if gap.production > gap.pte:
        comparison = humanize.compare(gap.production, gap.pte)
        text = f"{label} in production ({production}) is {comparison} what the test showed ({pte})"
    else:
        comparison = humanize.compare(gap.pte, gap.production)
        text = f"{label} in the test ({pte}) is {comparison} production's ({production})"

    if gap.severity == "none":
        return text
    return f"{text}, a {gap.severity} gap"


def _judge_objectives(objectives: tuple[Objective, ...]) -> Iterator[tuple[str, Judgement]]:
    """One reason, from the objective whose error budget the run would have used up most."""
    judgements = []
    for objective in objectives:
        if objective.met is None or objective.run_error_ratio is None:
            continue
        would = "would have met" if objective.met else "would not have met"
        bad_requests = humanize.describe_bad_request(objective.threshold)
        bad = f"{humanize.percent(objective.run_error_ratio)} of requests {bad_requests}"
        text = f"the run {would} the objective {objective.name}: {bad}"
        limit = f"at most {humanize.percent(objective.budget)}"
        used = _share(objective.run_error_ratio, objective.budget)
        judgements.append(Judgement(not objective.met, text, limit, used))

    if judgements:
        yield "objective", max(judgements, key=lambda judgement: (judgement.applies, judgement.used))


def _at_least(value: float, limit: float, text: str, short: str = "", of: str = "") -> Judgement:
    return Judgement(value < limit, text, f"at least {humanize.percent(limit)}", _share(limit, value), short, of)


def _at_most(value: float, limit: float, text: str) -> Judgement:
    return Judgement(value > limit, text, f"at most {humanize.percent(limit)}", _share(value, limit))


def _share(part: float, whole: float) -> float:
    """part / whole; a limit of zero counts as used up."""
    if whole > 0:
        return part / whole
    return math.inf if part > 0 else 1.0
