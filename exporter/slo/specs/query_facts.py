"""Facts about a query with `{{.window}}`: which series it reads, what it counts, which labels it keeps.

They come from the parsed query. The parser knows no templates, so an improbable range replaces the template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exporter.clients import promql
from exporter.model.slo import WINDOW, Per
from exporter.slo.specs import result_labels
from exporter.slo.specs.result_labels import Labels

_STAND_IN = 7919
"""Seconds, a prime."""

_TEXT_OR_COMMENT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|\#[^\n]*""")
_NESTING = re.compile(r"""[-+*/%^=!<>({\[]|\b(?:and|or|unless)\b""", re.IGNORECASE)
_MOST = 250
"""Operators and brackets in a query. The parser copies parts at each level, so time grows with their cube."""
_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)

_GRAFANA = re.compile(r"\$__\w+|\$\{__\w+\}")
"""Grafana's variables, such as those for the range in a panel's queries."""

_SECOND = frozenset(("rate", "irate"))
_WINDOW = frozenset(("increase", "delta", "sum_over_time", "count_over_time", "changes", "resets"))
"""Functions whose value grows with the window."""

_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))


@dataclass(frozen=True, slots=True)
class QueryFacts:
    """A parsed query and its properties."""

    text: str
    expr: Any
    instant: bool
    """Whether its result is an instant vector: rules can compare and record nothing else."""
    windowed: bool
    """Whether it contains `{{.window}}`."""
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
    """A query without comments, with its template variables in the usual form, and the unsupported variables."""
    if "#" in text:  # a comment would include the text that rules append to the query
        text = _TEXT_OR_COMMENT.sub(lambda match: match[1] or "", text)

    unsupported = [f"{{{{{name}}}}}" for name in _TEMPLATE.findall(text) if name != ".window"]
    unsupported += _GRAFANA.findall(text)
    return _TEMPLATE.sub(_usual_form, text).strip(), unsupported


def _usual_form(match: re.Match[str]) -> str:
    if match[1] == ".window":
        return WINDOW
    return match[0]


@lru_cache(maxsize=8192)
def parse(text: str) -> QueryFacts:
    """A query's facts; raises ValueError with the parser's message in one line."""
    _check_depth(text)
    try:
        expr = promql.parse(text.replace(WINDOW, f"{_STAND_IN}s"))
        return _query(text, expr)
    except ValueError as error:
        words = " ".join(str(error).replace(f"{_STAND_IN}s", WINDOW).split())
        raise ValueError(f"is not valid PromQL: {words}") from None


def _check_depth(text: str) -> None:
    # A short text has no room for so many, so most queries need no search.
    if len(text) <= _MOST:
        return

    deep = len(_NESTING.findall(_TEXT_OR_COMMENT.sub("", text)))
    if deep > _MOST:
        raise ValueError(f"has {deep} operators and brackets, must have at most {_MOST}")


def _query(text: str, expr: Any) -> QueryFacts:
    selectors = list[str]()
    counting = set[str]()
    shape = set[str]()
    ranges = list[int]()
    subqueries = 0

    for node in promql.nodes(expr):
        if isinstance(node, promql.VectorSelector):
            selectors.append(promql.selector_text(node))
        elif isinstance(node, promql.MatrixSelector):
            ranges.append(int(promql.range_seconds(node) or 0))
        elif isinstance(node, promql.SubqueryExpr):
            subqueries += 1
        elif isinstance(node, promql.Call):
            shape.add(node.func.name)
            if any(promql.range_seconds(argument) == _STAND_IN for argument in node.args):
                counting.add(node.func.name)
        elif isinstance(node, promql.BinaryExpr) and str(node.op) in _COMPARISONS:
            shape.add(str(node.op))

    return QueryFacts(
        text,
        expr,
        result_labels.is_instant(expr),
        WINDOW in text,
        tuple(selectors),
        frozenset(counting),
        frozenset(shape),
        tuple(ranges),
        subqueries,
        result_labels.labels(expr),
    )


def per(*queries: QueryFacts) -> Per:
    """The unit of the values of an indicator's queries; raises ValueError where they differ."""
    counting = frozenset[str]().union(*(query.counting for query in queries))
    window = sorted(counting & _WINDOW)
    second = sorted(counting & _SECOND)
    if window and second:
        raise ValueError(f"mixes {second[0]} (per second) with {window[0]} (per window), use only one of them")
    if window:
        return "window"
    return "second"


def problem(query: QueryFacts) -> str:
    """Why rules cannot use a query's result; empty where they can."""
    if query.instant:
        return ""
    return f"is not an instant vector, expected an expression such as sum(rate(requests_total[{WINDOW}]))"


def alike(errors: QueryFacts, total: QueryFacts) -> str:
    """Why two queries cannot distinguish bad events from all; empty where they can."""
    if errors.expr.prettify() == total.expr.prettify():
        return "is the same query as that for all events"
    if errors.selectors and set(errors.selectors) == set(total.selectors) and errors.shape == total.shape:
        return f"reads the same series as the query for all events: {', '.join(sorted(set(total.selectors)))}"
    return ""


def other_labels(part: QueryFacts, total: QueryFacts) -> str:
    """Why two queries have no events in common, as far as their texts show; empty where they may have."""
    if part.labels is None or total.labels is None or part.labels == total.labels:
        return ""
    of_part = ", ".join(part.labels) or "none"
    of_total = ", ".join(total.labels) or "none"
    return f"keeps other labels ({of_part}) than the query for all events ({of_total}), expected the same"
