"""Recording rules of one side's one-minute signals, made from the source's own queries.

They save the server a day of subqueries at each poll; the source uses them once they cover its window. Numerators and
denominators are recorded, never their ratio: any window can be summed and then divided.
"""

from __future__ import annotations

from exporter.clients.prometheus import quote
from exporter.model.rule import Record
from exporter.sources.prometheus.presets import RECORDED, RECORDING, Templates
from exporter.sources.prometheus.queries import Queries


def records(templates: Templates, side: str, rate_range: float) -> list[Record]:
    """For each key with a template, its series and a mark that it was recorded."""
    queries = Queries(templates, side, rate_range)
    records = list[Record]()
    for key, name in RECORDED.items():
        query = queries.recordable(key)
        if query is None:
            continue
        expr = _without_label(query, templates.labels["application"])
        mark = {"side": side, "signal": key, "query": queries.fingerprint(key)}
        records.append(Record(name, expr, {"side": side}))
        records.append(Record(RECORDING, "vector(1)", mark))
    return records


def _without_label(query: str, label: str) -> str:
    """The query without the data's label for the application, which `application` has replaced."""
    if label == "application":
        return query
    return f'label_replace({query}, {quote(label)}, "", "", "")'
