"""PromQL is read as a tree, and whatever the parser makes of a text, a caller sees a ValueError at worst."""

from __future__ import annotations

import pytest

from exporter.clients import promql

PANICS = "1e300"
"""As a duration it makes the parser panic."""

BEYOND_PYTHON = "106751991167300"
"""Seconds that the parser can hold and timedelta cannot."""


def test_the_parts_of_a_query() -> None:
    """Parts come in the order of the text, the outer before the inner."""
    expr = promql.parse("sum by (a) (rate(x[5m])) / max_over_time(y[1h:1m])")
    names = [type(node).__name__ for node in promql.nodes(expr)]
    assert names == [
        "BinaryExpr",
        "AggregateExpr",
        "Call",
        "MatrixSelector",
        "VectorSelector",
        "Call",
        "SubqueryExpr",
        "VectorSelector",
    ]
    lengths = [promql.range_seconds(node) for node in promql.nodes(expr)]
    assert [length for length in lengths if length is not None] == [300, 3600]


@pytest.mark.parametrize(
    "query", [f"rate(up[{PANICS}])", "up[99999999999999999999y]", "up offset 9223372036854775807s"]
)
def test_a_query_with_a_duration_that_the_parser_cannot_hold(query: str) -> None:
    """A panic of the parser does not end the process; it is an error in the query."""
    with pytest.raises(ValueError, match="duration"):
        promql.parse(query)


def test_a_range_that_python_cannot_hold() -> None:
    """A range that the parser lets pass is refused when it is read."""
    with pytest.raises(ValueError, match=r"^a duration is too long$"):
        promql.range_seconds(promql.parse(f"up[{BEYOND_PYTHON}]"))


@pytest.mark.parametrize("text", [PANICS, "-1", BEYOND_PYTHON, "999999999d24h", "", "5 m", "1M"])
def test_what_is_no_duration(text: str) -> None:
    """Invalid texts and lengths that no type can hold are reported alike."""
    with pytest.raises(ValueError, match=r"\w"):
        promql.seconds(text)


def test_durations() -> None:
    """Units add up, and milliseconds are kept."""
    assert [promql.seconds(text) for text in ("1h30m", "1500ms", "5")] == [5400, 1.5, 5]


def test_what_ends_the_process_still_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a panic is turned into an error: an interruption from the keyboard is not swallowed."""

    def interrupted(text: str) -> object:
        raise KeyboardInterrupt(text)

    monkeypatch.setattr("promql_parser.parse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        promql.parse("up")
