"""Recording rules of one side's one-minute signals, made from the queries that the source itself would ask.

They spare the server a day of subqueries at each poll; the source uses them once they cover its window. Numerators and
denominators are recorded, never their ratio, so that any window can be summed up and then divided.
"""

from __future__ import annotations

from typing import Any

from exporter.clients.prometheus import quote
from exporter.rules.rule import INTERVAL
from exporter.sources.prometheus.presets import RECORDED, RECORDING
from exporter.sources.prometheus.queries import Queries
from exporter.sources.prometheus.source import Options


def groups(side: str, options: Options) -> list[dict[str, Any]]:
    """The rule group of a side as plain data: name, interval and rules with record, expr and labels.

    Empty when the side is not to be recorded (`recorded: never`) or has no template that can be.
    """
    templates = options.templates
    queries = Queries(templates, side, options.rate_range)
    asked = {key: queries.recordable(key) for key in RECORDED}
    rules: list[dict[str, Any]] = []
    for key, query in asked.items():
        if query is not None:
            named = _named(query, templates.labels["application"])
            rules.append({"record": RECORDED[key], "expr": named, "labels": {"side": side}})
            labels = {"side": side, "signal": key, "query": queries.fingerprint(key)}
            rules.append({"record": RECORDING, "expr": "vector(1)", "labels": labels})
    if options.recorded == "never" or not rules:
        return []
    return [{"name": f"pte-observed-{side}", "interval": INTERVAL, "rules": rules}]


def _named(query: str, label: str) -> str:
    """The query without the data's own label for the application, which `application` has replaced."""
    return query if label == "application" else f'label_replace({query}, {quote(label)}, "", "", "")'
