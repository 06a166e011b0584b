"""Distances between mixes, against the textbook and against their own laws."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.analysis.mix import Counts, jensen_shannon, shares, total_variation

COUNTS = st.dictionaries(
    st.tuples(st.sampled_from(("GET", "POST")), st.sampled_from("abcdef")), st.floats(1e-3, 1e6), min_size=1
)


def entropy(p: list[float]) -> float:
    return -sum(share * math.log2(share) for share in p if share > 0)


@given(COUNTS, COUNTS)
def test_jensen_shannon_is_entropy_of_the_mean_less_mean_of_entropies(first: Counts, other: Counts) -> None:
    """The other definition of the divergence gives the same bits."""
    p, q = shares(first), shares(other)
    keys = sorted({*p, *q})
    middle = [(p.get(key, 0.0) + q.get(key, 0.0)) / 2 for key in keys]
    expected = entropy(middle) - (entropy(list(p.values())) + entropy(list(q.values()))) / 2
    assert jensen_shannon(first, other) == pytest.approx(expected, abs=1e-9)


@given(COUNTS, COUNTS)
def test_total_variation_is_the_largest_difference_of_any_event(first: Counts, other: Counts) -> None:
    """The sum of what one mix has more of is the largest difference that any set of endpoints shows."""
    p, q = shares(first), shares(other)
    expected = sum(max(0.0, p.get(key, 0.0) - q.get(key, 0.0)) for key in {*p, *q})
    assert total_variation(first, other) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("distance", [total_variation, jensen_shannon])
@given(first=COUNTS, other=COUNTS)
def test_distances_are_symmetric_and_bounded(distance: object, first: Counts, other: Counts) -> None:
    """Both lie within 0..1, do not care for the order, and are zero for a mix and itself scaled."""
    assert callable(distance)
    there, back = distance(first, other), distance(other, first)
    assert there == pytest.approx(back, abs=1e-12)
    assert 0 <= there <= 1
    assert distance(first, {key: count * 7 for key, count in first.items()}) == pytest.approx(0, abs=1e-9)


def test_nothing_in_common() -> None:
    """Mixes without a shared endpoint are a whole 1 and one bit apart."""
    first, other = {("GET", "/a"): 5.0}, {("POST", "/a"): 9.0}
    assert (total_variation(first, other), jensen_shannon(first, other)) == (1.0, 1.0)


@pytest.mark.parametrize("empty", [{}, {("GET", "/a"): 0.0}])
def test_no_requests_no_distance(empty: Counts) -> None:
    """A side without requests has no mix."""
    full = {("GET", "/a"): 5.0}
    assert total_variation(empty, full) is None
    assert jensen_shannon(full, empty) is None
