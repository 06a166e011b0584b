"""Queries of other forms -> bad and all events: ratios are split, good events subtracted, windows inserted.

Texts are cut, not printed again from the parsed query, so people find their own queries in the rules. Every cut is
parsed and compared with the expected expression; if they differ, nothing is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from exporter.clients import promql
from exporter.model.slo import WINDOW, Sli
from exporter.slo.specs import query_facts
from exporter.slo.specs.result_labels import Labels

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*)"""
    r"""|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)|(?P<sign>[-+*/%^])"""
)
_MATCHING = re.compile(r"\s*(on|ignoring)\s*\([^()]*\)", re.IGNORECASE)
_NOTHING = re.compile(r"\s*(on\s*\(\s*\)\s*)?\(?\s*vector\s*\(\s*0\s*\)\s*\)?\s*", re.IGNORECASE)
_RANGE = re.compile(r"\[\s*[0-9a-z]+\s*\]")

_LISTS = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_WORDS = _LISTS | {"bool", "and", "or", "unless", "atan2", "offset", "start", "end", "inf", "nan"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def events(errors: str, total: str) -> Sli:
    """An indicator of queries for bad and all events, without the objective's checks; raises ValueError."""
    parsed = [query_facts.parse(query) for query in (errors, total)]
    labels = [query.labels for query in parsed if query.labels is not None]
    by = labels[-1] if labels else ()
    return Sli(errors, total, query_facts.per(*parsed), by)


def good_events(good: str, total: str) -> Sli:
    """An indicator of queries for good and all events; raises ValueError where they cannot be subtracted.

    Where no good event was ever counted, their series does not exist, and all events are bad.
    """
    part = query_facts.parse(good)
    whole = query_facts.parse(total)
    same = query_facts.alike(part, whole)
    if same:
        raise ValueError(f"{same}, expected a different one")
    other_labels = query_facts.other_labels(part, whole)
    if other_labels:
        raise ValueError(other_labels)

    # If the labels of one query depend on the data, both are summed by the labels of the other.
    labels = part.labels if whole.labels is None else whole.labels
    good_sum = operand(part, labels)
    all_sum = operand(whole, labels)
    bad = f"{all_sum} - ({good_sum} or {all_sum} * 0)"
    return Sli(bad, total, query_facts.per(part, whole), labels or ())


def operand(query: query_facts.QueryFacts, labels: Labels) -> str:
    """A query as one side of an operator; summed by `labels` where its own labels depend on the data."""
    if query.labels is None:
        by = f" by ({', '.join(labels)})" if labels else ""
        return f"sum{by} ({query.text})"

    binds_tightly = isinstance(query.expr, promql.AggregateExpr | promql.Call | promql.ParenExpr)
    if binds_tightly:
        return query.text
    return f"({query.text})"


def minutes(errors: str, total: str) -> Sli:
    """An indicator whose events are minutes; raises ValueError."""
    return Sli(errors, total, "minute", query_facts.parse(errors).labels or ())


def ratio(query: str) -> Sli:
    """An indicator of one query for the share of bad events; raises ValueError.

    A quotient of two queries over the window is split, so its sums are exact. For any other query each minute's value
    counts the same; a minute without a value (NaN) does not count.
    """
    text = _inner(query)
    parts = _quotient(text)
    if parts is not None:
        return events(*parts)

    # 1 - good / all: a ratio of good events.
    if _is_rest_of_one(query_facts.parse(text)):
        cut = _halves(text, "-")
        parts = _quotient(_inner(cut[1])) if cut is not None else None
        if parts is not None:
            return good_events(*parts)

    return minutes(query, f"({query}) > bool -Inf")


def rest(query: str) -> str:
    """1 minus a query; for a query `1 - x`, x; raises ValueError."""
    text = _inner(query)
    if _is_rest_of_one(query_facts.parse(text)):
        cut = _halves(text, "-")
        if cut is not None:
            return _inner(cut[1])
    return f"1 - ({query})"


def _is_rest_of_one(parsed: query_facts.QueryFacts) -> bool:
    expr = parsed.expr
    if not isinstance(expr, promql.BinaryExpr) or str(expr.op) != "-":
        return False
    return isinstance(expr.lhs, promql.NumberLiteral) and expr.lhs.val == 1


def _quotient(text: str) -> tuple[str, str] | None:
    """Both sides of a division, when both count over the window in the same way and keep the same labels."""
    cut = _halves(text, "/")
    if cut is None:
        return None

    lhs, rhs = (query_facts.parse(_inner(part)) for part in cut)
    if not lhs.counting or not rhs.counting or lhs.labels != rhs.labels:
        return None
    try:
        query_facts.per(lhs, rhs)
    except ValueError:
        return None
    return lhs.text, rhs.text


def _inner(text: str) -> str:
    """A query without the parentheses around it, and without an `or vector(0)` at its end: no events, no errors."""
    text = text.strip()
    expr = query_facts.parse(text).expr
    # The text may begin with a comment, so the tree alone does not show where the parentheses are.
    if isinstance(expr, promql.ParenExpr) and text[:1] == "(" and text[-1:] == ")":
        return _inner(text[1:-1])

    if isinstance(expr, promql.BinaryExpr) and str(expr.op) == "or":
        cut = _halves(text, "or")
        if cut is not None and _NOTHING.fullmatch(cut[1]):
            return _inner(cut[0])
    return text


def _halves(text: str, operator: str) -> tuple[str, str] | None:
    """Both sides of a query's outermost operator; None when that is another operator."""
    expr = query_facts.parse(text).expr
    if not isinstance(expr, promql.BinaryExpr) or str(expr.op) != operator:
        return None
    if expr.modifier is not None and expr.modifier.group_labels is not None:
        return None

    # The tree does not show where in the text its operator is: of all the same signs outside brackets, it is the sign
    # whose sides parse as the tree's sides. Usually that is the last, because operators associate from left to right.
    positions = [match.span() for match in _outer(text) if match[0].lower() == operator]
    for start, end in reversed(positions):
        lhs = text[:start].strip()
        rhs = text[end:]
        rhs_alone = _without_matching(rhs, expr)
        if _reads_as(lhs, expr.lhs) and _reads_as(rhs_alone, expr.rhs):
            # The matching stays with `vector(0)`: only `on ()` makes it have no effect.
            if operator == "or":
                return lhs, rhs.strip()
            return lhs, rhs_alone.strip()
    return None


def _without_matching(rhs: str, expr: promql.BinaryExpr) -> str:
    """The right side without the `on (...)` or `ignoring (...)` that belongs to the operator."""
    is_set = str(expr.op) == "or"
    has_matching = expr.modifier is not None and expr.modifier.matching is not None
    if is_set or has_matching:
        return _MATCHING.sub("", rhs, count=1)
    return rhs


def _reads_as(text: str, expr: Any) -> bool:
    try:
        parsed = query_facts.parse(text.strip())
    except ValueError:
        return False
    return bool(parsed.expr.prettify() == expr.prettify())


def _outer(text: str) -> Iterator[re.Match[str]]:
    """The words and signs outside of all brackets."""
    depth = 0
    for match in _TOKEN.finditer(text):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth -= 1
        elif depth == 0 and not match["text"]:
            yield match


def windowed(query: str, function: str) -> str:
    """A query of counters over the window; raises ValueError where the window cannot be inserted.

    Ranges of selectors become the window, and selectors without a range get `function`, such as rate.
    """
    parsed = query_facts.parse(query)
    if parsed.windowed:
        return query

    changed = _with_window(query, parsed, function)
    if changed is not None and _reads_the_same(changed, parsed):
        return changed
    example = f"sum(rate(requests_total[{WINDOW}]))"
    raise ValueError(f"has no {WINDOW}, and it is unclear where to insert it; put it in place of a range: {example}")


def _with_window(query: str, parsed: query_facts.QueryFacts, function: str) -> str | None:
    """None where it is not clear where the window belongs: different ranges, some without a range, subqueries."""
    if parsed.subqueries:
        return None

    all_ranged = len(parsed.ranges) == len(parsed.selectors)
    if all_ranged and len(set(parsed.ranges)) == 1:
        return _outside_texts(query, _RANGE, f"[{WINDOW}]")
    if not parsed.ranges and parsed.selectors:
        return _with_function(query, function)
    return None


def _reads_the_same(changed: str, before: query_facts.QueryFacts) -> bool:
    """Whether the changed query reads the same series as before, all of them over the window."""
    try:
        after = query_facts.parse(changed)
    except ValueError:
        return False
    return after.selectors == before.selectors and len(after.ranges) == len(after.selectors) and after.windowed


def over(query: str, seconds: str) -> str:
    """A query with a fixed range in place of the window."""
    return query.replace(WINDOW, seconds)


def _outside_texts(query: str, pattern: re.Pattern[str], by: str) -> str:
    texts = [match.span() for match in _TOKEN.finditer(query) if match["text"]]

    def replaced(match: re.Match[str]) -> str:
        is_inside = any(start <= match.start() < end for start, end in texts)
        if is_inside:
            return match[0]
        return by

    return pattern.sub(replaced, query)


def _with_function(query: str, function: str) -> str:
    parts = list[str]()
    end_of_last = 0
    for start, end in _selectors(query):
        parts.append(query[end_of_last:start])
        parts.append(f"{function}({query[start:end]}[{WINDOW}])")
        end_of_last = end
    return "".join(parts) + query[end_of_last:]


def _selectors(query: str) -> Iterator[tuple[int, int]]:
    """Positions of selectors: words that are neither functions nor PromQL's own, with the braces that follow."""
    tokens = list(_TOKEN.finditer(query))
    at = 0
    while at < len(tokens):
        token = tokens[at]
        word = (token["word"] or "").lower()
        after = _following(query, tokens, at)

        if token["open"] == "{":
            # Braces without a name before them are a selector too.
            at = _past(tokens, at)
            yield token.start(), tokens[at - 1].end()
        elif word in _LISTS and after is not None and after["open"]:
            # The brackets contain labels.
            at = _past(tokens, at + 1)
        elif not word or word in _WORDS or _is_function(after):
            at += 1
        else:
            has_braces = after is not None and after["open"] == "{"
            at = _past(tokens, at + 1) if has_braces else at + 1
            yield token.start(), tokens[at - 1].end()


def _following(query: str, tokens: list[re.Match[str]], at: int) -> re.Match[str] | None:
    """The next token, if only space is between."""
    if at + 1 == len(tokens):
        return None
    after = tokens[at + 1]
    between = query[tokens[at].end() : after.start()]
    if between.strip():
        return None
    return after


def _is_function(after: re.Match[str] | None) -> bool:
    """Whether a word is the name of a function or an aggregation, by the token after it."""
    if after is None:
        return False
    return after["open"] == "(" or (after["word"] or "").lower() in ("by", "without")


def _past(tokens: list[re.Match[str]], at: int) -> int:
    """The token after the bracket that closes the bracket at `at`."""
    depth = 0
    for position in range(at, len(tokens)):
        if tokens[position]["open"]:
            depth += 1
        elif tokens[position]["close"]:
            depth -= 1
        if depth == 0:
            return position + 1

    return len(tokens)
