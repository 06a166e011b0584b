"""Queries of panels. Several replicas of the exporter give one row: every query aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.dashboards.kit import validation

APPLICATION = 'application=~"$application"'
SIDE = 'side=~"$side"'


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL query; its creation fails unless it parses and names known series."""

    expr: str
    legend: str = ""

    def __post_init__(self) -> None:
        validation.validate(self.expr)


def selector(name: str, *matchers: str) -> str:
    """A series selector."""
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def largest(by: str, name: str, *matchers: str) -> str:
    """The largest value over replicas, by these labels."""
    return f"max by ({by}) ({selector(name, *matchers)})"


def smallest(by: str, name: str, *matchers: str) -> str:
    """The smallest value over replicas, by these labels: for verdicts, where the worst counts."""
    return f"min by ({by}) ({selector(name, *matchers)})"


def scalar(name: str, *matchers: str) -> str:
    """A series with one value per application, for the chosen applications."""
    return largest("application", name, APPLICATION, *matchers)


def limit(name: str) -> str:
    """A configured limit, one value without labels."""
    return f'max(pte_limit{{limit="{name}"}})'


def per_application(name: str) -> str:
    """A configured limit, repeated for each chosen application, to join rows.

    A limit has no label of an application: 0 times a series that every application has carries it to each of them.
    """
    return f"{scalar('pte_certification_expected')} * 0 + on () group_left () {limit(name)}"


def any_of(exprs: Sequence[str]) -> str:
    """The union of queries whose results differ in their labels."""
    return " or ".join(exprs)


# `or` uses its right side only where the left has no series: a verdict, otherwise whether one was expected.
VERDICT = (
    f"{smallest('application', 'pte_certification_holds', APPLICATION)}"
    f" or ({scalar('pte_certification_evidence')} == 0) - 2"
    f" + on (application) {scalar('pte_certification_expected')}"
)
"""1 holds, 0 does not, -1 no evidence, -2 no evidence and none expected (value_mappings.VERDICT)."""


def or_no_evidence(expr: str, evidence: str) -> str:
    """The query's value per application, and -1 where the evidence series says that there is none.

    Never `or vector(0)`: without the evidence series the application is missing, and the panel says why.
    """
    return f"({expr}) or ({scalar(evidence)} == 0) - 1"


# `> 0` drops the sources that are not withdrawn (0), and for these `or` checks whether the last poll failed.
DATA_STATE = "max by (source) (pte_source_withdrawn * 2 > 0 or 1 - pte_source_up)"
"""0 current, 1 the last poll failed, 2 withdrawn (value_mappings.DATA), of the worst replica."""

DATA_AGE = "time() - min by (source) (pte_source_last_success_timestamp_seconds)"
DATA_LIMIT = "min by (source) (pte_source_max_age_seconds)"
