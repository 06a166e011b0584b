"""The labels of an expression's result, as far as its text shows, and whether it has any series at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from exporter.clients import promql

_SETS = frozenset(("and", "or", "unless"))

_KEEPING = frozenset(("topk", "bottomk", "limitk", "limit_ratio"))
"""Aggregations whose result has the labels of their argument."""

_LABELLESS = frozenset(("vector", "scalar", "time", "pi", "absent", "absent_over_time"))

Labels = tuple[str, ...] | None
"""Labels that a result has, sorted; None where they depend on the data."""


def labels(expr: Any) -> Labels:
    """The labels that an expression's result has."""
    rule = _RULES.get(type(expr))
    if rule:
        return rule(expr)
    return None


def is_instant(expr: Any) -> bool:
    """Whether the result is an instant vector: rules can compare and record nothing else."""
    while isinstance(expr, promql.ParenExpr):
        expr = expr.expr

    return not isinstance(expr, promql.MatrixSelector | promql.SubqueryExpr) and not is_scalar(expr)


def is_scalar(expr: Any) -> bool:
    """Whether the result is a single number or text."""
    if isinstance(expr, promql.ParenExpr | promql.UnaryExpr):
        return is_scalar(expr.expr)
    if isinstance(expr, promql.BinaryExpr):
        return is_scalar(expr.lhs) and is_scalar(expr.rhs)
    if isinstance(expr, promql.Call):
        return bool(expr.func.return_type == promql.ValueType.Scalar)
    return isinstance(expr, promql.NumberLiteral | promql.StringLiteral)


def _of_aggregation(expr: Any) -> Labels:
    operator = str(expr.op)
    if operator in _KEEPING:
        return labels(expr.expr)

    remaining = _of_clause(expr)
    if operator != "count_values" or remaining is None:
        return remaining

    # It writes each counted value into the label that its parameter names.
    if not isinstance(expr.param, promql.StringLiteral):
        return None
    return _sorted({*remaining, expr.param.val})


def _of_clause(expr: Any) -> Labels:
    """The labels that `by` or `without` keeps; without either, none."""
    if expr.modifier is None:
        return ()
    if expr.modifier.type == promql.AggModifierType.By:
        return _sorted(expr.modifier.labels)

    inner = labels(expr.expr)
    if inner is None:
        return None
    return _sorted(set(inner) - set(expr.modifier.labels))


def _of_call(expr: Any) -> Labels:
    function = expr.func.name
    if function in _LABELLESS:
        return ()

    # The first argument that has series gives the result its labels.
    arguments = [argument for argument in expr.args if not is_scalar(argument)]
    inner = labels(arguments[0]) if arguments else ()
    if inner is None:
        return None
    if function in ("label_replace", "label_join"):
        if not isinstance(expr.args[1], promql.StringLiteral):
            return None
        return _sorted({*inner, expr.args[1].val})
    if function == "histogram_quantile":
        return tuple(label for label in inner if label != "le")
    return inner


def _of_binary(expr: Any) -> Labels:
    if is_scalar(expr.lhs):
        return labels(expr.rhs)
    if is_scalar(expr.rhs):
        return labels(expr.lhs)

    modifier = expr.modifier
    if str(expr.op) in _SETS or modifier is None:
        return labels(expr.lhs)

    # group_right and group_left: the side with many series keeps its labels and gets some of the other side's.
    if modifier.card == promql.VectorMatchCardinality.OneToMany:
        return _with_more(labels(expr.rhs), modifier.group_labels)
    if modifier.card == promql.VectorMatchCardinality.ManyToOne:
        return _with_more(labels(expr.lhs), modifier.group_labels)
    return _matched(labels(expr.lhs), modifier.matching)


def _with_more(many: Labels, group_labels: Iterable[str] | None) -> Labels:
    if many is None:
        return None
    return _sorted({*many, *(group_labels or ())})


def _matched(lhs: Labels, matching: Any) -> Labels:
    """One-to-one: the labels that match the series, which are those in `on` or not in `ignoring`."""
    if matching is None:
        return lhs

    listed = set(matching.labels)
    if matching.type == promql.LabelModifierType.Include:
        if lhs is None:
            return _sorted(listed)
        return _sorted(listed & set(lhs))
    if lhs is None:
        return None
    return _sorted(set(lhs) - listed)


def _of_inner(expr: Any) -> Labels:
    return labels(expr.expr)


def _of_number(_: Any) -> Labels:
    return ()


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


_RULES: dict[type, Callable[[Any], Labels]] = {
    promql.AggregateExpr: _of_aggregation,
    promql.Call: _of_call,
    promql.BinaryExpr: _of_binary,
    promql.ParenExpr: _of_inner,
    promql.UnaryExpr: _of_inner,
    promql.SubqueryExpr: _of_inner,
    promql.NumberLiteral: _of_number,
}
