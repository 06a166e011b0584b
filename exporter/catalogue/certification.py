"""The verdict: does the certification still hold, and if not, why?"""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.series import Row, Series, evidence, per_application, scalar
from exporter.model.results import Snapshot


def _expected(snapshot: Snapshot) -> Iterator[Row]:
    expected = snapshot.settings.expected
    for application in snapshot.applications:
        yield (application,), float(application in expected or not expected)


SERIES: tuple[Series, ...] = (
    scalar(
        "pte_certification_holds",
        "1 when the certification holds, 0 when it does not; absent without evidence. Polled.",
        lambda result: result.certification.holds,
    ),
    evidence(
        "pte_certification_evidence",
        "1 when there is evidence to judge the certification. Polled.",
        lambda result: result.certification.holds,
    ),
    Series(
        "pte_certification_expected",
        "1 when evidence is expected for the application, 0 when not. Configured.",
        ("application",),
        _expected,
    ),
    per_application(
        "pte_certification_reason",
        "1 when this reason speaks against the certification, 0 when not; absent when it could not be judged. Polled.",
        ("reason",),
        lambda result: [((reason,), float(on)) for reason, on in result.certification.reasons.items()],
    ),
    scalar(
        "pte_growth_peak_ratio",
        "Production's peak of the last seven days / of the seven days before the run. Polled.",
        lambda result: result.growth.peak_ratio,
    ),
    scalar(
        "pte_growth_peak_then_requests_per_second",
        "Production's peak request rate in the seven days before the run. Polled.",
        lambda result: result.growth.peak_then,
    ).as_input(),
    scalar(
        "pte_growth_peak_now_requests_per_second",
        "Production's peak request rate in the last seven days. Polled.",
        lambda result: result.growth.peak_now,
    ).as_input(),
    scalar(
        "pte_growth_mix_total_variation_ratio",
        "Total variation distance between production's traffic mix now and before the run, 0..1. Polled.",
        lambda result: result.growth.mix_moved,
    ),
    evidence(
        "pte_growth_evidence",
        "1 when production was observed before the run and now. Polled.",
        lambda result: result.growth.peak_ratio,
    ),
)
