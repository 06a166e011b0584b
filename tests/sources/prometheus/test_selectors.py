"""The series that a query reads, from its text."""

from __future__ import annotations

import pytest

from exporter.sources.prometheus.selectors import selectors


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum by (a) (rate(x_total{code=~"5..",b!="c"}[1m]))', ['x_total{code=~"5..",b!="c"}']),
        ("a / on (job) (avg_over_time(b[5m:1m]) > 0) or a", ["a", "b"]),
        ('{__name__="x",a="1"} offset 5m', ['x{a="1"}']),
        ('{__name__="http.requests",a="1"}', ['{__name__="http.requests",a="1"}']),
        ('count({__name__=~"x.*"})', ['{__name__=~"x.*"}']),
        ("vector(1)", []),
        ("no ((query", []),
    ],
)
def test_selectors(query: str, expected: list[str]) -> None:
    """Each selector once and without offset, its name taken from a matcher where that is certain."""
    assert [selector.text for selector in selectors(query)] == expected


def test_needed() -> None:
    """Labels that must be there are those that are matched with something."""
    [selector] = selectors('x{a="1",b!="2",c="",d=~"e|f",g!~"h"}')
    assert (selector.metric, selector.needed) == ("x", ("a", "d"))
