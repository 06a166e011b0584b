"""Does the certification still hold, and if not, why? docs/method.md, section "Certification"."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter import humanize
from exporter.analysis.arithmetic import coarse, finite, has_traffic
from exporter.model.observation import ApplicationObservation, TestRun
from exporter.model.results import REASONS, Certification, Coverage, Efficacy, Gap, Growth, LoadCoverage, Objective
from exporter.model.settings import SEVERITIES, AnalysisSettings, CertificationSettings

LATENCIES = ("latency_mean", "latency_p95", "latency_p99")
"""Those with an objective; the median tells little, and P99.9 of a short run rests on few requests."""

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
"""What is told first when several reasons apply: load that was never tested; last, the score made of the others."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reason, looked at."""

    applies: bool
    text: str
    """The finding in words and numbers."""
    limit: str = ""
    """What was wanted."""
    used: float = 0.0
    """How much of the limit is used up; 1 at the limit."""
    short: str = ""
    """What "the test" did, where that belongs into every verdict that holds."""
    of: str = ""
    """What the limit is a share of, where the limit stands beside `short`."""

    def __str__(self) -> str:
        return f"{self.text} ({self.limit})" if self.limit else self.text


@dataclass(frozen=True, slots=True)
class Findings:
    """What the verdict rests on."""

    production: ApplicationObservation | None
    pte: ApplicationObservation | None
    run: TestRun | None
    run_age: float | None
    searched: bool
    """The PTE was looked at, so that a run that was not found is known not to be there."""
    gaps: tuple[Gap, ...]
    load: LoadCoverage
    coverage: Coverage
    efficacy: Efficacy
    growth: Growth
    objectives: tuple[Objective, ...] = ()


def certification(findings: Findings, settings: AnalysisSettings) -> Certification:
    """No evidence without production's traffic or a run with data; else it holds unless a reason applies.

    It is only said to hold when the load could be judged. A reason that could not be judged has no key.
    """
    judged = dict(_judge(findings, settings.certification))
    reasons = {reason: one.applies for reason, one in judged.items()}
    missing = _missing(findings)
    if missing is None and any(reasons.values()):
        against = "; ".join(str(judged[reason]) for reason in SERIOUS if reasons.get(reason))
        return Certification(False, reasons, f"The certification does not hold: {against}.")
    missing = missing or (None if "load_coverage" in judged else _unknown_load(findings))
    if missing is not None:
        return Certification(None, reasons, f"No evidence: {missing}.")
    return Certification(True, reasons, _holds(judged, _judgeable(findings)))


def _judgeable(findings: Findings) -> tuple[str, ...]:
    """The reasons that evidence could settle: objectives only where there are some."""
    return tuple(reason for reason in REASONS if reason != "objective" or findings.objectives)


def _holds(judged: Mapping[str, Judged], judgeable: tuple[str, ...]) -> str:
    """What the test showed, which limit is nearest, and what nobody could say."""
    nearest = max((one for one in judged.values() if one.limit), key=lambda one: one.used)
    facts = [
        one.short + (f" (the nearest limit: {one.limit}{one.of})" if one is nearest else "")
        for one in judged.values()
        if one.short
    ]
    told = f"The certification holds: the test {humanize.join_words(facts)}"
    told += "." if nearest.short else f"; nearest to its limit: {nearest}."
    unknown = ", ".join(reason.replace("_", " ") for reason in judgeable if reason not in judged)
    return told + (f" Not judged for want of data: {unknown}." if unknown else "")


def _missing(findings: Findings) -> str | None:
    """Which observation is missing to judge at all, in words."""
    if findings.production is None:
        return "production was not observed"
    if not has_traffic(findings.production):
        known = "request_rate" in findings.production.signals or findings.production.latency is not None
        return "production had no traffic" if known else "production's request rate is not known"
    if not findings.searched:
        return "the test environment was not observed"
    if findings.run is None:
        return "no test run was found"
    return None if has_traffic(findings.pte) else "the test run left no data"


def _unknown_load(findings: Findings) -> str:
    """Why the load could not be judged: for want of minutes, where a side is only known in coarser steps."""
    for whose, seen in (("production's", findings.production), ("the test's", findings.pte)):
        steps = coarse(seen, "request_rate")
        if steps is not None:
            means = f"means over {humanize.duration(steps)}"
            return f"{whose} request rate is only known as {means}, which hide the peaks of its minutes"
    return "nobody observed how much load the test made"


