"""The series selectors in the text of a query: what to look for when it has no result."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exporter.clients import promql
from exporter.clients.prometheus import quote

_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
"""A name that may be written before the braces; others, as in OpenTelemetry, are written inside them."""

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Selector:
    """One instant selector, without offset."""

    metric: str
    """Empty if a pattern matches the name."""
    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator, value; in order."""

    @property
    def text(self) -> str:
        name = self.metric
        matchers = self.matchers
        if name and not _PLAIN.fullmatch(name):
            matchers = (("__name__", "=", name), *matchers)
            name = ""

        if not matchers:
            return name
        inner = ",".join(f"{label}{operator}{quote(value)}" for label, operator, value in matchers)
        return f"{name}{{{inner}}}"

    @property
    def named(self) -> str:
        """All series of its name."""
        return Selector(self.metric, ()).text

    @property
    def needed(self) -> tuple[str, ...]:
        """Labels that a series must have to match."""
        return tuple(label for label, operator, value in self.matchers if operator in ("=", "=~") and value)


def selectors(query: str) -> tuple[Selector, ...]:
    """Every series selector of a query, once; none for a text that is not PromQL."""
    try:
        expr = promql.parse(query)
    except ValueError:
        return ()

    result = [_selector(node) for node in promql.nodes(expr) if isinstance(node, promql.VectorSelector)]
    return tuple(dict.fromkeys(result))


def _selector(node: promql.VectorSelector) -> Selector:
    matchers = tuple(_matchers(node))
    names = [value for label, operator, value in matchers if (label, operator) == ("__name__", "=")]

    # A name that PromQL cannot write before the braces is among the matchers.
    if node.name is None and len(names) == 1:
        others = tuple(matcher for matcher in matchers if matcher[0] != "__name__")
        return Selector(names[0], others)
    return Selector(node.name or "", matchers)


def _matchers(node: promql.VectorSelector) -> Iterator[tuple[str, str, str]]:
    for matcher in node.matchers.matchers:
        yield matcher.name, _OPERATORS[str(matcher.op).removeprefix("MatchOp.")], matcher.value
