"""Does the certification still hold, and if not, why? docs/method.md, section "Certification"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.analysis.arithmetic import finite, has_traffic
from exporter.analysis.words import duration, percent, quantity, signal_name
from exporter.model.observation import ApplicationObservation, TestRun
from exporter.model.results import REASONS, Certification, Coverage, Efficacy, Gap, Growth, LoadCoverage
from exporter.model.settings import SEVERITIES, AnalysisSettings, CertificationSettings

_LATENCIES = ("latency_mean", "latency_p95", "latency_p99")
"""Those with an objective; the median tells little, and P99.9 of a short run rests on few requests."""

_PROOF = ("load_coverage", "weighted_coverage", "efficacy", "outgrown_peak", "too_old")
"""What a certification that holds is told by, in this order."""

Judged = tuple[bool, str]
"""Whether the reason applies, and the finding in words and numbers."""


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


def certification(findings: Findings, settings: AnalysisSettings) -> Certification:
    """No evidence without production's traffic or a run with data; else it holds unless a reason applies.

    It is only said to hold when the load could be judged. A reason that could not be judged has no key.
    """
    judged = dict(_judge(findings, settings.certification))
    reasons = {reason: applies for reason, (applies, _) in judged.items()}
    missing = _missing(findings)
    if missing is None and any(reasons.values()):
        against = "; ".join(text for applies, text in judged.values() if applies)
        return Certification(False, reasons, f"The certification does not hold: {against}.")
    missing = missing or (None if "load_coverage" in judged else "nobody observed how much load the test made")
    if missing is not None:
        return Certification(None, reasons, f"No evidence: {missing}.")
    return Certification(True, reasons, _holds(judged))


def _holds(judged: Mapping[str, Judged]) -> str:
    """What speaks for the certification, and what nobody could say."""
    proof = "; ".join(judged[reason][1] for reason in _PROOF if reason in judged)
    unknown = ", ".join(reason.replace("_", " ") for reason in REASONS if reason not in judged)
    return f"The certification holds: {proof}." + (f" Not judged for want of data: {unknown}." if unknown else "")


def _missing(findings: Findings) -> str | None:
    """Which observation is missing to judge at all, in words."""
    if findings.production is None:
        return "production was not observed"
    if not has_traffic(findings.production):
        return "production had no traffic"
    if not findings.searched:
        return "the test environment was not observed"
    if findings.run is None:
        return "no test run was found"
    return None if has_traffic(findings.pte) else "the test run left no data"


def _judge(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    """Each reason that can be judged, in the order of results.REASONS."""
    if findings.searched:
        yield "no_test_run", (findings.run is None, "no test run was found" if findings.run is None else "")
    if findings.run_age is not None:
        text = f"the test is {duration(findings.run_age)} old (limit {duration(limits.max_age)})"
        yield "too_old", (findings.run_age > limits.max_age, text)
    yield from _judge_growth(findings.growth, limits)
    yield from _judge_scores(findings, limits)
    yield from _judge_gaps("latency", [gap for gap in findings.gaps if gap.signal in _LATENCIES], limits)
    yield from _judge_gaps("errors", [gap for gap in findings.gaps if gap.signal == "error_ratio"], limits)
    score = finite(findings.efficacy.score)
    if score is not None:
        text = f"its efficacy is {percent(score)} (at least {percent(limits.efficacy)})"
        yield "efficacy", (score < limits.efficacy, text)


def _judge_growth(growth: Growth, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    if growth.peak_ratio is not None:
        change = growth.peak_ratio - 1
        moved = f"{'grew' if change >= 0 else 'fell'} by {percent(abs(change))}"
        text = f"production's peak {moved} since the test (limit {percent(limits.peak_growth)})"
        yield "outgrown_peak", (change > limits.peak_growth, text)
    if growth.mix_moved is not None:
        text = f"production's mix moved by {percent(growth.mix_moved)} since the test"
        text += f" (limit {percent(limits.mix_moved)})"
        yield "outgrown_mix", (growth.mix_moved > limits.mix_moved, text)


def _judge_scores(findings: Findings, limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    peak, weighted = findings.load.peak_ratio, findings.coverage.weighted_ratio
    apart = findings.coverage.total_variation
    if peak is not None:
        text = f"the test reached {percent(peak)} of production's peak (at least {percent(limits.load_coverage)})"
        yield "load_coverage", (peak < limits.load_coverage, text)
    if weighted is not None:
        text = f"{percent(weighted)} of production's requests go to tested endpoints"
        text += f" (at least {percent(limits.weighted_coverage)})"
        yield "weighted_coverage", (weighted < limits.weighted_coverage, text)
    if apart is not None:
        text = f"its mix is {percent(apart)} away from production's (limit {percent(limits.mix_total_variation)})"
        yield "mix", (apart > limits.mix_total_variation, text)


def _judge_gaps(reason: str, gaps: list[Gap], limits: CertificationSettings) -> Iterator[tuple[str, Judged]]:
    """One reason out of the worst of some gaps."""
    known = [(SEVERITIES.index(gap.severity), gap) for gap in gaps if gap.severity is not None]
    if not known:
        return
    level, worst = max(known, key=lambda pair: (pair[0], abs(pair[1].ratio or 0.0)))
    text = f"{signal_name(worst.signal)} gap is {worst.severity}"
    if worst.production is not None and worst.pte is not None:
        there, here = quantity(worst.signal, worst.production), quantity(worst.signal, worst.pte)
        text += f" (PTE {here}, production {there})"
    yield reason, (level >= SEVERITIES.index(limits.gap_severity), text)
