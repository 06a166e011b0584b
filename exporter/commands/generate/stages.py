"""The past of new SLOs' recordings: the rules in the order of their evaluation, as rules files for promtool.

promtool queries the server for a rule's result, and cannot see its own new blocks. So rules that depend on others are
in a later stage, after the blocks of the earlier stages have been moved into the server's data directory.

promtool creates a block for each rule and two hours. So all SLOs share one rule for each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from exporter.model.rule import Record
from exporter.model.slo import Slo
from exporter.slo import rules as slo_rules
from exporter.slo.rules import names
from exporter.slo.rules.render import INTERVAL
from exporter.slo.rules.series import identity, quote

_GROUP = "history"
FILE = "rules.yml"
"""promtool derives the second of a minute at which it evaluates from these names: so all stages have the same names.

If that is the minute's last second, promtool omits one minute of each two hours; with these names it is another.
"""

TOGETHER = 50
"""SLOs' branches in one rule, at most: `or` compares each with all before it."""

_ROOTS = tuple(names.quarter(kind) for kind in names.KINDS)
"""All long windows are sums of these: once they have a past, the rules compute the right budget immediately."""


_Key = tuple[str, str]
"""A recorded name and, for data states, the state."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Recordings that depend only on earlier stages."""

    number: int
    records: Mapping[str, tuple[tuple[Slo, Record], ...]]
    """By the recorded name."""

    @property
    def file(self) -> str:
        return f"stage-{self.number}/{FILE}"

    @property
    def rules(self) -> list[dict[str, object]]:
        """As in a rules file. The most basic rule is last, because the script waits for it."""
        rules: list[dict[str, object]] = []
        for name in reversed(list(self.records)):
            rules += _rules(name, self.records[name])
        return rules


def plan(slos: Iterable[Slo], *, graphs: bool = False) -> list[Stage]:
    """The recordings in order; `graphs`: every recording, not only those that budgets depend on."""
    dependencies: dict[_Key, set[_Key]] = {}
    branches: dict[_Key, list[tuple[Slo, Record]]] = {}
    for slo in slos:
        for record, below in _edges(slo):
            key = _key(record)
            dependencies.setdefault(key, set()).update(below)
            branches.setdefault(key, []).append((slo, record))

    by_level: dict[int, dict[str, list[tuple[Slo, Record]]]] = {}
    for key, level in _levels(dependencies, graphs=graphs).items():
        name, _ = key
        by_level.setdefault(level, {}).setdefault(name, []).extend(branches[key])

    # Levels have gaps where all recordings of one are omitted; stages have none.
    ordered = [by_level[level] for level in sorted(by_level)]
    return [Stage(number, _frozen(records)) for number, records in enumerate(ordered, start=1)]


def _frozen(records: Mapping[str, list[tuple[Slo, Record]]]) -> Mapping[str, tuple[tuple[Slo, Record], ...]]:
    return {name: tuple(branches) for name, branches in records.items()}


def _key(record: Record) -> _Key:
    """States depend on each other; all series of another name are in one stage."""
    return record.name, record.labels.get("state", "")


def _edges(slo: Slo) -> Iterator[tuple[Record, list[_Key]]]:
    """Each record with its dependencies, which come before it."""
    selectors: dict[_Key, str] = {}
    for rule in slo_rules.rules(slo, "", ""):
        if not isinstance(rule, Record):
            continue
        key = _key(rule)
        yield rule, [other for other, selector in selectors.items() if other != key and selector in rule.expr]

        state = f",state={quote(key[1])}" if key[1] else ""
        selectors[key] = f"{rule.name}{{sloth_id={quote(slo.id)}{state}"


def _levels(dependencies: Mapping[_Key, set[_Key]], *, graphs: bool) -> dict[_Key, int]:
    """The level of each required recording; recordings without dependents are last."""

    @cache
    def level(key: _Key) -> int:
        return 1 + max(map(level, dependencies[key]), default=0)

    required = _required(dependencies, graphs=graphs)
    has_dependents = set[_Key]().union(*(dependencies[key] for key in required))
    last = max(map(level, required), default=0)

    levels: dict[_Key, int] = {}
    for key in dependencies:
        if key in required:
            levels[key] = level(key) if key in has_dependents else last
    return levels


def _required(dependencies: Mapping[_Key, set[_Key]], *, graphs: bool) -> set[_Key]:
    """The recordings of budgets, or with graphs all, and their dependencies."""
    required = {key for key in dependencies if graphs or key[0] in _ROOTS}
    todo = [*required]
    while todo:
        new = dependencies[todo.pop()] - required
        required |= new
        todo += new
    return required


def _rules(name: str, branches: Sequence[tuple[Slo, Record]]) -> Iterator[dict[str, object]]:
    """Rules for one name, each with few enough branches to be quick."""
    for first in range(0, len(branches), TOGETHER):
        yield _rule(name, branches[first : first + TOGETHER])


def _rule(name: str, branches: Sequence[tuple[Slo, Record]]) -> dict[str, object]:
    """The rule sets the labels that all branches share, and each branch the others."""
    labels = [{**identity(slo), **record.labels} for slo, record in branches]
    shared = _shared(labels)

    exprs = []
    for (_, record), all_labels in zip(branches, labels, strict=True):
        own = {label: value for label, value in all_labels.items() if label not in shared}
        exprs.append(_labelled(record.expr, own))

    rule: dict[str, object] = {"record": name, "expr": "\nor\n".join(exprs)}
    if shared:
        rule["labels"] = shared
    return rule


def _shared(labels: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The labels that are the same in all of them."""
    shared = dict(labels[0])
    for others in labels[1:]:
        shared = {label: value for label, value in shared.items() if others.get(label) == value}
    return shared


def _labelled(expr: str, labels: Mapping[str, str]) -> str:
    """An expression whose result has these labels too."""
    if not labels:
        return f"({expr})"
    for label, value in labels.items():
        literal = value.replace("$", "$$")  # `$` would name a part of a match
        expr = f'label_replace({expr}, {quote(label)}, {quote(literal)}, "", "")'
    return expr


def files(all_stages: Sequence[Stage]) -> Mapping[str, bytes]:
    """The stages' rules files by name."""
    contents: dict[str, bytes] = {}
    for stage in all_stages:
        document = {"groups": [{"name": _GROUP, "interval": INTERVAL, "rules": stage.rules}]}
        text = yaml.safe_dump(document, sort_keys=False, width=1_000_000, allow_unicode=True)
        contents[stage.file] = text.encode()
    return contents


def other(contents: Mapping[str, bytes], directory: Path) -> Path | None:
    """A stage's file in the directory that does not belong to these; raises OSError."""
    for path in sorted(directory.glob(f"stage-*/{FILE}")):
        if contents.get(f"{path.parent.name}/{FILE}") != path.read_bytes():
            return path
    return None
