"""Efficacy: one weighted score of what the test proves, and its parts."""

from __future__ import annotations

from exporter.catalogue.series import Series, Values, evidence, per_application, scalar
from exporter.model.results import ApplicationResult

RATINGS = ("excellent", "good", "fair", "poor")


def _rating(result: ApplicationResult) -> Values:
    if result.efficacy.rating is not None:
        for rating in RATINGS:
            yield (rating,), float(result.efficacy.rating == rating)


SERIES: tuple[Series, ...] = (
    scalar("pte_efficacy_ratio", "Weighted score of the test, 0..1. Polled.", lambda result: result.efficacy.score),
    per_application(
        "pte_efficacy_part_ratio",
        "Score of the part, 0..1. Polled.",
        ("part",),
        lambda result: [((part,), score) for part, score in result.efficacy.parts.items()],
    ),
    per_application(
        "pte_efficacy_part_weight_ratio",
        "Weight of the part in the score, 0..1, shared among the parts with evidence. Polled.",
        ("part",),
        lambda result: [((part,), weight) for part, weight in result.efficacy.weights.items()],
    ).as_input(),
    per_application("pte_efficacy_rating", "1 for the current rating, 0 for the others. Polled.", ("rating",), _rating),
    evidence("pte_efficacy_evidence", "1 when the score has evidence. Polled.", lambda result: result.efficacy.score),
)
