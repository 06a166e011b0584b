"""The state of objectives for programs: one list; null means unknown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from exporter.slo.status import BudgetStatus

_READ_ONLY_OF_ONE = ("windows", "tiers", "alerts")
"""A query for all objectives leaves these empty."""


def full(statuses: Sequence[BudgetStatus]) -> str:
    """All details of each budget."""
    return _render([asdict(status) for status in statuses])


def brief(statuses: Sequence[BudgetStatus]) -> str:
    """Without the keys that are read only for a single objective."""
    rows = [asdict(status) for status in statuses]
    for row in rows:
        for key in _READ_ONLY_OF_ONE:
            del row[key]
    return _render(rows)


def _render(rows: Sequence[dict[str, object]]) -> str:
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