def _judge(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    """Each reason that can be judged, in the order of results.REASONS."""
    if findings.searched:
        yield "no_test_run", Judged(findings.run is None, "no test run was found")
    if findings.run_age is not None:
        age = f"is {humanize.duration(findings.run_age)} old"
        limit = f"at most {humanize.duration(limits.max_age)}"
        used = _share(findings.run_age, limits.max_age)
        yield "too_old", Judged(findings.run_age > limits.max_age, f"the test {age}", limit, used, short=age)
    yield from _judge_growth(findings.growth, limits)
    yield from _judge_scores(findings, limits)
    yield from _judge_gaps("latency", [gap for gap in findings.gaps if gap.signal in LATENCIES], limits)
    yield from _judge_gaps("errors", [gap for gap in findings.gaps if gap.signal == "error_ratio"], limits)
    yield from _judge_objectives(findings.objectives)
    score = finite(findings.efficacy.score)
    if score is not None:
        yield "efficacy", _at_least(score, limits.efficacy, f"the test's efficacy is {humanize.percent(score)}")


def _judge_growth(growth: Growth, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    if growth.peak_ratio is not None:
        change = growth.peak_ratio - 1
        text = f"production's peak {humanize.describe_change(change)}"
        yield "outgrown_peak", _at_most(change, limits.peak_growth, text)
    if growth.mix_moved is not None:
        text = f"production's mix moved by {humanize.percent(growth.mix_moved)} since the test"
        yield "outgrown_mix", _at_most(growth.mix_moved, limits.mix_moved, text)


def _judge_scores(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    peak, weighted = findings.load.peak_ratio, findings.coverage.weighted_ratio
    apart = findings.coverage.total_variation
    if peak is not None:
        reached = f"reached {humanize.percent(peak)} of production's peak"
        yield "load_coverage", _at_least(peak, limits.load_coverage, f"the test {reached}", reached, " of the peak")
    if weighted is not None:
        share = humanize.percent(weighted)
        text = f"{share} of production's requests go to tested endpoints"
        covered = f"covered {share} of its requests"
        yield "weighted_coverage", _at_least(weighted, limits.weighted_coverage, text, covered, " of requests covered")
    if apart is not None:
        text = f"the test's mix is {humanize.percent(apart)} away from production's"
        yield "mix", _at_most(apart, limits.mix_total_variation, text)


def _judge_gaps(reason: str, gaps: list[Gap], limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    """One reason out of the worst of some gaps."""
    known = [(SEVERITIES.index(gap.severity), gap) for gap in gaps if gap.severity is not None]
    if not known:
        return
    level, worst = max(known, key=lambda pair: (pair[0], abs(pair[1].ratio or 0.0)))
    text = f"{humanize.label(worst.signal)} gap is {worst.severity}"
    if worst.production is not None and worst.pte is not None:
        there, here = (
            humanize.quantity(worst.signal, value, humanize.SENTENCE_DIGITS) for value in (worst.production, worst.pte)
        )
        text += f": PTE {here}, production {there}"
    most = SEVERITIES.index(limits.gap_severity)
    yield reason, Judged(level >= most, text, f"below {limits.gap_severity} wanted", level / most)


def _judge_objectives(objectives: tuple[Objective, ...]) -> Iterator[tuple[str, Judged]]:
    """One reason out of the objective whose budget the run would have used up most."""
    known = [
        Judged(
            not one.met,
            f"the run would {'' if one.met else 'not '}have met the objective {one.name}: "
            f"{humanize.percent(one.run_error_ratio)} of requests {humanize.describe_bad_request(one.threshold)}",
            f"at most {humanize.percent(one.budget)}",
            _share(one.run_error_ratio, one.budget),
        )
        for one in objectives
        if one.met is not None and one.run_error_ratio is not None
    ]
    if known:
        yield "objective", max(known, key=lambda one: (one.applies, one.used))


def _at_least(value: float, limit: float, text: str, short: str = "", of: str = "") -> Judged:
    return Judged(value < limit, text, f"at least {humanize.percent(limit)}", _share(limit, value), short, of)


def _at_most(value: float, limit: float, text: str) -> Judged:
    return Judged(value > limit, text, f"at most {humanize.percent(limit)}", _share(value, limit))


def _share(part: float, whole: float) -> float:
    """part / whole; a limit of nothing is used up by nothing."""
    if whole > 0:
        return part / whole
    return math.inf if part > 0 else 1.0
