"""Queries of other forms -> bad and all events: ratios taken apart, good events subtracted, windows put in.

Texts are cut, not printed anew from the parsed query, so that people find their own queries in the rules. Every cut is
parsed and compared with what it should be; where it is not, nothing is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    """An indicator of queries of bad and all events, which the objective's checks look at; raises ValueError."""
    parsed = [query_facts.parse(query) for query in (errors, total)]
    known = [query.labels for query in parsed if query.labels is not None]
    return Sli(errors, total, query_facts.per(*parsed), known[-1] if known else ())


def good_events(good: str, total: str) -> Sli:
    """An indicator of queries of good and all events; raises ValueError where they cannot be subtracted.

    Where no good event was ever counted there is no series of them, and then all events are bad.
    """
    few, all_ = query_facts.parse(good), query_facts.parse(total)
    same = query_facts.alike(few, all_)
    if same:
        raise ValueError(f"{same}, wanted another")
    if few.labels is not None and all_.labels is not None and few.labels != all_.labels:
        kept, wanted = (", ".join(labels) or "none" for labels in (few.labels, all_.labels))
        raise ValueError(f"keeps other labels ({kept}) than the query of all events ({wanted}), wanted the same")
    labels = few.labels if all_.labels is None else all_.labels
    part, whole = operand(few, labels), operand(all_, labels)
    return Sli(f"{whole} - ({part} or {whole} * 0)", total, query_facts.per(few, all_), labels or ())


def operand(query: query_facts.Query, labels: Labels) -> str:
    """A query as one side of an operator; summed by `labels` where it keeps more than is known."""
    if query.labels is None:
        by = f" by ({', '.join(labels)})" if labels else ""
        return f"sum{by} ({query.text})"
    single = isinstance(query.expr, promql.AggregateExpr | promql.Call | promql.ParenExpr)
    return query.text if single else f"({query.text})"


def minutes(errors: str, total: str) -> Sli:
    """An indicator whose events are minutes; raises ValueError."""
    return Sli(errors, total, "minute", query_facts.parse(errors).labels or ())


def ratio(query: str) -> Sli:
    """An indicator of one query of the share of bad events; raises ValueError.

    A quotient of two queries over the window is taken apart, so that its sums are exact. Of anything else each minute's
    value counts the same; a minute without a value (NaN) counts as none.
    """
    text = _inner(query)
    parsed = query_facts.parse(text)
    parts = _quotient(text)
    if parts is not None:
        return events(*parts)
    if _is_rest_of_one(parsed):
        cut = _halves(text, "-")
        parts = _quotient(_inner(cut[1])) if cut is not None else None
        if parts is not None:
            return good_events(*parts)
    return minutes(query, f"({query}) > bool -Inf")


def rest(query: str) -> str:
    """1 minus a query; of a query that is 1 minus something, that; raises ValueError."""
    text = _inner(query)
    cut = _halves(text, "-") if _is_rest_of_one(query_facts.parse(text)) else None
    return f"1 - ({query})" if cut is None else _inner(cut[1])


def _is_rest_of_one(parsed: query_facts.Query) -> bool:
    expr = parsed.expr
    if not isinstance(expr, promql.BinaryExpr) or str(expr.op) != "-":
        return False
    return isinstance(expr.lhs, promql.NumberLiteral) and expr.lhs.val == 1


def _quotient(text: str) -> tuple[str, str] | None:
    """Both sides of a division, when both count over the window in the same way and keep the same labels."""
    cut = _halves(text, "/")
    if cut is None:
        return None
    left, right = (query_facts.parse(_inner(part)) for part in cut)
    if not (left.counting and right.counting) or left.labels != right.labels:
        return None
    try:
        query_facts.per(left, right)
    except ValueError:
        return None
    return left.text, right.text


def _inner(text: str) -> str:
    """A query without the parentheses around it, and without an `or vector(0)` at its end: no events are no error."""
    text = text.strip()
    expr = query_facts.parse(text).expr
    if isinstance(expr, promql.ParenExpr) and text[:1] == "(" and text[-1:] == ")":
        return _inner(text[1:-1])
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) == "or":
        cut = _halves(text, "or")
        if cut is not None and _NOTHING.fullmatch(cut[1]):
            return _inner(cut[0])
    return text


