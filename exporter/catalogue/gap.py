"""Gap: the PTE against production, signal by signal."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.series import Row, Series, Values, per_application
from exporter.model.results import ApplicationResult, Snapshot
from exporter.model.verdict import SEVERITIES, VERDICTS


def _values(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for gap in result.gaps:
            for role, value in (("production", gap.production), ("pte", gap.pte)):
                if value is not None:
                    yield (application, snapshot.sides[role], gap.signal), value


def _samples(snapshot: Snapshot) -> Iterator[Row]:
    for application, result in snapshot.applications.items():
        for gap in result.gaps:
            for role, value in gap.effective_samples.items():
                yield (application, snapshot.sides[role], gap.signal), value


def _severity(result: ApplicationResult) -> Values:
    return [((gap.signal,), SEVERITIES.index(gap.severity)) for gap in result.gaps if gap.severity is not None]


def _verdicts(result: ApplicationResult) -> Values:
    for gap in result.gaps:
        for verdict in VERDICTS:
            yield (gap.signal, verdict), float(gap.verdict == verdict)


SERIES: tuple[Series, ...] = (
    Series(
        "pte_gap_input",
        "Compared value in the signal's base unit: peak one-minute value, or latency over the whole window. Polled.",
        ("application", "side", "signal"),
        _values,
    ),
    per_application(
        "pte_gap_ratio",
        "Signed gap: (pte - production) / production. Polled.",
        ("signal",),
        lambda result: [((gap.signal,), gap.ratio) for gap in result.gaps],
    ),
    per_application(
        "pte_gap_severity",
        "Severity of the gap: 0 none, 1 low, 2 medium, 3 high, 4 critical. Polled.",
        ("signal",),
        _severity,
    ),
    per_application(
        "pte_gap_verdict",
        "1 for the current verdict: the PTE is worse than, equal to or better than production, or no evidence. Polled.",
        ("signal", "verdict"),
        _verdicts,
    ),
    per_application(
        "pte_gap_evidence",
        "1 when the gap has a severity, even without a ratio because production's value is 0. Polled.",
        ("signal",),
        lambda result: [((gap.signal,), float(gap.severity is not None)) for gap in result.gaps],
    ),
    Series(
        "pte_gap_effective_samples",
        "Independent minutes (requests for latency percentiles) behind the verdict: n(1-r)/(1+r), where r is the "
        "lag-1 autocorrelation of the noise. Polled.",
        ("application", "side", "signal"),
        _samples,
    ).as_input(),
)
