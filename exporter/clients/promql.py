"""PromQL as a tree: the only module that uses the parser; all its errors are ValueErrors.

The parser is written in Rust. A duration that it cannot hold (`[1e300]`, `-1`) panics there, which arrives in Python
as a BaseException: it passes every `except Exception` and ends the process. A duration that only Python's timedelta
cannot hold fails later, when it is read. Therefore read durations through `seconds` and `range_seconds`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import promql_parser
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    LabelModifierType,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorMatchCardinality,
    VectorSelector,
)

__all__ = [
    "AggModifierType",
    "AggregateExpr",
    "BinaryExpr",
    "Call",
    "LabelModifierType",
    "MatrixSelector",
    "NumberLiteral",
    "ParenExpr",
    "StringLiteral",
    "SubqueryExpr",
    "UnaryExpr",
    "ValueType",
    "VectorMatchCardinality",
    "VectorSelector",
    "nodes",
    "parse",
    "range_seconds",
    "seconds",
    "selector_text",
]

T = TypeVar("T")

_PANIC = "PanicException"
"""Its class cannot be imported: it is created when the first panic arrives."""

_TOO_LONG = "a duration is too long"


def parse(query: str) -> Any:
    """The tree of a query; raises ValueError with the parser's text, which may have several lines."""
    return _call(promql_parser.parse, query)


def nodes(expr: Any) -> list[Any]:
    """Every node of an expression, the root first, in the order of the text; a MatrixSelector before its selector."""
    parts = list[Any]()
    promql_parser.walk(expr, parts.append)
    return parts


def seconds(duration: str) -> float:
    """Seconds of a duration such as 1h30m; raises ValueError."""
    length = _call(promql_parser.parse_duration, duration)
    return float(length.total_seconds())


def range_seconds(expr: Any) -> float | None:
    """Seconds of the range of a selector or subquery, None for other nodes; raises ValueError."""
    try:
        length = getattr(expr, "range", None)
    except OverflowError:
        raise ValueError(_TOO_LONG) from None
    if length is None:
        return None
    return float(length.total_seconds())


def selector_text(selector: Any) -> str:
    """A VectorSelector as its name and sorted matchers: the same text for the same series, however they are written."""
    matchers = [str(matcher) for matcher in selector.matchers.matchers]
    for alternatives in selector.matchers.or_matchers:
        matchers += [str(matcher) for matcher in alternatives]
    return f"{selector.name or ''}{{{','.join(sorted(matchers))}}}"


def _call(function: Callable[[str], T], text: str) -> T:
    try:
        return function(text)
    except OverflowError:
        raise ValueError(_TOO_LONG) from None
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise ValueError(f"a duration cannot be read: {error}") from None