def _halves(text: str, operator: str) -> tuple[str, str] | None:
    """What stands left and right of the operator that a query is made of; None when it is made of another."""
    expr = query_facts.parse(text).expr
    if not isinstance(expr, promql.BinaryExpr) or str(expr.op) != operator:
        return None
    if expr.modifier is not None and expr.modifier.group_labels is not None:
        return None
    nodes = [match.span() for match in _outer(text) if match[0].lower() == operator]
    for start, end in reversed(nodes):
        left, right = text[:start].strip(), text[end:]
        if expr.modifier is not None and expr.modifier.matching is not None:
            right = right if operator == "or" else _MATCHING.sub("", right, count=1)
        bare = _MATCHING.sub("", right, count=1) if operator == "or" else right
        if _is(left, expr.lhs) and _is(bare, expr.rhs):
            return left, right.strip()
    return None


def _is(text: str, expr: object) -> bool:
    try:
        return bool(query_facts.parse(text.strip()).expr.prettify() == expr.prettify())  # type: ignore[attr-defined]
    except ValueError:
        return False


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
    """A query of counters over the window; raises ValueError where that cannot be made of it.

    Ranges of selectors become the window, and selectors without one get `function`, such as rate.
    """
    parsed = query_facts.parse(query)
    if parsed.windowed:
        return query
    ranged = len(parsed.ranges)
    made = None
    if ranged == len(parsed.selectors) and len(set(parsed.ranges)) == 1 and not parsed.subqueries:
        made = _outside_texts(query, _RANGE, f"[{WINDOW}]")
    elif not ranged and not parsed.subqueries and parsed.selectors:
        made = _with_function(query, function)
    if made is not None and _reads_the_same(made, parsed):
        return made
    example = f"sum(rate(requests_total[{WINDOW}]))"
    raise ValueError(f"has no {WINDOW}, and none can be put in for sure; wanted it in place of a range: {example}")


def _reads_the_same(made: str, before: query_facts.Query) -> bool:
    try:
        after = query_facts.parse(made)
    except ValueError:
        return False
    return after.selectors == before.selectors and len(after.ranges) == len(after.selectors) and after.windowed


def over(query: str, seconds: str) -> str:
    """A query with a fixed range in place of the window."""
    return query.replace(WINDOW, seconds)


def _outside_texts(query: str, pattern: re.Pattern[str], by: str) -> str:
    texts = [match.span() for match in _TOKEN.finditer(query) if match["text"]]
    return pattern.sub(
        lambda match: match[0] if any(start <= match.start() < end for start, end in texts) else by, query
    )


def _with_function(query: str, function: str) -> str:
    parts, at = list[str](), 0
    for start, end in _selectors(query):
        parts += [query[at:start], f"{function}({query[start:end]}[{WINDOW}])"]
        at = end
    return "".join(parts) + query[at:]


def _selectors(query: str) -> Iterator[tuple[int, int]]:
    """Where selectors stand: words that are neither functions nor PromQL's own, with the braces that follow."""
    tokens = list(_TOKEN.finditer(query))
    at = 0
    while at < len(tokens):
        token = tokens[at]
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        follows = after is not None and not query[token.end() : after.start()].strip()
        if token["open"] == "{":
            at = _past(tokens, at)
            yield token.start(), tokens[at - 1].end()
        elif token["word"] and token["word"].lower() in _LISTS and follows and after is not None and after["open"]:
            at = _past(tokens, at + 1)
        elif token["word"] and token["word"].lower() not in _WORDS and not _is_function(token, after, follows):
            braces = follows and after is not None and after["open"] == "{"
            at = _past(tokens, at + 1) if braces else at + 1
            yield token.start(), tokens[at - 1].end()
        else:
            at += 1


def _is_function(token: re.Match[str], after: re.Match[str] | None, follows: bool) -> bool:
    if after is None or not follows:
        return False
    return after["open"] == "(" or (after["word"] or "").lower() in ("by", "without")


def _past(tokens: list[re.Match[str]], at: int) -> int:
    """The token after the bracket that closes the one at `at`."""
    depth = 0
    for position in range(at, len(tokens)):
        depth += bool(tokens[position]["open"]) - bool(tokens[position]["close"])
        if depth == 0:
            return position + 1
    return len(tokens)
