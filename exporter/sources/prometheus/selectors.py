"""The series that a query reads, taken from its text: what to look for when it gives nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

from exporter.clients.prometheus import quote

_PLAIN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
"""A name that may stand before the braces; others, as in OpenTelemetry, stand in them."""

_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Selector:
    """One instant selector, without offset."""

    metric: str
    """Empty where the name is matched by a pattern."""
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
        """Labels without which nothing matches."""
        return tuple(label for label, operator, value in self.matchers if operator in ("=", "=~") and value)


def selectors(query: str) -> tuple[Selector, ...]:
    """Every series selector of a query, once; none for a text that is not PromQL."""
    found = list[Selector]()

    def visit(node: object) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(_selector(node))

    try:
        promql_parser.walk(promql_parser.parse(query), visit)
    except ValueError:
        return ()
    return tuple(dict.fromkeys(found))


def _selector(node: promql_parser.VectorSelector) -> Selector:
    matchers = tuple(_matchers(node))
    named = [value for label, operator, value in matchers if (label, operator) == ("__name__", "=")]
    if node.name is None and len(named) == 1:
        return Selector(named[0], tuple(each for each in matchers if each[0] != "__name__"))
    return Selector(node.name or "", matchers)


def _matchers(node: promql_parser.VectorSelector) -> Iterator[tuple[str, str, str]]:
    for each in node.matchers.matchers:
        yield each.name, _OPERATORS[str(each.op).removeprefix("MatchOp.")], each.value
