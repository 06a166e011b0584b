"""What a query with `{{.window}}` is: which series it reads, what it counts, which labels it keeps.

Facts come from the parsed query. The parser knows no template, so that a range which nobody writes stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import promql_parser

from exporter.model.slo import WINDOW, Per

_STAND_IN = 7919
"""Seconds, a prime."""

_TEXT_OR_COMMENT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|\#[^\n]*""")
_NESTING = re.compile(r"""[-+*/%^=!<>({\[]|\b(?:and|or|unless)\b""", re.IGNORECASE)
_MOST = 250
"""Operators and brackets in a query. Its parts are copied at each step down, so that time grows with their cube."""
_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)

_GRAFANA = re.compile(r"\$__\w+|\$\{__\w+\}")
"""Its own variables, such as those that queries of panels have for their range."""

_SECOND = frozenset(("rate", "irate"))
_WINDOW = frozenset(("increase", "delta", "sum_over_time", "count_over_time", "changes", "resets"))
"""Functions whose value grows with the window."""

_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))
_SETS = frozenset(("and", "or", "unless"))
_KEEPING = frozenset(("topk", "bottomk", "limitk", "limit_ratio"))
"""Aggregations whose result has the labels of what they are given."""
_LABELLESS = frozenset(("vector", "scalar", "time", "pi", "absent", "absent_over_time"))

Labels = tuple[str, ...] | None
"""Labels that a result has, sorted; None where only the data tells."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query and what is known of it."""

    text: str
    expr: Any
    instant: bool
    """Whether its result is an instant vector, which alone rules can compare and record."""
    windowed: bool
    """Whether `{{.window}}` stands in it."""
    selectors: tuple[str, ...]
    """Each as name and sorted matchers, in the order of the text."""
    counting: frozenset[str]
    """The functions over `{{.window}}`."""
    shape: frozenset[str]
    """All functions and comparisons."""
    ranges: tuple[int, ...]
    """Seconds of all ranges of selectors."""
    subqueries: int
    labels: Labels


def template(text: str) -> tuple[str, list[str]]:
    """A query without comments, its template variables in the usual form, and those that it should not have."""
    if "#" in text:  # a comment would go on over what is written behind the query
        text = _TEXT_OR_COMMENT.sub(lambda match: match[1] or "", text)
    strange = [f"{{{{{name}}}}}" for name in _TEMPLATE.findall(text) if name != ".window"] + _GRAFANA.findall(text)
    return _TEMPLATE.sub(lambda match: WINDOW if match[1] == ".window" else match[0], text).strip(), strange


@lru_cache(maxsize=8192)
def parse(text: str) -> Query:
    """A query's facts; raises ValueError with the parser's words in one line."""
    deep = len(_NESTING.findall(_TEXT_OR_COMMENT.sub("", text))) if len(text) > _MOST else 0
    if deep > _MOST:
        raise ValueError(f"has {deep} operators and brackets, wanted at most {_MOST}")
    try:
        expr = promql_parser.parse(text.replace(WINDOW, f"{_STAND_IN}s"))
    except ValueError as error:
        words = " ".join(str(error).replace(f"{_STAND_IN}s", WINDOW).split())
        raise ValueError(f"does not parse as PromQL: {words}") from None
    selectors, counting, shape, ranges = list[str](), set[str](), set[str](), list[int]()
    subqueries = 0

    def visit(node: Any) -> None:
        nonlocal subqueries
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(_selector(node))
        elif isinstance(node, promql_parser.MatrixSelector):
            ranges.append(int(node.range.total_seconds()))
        elif isinstance(node, promql_parser.SubqueryExpr):
            subqueries += 1
        elif isinstance(node, promql_parser.Call):
            shape.add(node.func.name)
            if any(getattr(each, "range", None) == timedelta(seconds=_STAND_IN) for each in node.args):
                counting.add(node.func.name)
        elif isinstance(node, promql_parser.BinaryExpr) and str(node.op) in _COMPARISONS:
            shape.add(str(node.op))

    promql_parser.walk(expr, visit)
    return Query(
        text,
        expr,
        _is_instant(expr),
        WINDOW in text,
        tuple(selectors),
        frozenset(counting),
        frozenset(shape),
        tuple(ranges),
        subqueries,
        _labels(expr),
    )


def _selector(node: Any) -> str:
    matchers = [str(each) for each in node.matchers.matchers]
    matchers += [str(each) for group in node.matchers.or_matchers for each in group]
    return f"{node.name or ''}{{{','.join(sorted(matchers))}}}"


def per(*queries: Query) -> Per:
    """What the values of an indicator's queries are; raises ValueError where they differ."""
    counting = frozenset[str]().union(*(query.counting for query in queries))
    window, second = sorted(counting & _WINDOW), sorted(counting & _SECOND)
    if window and second:
        raise ValueError(f"mixes {second[0]} (per second) with {window[0]} (per window), wanted one of them")
    return "window" if window else "second"


def problem(query: Query) -> str:
    """Why rules cannot be made of a query's result; empty where they can."""
    example = f"sum(rate(requests_total[{WINDOW}]))"
    return "" if query.instant else f"gives no value for each series, wanted an expression such as {example}"


def alike(errors: Query, total: Query) -> str:
    """Why two queries cannot tell bad events from all; empty where they can."""
    if errors.expr.prettify() == total.expr.prettify():
        return "is the same query as that of all events"
    if errors.selectors and set(errors.selectors) == set(total.selectors) and errors.shape == total.shape:
        return f"names the same series as the query of all events: {', '.join(sorted(set(total.selectors)))}"
    return ""


def _labels(expr: Any) -> Labels:
    """The labels that an expression's result has."""
    found = _LABELS.get(type(expr))
    return found(expr) if found else None


def _of_aggregation(expr: Any) -> Labels:
    if str(expr.op) in _KEEPING:
        return _labels(expr.expr)
    if expr.modifier is None:
        kept: set[str] = set()
    elif expr.modifier.type == promql_parser.AggModifierType.By:
        kept = set(expr.modifier.labels)
    else:
        inner = _labels(expr.expr)
        if inner is None:
            return None
        kept = set(inner) - set(expr.modifier.labels)
    if str(expr.op) == "count_values":
        if not isinstance(expr.param, promql_parser.StringLiteral):
            return None
        kept.add(expr.param.val)
    return tuple(sorted(kept))


def _of_call(expr: Any) -> Labels:
    name = expr.func.name
    if name in _LABELLESS:
        return ()
    inner = next((_labels(each) for each in expr.args if not _is_scalar(each)), ())
    if inner is None:
        return None
    if name in ("label_replace", "label_join"):
        if not isinstance(expr.args[1], promql_parser.StringLiteral):
            return None
        return tuple(sorted({*inner, expr.args[1].val}))
    if name == "histogram_quantile":
        return tuple(label for label in inner if label != "le")
    return inner


def _of_binary(expr: Any) -> Labels:
    if _is_scalar(expr.lhs) or _is_scalar(expr.rhs):
        return _labels(expr.rhs if _is_scalar(expr.lhs) else expr.lhs)
    left, right = _labels(expr.lhs), _labels(expr.rhs)
    modifier = expr.modifier
    if str(expr.op) in _SETS or modifier is None:
        return left
    card = modifier.card
    extra = set(modifier.group_labels or ())
    if card == promql_parser.VectorMatchCardinality.OneToMany:
        return None if right is None else tuple(sorted({*right, *extra}))
    if card == promql_parser.VectorMatchCardinality.ManyToOne:
        return None if left is None else tuple(sorted({*left, *extra}))
    if modifier.matching is None:
        return left
    listed = set(modifier.matching.labels)
    if modifier.matching.type == promql_parser.LabelModifierType.Include:
        return tuple(sorted(listed if left is None else listed & set(left)))
    return None if left is None else tuple(sorted(set(left) - listed))


def _is_instant(expr: Any) -> bool:
    while isinstance(expr, promql_parser.ParenExpr):
        expr = expr.expr
    return not isinstance(expr, promql_parser.MatrixSelector | promql_parser.SubqueryExpr) and not _is_scalar(expr)


def _is_scalar(expr: Any) -> bool:
    if isinstance(expr, promql_parser.ParenExpr | promql_parser.UnaryExpr):
        return _is_scalar(expr.expr)
    if isinstance(expr, promql_parser.BinaryExpr):
        return _is_scalar(expr.lhs) and _is_scalar(expr.rhs)
    if isinstance(expr, promql_parser.Call):
        return bool(expr.func.return_type == promql_parser.ValueType.Scalar)
    return isinstance(expr, promql_parser.NumberLiteral | promql_parser.StringLiteral)


def _of_inner(expr: Any) -> Labels:
    return _labels(expr.expr)


_LABELS: dict[type, Callable[[Any], Labels]] = {
    promql_parser.AggregateExpr: _of_aggregation,
    promql_parser.Call: _of_call,
    promql_parser.BinaryExpr: _of_binary,
    promql_parser.ParenExpr: _of_inner,
    promql_parser.UnaryExpr: _of_inner,
    promql_parser.SubqueryExpr: _of_inner,
    promql_parser.NumberLiteral: lambda _: (),
}
